//! Recognises what lies at a path, by its content.

use std::fs;
use std::io;
use std::path::Path;

use mtsession_core::foreign::detect;
use mtsession_core::{SessionSource, SessionView};
use zeroize::Zeroizing;

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::Import;
use super::sqlite::Db;
use super::{gotd, gramjs, grammers_sqlite, grammers_tl, mtcute, pyrogram, tdata, telethon};
use crate::error::StoreError;
use crate::session::PersistedSession;

/// How every SQLite database begins.
const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Session files are small; whatever is larger than this is not one (databases aside).
const MAX_FILE: u64 = 16 << 20;

/// Reads the session of another library from a file or directory, which is left as it is.
///
/// Of a database that several libraries have written to, the tables with a key are taken and the
/// others named in [`Import::also`]; of several accounts of Telegram Desktop the first, see
/// [`read_account`].
///
/// # Errors
/// `InvalidData` with a [`ForeignError`] inside, naming the path: not a known session, nobody logged
/// in, or which part is damaged.
pub fn read(path: &Path) -> io::Result<Import> {
    read_account(path, 1)
}

/// Reads one of the accounts of Telegram Desktop, which holds several: `number` counts from 1.
///
/// # Errors
/// As [`read`]; `InvalidInput` where there is no account with this number.
pub fn read_account(path: &Path, number: usize) -> io::Result<Import> {
    read_any(path, number).map_err(|error| {
        StoreError::io("foreign session", path.display().to_string(), "read", error)
    })
}

/// What lies at `path`, with its version, where it is the session of a library; logged in or not.
pub(crate) fn describe(path: &Path) -> Option<String> {
    let (formats, version) = match read_any(path, 1) {
        Ok(import) => {
            let formats = core::iter::once(import.format).chain(import.also).collect();
            (formats, import.version)
        }
        Err(_) if starts_with(path, SQLITE_MAGIC).is_ok_and(|is_database| is_database) => {
            (formats_in(&Db::open(path).ok()?).ok()?, None)
        }
        Err(_) => return None,
    };
    let names: Vec<_> = formats.iter().map(FileFormat::to_string).collect();
    let names = names.join(" and ");
    match version {
        _ if names.is_empty() => None,
        Some(version) => Some(format!("{names}, version {version}")),
        None => Some(names),
    }
}

fn read_any(path: &Path, number: usize) -> Result<Import, ForeignError> {
    if fs::metadata(path)?.is_dir() && gramjs::prefix(path)?.is_none() {
        return tdata::read(path, number);
    }
    if fs::metadata(path)?.is_file() && starts_with(path, b"TDF$")? {
        return tdata::read(path.parent().unwrap_or(Path::new(".")), number);
    }
    let import = read_one(path)?;
    match number {
        1 => Ok(import),
        _ => Err(ForeignError::NoAccount { number, count: 1 }),
    }
}

fn starts_with(path: &Path, magic: &[u8]) -> io::Result<bool> {
    let mut head = Vec::new();
    let limit = u64::try_from(magic.len()).unwrap_or(u64::MAX);
    io::Read::read_to_end(&mut io::Read::take(fs::File::open(path)?, limit), &mut head)?;
    Ok(head == magic)
}

/// Everything that holds one account.
fn read_one(path: &Path) -> Result<Import, ForeignError> {
    if let Some(prefix) = fs::metadata(path)?
        .is_dir()
        .then(|| gramjs::prefix(path))
        .transpose()?
        .flatten()
    {
        return gramjs::read(path, &prefix);
    }
    if starts_with(path, SQLITE_MAGIC)? {
        return read_database(&Db::open(path)?);
    }
    if fs::metadata(path)?.len() > MAX_FILE {
        return Err(ForeignError::Unknown);
    }
    let bytes = Zeroizing::new(fs::read(path)?);
    if bytes.starts_with(&grammers_tl::MAGIC) {
        return grammers_tl::read(&bytes);
    }
    if SessionView::parse(&bytes).is_ok() {
        return Err(ForeignError::Own);
    }
    let text = str::from_utf8(&bytes).map_err(|_| ForeignError::Unknown)?;
    if text.trim_start().starts_with('{') {
        return gotd::read(text);
    }
    read_text(text)
}

/// A session string of any library in a text file.
fn read_text(text: &str) -> Result<Import, ForeignError> {
    let mut buffer = Zeroizing::new(vec![0; text.len()]);
    let detected = detect(text, &mut buffer).map_err(ForeignError::Text)?;
    let mut import = Import::new(FileFormat::Text(detected.format()));
    import.session = Zeroizing::new(PersistedSession::copy_of(&detected));
    import.account = detected.account();
    Ok(import)
}

/// A reader of one library's tables.
type Reader = fn(&Db) -> Result<Import, ForeignError>;

/// Whose tables there are, and who reads them.
fn candidates(db: &Db) -> Result<Vec<(FileFormat, Reader)>, ForeignError> {
    let all: [(Option<FileFormat>, Reader); 4] = [
        (telethon::recognise(db)?, telethon::read),
        (pyrogram::recognise(db)?, pyrogram::read),
        (mtcute::recognise(db), mtcute::read),
        (grammers_sqlite::recognise(db), grammers_sqlite::read),
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

fn read_database(db: &Db) -> Result<Import, ForeignError> {
    let mut best: Option<Import> = None;
    let (mut formats, mut failed) = (Vec::new(), None);
    for (format, read) in candidates(db)? {
        formats.push(format);
        match read(db) {
            // The session with the most in it is the one that was lived in.
            Ok(import) => {
                let peers = |import: &Import| import.session.peers.len();
                if best
                    .as_ref()
                    .is_none_or(|best| peers(&import) > peers(best))
                {
                    best = Some(import);
                }
            }
            // Perhaps only tables that a library made and never filled.
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let mut import = best.ok_or_else(|| failed.unwrap_or_else(|| not_one(db)))?;
    formats.retain(|format| *format != import.format);
    import.also = formats;
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
