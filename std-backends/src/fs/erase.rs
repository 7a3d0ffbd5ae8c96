//! Removing keys from the disk before their file is removed.

use super::file_len;
use mtsession_core::Certain as _;
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
        let len = usize::try_from(left).map_or(BLOCK.len(), |left| left.min(BLOCK.len()));
        let block = BLOCK.get(..len);
        file.write_all(block.certain("it is at most a whole block"))?;
        left = left
            .checked_sub(file_len(len))
            .certain("no more is written than is left");
    }
    file.sync_data()
}
