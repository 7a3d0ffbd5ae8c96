//! Cells that a cut left between 0 and 1.

use alloc::vec::Vec;
use core::ops::Range;

use super::Dice;

/// Bytes of which some bits read differently from time to time.
#[derive(Clone, Default)]
pub(super) struct Unstable(Vec<(usize, u8)>);

impl Unstable {
    /// What a cut left in the place of `data`: cells that moved, or should have, may be in between. One
    /// of those that moved is a 0 for good, so that the place is never blank.
    pub(super) fn shake(&mut self, at: usize, place: &[u8], data: &[u8], dice: &mut Dice) {
        let mut solid = true;
        for (at, (found, data)) in (at..).zip(place.iter().zip(data)) {
            let mut bits = !data & dice.next() as u8 & (dice.next() as u8 | found);
            if solid && *found != 0xFF {
                bits &= !(1 << found.trailing_ones());
                solid = false;
            }
            if bits != 0 {
                self.0.push((at, bits));
            }
        }
    }

    pub(super) fn forget(&mut self, range: &Range<usize>) {
        self.0.retain(|(at, _)| !range.contains(at));
    }

    /// What is read at `at`, this time.
    pub(super) fn read(&self, at: usize, bytes: &mut [u8], dice: &mut Dice) {
        for (place, bits) in &self.0 {
            if let Some(byte) = place.checked_sub(at).and_then(|n| bytes.get_mut(n)) {
                *byte = *byte & !bits | dice.next() as u8 & bits;
            }
        }
    }
}
