//! Every file that there is of a session.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::damaged;
use super::paths::Paths;

/// The files of the session at `path` that are there, itself first: also what the
/// release before has left, and what was kept of damaged ones. Any of them can hold a key.
///
/// # Errors
/// What keeps the directory from being listed.
pub fn files_of_session(path: &Path) -> io::Result<Vec<PathBuf>> {
    let paths = Paths::resolve(path)?;
    let mut copies = Vec::new();
    for entry in fs::read_dir(&paths.dir)? {
        let name = entry?.file_name();
        if damaged::is_copy_of(&paths, &name) {
            copies.push(paths.dir.join(name));
        }
    }
    copies.sort();
    let mut files = vec![paths.snapshot];
    for file in [paths.journal, paths.pending] {
        if file.try_exists()? {
            files.push(file);
        }
    }
    files.append(&mut copies);
    Ok(files)
}
