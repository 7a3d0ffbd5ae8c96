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
    let (first, last) = match Head::of_damaged(bytes) {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A word in the middle of a torn record must not be taken for the hot record that follows it. Program
    /// operations clear bits: of what was cut, some are still ones.
    #[test]
    fn what_follows_a_torn_record_never_lies_inside_it() {
        let geometry = Geometry::new(&(0..16_384), 4, 4096).unwrap();
        // Packed changes, and marks.
        let kinds = (5..=16).map(|len| (4, len)).chain([(1, 0), (2, 0), (3, 0)]);
        for (kind, len) in kinds {
            let head = 3_u32 << 30 | kind << 26 | len << 16;
            let whole = head.to_be_bytes();
            let units = Head::decode(&whole).unwrap().units(&geometry);
            let cleared = !head & (7 << 26 | 0x3F << 16);
            let mut stuck = cleared;
            loop {
                let torn = (head | stuck).to_be_bytes();
                let next = successor(0, &torn, &geometry);
                assert!(next.start >= units, "{head:x} torn to {torn:x?}: {next:?}");
                if stuck == 0 {
                    break;
                }
                stuck = (stuck - 1) & cleared;
            }
        }
    }
}
