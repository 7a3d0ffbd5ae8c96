//! Reading a log: which pages count, and what their records say.

mod blank;
mod holes;
mod locate;
mod scan;

#[cfg(feature = "format1")]
pub(crate) use scan::{RECHECKS, keep};

use crate::error::RegionShape;
use crate::format::delta::Values;
use crate::num::Bytes;

/// A delta record that counts only if another record follows.
#[derive(Clone, Copy)]
pub(crate) struct Trial {
    /// Where the other one has to be; nowhere if there is none.
    end: Bytes,
    /// Whether it counts as well where nothing follows: it is right after a bad one.
    is_last: bool,
    /// The channel's position, and what was known before.
    channel: Option<usize>,
    known: Values,
}

impl Trial {
    pub(crate) const NONE: Self = Self {
        end: NO_PLACE,
        is_last: false,
        channel: None,
        known: [0; 3],
    };

    pub(crate) fn is_any(&self) -> bool {
        self.end != NO_PLACE
    }

    #[cfg(feature = "format1")]
    pub(crate) const fn of(end: Bytes, channel: Option<usize>, known: Values) -> Self {
        Self {
            end,
            is_last: false,
            channel,
            known,
        }
    }
}

/// What an unformatted region looks like.
#[derive(Clone, Copy, Default)]
pub(crate) struct Looks {
    /// Pages with a part of a first header, and pages with anything else.
    pub(crate) firsts: u8,
    pub(crate) others: u8,
    /// A page to begin in: a blank one, or one that has to be erased.
    pub(crate) blank_page: Option<u8>,
    pub(crate) other_page: Option<u8>,
    /// Whether this page's header and records are so far.
    pub(crate) is_first: bool,
    pub(crate) is_other: bool,
}

/// Where a reader is.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that are independent of each other"
)]
#[derive(Clone, Copy)]
pub(crate) struct Reading {
    /// The page that is looked at; while records are read, pages back from the head.
    pub(crate) page: u8,
    /// Sequences from here on are not believed: a header that reads well now and then. 0: all are.
    pub(crate) limit: u32,
    pub(crate) tries: u8,
    /// What was seen that is no header of this log.
    pub(crate) version: u8,
    pub(crate) other: Option<RegionShape>,
    pub(crate) is_broken: bool,
    pub(crate) looks: Looks,
    pub(crate) checks_erased: bool,
    pub(crate) pos: Bytes,
    /// What of the flash is in the buffer.
    pub(crate) start: Bytes,
    pub(crate) len: usize,
    /// After everything that is not blank.
    pub(crate) tail: Bytes,
    /// After everything that was begun, as far as heads of bad records say; the one that says so, and how it read.
    pub(crate) claimed: Bytes,
    pub(crate) begun: Bytes,
    pub(crate) begun_word: u32,
    /// How often that head is read again before the first write, and how many pages after the log's head a cut may
    /// have left half written.
    pub(crate) claims: u8,
    pub(crate) suspects: u8,
    pub(crate) blank: Bytes,
    /// After a bad record; where the next one should start.
    pub(crate) hunting: bool,
    pub(crate) expected: Bytes,
    /// Whether the length of what was bad is not known.
    pub(crate) has_lost_length: bool,
    pub(crate) trial: Trial,
    /// A record before a gap: read again so often, and where one was right or wrong.
    pub(crate) rechecks: u8,
    pub(crate) right: Bytes,
    pub(crate) wrong: Bytes,
    /// The channel of the last record, if that is a delta.
    pub(crate) last_delta: Option<usize>,
    /// Whether the last record of the head is one that has to be written again, and lists, a bit each, whose length
    /// it says.
    pub(crate) is_last: bool,
    pub(crate) owed: u8,
    pub(crate) is_half: bool,
    /// Whether the page is of format 1.
    pub(crate) is_old: bool,
    #[cfg(feature = "format1")]
    pub(crate) old: crate::format1::Old,
}

/// No place of a record: headers come first.
pub(crate) const NO_PLACE: Bytes = core::num::Wrapping(0);

impl Reading {
    pub(crate) const NEW: Self = Self {
        page: 0,
        limit: 0,
        tries: 0,
        version: 0,
        other: None,
        is_broken: false,
        looks: Looks {
            firsts: 0,
            others: 0,
            blank_page: None,
            other_page: None,
            is_first: false,
            is_other: false,
        },
        checks_erased: false,
        pos: NO_PLACE,
        start: NO_PLACE,
        len: 0,
        tail: NO_PLACE,
        claimed: NO_PLACE,
        begun: NO_PLACE,
        begun_word: 0,
        claims: 0,
        suspects: 0,
        blank: NO_PLACE,
        hunting: false,
        expected: NO_PLACE,
        has_lost_length: false,
        trial: Trial::NONE,
        rechecks: 0,
        right: NO_PLACE,
        wrong: NO_PLACE,
        last_delta: None,
        is_last: false,
        owed: 0,
        is_half: false,
        is_old: false,
        #[cfg(feature = "format1")]
        old: crate::format1::Old::NEW,
    };
}
