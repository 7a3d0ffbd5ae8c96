//! The tail of a session file: small changes after its snapshot, each record checked.
//!
//! The bytes are those of [`mtsession_core::wire::session_file`] and [`mtsession_core::wire::journal`].
//! Reading stops at the first record that does not check: the rest was torn by a crash. A record that checks
//! and holds what this release does not know was not torn: a newer release wrote it, and the file is refused.
//!
//! The mark stands at the end after a flush has failed. The kernel may have dropped what it could not
//! write, so that a power cut leaves a hole there; what is appended after it would be lost with it, even
//! if its own flush succeeds. So every process that finds the mark stores the session anew instead.

use core::fmt;
use std::io;

use mtsession_core::wire::journal::{Record, mark, put_record};
pub(super) use mtsession_core::wire::journal::{is_journalable, next_sound};
use mtsession_core::wire::session_file::{self, TailHeader};
use mtsession_core::{Change, EncodeError, wire::SliceFull};

use crate::fs::file_len;

/// Bytes that authenticate a box.
pub(super) const MAC_LEN: usize = 16;

/// Most bytes of a change without texts: a peer, with every number at its longest.
const CHANGE_MAX: usize = 32;

/// More bytes than the names of a peer can have, which are the longest change.
const TEXTS_MAX: usize = 1 << 25;

/// Where the good part of a tail ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    /// Bytes of the file up to there.
    pub(super) end: u64,
    /// The last checksum in it.
    pub(super) chain: u32,
    /// Records in it.
    pub(super) records: u64,
    /// Of a sealed file, the MAC of the last box in it.
    pub(super) mac: [u8; MAC_LEN],
}

impl Tail {
    /// The end of a tail without records.
    pub(super) fn of_header(header: TailHeader) -> Self {
        let snapshot = usize::try_from(header.snapshot_len).unwrap_or(usize::MAX);
        let start = file_len(session_file::tail_start(snapshot));
        Self {
            end: start.saturating_add(file_len(session_file::HEADER_LEN)),
            chain: header.chain(),
            records: 0,
            mac: [0; MAC_LEN],
        }
    }

    /// The same with one more record, of `len` bytes.
    pub(super) fn after(self, len: u64, chain: u32) -> Self {
        Self {
            end: self.end.saturating_add(len),
            chain,
            records: self.records.saturating_add(1),
            mac: self.mac,
        }
    }
}

/// A sound record holds a change that this release does not know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Newer;

impl fmt::Display for Newer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the file holds a change that this release does not know: a newer release wrote it, so update \
             this program; nothing was changed",
        )
    }
}

impl core::error::Error for Newer {}

impl From<Newer> for io::Error {
    fn from(newer: Newer) -> Self {
        Self::new(io::ErrorKind::InvalidData, newer)
    }
}

/// Whether what is new in a change may go into the tail: of a DC entry perhaps only the salt is.
pub(super) fn may_take(change: &Change<'_>) -> bool {
    is_journalable(change) || matches!(change, Change::Dc(_))
}

/// Encodes one batch after `tail` into `record`, and returns the tail after it.
pub(super) fn encode(
    changes: &[Change<'_>],
    tail: Tail,
    record: &mut Vec<u8>,
    payload: &mut Vec<u8>,
) -> Result<Tail, EncodeError<SliceFull>> {
    put_changes(changes, payload)?;
    put(payload, tail, record)
}

/// The bytes of one batch, in the place of what `payload` holds.
pub(super) fn put_changes(
    changes: &[Change<'_>],
    payload: &mut Vec<u8>,
) -> Result<(), EncodeError<SliceFull>> {
    payload.clear();
    changes
        .iter()
        .try_for_each(|change| put_change(change, payload))
}

/// Makes a record of what is in `payload`, and returns the tail after it.
pub(super) fn put(
    payload: &[u8],
    tail: Tail,
    record: &mut Vec<u8>,
) -> Result<Tail, EncodeError<SliceFull>> {
    record.clear();
    let chain = put_record(payload, tail.chain, record)?;
    Ok(tail.after(file_len(record.len()), chain))
}

pub(crate) fn put_change(
    change: &Change<'_>,
    payload: &mut Vec<u8>,
) -> Result<(), EncodeError<SliceFull>> {
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

/// The mark that nothing may be appended to a file which ends at `tail`.
pub(super) fn fold_first(tail: Tail) -> impl AsRef<[u8]> {
    mark(tail.chain)
}

/// Whether the bytes from `tail` on are that mark.
pub(super) fn must_fold(bytes: &[u8], tail: Tail) -> bool {
    !bytes.is_empty() && bytes.starts_with(fold_first(tail).as_ref())
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
    while let Some(record) = next(rest, tail.chain, &mut changes)? {
        f(&changes);
        rest = record.after;
        tail = tail.after(file_len(record.len), record.chain);
    }
    Ok(tail)
}

/// Reads the first record; `None` where it does not check, and at the mark.
pub(super) fn next<'b>(
    bytes: &'b [u8],
    chain: u32,
    changes: &mut Vec<Change<'b>>,
) -> Result<Option<Record<'b>>, Newer> {
    let Some(record) = Record::first(bytes, chain).filter(|record| !record.is_mark()) else {
        return Ok(None);
    };
    changes.clear();
    decode(record.payload, changes)?;
    Ok(Some(record))
}

/// The changes of a batch.
pub(super) fn decode<'b>(
    mut payload: &'b [u8],
    changes: &mut Vec<Change<'b>>,
) -> Result<(), Newer> {
    while !payload.is_empty() {
        let (change, more) = Change::decode(payload).map_err(|_| Newer)?;
        if !is_journalable(&change) {
            return Err(Newer);
        }
        changes.push(change);
        payload = more;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
