//! Reading a database where SQLite cannot work: on a read-only mount, in a directory that cannot be
//! written, without shared memory (9p, `/mnt/c` of WSL, some of FUSE), and under a second name.
//!
//! A log needs a file beside the database that every program maps into its memory. Where there can be
//! none, a private copy of database and log is read; where nobody here could write either of them and
//! there is no log, the file itself, without locks.

use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::local_error::explain;
use crate::event::{self, Event};
use crate::fs::TempDirectory;
use crate::sqlite_file::database_copy::{DatabaseCopy, Stamp, immutable_uri};
use crate::sqlite_file::open_databases;

/// The state that is read instead of what lies there.
pub(super) struct Aside {
    stamp: Stamp,
    /// Kept for as long as it is read; `None` where the file itself is.
    copy: Option<DatabaseCopy>,
}

impl Aside {
    /// A copy of the database at `path`.
    pub(super) fn copy_of(path: &Path) -> io::Result<(Connection, Self)> {
        let (copy, stamp) = DatabaseCopy::of(path)?;
        let database = copy.open().map_err(|error| explain(&error))?;
        let copy = Some(copy);
        Ok((database, Self { stamp, copy }))
    }

    /// The file itself, if it and its directory cannot be written here and it has no log: SQLite would
    /// not know of a log that comes later.
    pub(super) fn immutable(path: &Path) -> io::Result<Option<(Connection, Self)>> {
        if open_databases::is_open(path) || can_be_written(path) {
            return Ok(None);
        }
        let stamp = Stamp::of(path)?;
        if stamp.has_log() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let database = Connection::open_with_flags(immutable_uri(path)?, flags)
            .map_err(|error| explain(&error))?;
        Ok(Some((database, Self { stamp, copy: None })))
    }

    /// Whether what lies there is still what was found.
    pub(super) fn is_current(&self, path: &Path) -> io::Result<bool> {
        Ok(Stamp::of(path)? == self.stamp)
    }

    /// Whether the file can change while it is read.
    pub(super) fn is_immutable(&self) -> bool {
        self.copy.is_none()
    }
}

/// Whether this process may write the file or its directory.
fn can_be_written(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use rustix::fs::{Access, AtFlags, CWD, accessat};

        // Logs lie beside the file itself, wherever links lead.
        let Ok(path) = std::fs::canonicalize(path) else {
            return true;
        };
        let may_write =
            |path: &Path| accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS).is_ok();
        may_write(&path) || path.parent().is_none_or(may_write)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        true
    }
}

/// Whether a copy can be read where the database cannot.
pub(super) fn helps(error: &rusqlite::Error) -> bool {
    let primary = code_of(error) & 0xFF;
    // SQLITE_PERM, SQLITE_READONLY, SQLITE_CANTOPEN.
    lacks_shared_memory(error) || matches!(primary, 3 | 8 | 14)
}

/// Whether the file system cannot share memory.
pub(super) fn lacks_shared_memory(error: &rusqlite::Error) -> bool {
    // SQLITE_IOERR_SHMOPEN, _SHMSIZE, _SHMLOCK, _SHMMAP.
    matches!(code_of(error), 4618 | 4874 | 5130 | 5386)
}

fn code_of(error: &rusqlite::Error) -> i32 {
    match error {
        rusqlite::Error::SqliteFailure(failure, _) => failure.extended_code,
        _ => 0,
    }
}

/// Reads the first page, which is when SQLite finds out whether it can work with the file.
pub(super) fn try_to_read(database: &Connection) -> rusqlite::Result<()> {
    database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
}

/// Whether a database at `path` can have a write-ahead log. Found out with a database that nobody
/// needs: one that has such a log already could not be read any more.
pub(super) fn can_share_memory(path: &Path) -> bool {
    let Ok(path) = std::fs::canonicalize(path) else {
        return true;
    };
    let Some(dir) = path.parent() else {
        return true;
    };
    let Ok(dir) = TempDirectory::within(dir) else {
        return true;
    };
    let try_log = || {
        let database = Connection::open(dir.path().join("probe"))?;
        database.execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL")?;
        try_to_read(&database)
    };
    let lacks = try_log().is_err_and(|error| lacks_shared_memory(&error));
    if lacks {
        event::emit(|| Event::NoSharedMemory { path: path.clone() });
    }
    !lacks
}

/// Takes the log away from a database that got it elsewhere. Needs the database for itself.
pub(super) fn leave_wal(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL",
    )?;
    try_to_read(database)
}
