//! The session file as a whole: its bytes, its mode and its owner.

use std::io;
use std::path::Path;

use super::paths::Paths;
use crate::fs::disk::{Disk as _, File, OpenFile as _, ReadFrom, Status, disk};
use crate::fs::{Access, Directory, about, open_owned};
use crate::secret_bytes::SecretBytes;

/// No session is longer: a file that says so is not read.
const MAX_LEN: u64 = 1 << 30;

/// The bytes of one file of a session, if it is there.
pub(super) fn read_file(path: &Path, paths: &Paths) -> io::Result<Option<SecretBytes>> {
    match open_owned(path, Access::Read, Some(&paths.snapshot)) {
        Ok(file) => {
            let bytes = read_all(&file, path);
            file.close();
            bytes.map(Some)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Everything that `file` gives, which may grow meanwhile.
pub(super) fn read_all(file: &File, path: &Path) -> io::Result<SecretBytes> {
    let len = file.status()?.len;
    if len > MAX_LEN {
        let message = format!("{} is longer than any session: {len} bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    // How much room is made before the first read; what does not fit into memory fails there.
    let expected = usize::try_from(len).unwrap_or_default();
    SecretBytes::read_to_end(ReadFrom { file, at: 0 }, expected).map_err(|error| about(error, path))
}

/// How much is done for a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fsync {
    Yes,
    No,
}

impl Fsync {
    pub(super) fn file(self, file: &File) -> io::Result<()> {
        match self {
            Self::Yes => file.flush_all(),
            Self::No => Ok(()),
        }
    }

    /// Opens a directory in which a name is about to change.
    pub(super) fn directory(self, dir: &Path) -> io::Result<Option<Directory>> {
        match self {
            Self::Yes => Directory::open(dir).map(Some),
            Self::No => Ok(None),
        }
    }
}

/// Makes the change of a name durable, and says whether that is certain.
pub(super) fn sync(dir: Option<&Directory>, file: Option<&File>) -> bool {
    dir.is_none_or(|dir| dir.sync(file))
}

/// What is known of a file without following links, if there is one.
pub(super) fn found(path: &Path) -> io::Result<Option<Status>> {
    match disk().link_status(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => {
            let message = format!("{} is not a regular file: move it away", path.display());
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        }
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether the file is there to stay: a mount point, on another device than its directory, or in a directory
/// that this process may not write to.
pub(super) fn cannot_be_replaced(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy
            | io::ErrorKind::CrossesDevices
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
    )
}

/// Files are readable and writable by the owner only, or stricter where the old file was.
const PRIVATE: u32 = 0o600;

#[cfg(unix)]
pub(super) fn private_mode(old: Option<&Status>) -> u32 {
    old.map_or(PRIVATE, |old| old.mode & PRIVATE)
}

#[cfg(not(unix))]
pub(super) fn private_mode(_: Option<&Status>) -> u32 {
    PRIVATE
}

/// Takes a file that gets a key in place away from everybody else, where that is ours to do.
pub(super) fn make_private(file: &File) {
    let _ = file.make_private();
}

/// Leaves the file to whom it belonged, as far as this process may: a session saved once by an
/// administrator must stay readable for its service. The caller has made sure that its owner learns
/// no key by that which is not theirs.
pub(super) fn keep_owner(file: &File, old: Option<&Status>) {
    if let Some(old) = old {
        let _ = file.give_to(old);
    }
}
