//! Where a path leads.

use std::io;
use std::path::{Path, PathBuf};

use super::disk::{Disk as _, disk};
use super::owned::refuse_strangers;

/// Most symbolic links that are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// Resolves the last component of `path`; nothing needs to exist.
///
/// # Errors
/// What keeps it from being looked at: that is not the same as nothing being there. A link that a
/// stranger put there, who would choose what is read and where a key goes.
pub(crate) fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match disk().link_status(&path) {
            Ok(found) if found.is_link() => {
                refuse_strangers(&path, None)?;
                let target = disk().read_link(&path)?;
                // A relative link is relative to the directory that it lies in.
                path = path.parent().unwrap_or(Path::new("")).join(target);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    let message = format!("{} leads through too many symbolic links", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
