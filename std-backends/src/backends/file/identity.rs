//! Telling whether a file is still the same.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// How many names the file has: none when it was deleted or renamed over, several when somebody keeps a copy
/// by link.
pub(super) fn links(found: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(found);
    // Elsewhere an open file cannot be removed.
    #[cfg(not(unix))]
    {
        let _ = found;
        1
    }
}

/// Whether both are states of one file.
pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        (one.dev(), one.ino()) == (other.dev(), other.ino())
    }
    #[cfg(not(unix))]
    {
        let _ = (one, other);
        true
    }
}

/// Whether `file` is what `path` names.
pub(super) fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    let found = file.metadata()?;
    if links(&found) == 0 {
        return Ok(false);
    }
    match fs::symlink_metadata(path) {
        Ok(named) => Ok(is_same(&named, &found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether the file lies where it is certain that an open file tells of a rename over it: network file
/// systems rename it to another name instead, or ask their server only now and then.
#[cfg(target_os = "linux")]
pub(super) fn is_local(file: &File) -> bool {
    const ELSEWHERE: [u32; 5] = [
        0x6969,      // NFS
        0xFE53_4D42, // SMB 2
        0xFF53_4D42, // CIFS
        0x6573_5546, // FUSE
        0x0102_1997, // 9p
    ];
    rustix::fs::fstatfs(file).is_ok_and(|found| {
        let [a, b, c, d, ..] = found.f_type.to_le_bytes();
        !ELSEWHERE.contains(&u32::from_le_bytes([a, b, c, d]))
    })
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_local(_: &File) -> bool {
    false
}
