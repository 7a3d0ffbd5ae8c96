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
use mtsession_core::{Change, EncodeError, EntryKey, wire::SliceFull};

/// How a journal begins.
pub(super) const MAGIC: &[u8; 4] = b"MTSJ";
const VERSION: u8 = 1;
pub(super) const HEADER_LEN: usize = 13;

/// What a mark has in the place of changes.
const FOLD_FIRST: &[u8] = b"\xFFfold";

/// Most bytes of a change without texts: a peer, with every number at its longest.
const CHANGE_MAX: usize = 32;

/// More bytes than the names of a peer can have, which are the longest change.
const TEXTS_MAX: usize = 1 << 25;

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

/// Whether a change goes into the journal. Keys, tokens and the home DC go into the snapshot: secrets live
/// in one file only, which other programs can read without the journal. A reader keeps to the same rule:
/// a few bytes at the end of a journal must not move the account to another DC.
pub(super) fn takes(change: &Change<'_>) -> bool {
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
        _ => false,
    }
}

/// Whether what is new in a change may go into the journal: of a DC entry perhaps only the salt is.
pub(super) fn may_take(change: &Change<'_>) -> bool {
    takes(change) || matches!(change, Change::Dc(_))
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
        put_change(change, payload)?;
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

fn put_change(change: &Change<'_>, payload: &mut Vec<u8>) -> Result<(), EncodeError<SliceFull>> {
    let mut buffer = [0; CHANGE_MAX];
    if let Ok(bytes) = change.encode(&mut buffer) {
        payload.extend_from_slice(bytes);
        return Ok(());
    }
    let start = payload.len();
    let mut room = CHANGE_MAX;
    loop {
        room = room.saturating_mul(2);
        payload.resize(start.saturating_add(room), 0);
        let encoded = change.encode(payload.get_mut(start..).unwrap_or_default());
        match encoded.map(|bytes| bytes.len()) {
            Ok(len) => {
                payload.truncate(start.saturating_add(len));
                return Ok(());
            }
            Err(error) if room >= TEXTS_MAX => return Err(error),
            Err(_) => {}
        }
    }
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
mod tests;
