//! Records other than hot ones: a change with its slot, or a mark, under a CRC-32C.

use mtsession_core::{Change, Peer, UpdateChange};

use crate::check::crc32c;
use crate::codec::Codec;
use crate::geometry::{Geometry, MAX_UNIT_LEN};
use crate::payload::{self, Packed};

/// Bytes of the longest record with everything: a DC entry with an address of 255 bytes and a key
/// takes 546, rounded up to the largest unit.
pub(crate) const MAX_RECORD: usize = 576;
/// Where the longest payload ends: only the check follows.
const MAX_PAYLOAD_END: usize = MAX_RECORD - 4;

const _: () = assert!(MAX_RECORD.is_multiple_of(MAX_UNIT_LEN));

/// Bytes of a record without a payload.
pub(crate) const MARK_LEN: u32 = 8;

/// What a record is.
pub(crate) type Kind = u32;

/// A change, encoded with postcard.
pub(crate) const CHANGE: Kind = 0;
/// Nothing: marks where reading goes on behind a gap.
pub(crate) const SYNC: Kind = 1;
/// The changes since the unit (of this page) in `slot` that are marked as pending count.
pub(crate) const COMMIT: Kind = 2;
/// With slot 0: whatever keys the session no longer has were erased, everywhere. With slot 1: a record
/// that counts holds one.
pub(crate) const WIPED: Kind = 3;
/// A peer or a channel's pts in a form that is a third shorter.
pub(crate) const PACKED: Kind = 4;

const TAG: u32 = 3 << 30;
/// Part of a batch: counts only with its commit record.
const PENDING: u32 = 1 << 29;

/// The first word of a record, big-endian: `11`, pending, 3 bits of kind, 10 of length, 16 of slot.
///
/// The slot is where the change belongs: an index, for a DC with the entry's generation above it.
/// The length of a packed record are the low 5 bits, above which are 5 of the payload itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head(u32);

impl Head {
    fn write(self, record: &mut [u8]) {
        if let Some(first) = record.first_chunk_mut() {
            *first = self.0.to_be_bytes();
        }
    }

    #[inline(never)]
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let head = Self(u32::from_be_bytes(*bytes.first_chunk()?));
        (head.0 >= TAG && head.kind() <= PACKED).then_some(head)
    }

    /// The head of a record that is not valid: the kind may be damaged as well. One that does not exist has
    /// bits too many, of a program that was cut or of one that rotted; what is nearest is how long the
    /// record was.
    pub(crate) fn of_damaged(bytes: &[u8]) -> Option<Self> {
        let head = Self(u32::from_be_bytes(*bytes.first_chunk()?));
        let nearest = match head.kind() {
            5 | 6 => PACKED,
            7 => WIPED,
            kind => kind,
        };
        let others = head.0 & !(7 << 26);
        (head.0 >= TAG).then_some(Self(others | nearest << 26))
    }

    pub(crate) const fn kind(self) -> Kind {
        self.0 >> 26 & 7
    }

    pub(crate) const fn is_change(self) -> bool {
        matches!(self.kind(), CHANGE | PACKED)
    }

    pub(crate) const fn is_pending(self) -> bool {
        self.0 & PENDING != 0
    }

    pub(crate) fn slot(self) -> u16 {
        u16::try_from(self.0 & 0xFFFF).unwrap_or_default()
    }

    fn packed(self) -> Packed {
        let bits = u8::try_from(self.0 >> 21 & 31).unwrap_or_default();
        (self.kind() == PACKED).then_some(bits)
    }

    /// Where the payload ends, counted from the record's start.
    #[inline(never)]
    fn payload_end(self) -> usize {
        let mask = if self.kind() == PACKED { 31 } else { 0x3FF };
        let len = usize::try_from(self.0 >> 16 & mask).unwrap_or_default();
        len.wrapping_add(4)
    }

    /// Bytes of the check.
    const fn check_len(self) -> usize {
        if self.kind() == PACKED { 3 } else { 4 }
    }

    /// Bytes of the whole record, without padding.
    #[inline(never)]
    pub(crate) fn record_len(self) -> usize {
        self.payload_end().wrapping_add(self.check_len())
    }

    /// Units of the whole record.
    #[inline(never)]
    pub(crate) fn units(self, geometry: &Geometry) -> u32 {
        geometry.units(u32::try_from(self.record_len()).unwrap_or_default())
    }
}

/// Completes the record at the start of `record`, which has its head and its payload.
///
/// `seed` is of the page and the position.
pub(crate) fn seal(record: &mut [u8], seed: u32) {
    let end = Head::decode(record).map_or(0, Head::payload_end);
    let (checked, rest) = record.split_at_mut_checked(end).unwrap_or_default();
    let check = crc32c(seed, checked).to_le_bytes();
    let len = Head::decode(checked).map_or(0, Head::check_len);
    // At most a unit of padding is ever programmed.
    for place in rest.iter_mut().take(MAX_UNIT_LEN) {
        *place = 0xFF;
    }
    for (place, byte) in rest.iter_mut().zip(check).take(len) {
        *place = byte;
    }
}

/// Reads the record at the start of `bytes`; `None` if there is no valid one.
pub(crate) fn open(bytes: &[u8], seed: u32) -> Option<Head> {
    let head = Head::decode(bytes)?;
    let (checked, rest) = bytes.split_at_checked(head.payload_end())?;
    let check = rest.get(..head.check_len())?;
    let crc = crc32c(seed, checked).to_le_bytes();
    check
        .iter()
        .zip(crc)
        .all(|(known, byte)| *known == byte)
        .then_some(head)
}

/// Begins a record without a payload.
pub(crate) fn mark(kind: Kind, slot: u16, record: &mut [u8]) {
    Head(TAG | kind << 26 | u32::from(slot)).write(record);
}

/// Begins a record with a change; `None` if it is too long.
pub(crate) fn encode(change: &Change<'_>, slot: u16, record: &mut [u8]) -> Option<()> {
    let mut codec = Codec::write(record.get_mut(4..MAX_PAYLOAD_END)?);
    let (packed, len) = payload::write(change, &mut codec)?;
    let form = packed.map_or(CHANGE << 26, |bits| PACKED << 26 | u32::from(bits) << 21);
    let len = u32::try_from(len).ok()?;
    Head(TAG | form | len << 16 | u32::from(slot)).write(record);
    debug_assert!(
        relation(change, record) == Relation::Same || decode(record).is_some(),
        "what is written is what will be read"
    );
    Some(())
}

/// Makes a record part of a batch, or not.
#[inline(never)]
pub(crate) fn set_pending(record: &mut [u8], pending: bool) {
    if let Some(head) = Head::decode(record) {
        Head(head.0 & !PENDING | if pending { PENDING } else { 0 }).write(record);
    }
}

/// Reads the change of a valid record; `None` for a newer release's.
pub(crate) fn decode(record: &[u8]) -> Option<Change<'_>> {
    let head = Head::decode(record)?;
    payload::read(head.packed(), record.get(4..head.payload_end())?)
}

/// Whether a valid record says that there are no channels.
pub(crate) fn empties_channels(head: Head, record: &[u8]) -> bool {
    // Shorter than what else there is, and read only where it may be that.
    head.kind() == CHANGE
        && !head.is_pending()
        && head.record_len() <= 10
        && matches!(
            decode(record),
            Some(Change::Update(UpdateChange::ClearChannels))
        )
}

/// Whether a change gives the DC entry of a record another key, or none.
pub(crate) fn replaces_key(change: &Change<'_>, record: &[u8]) -> bool {
    match (change, decode(record)) {
        (Change::Dc(dc), Some(Change::Dc(known))) => {
            known.slot() == dc.slot() && known.auth_key.is_some() && known.auth_key != dc.auth_key
        }
        _ => false,
    }
}

/// What a record on flash is to a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It says the same.
    Same,
    /// It is about the same entry.
    Entry,
    Other,
}

/// Compares a change with a valid record.
pub(crate) fn relation(change: &Change<'_>, record: &[u8]) -> Relation {
    let is_entry = match (decode(record), change) {
        (Some(Change::Dc(known)), Change::Dc(dc)) => known.slot() == dc.slot(),
        (Some(Change::Peer(known)), Change::Peer(peer)) => Peer::key(&known) == Peer::key(peer),
        (Some(Change::MinPeer(known)), Change::MinPeer(peer)) => known.user_id == peer.user_id,
        (Some(Change::FutureAuthToken(_)), Change::FutureAuthToken(_))
        | (Some(Change::Account(_)), Change::Account(_)) => true,
        _ => false,
    };
    let (true, Some(head)) = (is_entry, Head::decode(record)) else {
        return Relation::Other;
    };
    let payload = record.get(4..head.payload_end()).unwrap_or_default();
    let same = Some((head.packed(), payload.len()));
    if payload::write(change, &mut Codec::compare(payload)) == same {
        return Relation::Same;
    }
    Relation::Entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_record_begins_like_erased_flash() {
        for kind in CHANGE..=PACKED {
            let mut bytes = [0; 4];
            let head = Head(TAG | PENDING | kind << 26 | 0x3FF << 16 | 0xFFFF);
            head.write(&mut bytes);
            assert_ne!(bytes[0], 0xFF);
            assert_eq!(Head::decode(&bytes), Some(head));
        }
    }

    #[test]
    fn is_valid_only_whole_and_in_its_place() {
        let mut record = [7; MAX_RECORD];
        let head = Head(TAG | CHANGE << 26 | 20 << 16 | 3);
        head.write(&mut record);
        seal(&mut record, 99);
        assert_eq!(open(&record, 99), Some(head));
        assert_eq!(record[4..24], [7; 20]);
        assert_eq!(open(&record, 98), None);
        assert_eq!(open(&record[..27], 99), None);
        for bit in 0..28 * 8 {
            let mut record = record;
            record[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&record, 99), None);
        }
    }
}
