//! Telling whether a file is still the same.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use super::paths::Paths;
use crate::fs::{Access, open_owned};

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    len: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    unix: Unix,
}

#[cfg(unix)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unix {
    device: u64,
    inode: u64,
    /// Names that the file has: none when it was deleted or renamed over.
    links: u64,
    /// Seconds and nanoseconds; being renamed changes it too.
    changed: (i64, i64),
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;

        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            unix: Unix {
                device: metadata.dev(),
                inode: metadata.ino(),
                links: metadata.nlink(),
                changed: (metadata.ctime(), metadata.ctime_nsec()),
            },
        }
    }

    /// Whether the file has no name: somebody deleted the session.
    fn is_orphan(&self) -> bool {
        #[cfg(unix)]
        return self.unix.links == 0;
        // Elsewhere an open file cannot be removed.
        #[cfg(not(unix))]
        false
    }

    /// Whether both are states of one file.
    fn same_file(&self, other: &Self) -> bool {
        #[cfg(unix)]
        return (self.unix.device, self.unix.inode) == (other.unix.device, other.unix.inode);
        #[cfg(not(unix))]
        {
            let _ = other;
            true
        }
    }
}

/// Whether `file` is what `path` names.
pub(super) fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let identity = Identity::of(&file.metadata()?);
    if identity.is_orphan() {
        return Ok(false);
    }
    match fs::symlink_metadata(path) {
        Ok(named) => Ok(Identity::of(&named).same_file(&identity)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A session file that is watched for changes by others.
#[derive(Debug)]
pub(super) struct Watched {
    /// Asking an open file costs less than half of asking a path. Where files do not tell that they
    /// were renamed, the path is asked.
    #[cfg(unix)]
    file: File,
    identity: Identity,
}

impl Watched {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let identity = Identity::of(&file.metadata()?);
        Ok(Self {
            #[cfg(unix)]
            file,
            identity,
        })
    }

    pub(super) fn open(paths: &Paths) -> io::Result<Self> {
        Self::new(open_owned(
            &paths.snapshot,
            Access::Read,
            Some(&paths.snapshot),
        )?)
    }

    /// Makes the file itself safe against a power cut, whichever program wrote it.
    #[cfg(unix)]
    pub(super) fn flush(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Elsewhere the file is not kept open, and every writer flushes it before it gets its name.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as on unix")]
    pub(super) fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether `path`, which `paths` was resolved from, still leads to the file as it was. A moved
    /// directory takes the session along, as it does for every program that has a file open.
    pub(super) fn is_unchanged(&self, path: &Path, paths: &Paths) -> bool {
        #[cfg(unix)]
        let (now, ask_path) = (self.file.metadata(), paths.is_link);
        #[cfg(not(unix))]
        let (now, ask_path) = {
            let asked = if paths.is_link { path } else { &paths.snapshot };
            (fs::metadata(asked), false)
        };
        let is_as_known =
            |now: io::Result<Metadata>| now.is_ok_and(|now| Identity::of(&now) == self.identity);
        is_as_known(now)
            && !self.identity.is_orphan()
            && (!ask_path || is_as_known(fs::metadata(path)))
    }
}
