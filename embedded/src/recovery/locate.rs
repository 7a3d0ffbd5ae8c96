//! Which pages count: the one with the highest sequence, and those before it in the ring.

use mtsession_core::Change;

use super::Reading;
use super::scan::RECHECKS;
use crate::error::Fail;
use crate::format::header::{BOTH, Flags, Found, HEADER, Header, is_blank};
use crate::index::{Place, Table};
use crate::machine::{Job, Machine, Op, State, values};
use crate::num::{Bytes, len};

/// What stands in the places of a page's headers.
#[derive(Clone, Copy)]
struct Headers {
    is_valid: bool,
    /// Whether the second one's place is blank, and whether both are.
    is_second_blank: bool,
    is_blank: bool,
}

/// How often a log is looked for whose newest header reads well only now and then.
const TRIES: u8 = 8;

impl Machine {
    /// Looks at every page's header.
    pub(crate) fn recover(&mut self, table: &mut dyn Table) -> Op {
        self.is_mounted = false;
        if self.region_error.is_some() {
            return self.done(Err(Fail::Region));
        }
        self.reading = Reading::NEW;
        self.flip = 0;
        self.saved = None;
        self.then = None;
        self.hint = None;
        self.turning = false;
        self.stalled = false;
        self.more = false;
        self.is_batch = false;
        self.again = false;
        self.lengths = 0;
        self.waiting = 0;
        self.blank_ahead = 0;
        self.damaged = 0;
        (self.part, self.parts, self.extra) = (0, 0, 0);
        table.clear();
        let end = self.geometry.page_at(self.geometry.pages);
        if self.geometry.start.wrapping_add(end.0) > self.chip {
            // A driver may not know all of its chip: what it reads is there.
            let unit = self.geometry.unit();
            return self.read(State::End, end - unit, len(unit));
        }
        self.probe()
    }

    pub(crate) fn probe(&mut self) -> Op {
        self.sequence = 0;
        self.reading.suspects = 0;
        self.reading.claims = 0;
        self.reading.page = 0;
        self.read_headers(State::Probe, 0)
    }

    /// Both headers of a page.
    fn read_headers(&mut self, state: State, page: u8) -> Op {
        let at = self.geometry.page_at(page);
        self.read(state, at, BOTH)
    }

    /// What is in the buffer, which are the headers of a page. The first that is valid is in `found`.
    fn headers(&mut self, page: u8) -> Headers {
        let mut found = Headers {
            is_valid: false,
            is_second_blank: false,
            is_blank: true,
        };
        let reading = &mut self.reading;
        let header = &mut self.found;
        for place in self.buffer.bytes().as_chunks::<HEADER>().0.iter().take(2) {
            found.is_second_blank = is_blank(place);
            found.is_blank &= found.is_second_blank;
            if found.is_valid {
                break;
            }
            match header.read(page, &self.geometry, place) {
                Found::Header => found.is_valid = true,
                Found::Other => reading.other = Some(Header::shape(place).1),
                Found::Version => reading.version = reading.version.max(Header::shape(place).0),
                Found::Broken => reading.is_broken = true,
                Found::Foreign | Found::Blank => {}
            }
        }
        #[cfg(feature = "format1")]
        if !found.is_valid {
            let at = len(crate::format1::room(&self.geometry));
            let place = self.buffer.bytes().get(at..BOTH).unwrap_or_default();
            found.is_valid =
                header.read(page, &self.geometry, place) == Found::Header && header.is_old;
        }
        found
    }

    /// A page's headers were read.
    pub(crate) fn probed(&mut self, table: &mut dyn Table) -> Op {
        let page = self.reading.page;
        let found = self.headers(page);
        let header = &self.found;
        let is_whole = found.is_valid
            && header.part == header.parts
            && (self.reading.limit == 0 || header.sequence < self.reading.limit);
        if !is_whole && !found.is_blank {
            // A part of a save, or half a header.
            self.reading.suspects = 1;
        }
        if is_whole && header.sequence > self.sequence {
            self.sequence = header.sequence;
            self.head = page;
            self.flags = header.flags;
            self.erases = header.erases;
            self.region = header.region;
            self.reading.is_half = found.is_second_blank && !header.is_old;
        }
        self.reading.page = page.wrapping_add(1);
        if self.reading.page < self.geometry.pages {
            return self.read_headers(State::Probe, self.reading.page);
        }
        if self.sequence == 0 {
            if self.flip == 0 {
                self.flip = 0xFF;
                return self.probe();
            }
            self.flip = 0;
            return self.look(table);
        }
        if self.job == Job::Format {
            return (self.format)(self, table, false);
        }
        self.is_half = self.reading.is_half;
        self.used = 0;
        self.reading.page = self.geometry.pages.wrapping_sub(2);
        self.open()
    }

    /// Reads the headers of a page before the head, or of the head.
    fn open(&mut self) -> Op {
        let page = self.geometry.previous(self.head, self.reading.page);
        self.read_headers(State::Open, page)
    }

    /// The page's headers were read again: does it count?
    pub(crate) fn opened(&mut self, table: &mut dyn Table) -> Op {
        let back = self.reading.page;
        let page = self.geometry.previous(self.head, back);
        let expected = self.sequence.wrapping_sub(back.into());
        let found = self.headers(page);
        let Header {
            sequence,
            part,
            flags,
            counters,
            home_dc_id,
            is_old,
            ..
        } = self.found;
        // The page before the oldest one may have been used again.
        let is_oldest = back.wrapping_add(2) == self.geometry.pages;
        let follows = part <= 1 || is_oldest || self.part.wrapping_add(1) == part && self.used > 0;
        if !found.is_valid || sequence != expected || !follows {
            if back == 0 {
                return self.again(table);
            }
            table.clear();
            self.used = 0;
            self.part = 0;
            return self.next_page(table);
        }
        if part == 1 {
            table.clear();
            self.used = 0;
        }
        self.part = part;
        self.used = self.used.wrapping_add(1);
        self.flags = flags;
        self.base = counters;
        self.reading.is_old = is_old;
        let result = table.set(Place::HOME_DC, &Change::HomeDc(home_dc_id));
        debug_assert_eq!(result, Ok(()));
        self.scan_page(page);
        self.scan(table)
    }

    /// The newest page does not read well any more, or is a part of a save that is not there.
    fn again(&mut self, table: &mut dyn Table) -> Op {
        self.reading.tries = self.reading.tries.wrapping_add(1);
        if self.reading.tries > TRIES {
            return self.done(Err(Fail::Corrupt));
        }
        self.reading.limit = self.sequence;
        table.clear();
        self.probe()
    }

    /// A page's records were read.
    pub(crate) fn next_page(&mut self, table: &mut dyn Table) -> Op {
        if let Some(back) = self.reading.page.checked_sub(1) {
            self.reading.page = back;
            return self.open();
        }
        self.opened_all(table)
    }

    fn opened_all(&mut self, table: &mut dyn Table) -> Op {
        self.part = 0;
        if self.reading.suspects > 0 {
            self.reading.suspects = self.geometry.pages.wrapping_sub(self.used);
        }
        self.at = self.reading.tail.max(self.reading.claimed);
        self.reading.claims = if self.at > self.reading.tail {
            RECHECKS
        } else {
            0
        };
        if self.reading.is_old {
            // Nothing is added to a page of the first format.
            self.at = self.end();
            self.reading.claims = 0;
        }
        self.good = self.at;
        self.gap = true;
        self.rebase = true;
        self.is_start = true;
        table.set_counters(self.base);
        self.weak = values(self.base);
        table.lags().fill(crate::index::WHOLE);
        if let Some(position) = self.reading.last_delta {
            // It may not read the same again.
            if let Some(lag) = table.lags().get_mut(position) {
                *lag = crate::index::UNKNOWN_LAG;
            }
            self.more = true;
        }
        if self.reading.is_last {
            self.lengths |= self.reading.owed;
            self.again = true;
            self.more = true;
        }
        self.fill_holes(table);
        self.is_mounted = true;
        if self.flags.has(Flags::DELETED) {
            // A deletion that was cut is finished before anything else.
            self.job = Job::Wipe { done: 0 };
            return self.plan(table);
        }
        self.done(Ok(()))
    }

    /// Whether the header of the head page is in the buffer.
    pub(crate) fn is_header(&mut self) -> bool {
        let header = &mut self.found;
        let found = header.read(self.head, &self.geometry, self.buffer.bytes());
        found == Found::Header && header.sequence == self.sequence
    }

    /// Whether the headers in the buffer are those of a page that was given up long ago.
    pub(crate) fn is_stale(&mut self, page: u8) -> bool {
        let found = self.headers(page);
        found.is_blank || found.is_valid && self.found.sequence < self.sequence
    }

    /// The page that is being read.
    pub(crate) fn reading_page(&self) -> (u8, u32, Bytes) {
        let back = self.reading.page;
        let page = self.geometry.previous(self.head, back);
        let end = self.geometry.page_at(page) + self.geometry.page_size;
        (page, self.sequence.wrapping_sub(back.into()), end)
    }
}
