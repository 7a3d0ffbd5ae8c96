//! Reading a session from wherever it is. Nothing here changes what it reads.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use mtsession::clients::{self, FileFormat, ForeignError, LeftOut, ReadOptions};
use mtsession::codec::clients::detect;
use mtsession::codec::{Decoded, Integrity, SessionMut as _, SessionSource as _, WithAccount};
use mtsession::{FileStatus, PersistedSession, SessionRecord, Shown, pasted_text};
use zeroize::Zeroizing;

use super::Store;
use crate::args::AccountArgs;
use crate::failure::Failure;
use crate::output;
use crate::report;

/// A session as it was found.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) record: SessionRecord,
    pub(crate) origin: Origin,
    /// What could not be read beside the login.
    pub(crate) left_out: Vec<LeftOut>,
    /// What else the reader says.
    pub(crate) notes: Vec<String>,
}

impl Loaded {
    /// A session of ours, of which everything was read.
    pub(super) fn whole(record: SessionRecord, origin: Origin) -> Self {
        Self {
            record,
            origin,
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The session with its account, as other libraries know both.
    pub(crate) fn login(&self) -> WithAccount<'_, PersistedSession> {
        login(&self.record)
    }

    /// Takes in what the command line says of the account.
    pub(crate) fn complete(&mut self, args: &AccountArgs) {
        let mut account = self.record.account();
        args.complete(&mut account);
        self.record.set_account(account);
    }
}

/// The session of a record with its account, as other libraries know both.
pub(super) fn login(record: &SessionRecord) -> WithAccount<'_, PersistedSession> {
    record.session().with_account(record.account())
}

/// What a session was found as.
#[derive(Debug)]
pub(crate) enum Origin {
    /// A session file, perhaps with a journal.
    File(FileStatus),
    /// A native string of this version.
    Native(u8, Integrity),
    /// A compact string of this version.
    Compact(u8),
    /// An account of a database.
    Database,
    /// A flash image, and how many of its records are damaged.
    Flash(u16),
    /// The session of another library, and its version.
    Foreign(FileFormat, Option<i64>),
}

impl Store {
    /// Reads the session.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        match self {
            Self::File(path) => self.load_path(path),
            Self::Backend(_) => self.load_backend(),
            Self::Ferogram(path) => Self::File(path.clone()).load(),
            Self::Flash(path, layout) => self.load_flash(path, *layout),
            Self::Library(_, path) => match load_foreign(path, None) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.not_found()),
                loaded => loaded.map_err(Failure::Store),
            },
            Self::StringStdio | Self::StringFile(_) | Self::StringEnv(_) => {
                self.decode(&self.text()?)
            }
            Self::LibraryString(_) => Self::StringStdio.load(),
        }
    }

    /// Reads the account with this number, where one place holds several that have no names.
    pub(crate) fn load_account(&self, number: Option<usize>) -> Result<Loaded, Failure> {
        match (self, number) {
            (_, None) => self.load(),
            (Self::File(path), Some(_)) => match load_foreign(path, number) {
                Err(error) if is_unknown(&error) => self.load().and(Err(self.no_numbers())),
                loaded => loaded.map_err(Failure::Store),
            },
            _ => Err(self.no_numbers()),
        }
    }

    fn no_numbers(&self) -> Failure {
        Failure::Usage(format!(
            "{self} has no numbered accounts, as Telegram Desktop has"
        ))
    }

    /// Ours, or else that of another library, whichever recognises it.
    fn load_path(&self, path: &Path) -> Result<Loaded, Failure> {
        let ours = self.load_backend();
        let Err(Failure::Store(refused)) = ours else {
            return ours;
        };
        match load_foreign(path, None) {
            Ok(loaded) => Ok(loaded),
            // Where nobody knows it, our own words say more.
            Err(error) if is_unknown(&error) => Err(Failure::Store(refused)),
            Err(error) => Err(Failure::Store(error)),
        }
    }

    fn load_backend(&self) -> Result<Loaded, Failure> {
        let backend = self.backend()?.ok_or_else(|| self.not_found())?;
        if backend.name() == "binary-file"
            && let Some(file) = self.session_file()?
        {
            let read = file.read_with_status()?;
            let (record, status) = read.ok_or_else(|| self.no_account())?;
            return Ok(Loaded::whole(record, Origin::File(status)));
        }
        let record = backend.read()?.ok_or_else(|| self.no_account())?;
        Ok(Loaded::whole(record, Origin::Database))
    }

    /// The encoded session as it is stored, without its journal.
    pub(crate) fn raw(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::File(path) => self.read(path).map(Zeroizing::new),
            _ => Ok(Zeroizing::new(self.text()?.as_bytes().to_vec())),
        }
    }

    pub(crate) fn read(&self, path: &Path) -> Result<Vec<u8>, Failure> {
        fs::read(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => self.not_found(),
            kind => {
                let message = format!("cannot read {}: {error}", path.display());
                Failure::Store(io::Error::new(kind, message))
            }
        })
    }

    /// The text of a string store.
    fn text(&self) -> Result<Zeroizing<String>, Failure> {
        let bytes = Zeroizing::new(match self {
            Self::StringEnv(name) => {
                let value = std::env::var_os(name).ok_or_else(|| self.not_found())?;
                value.into_encoded_bytes()
            }
            Self::StringFile(path) => {
                let bytes = self.read(path)?;
                if pasted_text(&bytes).is_none()
                    && let Ok(import) = clients::read(path)
                {
                    let found = report::origin(&Origin::Foreign(import.format, import.version));
                    return Err(self.unreadable(format!("it is no string but {found}")));
                }
                bytes
            }
            _ => {
                if io::stdin().is_terminal() {
                    output::complain("Paste the session string and press Enter, then Ctrl-D:\n");
                }
                // Room for every string but the largest: what grows leaves pieces behind.
                let mut bytes = Vec::with_capacity(64 * 1024);
                io::stdin().read_to_end(&mut bytes)?;
                bytes
            }
        });
        pasted_text(&bytes).ok_or_else(|| self.unreadable("it is not text"))
    }

    fn decode(&self, text: &str) -> Result<Loaded, Failure> {
        let mut buffer = Zeroizing::new(vec![0; text.len()]);
        let found = detect(text, &mut buffer).map_err(|error| self.unreadable(error))?;
        let origin = match &found {
            Decoded::Native(view) => Origin::Native(view.version(), view.integrity()),
            Decoded::Compact(compact) => Origin::Compact(compact.version()),
            Decoded::Client(format, _) => Origin::Foreign(FileFormat::Text(*format), None),
        };
        let mut session = SessionRecord::default();
        let Ok(()) = session.copy_from(&found);
        Ok(Loaded::whole(session, origin))
    }
}

/// The variable with the local passcode of Telegram Desktop, or the key of `TDLib`'s log.
const PASSCODE_VARIABLE: &str = "MTSESSION_PASSCODE";

fn load_foreign(path: &Path, number: Option<usize>) -> io::Result<Loaded> {
    let mut options = ReadOptions::default();
    if let Some(number) = number {
        options = options.account(number);
    }
    if let Ok(passcode) = std::env::var(PASSCODE_VARIABLE) {
        options = options.passcode(passcode);
    }
    let import = clients::read_with(path, &options)?;
    if !import.also.is_empty() {
        for other in &import.also {
            output::note(format_args!("{} also holds {other}", Shown(path.display())));
        }
    }
    Ok(Loaded {
        origin: Origin::Foreign(import.format, import.version),
        record: import.record()?,
        left_out: import.left_out,
        notes: import.notes,
    })
}

/// Whether no library knows it, or it is one of ours.
fn is_unknown(error: &io::Error) -> bool {
    ForeignError::of(error).is_none_or(ForeignError::is_unknown)
}
