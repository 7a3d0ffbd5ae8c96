//! Making changes of names durable.

use crate::event::{self, Event};
use std::fs;
use std::io;
use std::path::Path;

use super::disk::{Disk as _, File, OpenFile as _, disk};
#[cfg(any(feature = "sqlite", feature = "clients"))]
use super::owned::directory_of;
#[cfg(any(feature = "sqlite", feature = "clients"))]
use super::temp::Temp;

/// A directory, opened before a name in it changes: after the change it is too late to find out that
/// it cannot be opened.
#[derive(Debug)]
pub(crate) struct Directory(Option<File>);

impl Directory {
    /// Opens `dir`, as far as it can be. A directory that may be searched but not read has no handle
    /// to sync, which is not an error.
    ///
    /// # Errors
    /// For example when the process is out of file descriptors.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        if !cfg!(unix) {
            return Ok(Self(None));
        }
        match disk().open_directory(dir) {
            Ok(dir) => Ok(Self(Some(dir))),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }

    /// Makes the name that `file` was given durable, and says whether that is certain. What was done
    /// stays done: a caller that has renamed a file must not report a failure afterwards.
    ///
    /// Where a directory cannot be synced, the file is flushed once more, which commits its name on
    /// the usual file systems.
    pub(crate) fn sync(&self, file: Option<&File>) -> bool {
        let synced = match &self.0 {
            Some(dir) => dir.flush_all(),
            None => Err(io::ErrorKind::Unsupported.into()),
        };
        let flush = || file.is_none_or(|file| file.flush_all().is_ok());
        match synced {
            Ok(()) => true,
            Err(error) if cannot_be_synced(&error) => flush(),
            Err(error) => {
                event::emit(|| Event::DirectoryNotFlushed {
                    error: error.to_string(),
                });
                let _ = flush();
                false
            }
        }
    }
}

/// Gives a file that was written whole the name `path`, which nothing may have, and makes both durable.
#[cfg(any(feature = "sqlite", feature = "clients"))]
pub(crate) fn keep_new(file: Temp, path: &Path) -> io::Result<()> {
    file.file().flush_all()?;
    let dir = Directory::open(directory_of(path))?;
    let file = file.keep_as(path).map_err(|(error, _)| error)?;
    dir.sync(Some(&file));
    Ok(())
}

/// Whether that is how this directory is, rather than a failure of its disk.
fn cannot_be_synced(error: &io::Error) -> bool {
    #[cfg(unix)]
    if let Some(code) = error.raw_os_error() {
        use rustix::io::Errno;

        return [
            Errno::INVAL,
            Errno::OPNOTSUPP,
            Errno::NOTSUP,
            Errno::NOSYS,
            Errno::ACCESS,
            Errno::PERM,
            Errno::BADF,
        ]
        .iter()
        .any(|errno| errno.raw_os_error() == code);
    }
    error.kind() == io::ErrorKind::Unsupported
}

/// Makes a directory that only its owner can look into, where there is none.
pub(crate) fn make_private_directory(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    let made = {
        use std::os::unix::fs::DirBuilderExt as _;

        fs::DirBuilder::new().mode(0o700).create(path)
    };
    #[cfg(not(unix))]
    let made = fs::create_dir(path);
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}
