//! The journal's bytes: small changes after a snapshot, each record checked.
//!
//! ```text
//! header   "MTSJ" | u8 1 | u32 snapshot's CRC | u32 CRC-32C of the 9 bytes before   13 bytes
//! record   varint n | n bytes: postcard changes, one after another | u32 CRC-32C
//! mark     the same with the 5 bytes FF "fold", which are not changes
//! ```
//!
//! Integers are little-endian. A record's checksum also covers the checksum before it (the header's
//! for the first), so nothing stale, moved or of another snapshot passes. A record is one atomic
//! batch. Reading stops at the first record that does not check: the rest was torn by a crash. A record
//! that checks and holds what this release does not know was not torn: a newer release wrote it, and the
//! journal is refused.
//!
//! The mark stands at the end after a flush has failed. The kernel may have dropped what it could not
//! write, so that a power cut leaves a hole there; what is appended after it would be lost with it, even
//! if its own flush succeeds. So every process that finds the mark stores the session anew instead.

use core::fmt;
use std::io;

use crate::fs::file_len;
use mtsession_core::Certain as _;
use mtsession_core::wire::Crc32c;
use mtsession_core::{Change, EncodeError, wire::SliceFull};

/// How a journal begins.
pub(super) const MAGIC: &[u8; 4] = b"MTSJ";
const VERSION: u8 = 1;
pub(super) const HEADER_LEN: usize = 13;

/// What a mark has in the place of changes.
const FOLD_FIRST: &[u8] = b"\xFFfold";

/// Longest change that goes into the journal: a peer, with every number at its longest.
const CHANGE_MAX: usize = 32;

/// Where a journal's good part ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Bytes of the good part.
    pub(super) end: u64,
    /// The last checksum in it.
    pub(super) chain: u32,
    /// Records in it.
    pub(super) records: u64,
}

impl Tail {
    /// The end of an empty journal of this snapshot.
    pub(super) fn of_header(snapshot: u32) -> Self {
        let [.., a, b, c, d] = header(snapshot);
        Self {
            end: HEADER_LEN_U64,
            chain: u32::from_le_bytes([a, b, c, d]),
            records: 0,
        }
    }
}

const HEADER_LEN_U64: u64 = 13;
const _: () = assert!(HEADER_LEN == 13, "both are the same number");

/// A sound record holds a change that this release does not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newer;

impl fmt::Display for Newer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the journal holds a change that this release does not know: a newer release wrote it, so \
             update this program; nothing was changed",
        )
    }
}

impl core::error::Error for Newer {}

impl From<Newer> for io::Error {
    fn from(newer: Newer) -> Self {
        Self::new(io::ErrorKind::InvalidData, newer)
    }
}

/// The header of a journal that continues the snapshot with this CRC.
pub(super) fn header(snapshot: u32) -> [u8; HEADER_LEN] {
    let [s0, s1, s2, s3] = snapshot.to_le_bytes();
    let [m0, m1, m2, m3] = *MAGIC;
    let covered = [m0, m1, m2, m3, VERSION, s0, s1, s2, s3];
    let mut crc = Crc32c::new();
    crc.update(&covered);
    let [c0, c1, c2, c3] = crc.value().to_le_bytes();
    [m0, m1, m2, m3, VERSION, s0, s1, s2, s3, c0, c1, c2, c3]
}

/// Where the records of a journal begin, whichever snapshot it continues; `None` for what is not one.
pub(super) fn own_header(journal: &[u8]) -> Option<Tail> {
    let (header, _) = journal.split_first_chunk::<HEADER_LEN>()?;
    let [_, _, _, _, _, s0, s1, s2, s3, ..] = *header;
    let snapshot = u32::from_le_bytes([s0, s1, s2, s3]);
    (*header == self::header(snapshot)).then(|| Tail::of_header(snapshot))
}

/// Whether a change goes into the journal. Keys, tokens and the home DC go into the snapshot: they
/// must survive a power cut, and secrets live in one file only. A reader keeps to the same rule:
/// a few bytes behind a journal must not move the account to another DC.
pub(super) fn takes(change: &Change<'_>) -> bool {
    matches!(
        change,
        Change::Update(_) | Change::Peer(_) | Change::MinPeer(_)
    )
}

/// Encodes one batch behind `tail` into `record`, and returns the tail after it.
pub(super) fn encode(
    changes: &[Change<'_>],
    tail: Tail,
    record: &mut Vec<u8>,
    payload: &mut Vec<u8>,
) -> Result<Tail, EncodeError<SliceFull>> {
    payload.clear();
    for change in changes {
        let mut buffer = [0; CHANGE_MAX];
        payload.extend_from_slice(change.encode(&mut buffer)?);
    }
    record.clear();
    let chain = put_record(payload, tail.chain, record);
    let len = file_len(record.len());
    Ok(Tail {
        end: tail.end.saturating_add(len),
        chain,
        records: tail.records.saturating_add(1),
    })
}

/// Appends a record that follows the one with this checksum, and returns its own.
fn put_record(payload: &[u8], chain: u32, record: &mut Vec<u8>) -> u32 {
    put_varint(payload.len(), record);
    record.extend_from_slice(payload);
    let chain = checksum(chain, record);
    record.extend_from_slice(&chain.to_le_bytes());
    chain
}

/// The mark that nothing may be appended to a journal which ends at `tail`.
pub(super) fn fold_first(tail: Tail) -> Vec<u8> {
    let mut mark = Vec::new();
    put_record(FOLD_FIRST, tail.chain, &mut mark);
    mark
}

/// Whether the bytes from `tail` on are that mark.
pub(super) fn must_fold(bytes: &[u8], tail: Tail) -> bool {
    !bytes.is_empty() && bytes.starts_with(&fold_first(tail))
}

/// Calls `f` with the changes of every good record in `bytes`, which follow `tail`, and returns the
/// tail after them.
///
/// # Errors
/// [`Newer`], after the records before that one.
pub(super) fn replay(
    bytes: &[u8],
    tail: Tail,
    mut f: impl FnMut(&[Change<'_>]),
) -> Result<Tail, Newer> {
    let mut tail = tail;
    let mut rest = bytes;
    let mut changes = Vec::new();
    while let Some(Good { len, chain, after }) = next(rest, tail.chain, &mut changes)? {
        f(&changes);
        rest = after;
        tail = Tail {
            end: tail.end.saturating_add(len),
            chain,
            records: tail.records.saturating_add(1),
        };
    }
    Ok(tail)
}

/// [`replay`] of a journal with its header, as [`own_header`] gives it.
pub(super) fn replay_whole(
    journal: &[u8],
    header: Tail,
    f: impl FnMut(&[Change<'_>]),
) -> Result<Tail, Newer> {
    let records = journal.get(HEADER_LEN..);
    replay(records.certain("a journal has its header"), header, f)
}

/// A record that checks.
pub(super) struct Good<'b> {
    len: u64,
    pub(super) chain: u32,
    pub(super) after: &'b [u8],
}

/// Reads the first record; `None` where it does not check, and at the mark.
pub(super) fn next<'b>(
    bytes: &'b [u8],
    chain: u32,
    changes: &mut Vec<Change<'b>>,
) -> Result<Option<Good<'b>>, Newer> {
    let Some((mut payload, good)) = checked(bytes, chain) else {
        return Ok(None);
    };
    if payload == FOLD_FIRST {
        return Ok(None);
    }
    changes.clear();
    while !payload.is_empty() {
        let (change, more) = Change::decode(payload).map_err(|_| Newer)?;
        if !takes(&change) {
            return Err(Newer);
        }
        changes.push(change);
        payload = more;
    }
    Ok(Some(good))
}

/// The payload of the first record, if it checks.
fn checked(bytes: &[u8], chain: u32) -> Option<(&[u8], Good<'_>)> {
    let (payload_len, head) = varint(bytes)?;
    let (covered, rest) = bytes.split_at_checked(head.checked_add(payload_len)?)?;
    let (stored, after) = rest.split_first_chunk()?;
    let chain = checksum(chain, covered);
    if u32::from_le_bytes(*stored) != chain {
        return None;
    }
    let len = u64::try_from(bytes.len().checked_sub(after.len())?).ok()?;
    Some((covered.get(head..)?, Good { len, chain, after }))
}

fn checksum(chain: u32, record: &[u8]) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(&chain.to_le_bytes());
    crc.update(record);
    crc.value()
}

fn put_varint(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let low = u8::try_from(value & 0x7F).certain("seven bits are left");
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// A number and how many bytes it takes.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        let bits = usize::from(byte & 0x7F);
        let shift = u32::try_from(index).ok()?.checked_mul(7)?;
        value |= bits.checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some((value, index.checked_add(1)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use mtsession_core::{Peer, UpdateChange};

    use super::*;

    fn journal(batches: &[Vec<Change<'static>>]) -> (Vec<u8>, Tail) {
        let (mut bytes, mut record, mut payload) = (Vec::new(), Vec::new(), Vec::new());
        let mut tail = Tail::of_header(7);
        for batch in batches {
            tail = encode(batch, tail, &mut record, &mut payload).unwrap();
            bytes.extend_from_slice(&record);
        }
        (bytes, tail)
    }

    fn batches() -> Vec<Vec<Change<'static>>> {
        let primary = |pts| {
            Change::Update(UpdateChange::Primary {
                pts,
                date: pts,
                seq: pts,
            })
        };
        let widest = Peer {
            id: i64::MIN,
            access_hash: i64::MIN,
            is_community: true,
            ..Peer::default()
        };
        vec![
            vec![primary(1)],
            vec![primary(i32::MIN), Change::Peer(widest)],
            vec![primary(3); 100],
        ]
    }

    #[test]
    fn what_is_encoded_is_replayed() {
        let batches = batches();
        let (bytes, expected) = journal(&batches);
        let mut seen = Vec::new();
        let tail = replay(&bytes, Tail::of_header(7), |batch| seen.push(batch.len())).unwrap();
        assert_eq!(tail, expected);
        assert_eq!(seen, [1, 2, 100]);
    }

    #[test]
    fn a_cut_or_flipped_record_ends_the_replay_before_it() {
        let (bytes, _) = journal(&batches());
        for cut in 0..bytes.len() {
            let tail = replay(&bytes[..cut], Tail::of_header(7), |_| ()).unwrap();
            assert!(tail.end <= HEADER_LEN_U64 + u64::try_from(cut).unwrap());
            assert!(tail.records < 3);
        }
        for bit in 0..bytes.len() * 8 {
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let tail = replay(&damaged, Tail::of_header(7), |_| ()).unwrap();
            let byte = u64::try_from(bit / 8).unwrap();
            assert!(
                tail.end - HEADER_LEN_U64 <= byte,
                "bit {bit} went unnoticed"
            );
        }
    }

    #[test]
    fn a_mark_ends_the_replay_and_fits_only_where_it_was_put() {
        let (mut bytes, tail) = journal(&batches());
        let len = bytes.len();
        assert!(!must_fold(&bytes[len..], tail));
        bytes.extend_from_slice(&fold_first(tail));
        let seen = replay(&bytes, Tail::of_header(7), |_| ()).unwrap();
        assert_eq!(seen, tail);
        assert!(must_fold(&bytes[len..], tail));
        assert!(!must_fold(&bytes[len..], Tail::of_header(7)));
        assert!(!must_fold(&bytes[len..bytes.len() - 1], tail));
    }

    #[test]
    fn a_journal_of_another_snapshot_has_no_records() {
        let (bytes, _) = journal(&batches());
        assert_eq!(
            replay(&bytes, Tail::of_header(8), |_| ()).unwrap().records,
            0
        );
    }

    #[test]
    fn a_change_that_no_journal_takes_ends_the_replay() {
        let counter = Change::Update(UpdateChange::Secondary { qts: 1 });
        let (bytes, _) = journal(&[vec![counter], vec![counter, Change::HomeDc(-3)]]);
        let mut seen = 0;
        assert!(replay(&bytes, Tail::of_header(7), |_| seen += 1).is_err());
        assert_eq!(seen, 1);
    }
}
