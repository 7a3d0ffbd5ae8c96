//! The changes that were made after a snapshot.

use core::fmt;

use super::journal::{self, Record};
use super::session_file::TailHeader;
use crate::change::Change;

/// Changes that continue a snapshot, in atomic batches.
///
/// They cannot be taken for a session: [`PlainFile::replay_into`](crate::PlainFile::replay_into) makes
/// one of them and their snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Tail<'a> {
    records: &'a [u8],
    chain: u32,
    /// Where the first record is.
    at: usize,
}

impl<'a> Tail<'a> {
    /// No changes.
    pub const NONE: Self = Self {
        records: &[],
        chain: 0,
        at: 0,
    };

    /// The records that follow the header of a session file, from its byte `at` on.
    pub(super) fn of_file(header: TailHeader, at: usize, records: &'a [u8]) -> Self {
        Self {
            records,
            chain: header.chain(),
            at,
        }
    }

    /// The records of a journal, if they continue the snapshot with this checksum.
    pub(super) fn of_journal(journal: &'a [u8], snapshot: u32) -> Option<Self> {
        let (header, records) = journal.split_first_chunk::<{ journal::HEADER_LEN }>()?;
        (*header == journal::header(snapshot)).then(|| Self {
            records,
            chain: journal::chain_of_header(header),
            at: journal::HEADER_LEN,
        })
    }

    /// The batches, up to the first one that is not sound.
    #[must_use]
    pub const fn batches(&self) -> Batches<'a> {
        Batches {
            rest: self.records,
            chain: self.chain,
            at: self.at,
        }
    }

    /// Its bytes: records, and what may follow them.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.records
    }

    /// How the tail ends. Reads all of it.
    #[must_use]
    pub fn end(&self) -> TailEnd {
        let mut batches = self.batches();
        batches.by_ref().for_each(drop);
        batches.end()
    }
}

/// How a tail ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TailEnd {
    /// With its last record: everything was read.
    Whole,
    /// With a part of a record, which a crash left and nobody was told of as stored.
    Torn,
    /// With a record that does not check although sound ones follow it: it was damaged after it was
    /// written. What follows was not read.
    Damaged,
    /// With a sound record that this release does not know: a newer release wrote it. Nothing may be
    /// appended or cut off.
    Newer {
        /// Where that record begins, in bytes from the start of the file that the tail is in.
        at: usize,
    },
}

/// The batches of a [`Tail`], from the oldest to the newest.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
    chain: u32,
    at: usize,
}

impl Batches<'_> {
    /// How the tail ends, where the iterator has.
    pub(super) fn end(&self) -> TailEnd {
        match Record::first(self.rest, self.chain) {
            _ if self.rest.is_empty() => TailEnd::Whole,
            Some(record) if record.is_mark() => TailEnd::Whole,
            Some(_) => TailEnd::Newer { at: self.at },
            None if journal::next_sound(self.rest).is_some() => TailEnd::Damaged,
            None => TailEnd::Torn,
        }
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Batch<'a>;

    fn next(&mut self) -> Option<Batch<'a>> {
        let record = Record::first(self.rest, self.chain).filter(|record| !record.is_mark())?;
        let batch = Batch::of(record.payload)?;
        self.rest = record.after;
        self.chain = record.chain;
        self.at = self.at.saturating_add(record.len);
        Some(batch)
    }
}

/// Changes that were stored as one step, in their order.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    payload: &'a [u8],
}

impl<'a> Batch<'a> {
    /// `None` where a change is not known, or does not belong into a journal.
    fn of(payload: &'a [u8]) -> Option<Self> {
        let mut rest = payload;
        while !rest.is_empty() {
            let (change, after) = Change::decode(rest).ok()?;
            if !journal::is_journalable(&change) {
                return None;
            }
            rest = after;
        }
        Some(Self { payload })
    }
}

impl<'a> Iterator for Batch<'a> {
    type Item = Change<'a>;

    fn next(&mut self) -> Option<Change<'a>> {
        let (change, rest) = Change::decode(self.payload).ok()?;
        self.payload = rest;
        Some(change)
    }
}

/// Shows how many bytes of changes there are, none of their content.
impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let len = self.payload.len();
        f.debug_struct("Batch").field("len", &len).finish()
    }
}
