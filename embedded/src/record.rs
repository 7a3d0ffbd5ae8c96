//! Records other than hot ones: a postcard-encoded change with its slot and a CRC-32C.

use mtsession_core::Change;

use crate::check::crc32c;
use crate::geometry::{Geometry, MAX_UNIT_LEN};
use crate::{packed, payload};

/// Bytes of the longest record with everything: a DC entry with an address of 255 bytes and a key
/// takes 546, rounded up to the largest unit.
pub(crate) const MAX_RECORD: usize = 576;
/// Bytes of the head word and the check.
pub(crate) const OVERHEAD: usize = 8;
/// Bytes of the longest payload.
pub(crate) const MAX_PAYLOAD: usize = MAX_RECORD - OVERHEAD;

const _: () = assert!(MAX_RECORD.is_multiple_of(MAX_UNIT_LEN));

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A change, encoded with postcard.
    Change,
    /// A peer or a channel's pts in a fixed form that is a third shorter; see [`packed`](crate::packed).
    Packed,
    /// Nothing: marks where reading goes on behind a gap.
    Sync,
    /// The changes since the unit (of this page) in `slot` that are marked as pending count.
    Commit,
    /// Every page but this one was erased completely.
    Wiped,
}

/// The first word of a record, big-endian: `11`, pending, 3 bits of kind, 10 of length, 16 of slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: Kind,
    /// Part of a batch: counts only with its commit record.
    pub(crate) pending: bool,
    /// Where the change belongs: an index, for a DC with the entry's generation above it.
    pub(crate) slot: u16,
    /// Bytes of the payload; of a packed one the low 5 bits, above which are 5 of the payload itself.
    pub(crate) len: u16,
}

impl Head {
    pub(crate) const fn mark(kind: Kind, slot: u16) -> Self {
        Self {
            kind,
            pending: false,
            slot,
            len: 0,
        }
    }

    pub(crate) fn encode(self) -> [u8; 4] {
        let kind = match self.kind {
            Kind::Change => 0,
            Kind::Sync => 1,
            Kind::Commit => 2,
            Kind::Wiped => 3,
            Kind::Packed => 4,
        };
        let word = 3 << 30
            | u32::from(self.pending) << 29
            | kind << 26
            | u32::from(self.len & 0x3FF) << 16
            | u32::from(self.slot);
        word.to_be_bytes()
    }

    pub(crate) fn decode(bytes: [u8; 4]) -> Option<Self> {
        let word = u32::from_be_bytes(bytes);
        if word >> 30 != 3 {
            return None;
        }
        let kind = match word >> 26 & 7 {
            0 => Kind::Change,
            1 => Kind::Sync,
            2 => Kind::Commit,
            3 => Kind::Wiped,
            4 => Kind::Packed,
            _ => return None,
        };
        let len = u16::try_from(word >> 16 & 0x3FF).ok()?;
        Some(Self {
            kind,
            pending: word >> 29 & 1 == 1,
            slot: u16::try_from(word & 0xFFFF).ok()?,
            len,
        })
    }

    /// Bytes of the payload.
    pub(crate) fn payload_len(self) -> usize {
        let mask = if self.kind == Kind::Packed { 31 } else { 0x3FF };
        usize::from(self.len & mask)
    }

    /// Bytes of the check.
    const fn check_len(self) -> usize {
        if matches!(self.kind, Kind::Packed) {
            3
        } else {
            4
        }
    }

    /// Bytes of the whole record, without padding.
    pub(crate) fn record_len(self) -> usize {
        let len = self.payload_len().saturating_add(4);
        len.saturating_add(self.check_len())
    }

    /// Units of the whole record.
    pub(crate) fn units(self, geometry: &Geometry) -> u32 {
        geometry.units(u32::try_from(self.record_len()).unwrap_or_default())
    }

    /// Whether the change counts without a commit record.
    pub(crate) const fn is_change(self) -> bool {
        matches!(self.kind, Kind::Change | Kind::Packed)
    }
}

/// Completes the record whose payload is at byte 4 of `record`.
///
/// `seed` is of the page and the position.
pub(crate) fn seal(record: &mut [u8; MAX_RECORD], head: Head, seed: u32) {
    let Some((first, rest)) = record.split_first_chunk_mut::<4>() else {
        return;
    };
    *first = head.encode();
    let Some((payload, rest)) = rest.split_at_mut_checked(head.payload_len()) else {
        return;
    };
    let check = crc32c(crc32c(seed, first), payload).to_le_bytes();
    let check = check.into_iter().take(head.check_len());
    // At most a unit of padding is ever programmed.
    let padding = core::iter::repeat_n(0xFF, MAX_UNIT_LEN);
    for (place, byte) in rest.iter_mut().zip(check.chain(padding)) {
        *place = byte;
    }
}

/// Reads the record at the start of `bytes`; `None` if there is no valid one.
pub(crate) fn open(bytes: &[u8], seed: u32) -> Option<(Head, &[u8])> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    let head = Head::decode(*first)?;
    let (payload, rest) = rest.split_at_checked(head.payload_len())?;
    let crc = crc32c(crc32c(seed, first), payload).to_le_bytes();
    let (check, _) = crc.split_at_checked(head.check_len())?;
    rest.starts_with(check).then_some((head, payload))
}

/// Writes a change as the payload of a record that is being made; `None` if it is too long.
pub(crate) fn encode(
    change: &Change<'_>,
    slot: u16,
    record: &mut [u8; MAX_RECORD],
) -> Option<Head> {
    let (_, place) = record.split_first_chunk_mut::<4>()?;
    let (kind, len) = if let Some(len) = packed::encode(change, place) {
        (Kind::Packed, len)
    } else {
        let (place, _) = place.split_at_mut_checked(MAX_PAYLOAD)?;
        let len = payload::encode(change, place)?;
        (Kind::Change, u16::try_from(len).ok()?)
    };
    Some(Head {
        kind,
        pending: false,
        slot,
        len,
    })
}

/// Reads the change of a valid record; `None` for a newer release's.
pub(crate) fn decode(head: Head, bytes: &[u8]) -> Option<Change<'_>> {
    match head.kind {
        Kind::Packed => packed::decode(head.len, bytes),
        _ => payload::decode(bytes),
    }
}

/// The payload in a record that was read.
pub(crate) fn payload_of(record: &[u8], head: Head) -> &[u8] {
    let end = head.payload_len().saturating_add(4);
    record.get(4..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_begins_like_erased_flash() {
        for pending in [false, true] {
            for kind in [
                Kind::Change,
                Kind::Packed,
                Kind::Sync,
                Kind::Commit,
                Kind::Wiped,
            ] {
                let head = Head {
                    kind,
                    pending,
                    slot: 0xFFFF,
                    len: 0x3FF,
                };
                assert_ne!(head.encode()[0], 0xFF);
                assert_eq!(Head::decode(head.encode()), Some(head));
            }
        }
    }

    #[test]
    fn is_valid_only_whole_and_in_its_place() {
        let mut record = [7; MAX_RECORD];
        let head = Head {
            kind: Kind::Change,
            pending: false,
            slot: 3,
            len: 20,
        };
        seal(&mut record, head, 99);
        assert_eq!(open(&record, 99), Some((head, &[7; 20][..])));
        assert_eq!(open(&record, 98), None);
        assert_eq!(open(&record[..27], 99), None);
        for bit in 0..28 * 8 {
            let mut record = record;
            record[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&record, 99), None);
        }
    }
}
