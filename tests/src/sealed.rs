//! Sealed session files, and what tests ask of them.

use std::path::Path;
use std::sync::Arc;

use mtsession::codec::SealedFile;
use mtsession::seal::Key;
use mtsession::{SessionBackend, StoreError, StoreErrorKind, StoreOptions};

/// Options with the key that is 32 times this byte.
#[must_use]
pub fn keyed(byte: u8) -> StoreOptions {
    StoreOptions::new().key(Key::from_bytes([byte; 32]))
}

/// The session file with that key.
#[must_use]
pub fn open(path: &Path, byte: u8) -> Arc<dyn SessionBackend> {
    keyed(byte).connect(path).unwrap()
}

/// What kind of error it is.
#[must_use]
pub fn kind(error: &std::io::Error) -> StoreErrorKind {
    StoreError::of(error)
        .unwrap_or_else(|| panic!("not typed: {error}"))
        .kind()
}

/// Bytes of the header and of header and body in a sealed file.
#[must_use]
pub fn parts(bytes: &[u8]) -> (usize, usize) {
    let file = SealedFile::parse(bytes).unwrap();
    (file.header().bytes().len(), file.bytes().len())
}

/// Sets the checksum over header and body right, as somebody would who changes them on purpose.
pub fn set_right(bytes: &mut [u8], len: usize) {
    let mut crc = mtsession::codec::wire::Crc32c::new();
    crc.update(&bytes[..len - 4]);
    bytes[len - 4..len].copy_from_slice(&crc.value().to_le_bytes());
}
