//! The bytes of records: the changes that were made after a snapshot was written. They follow the header of a
//! [tail](super::session_file); the release before kept them in a file alongside the session, a journal, which
//! has another header.
//!
//! ```text
//! header   "MTSJ" | u8 1 | u32 snapshot's CRC | u32 CRC-32C of the 9 bytes before   13 bytes
//! record   varint n | n bytes: postcard changes, one after another | u32 CRC-32C
//! mark     the same with the 5 bytes FF "fold", which are not changes
//! ```
//!
//! Integers are little-endian. A record's checksum also covers the checksum before it (the header's
//! for the first), so nothing stale, moved or of another snapshot passes. A record is one atomic batch.
//!
//! Programs read a session with its journal by [`PlainFile`](crate::PlainFile); these are the parts that
//! a store which appends to a journal needs.

use super::concat::concat_array;
use super::crc::Crc32c;
use super::varint;
use crate::change::Change;
use crate::entry::EntryKey;

/// How a journal begins.
pub const MAGIC: [u8; 4] = *b"MTSJ";
const VERSION: u8 = 1;

/// Bytes of the header.
pub const HEADER_LEN: usize = 13;

/// What a mark has in the place of changes.
const MARK: &[u8] = b"\xFFfold";

/// How far a sound record is looked for after one that is not.
const MAX_SCAN: usize = 4096;

/// The header of a journal that continues the snapshot with this checksum.
#[must_use]
pub fn header(snapshot: u32) -> [u8; HEADER_LEN] {
    let covered = concat_array!(9; MAGIC, [VERSION], snapshot.to_le_bytes());
    let mut crc = Crc32c::new();
    crc.update(&covered);
    concat_array!(HEADER_LEN; covered, crc.value().to_le_bytes())
}

/// The checksum that the first record after a header continues.
#[must_use]
pub const fn chain_of_header(header: &[u8; HEADER_LEN]) -> u32 {
    let [.., a, b, c, d] = *header;
    u32::from_le_bytes([a, b, c, d])
}

/// Whether a change goes into a journal. Keys, tokens and the home DC go into the snapshot: secrets live in
/// one file only, which other programs can read without the journal. A reader keeps to the same rule: a few
/// bytes at the end of a journal must not move the account to another DC.
#[must_use]
pub const fn is_journalable(change: &Change<'_>) -> bool {
    match change {
        Change::Update(_)
        | Change::Peer(_)
        | Change::MinPeer(_)
        | Change::Account(_)
        | Change::Names(_)
        | Change::LoginState(_)
        | Change::Salt { .. } => true,
        // What removes a key must remove it from the snapshot.
        Change::Forget(key) => !matches!(key, EntryKey::Dc(_)),
        Change::HomeDc(_) | Change::Dc(_) | Change::FutureAuthToken(_) => false,
    }
}

/// A record whose checksum holds.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its changes, encoded one after another.
    pub payload: &'a [u8],
    /// Bytes of the whole record.
    pub len: usize,
    /// Its checksum, which the next record continues.
    pub chain: u32,
    /// What follows it.
    pub after: &'a [u8],
}

impl<'a> Record<'a> {
    /// The record at the start of `bytes`, after one with the checksum `chain`; `None` where none holds. One
    /// without changes is not a record: zeros would be.
    #[must_use]
    pub fn first(bytes: &'a [u8], chain: u32) -> Option<Self> {
        let mut head = bytes.iter();
        let payload_len = varint::read(|| head.next().copied().ok_or(())).ok()??;
        if payload_len == 0 {
            return None;
        }
        let head_len = bytes.len().checked_sub(head.len())?;
        let covered_len = head_len.checked_add(usize::try_from(payload_len).ok()?)?;
        let (covered, rest) = bytes.split_at_checked(covered_len)?;
        let (stored, after) = rest.split_first_chunk()?;
        let chain = checksum(chain, covered);
        (u32::from_le_bytes(*stored) == chain).then_some(Self {
            payload: covered.get(head_len..)?,
            len: bytes.len().checked_sub(after.len())?,
            chain,
            after,
        })
    }

    /// Whether this is the mark that nothing may be appended to the journal: a flush of it has failed.
    #[must_use]
    pub fn is_mark(&self) -> bool {
        self.payload == MARK
    }
}

/// Where records go on in `bytes`, which do not begin with a sound one: the bytes from there on, and the
/// checksum that they continue. A torn record has nothing after it, a damaged one has.
#[must_use]
pub fn next_sound(bytes: &[u8]) -> Option<(&[u8], u32)> {
    (1..bytes.len().min(MAX_SCAN)).find_map(|at| {
        let (stored, after) = bytes.get(at..)?.split_first_chunk()?;
        let stored = u32::from_le_bytes(*stored);
        Record::first(after, stored)?;
        Some((after, stored))
    })
}

/// Appends a record that follows the one with the checksum `chain`, and returns its own.
///
/// # Errors
/// [`EncodeError::TooLong`](crate::EncodeError::TooLong) for 4 GiB of changes.
#[cfg(feature = "alloc")]
pub fn put_record<E>(
    payload: &[u8],
    chain: u32,
    out: &mut alloc::vec::Vec<u8>,
) -> Result<u32, crate::EncodeError<E>> {
    use core::convert::Infallible;

    let start = out.len();
    let len = u32::try_from(payload.len()).map_err(|_| crate::EncodeError::TooLong {
        field: crate::Field::Change,
        len: payload.len(),
        max: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
    })?;
    let Ok(()) = varint::put(len, |byte| {
        out.extend_from_slice(byte);
        Ok::<_, Infallible>(())
    });
    out.extend_from_slice(payload);
    let chain = checksum(chain, out.get(start..).unwrap_or_default());
    out.extend_from_slice(&chain.to_le_bytes());
    Ok(chain)
}

/// The mark that nothing may be appended after the record with the checksum `chain`.
#[must_use]
pub fn mark(chain: u32) -> [u8; MARK_LEN] {
    let covered = concat_array!(6; [5], [0xFF, b'f', b'o', b'l', b'd']);
    concat_array!(MARK_LEN; covered, checksum(chain, &covered).to_le_bytes())
}

/// Bytes of a mark: a length of one byte, what it has in the place of changes, and a checksum.
pub const MARK_LEN: usize = 1 + MARK.len() + 4;

fn checksum(chain: u32, record: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(&chain.to_le_bytes());
    crc.update(record);
    crc.value()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_a_sound_record_of_its_own_kind() {
        let mark = mark(7);
        let record = Record::first(&mark, 7).unwrap();
        assert!(record.is_mark());
        assert_eq!((record.len, record.after), (MARK_LEN, &[][..]));
        assert!(Record::first(&mark, 8).is_none());
    }
}
