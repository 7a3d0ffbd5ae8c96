//! The session file: read whole, replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use super::paths::{Paths, TEMP_SUFFIX};
use crate::wiped::Wiped;

/// The bytes of the session file, or `None` when there is none.
///
/// A snapshot that cannot be renamed over is written in place, after a complete copy of the new one
/// was stored beside it. As long as that copy exists, it is what counts.
pub(super) fn read(paths: &Paths) -> io::Result<Option<Wiped>> {
    for path in [&paths.pending, &paths.snapshot] {
        match fs::read(path) {
            Ok(bytes) => return Ok(Some(bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
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

    /// Makes renames and removals in `dir` durable, where directories can be synced at all.
    pub(super) fn dir(self, dir: &Path) -> io::Result<()> {
        if cfg!(unix) && self == Self::Yes {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    }
}

/// Replaces the session file by `bytes`: afterwards, and after a crash at any point, it is either the
/// old or the new one. Returns the new one.
pub(super) fn replace(paths: &Paths, bytes: &[u8], fsync: Fsync) -> io::Result<File> {
    let old = match fs::metadata(&paths.snapshot) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let mut builder = tempfile::Builder::new();
    builder
        .prefix(&paths.temp_prefix)
        .suffix(TEMP_SUFFIX)
        .rand_bytes(12);
    make_private(&mut builder, old.as_ref());
    let mut temp = builder.tempfile_in(&paths.dir)?;
    temp.as_file_mut().write_all(bytes)?;
    keep_owner(temp.as_file(), old.as_ref());
    fsync.file(temp.as_file())?;
    match temp.persist(&paths.snapshot) {
        Ok(file) => {
            fsync.dir(&paths.dir)?;
            // Left by a crash while the snapshot was not replaceable; it counts until it is gone.
            match fs::remove_file(&paths.pending) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
                Ok(()) => fsync.dir(&paths.dir)?,
            }
            Ok(file)
        }
        Err(failed) if cannot_be_replaced(&failed.error) => {
            failed
                .file
                .persist(&paths.pending)
                .map_err(|failed| failed.error)?;
            fsync.dir(&paths.dir)?;
            let file = finish_pending(paths, bytes, fsync)?;
            fsync.dir(&paths.dir)?;
            Ok(file)
        }
        Err(failed) => Err(failed.error),
    }
}

/// Writes the pending session into the snapshot, and then removes it.
fn finish_pending(paths: &Paths, bytes: &[u8], fsync: Fsync) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).open(&paths.snapshot)?;
    file.write_all(bytes)?;
    file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    fsync.file(&file)?;
    fs::remove_file(&paths.pending)?;
    Ok(file)
}

/// Whether the file is there to stay: a mount point, or on another device than its directory.
fn cannot_be_replaced(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices
    )
}

/// Makes files readable and writable by the owner only, or stricter where the old file was.
fn make_private(builder: &mut tempfile::Builder<'_, '_>, old: Option<&fs::Metadata>) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        const PRIVATE: u32 = 0o600;
        let mode = old.map_or(PRIVATE, |old| old.permissions().mode() & PRIVATE);
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = (builder, old);
}

/// Leaves the file to whom it belonged, as far as this process may: a session saved once by an
/// administrator must stay readable for its service.
fn keep_owner(file: &File, old: Option<&fs::Metadata>) {
    #[cfg(unix)]
    if let Some(old) = old {
        use std::os::unix::fs::{MetadataExt as _, fchown};

        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    #[cfg(not(unix))]
    let _ = (file, old);
}

/// Removes everything that belongs to the session, except the journal, which is the lock.
pub(super) fn remove(paths: &Paths, fsync: Fsync) -> io::Result<()> {
    paths.remove_stale_temps()?;
    remove_if_there(&paths.pending)?;
    match remove_if_there(&paths.snapshot) {
        Err(error) if cannot_be_replaced(&error) => {
            // The name has to stay, the key has not.
            let file = OpenOptions::new().write(true).open(&paths.snapshot)?;
            file.set_len(0)?;
            fsync.file(&file)?;
            let message = "it is a mount point: emptied, but the file itself stays";
            Err(io::Error::new(error.kind(), message))
        }
        other => other,
    }
}

pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
