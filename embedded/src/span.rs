//! How far records reach.

use core::ops::Range;

use crate::geometry::Geometry;
use crate::record::Head;

/// Units of a hot record.
pub(crate) fn hot_units(bytes: &[u8], geometry: &Geometry) -> u32 {
    match bytes.first() {
        Some(0x80..0xC0) if geometry.shift == 2 => 2,
        _ => 1,
    }
}

/// Where the record behind the bad one at `at` may start, if its first bits are right.
pub(crate) fn successor(at: u32, bytes: &[u8], geometry: &Geometry) -> Range<u32> {
    let (first, last) = match Head::decode(bytes) {
        Some(head) => {
            let units = head.units(geometry);
            (units, units)
        }
        // A flipped bit makes a long hot record look like a short one, and the other way round;
        // behind a torn one, a unit is left out.
        None => (1, 2),
    };
    at.wrapping_add(first)..at.wrapping_add(last).wrapping_add(1)
}

pub(crate) fn bytes_in(units: u32, shift: u8) -> usize {
    usize::try_from(units << shift).unwrap_or(usize::MAX)
}
