//! Removing keys from the disk before their file is removed.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};

/// Overwrites a file that has no other name, and flushes that.
///
/// A file with a second name is a copy that somebody made on purpose, and stays as it is. What a file
/// system or a disk keeps of overwritten blocks is out of reach.
pub(crate) fn erase(mut file: &File) -> io::Result<()> {
    const BLOCK: [u8; 4096] = [0; 4096];

    let found = file.metadata()?;
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&found) > 1 {
        return Ok(());
    }
    file.rewind()?;
    let mut left = found.len();
    while left > 0 {
        let len = usize::try_from(left)
            .unwrap_or(BLOCK.len())
            .min(BLOCK.len());
        file.write_all(BLOCK.get(..len).unwrap_or(&BLOCK))?;
        left = left.saturating_sub(u64::try_from(len).unwrap_or(left));
    }
    file.sync_data()
}
