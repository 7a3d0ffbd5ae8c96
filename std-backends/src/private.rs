//! Temporary directories that only their owner can enter.

use std::io;
use std::path::Path;

use tempfile::{Builder, TempDir};

/// A directory in `parent`, which removes itself.
pub(crate) fn directory_in(parent: &Path) -> io::Result<TempDir> {
    let mut builder = Builder::new();
    builder.prefix(".mtsession-");
    #[cfg(unix)]
    {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt as _;

        builder.permissions(Permissions::from_mode(0o700));
    }
    builder.tempdir_in(parent)
}
