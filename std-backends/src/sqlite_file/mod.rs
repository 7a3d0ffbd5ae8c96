//! The files of SQLite databases: which are open in this process, and how one is read without a change
//! to it.

#[cfg(any(feature = "sqlite", feature = "libsql", feature = "clients"))]
pub(crate) mod database_copy;
#[cfg(any(feature = "clients", feature = "sqlite"))]
pub(crate) mod new_database;
pub(crate) mod open_databases;
#[cfg(any(feature = "clients", feature = "libsql", feature = "sqlite"))]
pub(crate) mod untouched;

use std::io;
use std::path::Path;

use self::open_databases::LockSafeFile;
use crate::fs::file_len;

/// How every SQLite database begins.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether the file at a path is one; what cannot be looked at is an error.
pub(crate) fn is_database(path: &Path) -> io::Result<bool> {
    let head = LockSafeFile::open(path)?.head(file_len(MAGIC.len()))?;
    Ok(head == MAGIC)
}

/// Whether SQLite would open the file; not if it cannot be looked at.
#[cfg(feature = "cli")]
#[must_use]
pub fn is_database_file(path: &Path) -> bool {
    is_database(path).unwrap_or(false)
}
