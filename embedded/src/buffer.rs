//! Room for one record.

use zeroize::Zeroizing;

use crate::geometry::Geometry;
use crate::record::MAX_RECORD;

/// Wiped after use, since it may have held a key; most counter updates never use it.
pub(crate) struct Buffer(Option<Zeroizing<[u8; MAX_RECORD]>>);

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    #[inline(never)]
    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        self.0
            .get_or_insert_with(|| Zeroizing::new([0; MAX_RECORD]))
            .as_mut_slice()
    }

    /// Its first units.
    #[inline(never)]
    pub(crate) fn units(&mut self, units: u32, geometry: &Geometry) -> &mut [u8] {
        let len = usize::try_from(units << geometry.shift).unwrap_or_default();
        self.bytes().get_mut(..len).unwrap_or_default()
    }
}
