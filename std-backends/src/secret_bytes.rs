//! Whole sessions in memory.

use core::ops::{Deref, DerefMut};
use std::io::{self, Read};

use mtsession_core::Certain as _;
use mtsession_core::wire::wipe;

/// The bytes of a session, wiped when dropped. In one sweep: byte by byte, as a `Zeroizing` does it,
/// takes longer than decoding.
#[derive(Default)]
pub(crate) struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Reads everything that is left in `reader`, about `expected` bytes of it. A vector that grows
    /// leaves what it held in freed memory; this one wipes it.
    pub(crate) fn read_to_end(mut reader: impl Read, expected: usize) -> io::Result<Self> {
        // One byte more, so that the end is found without growing.
        let mut bytes = Self(vec![0; expected.saturating_add(1)]);
        let mut len = 0_usize;
        loop {
            if len == bytes.0.len() {
                let mut larger = Self(vec![0; len.saturating_mul(2)]);
                if let Some(held) = larger.0.get_mut(..len) {
                    held.copy_from_slice(&bytes);
                }
                bytes = larger;
            }
            match reader.read(
                bytes
                    .0
                    .get_mut(len..)
                    .certain("more was read than there is room"),
            ) {
                Ok(0) => break,
                Ok(read) => len = len.saturating_add(read),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.0.truncate(len);
        Ok(bytes)
    }
}

impl SecretBytes {
    /// The `len` bytes from `start` on; fewer where there are fewer.
    #[cfg(feature = "seal")]
    pub(crate) fn part(mut self, start: usize, len: usize) -> Self {
        let end = start.saturating_add(len).min(self.0.len());
        self.0.copy_within(start.min(end)..end, 0);
        let kept = end.saturating_sub(start);
        wipe(self.0.get_mut(kept..).unwrap_or_default());
        self.0.truncate(kept);
        self
    }

    /// So many zeros, to be filled.
    pub(crate) fn zeros(len: usize) -> Self {
        Self(vec![0; len])
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for SecretBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for SecretBytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for SecretBytes {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_whole_whatever_was_expected() {
        let bytes: Vec<u8> = (0..=255).cycle().take(5_000).collect();
        for expected in [0, 1, 4_999, 5_000, 5_001, 20_000] {
            // A reader that gives a little at a time.
            let start: Box<dyn Read> = Box::new(io::empty());
            let reader = bytes
                .chunks(7)
                .fold(start, |before, chunk| Box::new(before.chain(chunk)));
            let read = SecretBytes::read_to_end(reader, expected).unwrap();
            assert!(*read == bytes[..], "{expected}");
        }
    }
}
