//! Memory that is handed to a driver: aligned, since many move it by DMA.

use zeroize::Zeroize;

use crate::format::delta::mix;
use crate::format::header::is_blank;
use crate::format::record::MAX_RECORD;
use crate::geometry::MAX_UNIT_LEN;

/// Room for a record, and for a unit that is read while data is in it.
const ALL: usize = MAX_RECORD + MAX_UNIT_LEN;

/// Room for the longest record, at a multiple of 4, which is what DMA takes; with the feature `align-32` at one
/// of 32, a cache line of the cores that have caches.
#[cfg_attr(not(feature = "align-32"), repr(align(4)))]
#[cfg_attr(feature = "align-32", repr(align(32)))]
#[derive(Clone)]
struct Aligned([u8; ALL]);

/// The memory, and what is in it.
#[derive(Clone)]
pub(crate) struct Buffer {
    aligned: Aligned,
    /// Whether a key may be in it: then it is wiped after the call.
    pub(crate) has_key: bool,
}

/// A hash of whole words.
#[inline(never)]
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks();
    words
        .iter()
        .fold(!0, |hash, word| mix(hash, u32::from_le_bytes(*word)))
}

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self {
            aligned: Aligned([0; ALL]),
            has_key: false,
        }
    }

    pub(crate) fn first(&self, len: usize) -> &[u8] {
        self.aligned.0.get(..len).unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.first(MAX_RECORD)
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        self.first_mut(MAX_RECORD)
    }

    pub(crate) fn first_mut(&mut self, len: usize) -> &mut [u8] {
        self.aligned.0.get_mut(..len).unwrap_or_default()
    }

    pub(crate) fn part_mut(&mut self, from: usize, to: usize) -> &mut [u8] {
        self.aligned.0.get_mut(from..to).unwrap_or_default()
    }

    /// A hash of the first bytes: what was programmed is read back into the same buffer.
    pub(crate) fn hash(&self, len: usize) -> u32 {
        hash(self.first(len))
    }

    pub(crate) fn is_blank(&self, len: usize) -> bool {
        is_blank(self.first(len))
    }

    /// Turns every bit, where erased cells read as zeros.
    pub(crate) fn flip(&mut self, len: usize, flip: u8) {
        if flip != 0 {
            for byte in self.first_mut(len) {
                *byte ^= flip;
            }
        }
    }

    pub(crate) fn wipe(&mut self) {
        if core::mem::take(&mut self.has_key) {
            self.aligned.0.zeroize();
        }
    }
}
