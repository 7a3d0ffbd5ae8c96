//! Recognises what lies at a path, by its content.

use core::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession_core::clients::detect;
use mtsession_core::{DecodeErrorKind, SessionBytes, SessionSource};
use zeroize::Zeroizing;

use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::import::Import;
use crate::clients::sqlite::Db;
use crate::clients::{
    gramjs, grammers, identity, json, mtcute, pyrogram, several, tdata, tdlib, telethon,
};
use crate::error::StoreError;
use crate::pasted::pasted_text;
use crate::record::SessionRecord;
use crate::secret_bytes::SecretBytes;
use crate::sqlite_file;
use crate::sqlite_file::open_databases::LockSafeFile;

/// Session files are small; whatever is larger than this is not one (databases aside).
const MAX_FILE: u64 = 16 << 20;

/// The first bytes of a file, as many as anything is recognised by.
const HEAD: u64 = 32;

/// `TDLib` makes its log anew long before it is that long.
const MAX_LOG: u64 = 256 << 20;

/// Reads the session of another library from a file or directory, which is left as it is.
///
/// The key and its DC are what must be there. Whatever else cannot be read is left out and named in
/// [`Import::left_out`]. Of a database that several libraries have written to, the tables with a key are
/// taken and the others named in [`Import::also`]. Of several logins with different keys none is picked,
/// see [`read_account`].
///
/// # Errors
/// `InvalidData` with a [`ForeignError`] inside, naming the path: not a known session, nobody logged
/// in, or which part is damaged.
pub fn read(path: &Path) -> io::Result<Import> {
    read_with(path, &ReadOptions::default())
}

/// The same with what has to be said about it.
///
/// ```no_run
/// use mtsession::clients::{self, ReadOptions};
///
/// let options = ReadOptions::default().passcode("1234").account(2);
/// let second = clients::read_with("tdata".as_ref(), &options)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`read`] and [`read_account`]; [`ForeignError::Passcode`] and [`ForeignError::WrongPasscode`].
pub fn read_with(path: &Path, options: &ReadOptions) -> io::Result<Import> {
    named(path, read_any(path, options))
}

/// How to read.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct ReadOptions {
    account: Option<usize>,
    passcode: Zeroizing<String>,
}

impl ReadOptions {
    /// Which of several logins, counted from 1: see [`read_account`].
    #[must_use]
    pub fn account(mut self, number: usize) -> Self {
        self.account = Some(number);
        self
    }

    /// The local passcode of Telegram Desktop, or the key that a program gave `TDLib` for its database, as
    /// text or in base64; ignored where nothing is locked.
    #[must_use]
    pub fn passcode(mut self, passcode: impl Into<String>) -> Self {
        self.passcode = Zeroizing::new(passcode.into());
        self
    }
}

/// Hides the passcode.
impl fmt::Debug for ReadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOptions")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Reads one of several logins, such as the accounts of Telegram Desktop: `number` counts from 1, as
/// [`ForeignError::SeveralKeys`] does.
///
/// # Errors
/// As [`read`]; `InvalidInput` where there is no login with this number.
pub fn read_account(path: &Path, number: usize) -> io::Result<Import> {
    read_with(path, &ReadOptions::default().account(number))
}

fn named(path: &Path, read: Result<Import, ForeignError>) -> io::Result<Import> {
    read.map_err(|error| {
        StoreError::io("foreign session", path.display().to_string(), "read", error)
    })
}

/// What lies at `path`, with its version, where it is the session of a library; logged in or not.
pub(crate) fn describe(path: &Path) -> Option<String> {
    let (formats, version) = match read_any(path, &ReadOptions::default()) {
        Ok(import) => {
            let formats = core::iter::once(import.format).chain(import.also).collect();
            (formats, import.version)
        }
        Err(ForeignError::NotReadable { what, .. }) => return Some(what.to_owned()),
        Err(_) => (recognise(path).ok()?, None),
    };
    let names: Vec<_> = formats.iter().map(FileFormat::to_string).collect();
    let names = names.join(" and ");
    match version {
        _ if names.is_empty() => None,
        Some(version) => Some(format!("{names}, version {version}")),
        None => Some(names),
    }
}

/// Whose session it is, where that can be said of one that cannot be read.
fn recognise(path: &Path) -> Result<Vec<FileFormat>, ForeignError> {
    Ok(match content_of(path)? {
        Content::Tdata(_) => vec![FileFormat::Tdata],
        Content::GramJs(_) => vec![FileFormat::GramJsStore],
        Content::Database => formats_in(&Db::open(path)?)?,
        Content::Tl(_) => vec![FileFormat::GrammersTl],
        Content::Binlog { .. } => vec![FileFormat::TdlibBinlog],
        Content::Json(text) => json::recognise(&text).into_iter().collect(),
        Content::Own | Content::Text(_) => Vec::new(),
    })
}

/// What lies at a path.
enum Content {
    /// A directory of Telegram Desktop's.
    Tdata(PathBuf),
    /// A directory with these stores of GramJS.
    GramJs(Vec<String>),
    Database,
    /// A log of `TDLib`'s.
    Binlog {
        log: SecretBytes,
        /// Which servers it is of, where its name says so.
        test_mode: Option<bool>,
    },
    Own,
    Tl(SecretBytes),
    Json(Zeroizing<String>),
    Text(Zeroizing<String>),
}

fn content_of(path: &Path) -> Result<Content, ForeignError> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        let stores = gramjs::prefixes(path)?;
        let mut logs = tdlib::logs_in(path).into_iter();
        let log = logs.find(|log| log.is_file());
        return match (log, identity::by_names(path)) {
            _ if !stores.is_empty() => Ok(Content::GramJs(stores)),
            (Some(log), _) => binlog(&log),
            (None, Some(known)) => Err(known),
            (None, None) => Ok(Content::Tdata(path.to_path_buf())),
        };
    }
    // What is no file may have no end, or no beginning.
    if !metadata.is_file() {
        return Err(ForeignError::Unknown);
    }
    let head = LockSafeFile::open(path)?.head(HEAD)?;
    if head.starts_with(b"TDF$") {
        let dir = path.parent().unwrap_or(Path::new("."));
        return Ok(Content::Tdata(dir.to_path_buf()));
    }
    if head.starts_with(sqlite_file::MAGIC) {
        return Ok(Content::Database);
    }
    if tdlib::is_binlog(&head) {
        return binlog(path);
    }
    if metadata.len() > MAX_FILE {
        return Err(identity::by_content(&head).unwrap_or(ForeignError::Unknown));
    }
    content_of_bytes(LockSafeFile::open(path)?.read_all()?)
}

/// A log of `TDLib`'s, which can be longer than other files.
fn binlog(path: &Path) -> Result<Content, ForeignError> {
    if fs::metadata(path)?.len() > MAX_LOG {
        return Err(ForeignError::damaged("no log is as long"));
    }
    Ok(Content::Binlog {
        log: LockSafeFile::open(path)?.read_all()?,
        test_mode: tdlib::test_mode_of(path),
    })
}

/// What the bytes of a file are that is no database and no part of a directory.
fn content_of_bytes(bytes: SecretBytes) -> Result<Content, ForeignError> {
    if bytes.starts_with(&grammers::tl::MAGIC) {
        return Ok(Content::Tl(bytes));
    }
    if tdlib::is_binlog(&bytes) {
        return Ok(Content::Binlog {
            log: bytes,
            test_mode: None,
        });
    }
    if SessionBytes::parse(&bytes).is_ok() {
        return Ok(Content::Own);
    }
    if let Some(known) = identity::by_content(&bytes) {
        return Err(known);
    }
    let text = pasted_text(&bytes).ok_or(ForeignError::Unknown)?;
    // Editors on Windows write a mark in front of the text.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    let owned = Zeroizing::new(text.to_owned());
    if text.trim_start().starts_with(['{', '[']) {
        return Ok(Content::Json(owned));
    }
    Ok(Content::Text(owned))
}

/// Reads what the bytes of a file are: of a database, of a file with TL or JSON, or a session string.
///
/// It needs no file system, as in a browser. What several files make up together, a directory of GramJS's or
/// Telegram Desktop's, and what a database has in a log alongside it, [`read_with`] reads from their places.
///
/// ```no_run
/// use mtsession::clients::{self, Options, ReadOptions, Target};
///
/// let uploaded = std::fs::read("telethon.session")?;
/// let import = clients::read_bytes(&uploaded, &ReadOptions::default())?;
/// let converted = clients::write_bytes(Target::Mtcute, Options::default(), &import.source(), &import.names)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// As [`read_with`]; [`ForeignError::NotReadable`] for a single file of several.
pub fn read_bytes(bytes: &[u8], options: &ReadOptions) -> io::Result<Import> {
    let import = read_any_bytes(bytes, options);
    import.map_err(|error| StoreError::io("foreign session", "bytes", "read", error))
}

fn read_any_bytes(bytes: &[u8], options: &ReadOptions) -> Result<Import, ForeignError> {
    let content = if bytes.starts_with(sqlite_file::MAGIC) {
        return read_database(&Db::of_bytes(bytes)?, options.account);
    } else if bytes.starts_with(b"TDF$") {
        return Err(ForeignError::NotReadable {
            what: "a file of Telegram Desktop's tdata",
            advice: "it takes the whole directory, which `mtsession convert` reads",
        });
    } else if u64::try_from(bytes.len()).is_ok_and(|len| len <= MAX_FILE) {
        content_of_bytes(SecretBytes::from(bytes.to_vec()))?
    } else {
        return Err(identity::by_content(bytes).unwrap_or(ForeignError::Unknown));
    };
    read_content(content, Path::new(""), options)
}

fn read_any(path: &Path, options: &ReadOptions) -> Result<Import, ForeignError> {
    read_content(content_of(path)?, path, options)
}

fn read_content(
    content: Content,
    path: &Path,
    options: &ReadOptions,
) -> Result<Import, ForeignError> {
    let choice = options.account;
    match content {
        Content::Tdata(dir) => tdata::read(&dir, choice, options.passcode.as_bytes()),
        Content::GramJs(stores) => gramjs::read(path, stores, choice),
        Content::Database => read_database(&Db::open(path)?, choice),
        Content::Tl(bytes) => grammers::tl::read(&bytes, choice),
        Content::Binlog { log, test_mode } => {
            tdlib::read(&log, test_mode, options.passcode.as_bytes(), choice)
        }
        Content::Json(text) => read_json(&text, choice),
        Content::Text(text) => read_text(&text, choice),
        Content::Own => Err(ForeignError::Own),
    }
}

/// JSON of a library, or somebody's own with a session string in it.
fn read_json(text: &str, choice: Option<usize>) -> Result<Import, ForeignError> {
    json::read(text, choice).or_else(|error| match read_text(text, choice) {
        Err(ForeignError::Text(text)) if text.kind == DecodeErrorKind::SeveralStrings => {
            Err(ForeignError::Text(text))
        }
        found => found.map_err(|_| error),
    })
}

/// A session string of any library in a text file.
fn read_text(text: &str, choice: Option<usize>) -> Result<Import, ForeignError> {
    if let Some(number @ (0 | 2..)) = choice {
        return Err(ForeignError::NoAccount { number, count: 1 });
    }
    let mut buffer = Zeroizing::new(vec![0; text.len()]);
    let detected = detect(text, &mut buffer).map_err(ForeignError::Text)?;
    let mut import = Import::new(FileFormat::Text(detected.format()));
    let record = SessionRecord::copy_of(&detected);
    import.account = record.account();
    import.login_state = record.login_state().into();
    import.names = record.peer_names();
    import.session = Zeroizing::new(record.into_session());
    Ok(import)
}

/// A reader of one library's tables.
type Reader = fn(&Db, Option<usize>) -> Result<Import, ForeignError>;

/// Whose tables there are, and who reads them.
fn candidates(db: &Db) -> Result<Vec<(FileFormat, Reader)>, ForeignError> {
    let all: [(Option<FileFormat>, Reader); 5] = [
        (telethon::recognise(db)?, telethon::read),
        (
            telethon::telethon2::recognise(db)?,
            telethon::telethon2::read,
        ),
        (pyrogram::recognise(db)?, pyrogram::read),
        (mtcute::recognise(db), mtcute::read),
        (grammers::recognise(db)?, grammers::read),
    ];
    let known = all.into_iter();
    Ok(known
        .filter_map(|(format, read)| Some((format?, read)))
        .collect())
}

fn formats_in(db: &Db) -> Result<Vec<FileFormat>, ForeignError> {
    let formats = candidates(db)?.into_iter().map(|(format, _)| format);
    Ok(formats.collect())
}

fn read_database(db: &Db, choice: Option<usize>) -> Result<Import, ForeignError> {
    let found = candidates(db)?;
    let mut import = match found.as_slice() {
        [] => return Err(not_one(db)),
        [(_, read)] => read(db, choice)?,
        all => {
            let parts = all
                .iter()
                .map(|(format, read)| (format.to_string(), read(db, None)));
            several::only(parts.collect(), choice)?
        }
    };
    let others = found.into_iter().map(|(format, _)| format);
    import.also = others.filter(|format| *format != import.format).collect();
    Ok(import)
}

/// Says what else the database is.
fn not_one(db: &Db) -> ForeignError {
    if db.has("meta") && (db.has("dcs") || db.has("dc_entries")) {
        ForeignError::Own
    } else {
        ForeignError::Unknown
    }
}
