//! Records: a head, entries, a check.

use crate::format::crc::crc32c;
use crate::format::delta::mix;
use crate::num::{Bytes, bytes};

/// The longest record, and the size of the buffer: an entry with a key and the longest address, a batch.
pub(crate) const MAX_RECORD: usize = 416;
/// Bytes of a record that are not its entries.
pub(crate) const FRAME: usize = HEAD + CHECK;
/// Bytes of the head.
pub(crate) const HEAD: usize = 2;
/// Bytes of the check. Four would take a unit more for each peer and each channel.
const CHECK: usize = 3;

/// What stands at a unit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Delta,
    Record,
    /// A record of a newer release, if its check is right.
    Newer,
}

impl Kind {
    /// What starts with this word (big-endian).
    pub(crate) const fn of(word: u32) -> Self {
        match word >> 29 {
            6 => Self::Record,
            7 => Self::Newer,
            _ => Self::Delta,
        }
    }
}

/// What a record says besides its entries.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Pages that do not count were erased: nothing is left to wipe.
    pub(crate) is_wiped: bool,
    /// A key that was replaced may be on flash.
    pub(crate) is_stale: bool,
    /// Bytes of entries.
    pub(crate) len: usize,
}

impl Head {
    /// `11`, 0 (1: a newer release's), wiped, stale, parity (even), 10 bits of length.
    pub(crate) fn to_bytes(self) -> [u8; HEAD] {
        let len = u16::try_from(self.len).unwrap_or(u16::MAX) & 0x3FF;
        let flags = u16::from(self.is_wiped) << 12 | u16::from(self.is_stale) << 11;
        let head = 0xC000 | flags | len;
        let parity = u16::from(head.count_ones() & 1 == 1);
        (head | parity << 10).to_be_bytes()
    }

    /// Whether the length may be believed of a record whose check fails.
    pub(crate) const fn is_even(word: u32) -> bool {
        (word >> 16).count_ones() & 1 == 0
    }

    pub(crate) fn of(word: u32) -> Self {
        let [first, second, ..] = word.to_be_bytes();
        let head = u16::from_be_bytes([first, second]);
        Self {
            is_wiped: head & 1 << 12 != 0,
            is_stale: head & 1 << 11 != 0,
            len: usize::from(head & 0x3FF),
        }
    }

    /// Bytes of the whole record, without padding.
    pub(crate) fn total(self) -> usize {
        self.len.wrapping_add(FRAME)
    }
}

/// The first value of a check at a place: a record is valid only in the page and at the place that it was
/// written to.
pub(crate) const fn seed(sequence: u32, at: Bytes) -> u32 {
    mix(mix(!0, sequence), at.0)
}

/// The lower bytes of a CRC.
fn check(seed: u32, body: &[u8]) -> [u8; CHECK] {
    let [check @ .., _] = crc32c(seed, body).to_le_bytes();
    check
}

/// Makes a record of the entries that stand behind the head's place: head, check, padding. Gives the length.
pub(crate) fn seal(record: &mut [u8], head: Head, seed: u32, unit: Bytes) -> usize {
    let total = padded(head.total(), unit);
    if let Some(place) = record.first_chunk_mut() {
        *place = head.to_bytes();
    }
    let end = head.len.wrapping_add(HEAD);
    let (body, rest) = record.split_at_mut_checked(end).unwrap_or_default();
    let check = check(seed, body);
    rest.iter_mut()
        .take(total.wrapping_sub(end))
        .zip(check.into_iter().chain(core::iter::repeat(0xFF)))
        .for_each(|(place, byte)| *place = byte);
    total
}

/// The entries of a record whose check is right.
pub(crate) fn open(record: &[u8], head: Head, seed: u32) -> Option<&[u8]> {
    let (body, rest) = record.split_at_checked(head.len.wrapping_add(HEAD))?;
    let is_right = *rest.first_chunk()? == check(seed, body);
    is_right.then_some(body.get(HEAD..)?)
}

/// A length as a whole number of units.
pub(crate) fn padded(len: usize, unit: Bytes) -> usize {
    crate::num::len(up(bytes(len), unit))
}

/// The next multiple of the unit.
pub(crate) fn up(len: Bytes, unit: Bytes) -> Bytes {
    Bytes::clone(&(len + unit - core::num::Wrapping(1))) & !(unit - core::num::Wrapping(1))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::vec;

    use super::{CHECK, MAX_RECORD, check};

    /// The check is linear: what an error of two bits changes in it is what each of them changes, added up.
    #[test]
    fn every_error_of_one_or_two_bits_is_noticed_in_the_longest_record() {
        let mut body = vec![0_u8; MAX_RECORD - CHECK];
        let right = check(0, &body);
        let mut changes = HashSet::from([[0; CHECK]]);
        for bit in 0..8 * CHECK {
            let mut change = [0; CHECK];
            change[bit / 8] = 1 << (bit % 8);
            changes.insert(change);
        }
        for bit in 0..8 * body.len() {
            body[bit / 8] ^= 1 << (bit % 8);
            let wrong = check(0, &body);
            body[bit / 8] ^= 1 << (bit % 8);
            let change = core::array::from_fn(|byte| right[byte] ^ wrong[byte]);
            assert!(changes.insert(change), "bit {bit}");
        }
    }
}
