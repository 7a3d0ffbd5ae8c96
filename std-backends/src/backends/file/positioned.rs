//! Reading and writing at given places of a file.

use std::io::{self, Read as _};

use crate::fs::disk::{File, ReadFrom};

pub(super) use crate::fs::disk::write_all_at as write_at;

/// Reads everything from `offset` on.
pub(super) fn read_from(file: &File, into: &mut Vec<u8>, offset: u64) -> io::Result<()> {
    ReadFrom { file, at: offset }.read_to_end(into).map(|_| ())
}

/// Reads what there is at `offset`, up to the length of `into`.
pub(super) fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut reader = ReadFrom { file, at: offset };
    let mut len = 0_usize;
    while let Some(room) = into.get_mut(len..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(read) => len = len.saturating_add(read),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}
