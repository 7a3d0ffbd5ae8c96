//! Records of format 1 other than hot ones: a change with its position, or a mark.

use crate::format::crc::crc32c;

/// What a record is.
pub(crate) type Kind = u32;

pub(crate) const CHANGE: Kind = 0;
/// Nothing: marks where reading goes on after a gap.
pub(crate) const SYNC: Kind = 1;
/// The changes since the unit (of this page) in `slot` that are marked as pending count.
pub(crate) const COMMIT: Kind = 2;
pub(crate) const WIPED: Kind = 3;
pub(crate) const PACKED: Kind = 4;

/// The first word of a record, big-endian: `11`, pending, 3 bits of kind, 10 of length, 16 of slot. The length
/// of a packed record are the low 5 bits, above which are 5 of the payload itself.
#[derive(Clone, Copy)]
pub(crate) struct Head(u32);

impl Head {
    pub(crate) const fn of(word: u32) -> Option<Self> {
        let head = Self(word);
        if word >> 30 == 3 && head.kind() <= PACKED {
            Some(head)
        } else {
            None
        }
    }

    /// The head of a record that is not valid: the kind may be damaged as well. One that does not exist has
    /// bits too many, of a program that was cut or of one that rotted; what is nearest is how long the record
    /// was.
    pub(crate) const fn of_damaged(word: u32) -> Option<Self> {
        let nearest = match Self(word).kind() {
            5 | 6 => PACKED,
            7 => WIPED,
            kind => kind,
        };
        if word >> 30 == 3 {
            Some(Self(word & !(7 << 26) | nearest << 26))
        } else {
            None
        }
    }

    pub(crate) const fn kind(self) -> Kind {
        self.0 >> 26 & 7
    }

    pub(crate) const fn is_change(self) -> bool {
        matches!(self.kind(), CHANGE | PACKED)
    }

    pub(crate) const fn is_pending(self) -> bool {
        self.0 & 1 << 29 != 0
    }

    pub(crate) const fn slot(self) -> u32 {
        self.0 & 0xFFFF
    }

    /// Of a packed record, the bits of the payload.
    pub(crate) const fn packed(self) -> Option<u8> {
        if self.kind() == PACKED {
            Some(crate::num::low(self.0 >> 21 & 31))
        } else {
            None
        }
    }

    /// Where the payload ends, counted from the record's start.
    pub(crate) const fn payload_end(self) -> usize {
        let mask = if self.kind() == PACKED { 31 } else { 0x3FF };
        crate::num::len(core::num::Wrapping(self.0 >> 16 & mask)).wrapping_add(4)
    }

    const fn check_len(self) -> usize {
        if self.kind() == PACKED { 3 } else { 4 }
    }

    /// Bytes of the whole record, without padding.
    pub(crate) const fn total(self) -> usize {
        self.payload_end().wrapping_add(self.check_len())
    }

    /// The payload of the record at the start of `bytes`; `None` if its check is wrong.
    pub(crate) fn open(self, bytes: &[u8], seed: u32) -> Option<&[u8]> {
        let (checked, rest) = bytes.split_at_checked(self.payload_end())?;
        let crc = crc32c(seed, checked).to_le_bytes();
        let is_right = rest.get(..self.check_len())? == crc.get(..self.check_len())?;
        is_right.then_some(checked.get(4..)?)
    }
}
