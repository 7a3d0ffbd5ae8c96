//! Databases that are read without a change to them: not to the file, nor to its log or journal, nor to
//! anything next to it.
//!
//! A connection that may write changes a database by opening and closing it: a journal that a crash
//! left is rolled back, and a log is copied into the database and removed by the one that closes it last.

use std::fs;
use std::io;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::sqlite_file::database_copy::{DatabaseCopy, Stamp, immutable_uri, refuse_planted_logs};
use crate::sqlite_file::open_databases::{Announced, FileId, Unlocked};

/// Longest value that is read. Keys and names are far shorter.
const LONGEST_VALUE: i32 = 16 << 20;

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
    Copy(DatabaseCopy),
    /// From memory.
    #[cfg(feature = "clients")]
    Bytes,
}

impl Untouched {
    /// Opens the database at `path`. A file without a log next to it is opened as immutable: SQLite then
    /// creates nothing next to it and takes no lock. One with a log, whose content is part of the
    /// session, is copied first. One that this program has open is read with SQLite's locks, which
    /// anything else would take away.
    ///
    /// A log that a stranger put there is refused: its content would be read as the session.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        // SQLite looks for the log next to the file itself, not next to a link to it.
        let path = if cfg!(windows) {
            std::path::absolute(path)?
        } else {
            fs::canonicalize(path)?
        };
        refuse_planted_logs(&path)?;
        let file = FileId::of(&path)?.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let (connection, way) = match Unlocked::new(file) {
            None => {
                let announced = Announced::new(file)?;
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
                let connection = Connection::open_with_flags(&path, flags)?;
                (connection, Way::Shared(announced))
            }
            Some(unlocked) if !Stamp::of(&path)?.has_log() => {
                let connection = Connection::open_with_flags(immutable_uri(&path)?, flags)?;
                (connection, Way::Unlocked(unlocked))
            }
            Some(_) => {
                let (copy, _) = DatabaseCopy::of(&path)?;
                let connection = copy.open()?;
                (connection, Way::Copy(copy))
            }
        };
        Self::hardened(connection, way)
    }

    /// Opens a copy of the database whose bytes these are. What is in a log is not among them.
    #[cfg(feature = "clients")]
    pub(crate) fn of_bytes(bytes: &[u8]) -> Result<Self, Error> {
        use std::io::Read as _;

        /// Where the header says whether there may be a log, once for each who reads and who writes.
        const VERSIONS: core::ops::Range<usize> = 18..20;
        /// There is none.
        const NO_LOG: [u8; 2] = [1, 1];

        let damaged = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let head = bytes.get(..VERSIONS.start).ok_or_else(damaged)?;
        let rest = bytes.get(VERSIONS.end..).ok_or_else(damaged)?;
        let copy = head.chain(NO_LOG.as_slice()).chain(rest);
        let mut connection = Connection::open_in_memory()?;
        connection.deserialize_read_exact(rusqlite::MAIN_DB, copy, bytes.len(), true)?;
        Self::hardened(connection, Way::Bytes)
    }

    /// A database from elsewhere must not run anything of its own.
    fn hardened(connection: Connection, way: Way) -> Result<Self, Error> {
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
