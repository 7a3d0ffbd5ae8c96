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
    if starts_with(path, b"SQLite format 3\0")? {
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

fn read_database(db: &Db) -> Result<Import, ForeignError> {
    let candidates: [(Option<FileFormat>, Reader); 4] = [
        (telethon::recognise(db)?, telethon::read),
        (pyrogram::recognise(db)?, pyrogram::read),
        (mtcute::recognise(db), mtcute::read),
        (grammers_sqlite::recognise(db), grammers_sqlite::read),
    ];
    let mut best: Option<Import> = None;
    let (mut formats, mut failed) = (Vec::new(), None);
    for (format, read) in candidates {
        let Some(format) = format else { continue };
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
