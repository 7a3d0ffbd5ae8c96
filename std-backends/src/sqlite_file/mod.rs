//! The files of SQLite databases: which are open in this process, and how one is read without a change
//! to it.

#[cfg(any(feature = "sqlite", feature = "libsql", feature = "clients"))]
pub(crate) mod database_copy;
#[cfg(any(feature = "clients", feature = "sqlite"))]
pub(crate) mod new_database;
pub(crate) mod open_databases;
#[cfg(any(feature = "clients", feature = "libsql", feature = "sqlite"))]
pub(crate) mod untouched;

/// How every SQLite database begins.
pub(crate) const MAGIC: &[u8; 16] = b"SQLite format 3\0";
