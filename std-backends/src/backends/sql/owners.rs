//! Databases, and what lies alongside them, that other users of the machine may have put there.
//!
//! SQLite opens whatever has the name of a database, of its log or of its journal. A planted database
//! would be given the key; a planted log or journal would be applied to the database.

use std::io;
use std::path::Path;
#[cfg(feature = "cli")]
use std::path::PathBuf;

use crate::fs::{follow_links, refuse_strangers};
#[cfg(feature = "cli")]
use crate::sqlite_file::database_copy::alongside;
use crate::sqlite_file::database_copy::refuse_planted_logs;

/// Refuses what a stranger put there. Root may use a database that is a stranger's as a whole, as its
/// owner may, but see [`refuse_to_hand_over`].
///
/// # Errors
/// `PermissionDenied`, naming the file.
pub(super) fn refuse_planted(path: &Path) -> io::Result<()> {
    let database = follow_links(path)?;
    refuse_strangers(&database, Some(&database))?;
    refuse_planted_logs(&database)
}

/// Refuses to put a key into a database whose owner may have made it to learn one. Nobody but root comes
/// so far.
///
/// # Errors
/// `PermissionDenied`, naming the file.
pub(super) fn refuse_to_hand_over(path: &Path) -> io::Result<()> {
    refuse_strangers(&follow_links(path)?, None)
}

/// The files of the database at `path` that are there, itself first: also what SQLite keeps alongside it,
/// and the copies of older releases. Any of them can hold a key.
///
/// # Errors
/// What keeps the directory from being listed.
#[cfg(feature = "cli")]
pub fn files_of_database(path: &Path) -> io::Result<Vec<PathBuf>> {
    let path = super::file_url::local_path(path)?;
    let database = follow_links(&path)?;
    let mut copies = super::kept::find(&path)?;
    let mut files = vec![database.clone()];
    for file in alongside(&database) {
        if file.try_exists()? {
            files.push(file);
        }
    }
    files.append(&mut copies);
    Ok(files)
}
