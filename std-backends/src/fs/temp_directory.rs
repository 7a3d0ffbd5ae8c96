//! Temporary directories that hold keys, under the rule of temporary files.

use std::fs::File;
use std::io;
use std::path::Path;

use super::temp::{PREFIX, RANDOM_CHARACTERS, clean_once};

/// A temporary directory that only its owner can enter, removed when dropped.
#[derive(Debug)]
pub(crate) struct TempDirectory {
    dir: tempfile::TempDir,
    /// Locked, as a file is.
    _lock: Option<File>,
}

impl TempDirectory {
    /// Makes one in `parent`.
    pub(crate) fn within(parent: &Path) -> io::Result<Self> {
        clean_once(parent);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX).rand_bytes(RANDOM_CHARACTERS);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let dir = builder.tempdir_in(parent)?;
        let lock = File::open(dir.path())
            .ok()
            .filter(|file| file.try_lock().is_ok());
        Ok(Self { dir, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Gives it the name `target`, which nothing but an empty directory may have.
    #[cfg(feature = "clients")]
    pub(crate) fn keep_as(self, target: &Path) -> io::Result<()> {
        std::fs::rename(self.dir.path(), target)?;
        // It has another name now: there is nothing left to remove.
        let _ = self.dir.keep();
        Ok(())
    }
}
