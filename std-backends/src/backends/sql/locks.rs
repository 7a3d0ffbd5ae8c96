//! File systems without locks, which SQLite takes for databases that are in use: it says "locked" there too.

use std::path::Path;

use rusqlite::ErrorCode;

#[cfg(unix)]
use crate::fs::{Temp, follow_links, has_no_locks};

/// Whether `error` is that the file system of the database at `path` has no locks. Found out with a
/// temporary file alongside it: closing the database itself would give up its locks.
pub(super) fn are_missing(error: &rusqlite::Error, path: &Path) -> bool {
    if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) {
        return false;
    }
    #[cfg(unix)]
    {
        use rustix::fs::{FlockOperation, fcntl_lock};

        use crate::fs::disk::OpenFile as _;

        let Ok(file) = follow_links(path).and_then(|path| Temp::beside(&path)) else {
            return false;
        };
        file.file().system().is_some_and(|file| {
            let lock = fcntl_lock(file, FlockOperation::NonBlockingLockExclusive);
            lock.is_err_and(|errno| has_no_locks(&errno.into()))
        })
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// What is said to a writer there.
pub(super) fn explain_missing(path: &Path) -> std::io::Error {
    let message = format!(
        "the file system of {} has no locks, without which two writers would overwrite each other: nothing \
         was changed, reading works; keep the database on a local disk, or start the lock service of the \
         network file system",
        path.display()
    );
    std::io::Error::new(std::io::ErrorKind::Unsupported, message)
}
