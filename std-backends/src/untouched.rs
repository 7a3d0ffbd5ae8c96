//! Databases that are read without a change to them: not to the file, nor to its log or journal, nor to
//! anything beside it.
//!
//! A connection that may write changes a database by opening and closing it: a journal that a crash
//! left is rolled back, and a log is copied into the database and removed by whoever closes it last.

use core::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::fs::TempDirectory;
use crate::open_databases::{Announced, FileId, PlainFile, Unlocked};

/// What SQLite adds to the name of a database for its log and its journal.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// Longest value that is read. Keys and names are far shorter.
const LONGEST_VALUE: i32 = 16 << 20;

/// How often a database is copied again because somebody wrote to it meanwhile.
const COPIES: usize = 10;

/// A database, opened for reading.
pub(crate) struct Untouched {
    pub(crate) connection: Connection,
    /// Kept until the connection is closed.
    _way: Way,
}

/// How a database is read.
#[expect(dead_code, reason = "they are kept, not asked")]
enum Way {
    /// As it is, without a lock or a log.
    Unlocked(Unlocked),
    /// As a part of this program has it open, with SQLite's locks.
    Shared(Announced),
    /// From a copy.
    Copy(Copy),
}

impl Untouched {
    /// Opens the database at `path`. A file without a log beside it is opened as immutable: SQLite then
    /// creates nothing beside it and takes no lock. One with a log, whose content is part of the
    /// session, is copied first. One that this program has open is read with SQLite's locks, which
    /// anything else would take away.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        // SQLite looks for the log beside the file itself, not beside a link to it.
        let path = if cfg!(windows) {
            std::path::absolute(path)?
        } else {
            fs::canonicalize(path)?
        };
        let file = FileId::of(&path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let (connection, way) = match Unlocked::new(file) {
            None => {
                let announced = Announced::new(file)?;
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
                let connection = Connection::open_with_flags(&path, flags)?;
                (connection, Way::Shared(announced))
            }
            Some(unlocked) if !has_log(&path) => {
                let uri = format!("file:{}?immutable=1", percent_encoded(&path));
                let connection = Connection::open_with_flags(uri, flags)?;
                (connection, Way::Unlocked(unlocked))
            }
            Some(_) => {
                let copy = Copy::of(&path)?;
                (Connection::open(&copy.database)?, Way::Copy(copy))
            }
        };
        // A file from elsewhere shall not run anything of its own.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
        connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
        Ok(Self {
            connection,
            _way: way,
        })
    }
}

/// Why a database cannot be read.
#[derive(Debug)]
pub(crate) enum Error {
    Io(io::Error),
    Sqlite(rusqlite::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The size and age of a file; `None` where there is none.
type Stamp = Option<(u64, Option<SystemTime>)>;

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

fn has_log(path: &Path) -> bool {
    let lengths = LOGS.map(|suffix| stamp(&with_suffix(path, suffix)));
    lengths.into_iter().flatten().any(|(len, _)| len > 0)
}

/// A private copy of a database and its log. Wiped and removed on drop.
struct Copy {
    dir: TempDirectory,
    database: PathBuf,
}

impl Copy {
    fn of(path: &Path) -> io::Result<Self> {
        let stamps = || ["", "-wal", "-journal"].map(|suffix| stamp(&with_suffix(path, suffix)));
        for _ in 0..COPIES {
            let before = stamps();
            let copy = Self::once(path);
            if stamps() == before {
                return copy;
            }
        }
        let message = "another program keeps writing to the database: stop it first";
        Err(io::Error::new(io::ErrorKind::WouldBlock, message))
    }

    fn once(path: &Path) -> io::Result<Self> {
        let dir = TempDirectory::within(&std::env::temp_dir())?;
        let database = dir.path().join("copy");
        let copy = Self { dir, database };
        copy_content(path, &copy.database)?;
        for suffix in LOGS {
            let log = with_suffix(path, suffix);
            if log.exists() {
                copy_content(&log, &with_suffix(&copy.database, suffix))?;
            }
        }
        Ok(copy)
    }
}

/// Copies a file without its permissions: SQLite has to write to the copy, and so has whoever wipes it.
fn copy_content(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut PlainFile::open(from)?, &mut File::create_new(to)?)?;
    Ok(())
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Best effort: the directory is removed in any case.
        let Ok(entries) = fs::read_dir(self.dir.path()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let _ = overwrite(&path);
        }
    }
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0; 4096];
    while left > 0 {
        let len = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
        file.write_all(zeros.get(..len).unwrap_or_default())?;
        left = left.saturating_sub(u64::try_from(len).unwrap_or(u64::MAX));
    }
    file.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A path as a URI has it.
fn percent_encoded(path: &Path) -> String {
    let text = path.as_os_str().as_encoded_bytes();
    let mut uri = String::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            b':' if cfg!(windows) => uri.push(':'),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    if cfg!(windows) {
        uri.insert(0, '/');
    }
    uri
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// SQLite has to write to the copy, and it has to be wiped.
    #[test]
    fn the_copy_of_a_read_only_database_can_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("theirs");
        let wal = with_suffix(&path, "-wal");
        for file in [&path, &wal] {
            fs::write(file, "theirs").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o444)).unwrap();
        }
        let copy = Copy::of(&path).unwrap();
        for file in [&copy.database, &with_suffix(&copy.database, "-wal")] {
            assert_eq!(fs::read(file).unwrap(), b"theirs");
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o600, 0o600, "{}", file.display());
        }
    }
}
