//! Removing keys from the disk before their file is removed.

use super::disk::{File, OpenFile as _, write_all_at};
use super::file_len;
use mtsession_core::Certain as _;
use std::io;

/// Overwrites a file that has no other name, and flushes that.
///
/// A file with a second name is a copy that somebody made on purpose, and stays as it is. What a file
/// system or a disk keeps of overwritten blocks is out of reach.
pub(crate) fn erase(file: &File) -> io::Result<()> {
    const BLOCK: [u8; 4096] = [0; 4096];

    let found = file.status()?;
    if found.links > 1 {
        return Ok(());
    }
    let (mut at, mut left) = (0_u64, found.len);
    while left > 0 {
        let len = usize::try_from(left).map_or(BLOCK.len(), |left| left.min(BLOCK.len()));
        let block = BLOCK.get(..len);
        write_all_at(file, block.certain("it is at most a whole block"), at)?;
        at = at.saturating_add(file_len(len));
        left = left
            .checked_sub(file_len(len))
            .certain("no more is written than is left");
    }
    file.flush_data()
}
