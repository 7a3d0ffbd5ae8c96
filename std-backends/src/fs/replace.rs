//! Private files that are written whole.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use super::directory::Directory;
use super::disk::OpenFile as _;
#[cfg(feature = "cli")]
use super::disk::{Disk as _, disk};
#[cfg(feature = "cli")]
use super::erase::erase;
#[cfg(feature = "cli")]
use super::owned::{Access, open_owned};
use super::owned::{directory_of, refuse_strangers};
use super::temp::Temp;
#[cfg(feature = "cli")]
use super::temp::clean;

/// Removes a file with keys in it, after they were overwritten.
///
/// # Errors
/// Nothing was changed.
#[cfg(feature = "cli")]
pub fn remove_private(path: &Path) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    // Opened before the name is gone, and written to afterwards. Where that is not allowed, the name
    // may be ours to remove all the same.
    let file = open_owned(&path, Access::Write, Some(&path));
    let dir = Directory::open(directory_of(&path))?;
    let is_copied = has_other_names(&path);
    fs::remove_file(&path)?;
    if dir.sync(file.as_ref().ok())
        && !is_copied
        && let Ok(file) = file
    {
        let _ = erase(&file);
    }
    let _ = clean(directory_of(&path), None, |_| false);
    Ok(())
}

/// Whether somebody keeps the file under another name, which is a copy made on purpose.
#[cfg(feature = "cli")]
fn has_other_names(path: &Path) -> bool {
    disk().status(path).is_ok_and(|found| found.links > 1)
}

/// Makes a file that only its owner can read, in the place of an old one if there is one: until the new
/// one is whole, the old one stays. Links are written through.
///
/// # Errors
/// Nothing was changed.
pub fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        found => found?,
    };
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() => {
            let message = "expected a file there, found a directory, a device or a socket: choose another path";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(_) => refuse_strangers(&path, None)?,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let dir = Directory::open(directory_of(&path))?;
    let mut temp = Temp::beside(&path)?;
    temp.write_all(bytes)?;
    temp.file().flush_all()?;
    let file = temp.replace(&path).map_err(|(error, _)| error)?;
    dir.sync(Some(&file));
    Ok(())
}
