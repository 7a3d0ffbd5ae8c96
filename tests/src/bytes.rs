//! What stores leave on the disk.

use std::collections::HashSet;
use std::path::Path;

/// Every byte of every file of a directory, in the order of their names.
#[must_use]
pub fn bytes_in(dir: &Path) -> Vec<u8> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let bytes = paths.iter().map(|path| std::fs::read(path).unwrap());
    bytes.collect::<Vec<_>>().concat()
}

/// Whether sixteen bytes of a key stand anywhere in `bytes`.
#[must_use]
pub fn has_window_of(bytes: &[u8], keys: &[[u8; 256]]) -> bool {
    let windows: HashSet<&[u8]> = keys.iter().flat_map(|key| key.windows(16)).collect();
    bytes.windows(16).any(|window| windows.contains(window))
}
