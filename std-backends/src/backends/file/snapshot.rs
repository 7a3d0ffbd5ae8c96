//! The session file: read whole, replaced whole.

use std::fs::{self, File, Metadata};
use std::io::{self, Write as _};
use std::path::Path;

use super::paths::Paths;
use super::positioned::write_at;
use crate::fs::file_len;
use crate::fs::{Access, Directory, Temp, about, open_owned};
use crate::secret_bytes::SecretBytes;
use crate::sqlite_file::open_databases::LockSafeFile;

/// No session is longer: a file that says so is not read.
const MAX_LEN: u64 = 1 << 30;

/// The bytes of a session file.
pub(crate) struct Snapshot {
    pub(crate) bytes: SecretBytes,
    /// Whether they are those of the complete copy alongside it.
    pub(crate) is_pending: bool,
}

/// The bytes of the session file, or `None` when there is none.
///
/// A snapshot that cannot be renamed over is written in place, after a complete copy of the new one
/// was stored alongside it. As long as that copy exists, it is the session; an empty one says that the
/// session is deleted.
pub(crate) fn read(paths: &Paths) -> io::Result<Option<Snapshot>> {
    for (path, is_pending) in [(&paths.pending, true), (&paths.snapshot, false)] {
        if let Some(bytes) = read_file(path, paths)? {
            return Ok(Some(Snapshot { bytes, is_pending }));
        }
    }
    Ok(None)
}

/// The bytes of one file of a session, if it is there.
pub(super) fn read_file(path: &Path, paths: &Paths) -> io::Result<Option<SecretBytes>> {
    match open_owned(path, Access::Read, Some(&paths.snapshot)) {
        Ok(file) => read_all(file, path).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_all(file: File, path: &Path) -> io::Result<SecretBytes> {
    let len = file.metadata()?.len();
    // It may be a database that another thread has opened since it was looked at.
    let file = LockSafeFile::from(file);
    if len > MAX_LEN {
        let message = format!("{} is longer than any session: {len} bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    // How much room is made before the first read; what does not fit into memory fails there.
    let expected = usize::try_from(len).unwrap_or_default();
    SecretBytes::read_to_end(file, expected).map_err(|error| about(error, path))
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
            Self::Yes => file.sync_all(),
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

/// What became of a new session file.
pub(super) struct Replaced {
    /// The file itself; `None` while the complete copy alongside it is the session.
    pub(super) file: Option<File>,
    /// Whether a power cut cannot bring the old one back.
    pub(super) is_durable: bool,
}

/// Replaces the session file by `bytes`: afterwards, and after a crash at any point, it is either the
/// old or the new one.
///
/// # Errors
/// It still is the old one. What fails after the new one is in its place is not reported as an error.
pub(super) fn replace(paths: &Paths, bytes: &[u8], fsync: Fsync) -> io::Result<Replaced> {
    let old = found(&paths.snapshot)?;
    let has_pending = is_pending(paths)?;
    let dir = fsync.directory(&paths.dir)?;
    let mut temp = Temp::with_mode(&paths.snapshot, private_mode(old.as_ref()))?;
    temp.write_all(bytes)?;
    keep_owner(temp.file(), old.as_ref());
    fsync.file(temp.file())?;
    let mut not_renamed = temp;
    if !has_pending {
        match not_renamed.replace(&paths.snapshot) {
            Ok(file) => {
                return Ok(Replaced {
                    is_durable: sync(dir.as_ref(), Some(&file)),
                    file: Some(file),
                });
            }
            Err((error, temp)) if cannot_be_replaced(&error) => not_renamed = temp,
            Err((error, _)) => return Err(error),
        }
    }
    // A copy that a crash left is the session until it is gone, so that it is what must be replaced.
    let file = not_renamed
        .replace(&paths.pending)
        .map_err(|(error, _)| error)?;
    let is_durable = sync(dir.as_ref(), Some(&file));
    let file = is_durable
        .then(|| settle(paths, bytes, fsync, dir.as_ref()))
        .and_then(Result::ok);
    Ok(Replaced { file, is_durable })
}

/// Puts the complete copy in the place of the session file, by renaming where that is possible now.
fn settle(paths: &Paths, bytes: &[u8], fsync: Fsync, dir: Option<&Directory>) -> io::Result<File> {
    if fs::rename(&paths.pending, &paths.snapshot).is_ok() {
        let file = open_owned(&paths.snapshot, Access::Flush, Some(&paths.snapshot))?;
        sync(dir, Some(&file));
        return Ok(file);
    }
    let file = open_owned(&paths.snapshot, Access::Write, Some(&paths.snapshot))?;
    make_private(&file);
    write_at(&file, bytes, 0)?;
    file.set_len(file_len(bytes.len()))?;
    fsync.file(&file)?;
    fs::remove_file(&paths.pending)?;
    sync(dir, Some(&file));
    Ok(file)
}

/// What is known of a file without following links, if there is one.
pub(super) fn found(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
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

/// Whether there is a complete copy. One that a stranger put there is an error.
pub(super) fn is_pending(paths: &Paths) -> io::Result<bool> {
    match open_owned(&paths.pending, Access::Read, Some(&paths.snapshot)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the file is there to stay: a mount point, or on another device than its directory.
pub(super) fn cannot_be_replaced(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices
    )
}

/// Files are readable and writable by the owner only, or stricter where the old file was.
const PRIVATE: u32 = 0o600;

#[cfg(unix)]
fn private_mode(old: Option<&Metadata>) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    old.map_or(PRIVATE, |old| old.permissions().mode() & PRIVATE)
}

#[cfg(not(unix))]
fn private_mode(_: Option<&Metadata>) -> u32 {
    PRIVATE
}

/// Takes a file that gets a key in place away from everybody else, where that is ours to do.
fn make_private(file: &File) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let _ = file.set_permissions(fs::Permissions::from_mode(PRIVATE));
    }
    #[cfg(not(unix))]
    let _ = file;
}

/// Leaves the file to whom it belonged, as far as this process may: a session saved once by an
/// administrator must stay readable for its service. The caller has made sure that its owner learns
/// no key by that which is not theirs.
fn keep_owner(file: &File, old: Option<&Metadata>) {
    #[cfg(unix)]
    if let Some(old) = old {
        use std::os::unix::fs::{MetadataExt as _, fchown};

        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    #[cfg(not(unix))]
    let _ = (file, old);
}
