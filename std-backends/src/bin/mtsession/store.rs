//! `STORE` arguments: what they mean, and reading and writing through them.

use core::fmt;
use core::str::FromStr;
use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;

use mtsession::core::text::{AnySession, decode_any};
use mtsession::core::{DecodeError, Integrity, SessionSource as _};
use mtsession::{Account, BinaryFileBackend, FileStatus, PersistedSession, SessionBackend};
use zeroize::Zeroizing;

use crate::database::Database;
use crate::failure::Failure;

/// The name of the file backend; every other file is a database.
const BINARY_FILE: &str = "binary-file";

/// A store as named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    /// A path, whose content decides.
    File(PathBuf),
    /// A session string on standard input or output.
    StringStdio,
    /// A session string in a file.
    StringFile(PathBuf),
    /// A session string in an environment variable.
    StringEnv(String),
    /// An account in a database.
    Database(Database),
    /// A new database for ferogram-session.
    Ferogram(PathBuf),
}

/// A session as it was found.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) session: Zeroizing<PersistedSession>,
    pub(crate) account: Account,
    pub(crate) origin: Origin,
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
}

impl FromStr for Store {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("string", "-")) => Ok(Self::StringStdio),
            Some(("string" | "env", "")) => Err("a name is missing behind the colon".to_owned()),
            Some(("string", path)) => Ok(Self::StringFile(path.into())),
            Some(("env", name)) => Ok(Self::StringEnv(name.to_owned())),
            Some(("sqlite", place)) => Ok(Self::Database(Database::sqlite(place)?)),
            Some(("libsql", place)) => Ok(Self::Database(Database::libsql(place)?)),
            Some(("ferogram", path)) => Ok(Self::Ferogram(path.into())),
            Some(("flash", _)) => Err("this build has no flash stores".to_owned()),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::StringStdio => f.write_str("string:-"),
            Self::StringFile(path) => write!(f, "string:{}", path.display()),
            Self::StringEnv(name) => write!(f, "env:{name}"),
            Self::Database(database) => database.fmt(f),
            Self::Ferogram(path) => write!(f, "ferogram:{}", path.display()),
        }
    }
}

impl Store {
    /// Reads the session.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        match self {
            Self::File(_) | Self::Database(_) | Self::Ferogram(_) => {
                let backend = self.backend()?;
                let session = backend.load()?.ok_or_else(|| self.not_found())?;
                Ok(Loaded {
                    session: Zeroizing::new(session),
                    account: backend.account()?,
                    origin: self.origin(&*backend)?,
                })
            }
            _ => self.decode(&self.text()?),
        }
    }

    /// The backend of a store that is not a string.
    pub(crate) fn backend(&self) -> Result<Box<dyn SessionBackend>, Failure> {
        match self {
            Self::File(path) | Self::Ferogram(path) => Ok(mtsession::open(path)?),
            Self::Database(database) => database.backend(),
            Self::StringStdio | Self::StringFile(_) | Self::StringEnv(_) => {
                Err(Failure::Usage(format!("{self} holds one string only")))
            }
        }
    }

    fn origin(&self, backend: &dyn SessionBackend) -> Result<Origin, Failure> {
        match self {
            Self::File(path) if backend.name() == BINARY_FILE => {
                let status = BinaryFileBackend::new(path).status()?;
                Ok(Origin::File(status.ok_or_else(|| self.not_found())?))
            }
            _ => Ok(Origin::Database),
        }
    }

    /// The encoded session as it is stored, without its journal.
    pub(crate) fn raw(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        match self {
            Self::File(path) => fs::read(path).map(Zeroizing::new).map_err(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    return self.not_found();
                }
                Failure::Store(error)
            }),
            Self::Database(_) | Self::Ferogram(_) => {
                Ok(Zeroizing::new(self.load()?.session.try_to_bytes()?))
            }
            _ => Ok(Zeroizing::new(self.text()?.as_bytes().to_vec())),
        }
    }

    /// Stores a session, and what is known of its account.
    pub(crate) fn save(&self, session: &PersistedSession, account: Account) -> Result<(), Failure> {
        match self {
            Self::File(_) | Self::Database(_) => {
                let backend = self.backend()?;
                backend.save(session)?;
                if !account.is_empty() {
                    backend.set_account(account)?;
                }
                Ok(())
            }
            Self::Ferogram(path) => {
                let left_out = mtsession::SqliteBackend::export_ferogram(session, path)?;
                if left_out > 0 {
                    eprintln!("{left_out} entries have no place in {self} and were left out");
                }
                Ok(())
            }
            Self::StringEnv(_) => Err(Failure::Usage(format!("{self} can only be read"))),
            Self::StringStdio | Self::StringFile(_) => {
                let backend = mtsession::StringSessionBackend::new("");
                backend.save(session)?;
                if !account.is_empty() {
                    backend.set_account(account)?;
                }
                self.put_text(&Zeroizing::new(backend.current()))
            }
        }
    }

    /// Writes a session string.
    pub(crate) fn put_text(&self, text: &str) -> Result<(), Failure> {
        if let Self::StringFile(path) = self {
            write_private(path, text).map_err(|error| {
                let message = format!("cannot write {}: {error}", path.display());
                Failure::Store(io::Error::new(error.kind(), message))
            })
        } else {
            writeln!(io::stdout(), "{text}")?;
            Ok(())
        }
    }

    /// Whether something is there already.
    pub(crate) fn is_taken(&self) -> Result<bool, Failure> {
        Ok(match self {
            Self::File(path) | Self::StringFile(path) | Self::Ferogram(path) => fs::exists(path)?,
            Self::Database(database) => database.has_account()?,
            Self::StringStdio | Self::StringEnv(_) => false,
        })
    }

    pub(crate) fn not_found(&self) -> Failure {
        Failure::NotFound(format!("no session at {self}"))
    }

    /// The text of a string store.
    fn text(&self) -> Result<Zeroizing<String>, Failure> {
        let mut text = Zeroizing::new(String::new());
        match self {
            Self::StringEnv(name) => match std::env::var(name) {
                Ok(value) => text.push_str(&Zeroizing::new(value)),
                Err(std::env::VarError::NotPresent) => return Err(self.not_found()),
                Err(std::env::VarError::NotUnicode(_)) => {
                    let message = format!("{self} is not text");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, message).into());
                }
            },
            Self::StringFile(path) => match fs::read_to_string(path) {
                Ok(value) => text.push_str(&Zeroizing::new(value)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(self.not_found());
                }
                Err(error) => {
                    let message = format!("cannot read {}: {error}", path.display());
                    return Err(io::Error::new(error.kind(), message).into());
                }
            },
            _ => {
                if io::stdin().is_terminal() {
                    eprintln!("Paste the session string and press Enter, then Ctrl-D:");
                }
                io::stdin().read_to_string(&mut text)?;
            }
        }
        Ok(text)
    }

    fn decode(&self, text: &str) -> Result<Loaded, Failure> {
        let mut buffer = Zeroizing::new(vec![0; text.len()]);
        let any = decode_any(text, &mut buffer).map_err(|error| self.unreadable(error))?;
        let origin = match &any {
            AnySession::Native(view) => Origin::Native(view.version(), view.integrity()),
            AnySession::Compact(compact) => Origin::Compact(compact.version()),
        };
        Ok(Loaded {
            session: Zeroizing::new(PersistedSession::from_string(text)?),
            account: any.account(),
            origin,
        })
    }

    /// Says which store the error is about.
    pub(crate) fn unreadable(&self, error: DecodeError) -> Failure {
        let message = format!("cannot read {self}: {error}");
        Failure::Store(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

/// Writes a file that only its owner can read.
fn write_private(path: &std::path::Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}
