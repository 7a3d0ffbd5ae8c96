//! Memory that is handed to a driver: aligned, since many move it by DMA.

use zeroize::{Zeroize, Zeroizing};

use crate::geometry::{Geometry, MAX_UNIT_LEN};
use crate::record::MAX_RECORD;

/// Bytes at a multiple of 4, which is what DMA takes; with the feature `align-32` at one of 32, a cache
/// line of the cores that have caches.
#[cfg_attr(not(feature = "align-32"), repr(align(4)))]
#[cfg_attr(feature = "align-32", repr(align(32)))]
pub(crate) struct Aligned<const N: usize>(pub(crate) [u8; N]);

/// Room for the largest unit.
pub(crate) type Piece = Aligned<MAX_UNIT_LEN>;

impl<const N: usize> Zeroize for Aligned<N> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Room for one record. Wiped after use, since it may have held a key; most counter updates never use it.
pub(crate) struct Buffer(Option<Zeroizing<Aligned<MAX_RECORD>>>);

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    #[inline(never)]
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        &mut self
            .0
            .get_or_insert_with(|| Zeroizing::new(Aligned([0; MAX_RECORD])))
            .0
    }

    /// Its first units.
    #[inline(never)]
    pub(crate) fn units(&mut self, units: u32, geometry: &Geometry) -> &mut [u8] {
        let len = usize::try_from(units << geometry.shift).unwrap_or_default();
        let bytes = self.bytes();
        debug_assert!(len <= bytes.len(), "no record is longer than the buffer");
        bytes.get_mut(..len).unwrap_or_default()
    }
}
