//! The log as a machine without I/O: it says what is to be done with the flash, and is told how that went.
//!
//! It is plain data and not generic: two loops of a few lines drive it, one over blocking drivers and one over
//! async ones.

use mtsession_core::Counters;

use super::attempt::Attempts;
use super::buffer::Buffer;
use crate::error::Fail;
use crate::format::delta::Values;
use crate::format::header::{Flags, HEADERS, Header, Region};
use crate::geometry::{Geometry, RegionError};
use crate::index::{Place, Selection, Table};
use crate::num::Bytes;
use crate::recovery::Reading;

/// What is to be done with the machine's [`io`](Machine::io). One byte: a result by pointer costs more code
/// than all of the I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Read,
    Program,
    /// The page of the place.
    Erase,
    Done,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Reads the log; what happens where there is none is in [`Machine::format`].
    Mount,
    /// Begins an empty log, whatever there is.
    Format,
    /// Writes what was asked for, and what waits.
    Flush,
    /// Makes room for a saved session of so many pages.
    Room { pages: u8 },
    /// Writes the whole session to pages of its own.
    Save,
    /// Erases every page that does not count.
    Wipe { done: u8 },
    /// Turns every page once: what was replaced is gone from all of them.
    Lap { left: u8 },
    /// What [`Machine::idle`] says.
    Maintain,
}

/// Begins a log. In a region that is blank, with `true`, or in any other.
pub(crate) type Format = fn(&mut Machine, &mut dyn Table, bool) -> Op;

/// What is done in idle moments.
pub(crate) type Idle = fn(&mut Machine, &mut dyn Table) -> Op;

/// What the last [`Op`] was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Idle,
    // Recovery.
    /// The last unit of a region that ends after what the driver calls the chip's end.
    End,
    Probe,
    Open,
    Scan,
    Recheck,
    Blank,
    ErasedValue,
    // Writing.
    Program,
    ReadBack,
    Erase,
    Stalled,
    Suspect,
    Claim,
    Cleared,
    Mend,
    Ahead,
    Wipe,
}

/// What is being programmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A record of the head page.
    Record,
    /// Records of the page that is being turned to.
    Copies,
    Header,
    /// The second header of a page that a cut left with one.
    Mend,
}

/// Where the log was before a save that is not complete.
#[derive(Clone, Copy)]
pub(crate) struct Saved {
    pub(crate) head: u8,
    pub(crate) sequence: u32,
    pub(crate) used: u8,
}

/// The record that is being written.
#[derive(Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that are independent of each other"
)]
pub(crate) struct Draft {
    /// The entries that are in it: those of `selection` from `from` to `to`.
    pub(crate) selection: Selection,
    pub(crate) from: Place,
    pub(crate) to: Place,
    pub(crate) is_delta: bool,
    /// Whether the counters are in it.
    pub(crate) has_counters: bool,
    /// Whether it says that all was wiped.
    pub(crate) is_wiped: bool,
    pub(crate) is_batch: bool,
    /// Whether it begins with the lengths of lists.
    pub(crate) has_lengths: bool,
    /// Of the counters: whether the step is that of a short delta record, and whether they are said twice.
    pub(crate) is_short: bool,
    pub(crate) is_twice: bool,
}

impl Draft {
    const NEW: Self = Self {
        selection: Selection::All,
        from: Place::COUNTERS,
        to: Place::COUNTERS,
        is_delta: false,
        has_counters: false,
        is_wiped: false,
        is_batch: false,
        has_lengths: false,
        is_short: false,
        is_twice: false,
    };
}

/// How often a program is tried, in all the places that it takes.
pub(crate) const TRIES: u8 = 16;

#[cfg_attr(feature = "_test", derive(Clone))]
#[repr(C)]
pub(crate) struct Machine {
    // ---- bytes: the first 32 of them take half of the code to get at
    pub(crate) state: State,
    pub(crate) what: What,
    pub(crate) job: Job,
    pub(crate) flags: Flags,
    pub(crate) head: u8,
    /// Pages that count, the head among them.
    pub(crate) used: u8,
    /// Whether a page is being turned to, and was erased without a program that took.
    pub(crate) turning: bool,
    pub(crate) stalled: bool,
    /// Whether there may be more that RAM is ahead in.
    pub(crate) more: bool,
    /// Whether that has to be one record: a batch, or what the last record before a cut said.
    pub(crate) is_batch: bool,
    pub(crate) again: bool,
    /// Lists, a bit each, whose length has to be said.
    pub(crate) lengths: u8,
    /// Whether the page that is turned to says so.
    pub(crate) has_put_lengths: bool,
    /// Whether a unit is left blank before the next record.
    pub(crate) gap: bool,
    /// Whether the counters have to be said as a whole before anything else.
    pub(crate) rebase: bool,
    /// Whether nothing was written since the start.
    pub(crate) is_start: bool,
    /// Pages after the head that were erased since the start.
    pub(crate) blank_ahead: u8,
    pub(crate) tries: u8,
    pub(crate) turns: u8,
    /// Pages whose entries were copied to the one that is turned to.
    pub(crate) pass: u8,
    /// Whether second copies of keys may be missing, and whether there was no room for them.
    pub(crate) wants_copies: bool,
    pub(crate) copies_refused: bool,
    /// Of a save: its page, its pages, and pages more than reckoned.
    pub(crate) part: u8,
    pub(crate) parts: u8,
    pub(crate) extra: u8,
    /// Which header, and how many took.
    pub(crate) second: bool,
    pub(crate) took: u8,
    /// Whether entries are packed into as few records as they fit.
    pub(crate) tight: bool,
    /// After a start: whether the head has one header.
    pub(crate) is_half: bool,
    pub(crate) is_mounted: bool,
    /// 0xFF on a chip whose erased cells read as zeros: every bit is stored flipped.
    pub(crate) flip: u8,

    // ---- words: the same for the first 24 of them
    pub(crate) at: Bytes,
    /// The end of what reads well before the place of the next record, which is `at`.
    pub(crate) good: Bytes,
    /// Where, and how many bytes of the buffer.
    pub(crate) io: (Bytes, usize),
    pub(crate) sequence: u32,
    pub(crate) geometry: Geometry,
    pub(crate) draft: Draft,
    /// What was asked for.
    pub(crate) hint: Option<Place>,
    pub(crate) sum: u32,
    /// The counters on flash.
    pub(crate) base: Counters,
    /// The ones before them, where a single record leads from these to those by more than the next one has bits
    /// for: the next one leads from both.
    pub(crate) weak: Values,
    /// The first entry of a saved session's page.
    pub(crate) part_from: Place,
    /// Bytes that a batch needs after the records that are there.
    pub(crate) room: Bytes,
    pub(crate) lazy: u16,
    pub(crate) waiting: u16,
    /// What goes on after the job.
    pub(crate) then: Option<Job>,
    pub(crate) attempts: Attempts,
    pub(crate) reading: Reading,

    // ---- what is seldom looked at
    /// Calls that not every firmware makes, as functions: what is never called, the linker leaves out.
    pub(crate) format: Format,
    pub(crate) idle: Idle,
    /// Whether this mount began a log.
    pub(crate) has_formatted: bool,
    pub(crate) saved: Option<Saved>,
    pub(crate) result: Result<(), Fail>,
    pub(crate) erases: u32,
    /// Programs that did not read back.
    pub(crate) failed_programs: u16,
    /// Records found damaged.
    pub(crate) damaged: u16,
    pub(crate) region: Region,
    /// The one that a format writes.
    pub(crate) new_region: Region,
    pub(crate) region_error: Option<RegionError>,
    /// Bytes of the chip, as its driver says.
    pub(crate) chip: u32,
    /// The header that was read last.
    pub(crate) found: Header,
    pub(crate) buffer: Buffer,
}

const NO_COUNTERS: Counters = Counters {
    pts: 0,
    qts: 0,
    date: 0,
    seq: 0,
};

impl Machine {
    pub(crate) const fn new(geometry: Result<Geometry, RegionError>, chip: u32) -> Self {
        let (geometry, region_error) = match geometry {
            Ok(geometry) => (geometry, None),
            Err(error) => (Geometry::NONE, Some(error)),
        };
        Self {
            buffer: Buffer::new(),
            found: Header::NONE,
            format: Self::refuse,
            idle: Self::flush,
            has_formatted: false,
            geometry,
            region_error,
            chip,
            flip: 0,
            is_mounted: false,
            region: [0; 4],
            new_region: [0; 4],
            head: 0,
            sequence: 0,
            erases: 0,
            flags: Flags(0),
            used: 0,
            at: core::num::Wrapping(0),
            good: core::num::Wrapping(0),
            blank_ahead: 0,
            base: NO_COUNTERS,
            weak: [0; 3],
            failed_programs: 0,
            damaged: 0,
            lazy: 0,
            waiting: 0,
            hint: None,
            more: false,
            is_batch: false,
            again: false,
            lengths: 0,
            has_put_lengths: false,
            gap: false,
            rebase: false,
            is_start: false,
            wants_copies: false,
            copies_refused: false,
            turning: false,
            stalled: false,
            is_half: false,
            saved: None,
            then: None,
            job: Job::Flush,
            state: State::Idle,
            what: What::Record,
            draft: Draft::NEW,
            tries: 0,
            turns: 0,
            pass: 0,
            second: false,
            took: 0,
            tight: false,
            part: 0,
            parts: 0,
            extra: 0,
            part_from: Place::FIRST,
            room: core::num::Wrapping(0),
            reading: Reading::NEW,
            sum: 0,
            attempts: Attempts::NEW,
            io: (core::num::Wrapping(0), 0),
            result: Ok(()),
        }
    }

    // ---- pages

    /// The page so many steps after the head.
    pub(crate) fn page(&self, ahead: u8) -> u8 {
        self.geometry.next(self.head, ahead)
    }

    /// Where a page's records start.
    pub(crate) fn records_at(&self, page: u8) -> Bytes {
        self.geometry.page_at(page) + HEADERS
    }

    /// Where the head page ends.
    pub(crate) fn end(&self) -> Bytes {
        self.geometry.page_at(self.head) + self.geometry.page_size
    }

    /// Bytes of records that a page holds.
    pub(crate) fn capacity(&self) -> Bytes {
        self.geometry.page_size - HEADERS
    }

    pub(crate) fn up(&self, len: usize) -> usize {
        crate::format::record::padded(len, self.geometry.unit())
    }
}
