//! Telling whether a file is still the same.

use std::io;
use std::path::Path;

use crate::fs::disk::{Disk as _, File, OpenFile as _, disk};

/// Whether `file` is what `path` names.
pub(super) fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let found = file.status()?;
    if found.links == 0 {
        return Ok(false);
    }
    match disk().link_status(path) {
        Ok(named) => Ok(named.is_same(&found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
