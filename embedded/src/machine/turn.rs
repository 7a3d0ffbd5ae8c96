//! Compaction: the one loop behind page turns, saved sessions, second copies and deletion.
//!
//! A page is erased, live entries are written to it from RAM, and only then its header makes it count. Which
//! entries are live is a [`Selection`]; the table in `DESIGN.md` has every state.

use mtsession_core::Change;

use super::state::{Job, Machine, Op, State, TRIES, What};
use super::write::{put, values};
use crate::error::Fail;
use crate::format::codec::{Codec, Text};
use crate::format::entry::{Entry, entry};
use crate::format::header::{Flags, HEADER, Header};
use crate::format::record::{HEAD, Head, MAX_RECORD, seal, seed};
use crate::index::{AHEAD, List, NOWHERE, Place, Selection, Table, is_nothing, next, remark};
use crate::num::{Bytes, bytes};

/// Bytes that a saved page leaves free, so that the first updates need no page turn.
const SLACK: Bytes = bytes(128);

impl Machine {
    /// Goes to the next page.
    #[inline(never)]
    pub(crate) fn turn(&mut self, table: &mut dyn Table) -> Op {
        self.turns = self.turns.saturating_add(1);
        let limit = self.geometry.pages.saturating_mul(2).saturating_add(2);
        if self.turns > limit {
            return self.done(Err(Fail::StoreFull));
        }
        if self.turning {
            let is_unused = self.at == self.records_at(self.head) || self.what == What::Header;
            if self.stalled && is_unused {
                // It was erased, and nothing took: if it is blank still, no second erase is needed.
                let at = self.at.min(self.end() - bytes(HEAD));
                let length = crate::num::len((self.end() - at).min(bytes(64)));
                return self.read(State::Stalled, at, length);
            }
            // What it took is where it was: in the oldest page, or nowhere.
            let mark = if self.job == Job::Save {
                AHEAD | NOWHERE
            } else {
                self.page(1)
            };
            remark(
                table,
                Selection::Page(self.head),
                Place::FIRST,
                Place::END,
                Some(mark),
            );
            self.blank_ahead = 0;
        } else {
            self.head = self.page(1);
            self.sequence = self.sequence.wrapping_add(1);
            self.turning = true;
        }
        forget_copies(table, self.head);
        self.tries = TRIES;
        if let Some(left) = self.blank_ahead.checked_sub(1) {
            self.blank_ahead = left;
            return self.erased(table);
        }
        self.erase(State::Erase, self.head)
    }

    /// The page is blank.
    pub(crate) fn erased(&mut self, table: &mut dyn Table) -> Op {
        if self.reading.checks_erased {
            self.reading.checks_erased = false;
            let at = self.geometry.page_at(self.head);
            return self.read(State::ErasedValue, at, MAX_RECORD.min(256));
        }
        self.at = self.records_at(self.head);
        self.good = self.at;
        self.pass = 0;
        self.second = false;
        self.took = 0;
        self.stalled = false;
        self.has_put_lengths = false;
        self.draft.to = if self.job == Job::Save {
            self.part_from
        } else {
            Place::FIRST
        };
        self.copy(table)
    }

    /// The page that nothing took on is blank still.
    pub(crate) fn resume(&mut self, table: &mut dyn Table) -> Op {
        self.tries = TRIES;
        if self.what == What::Header {
            return self.header(table);
        }
        // What was copied is marked so, unless RAM is ahead again.
        self.draft.to = if self.job == Job::Save {
            self.draft.from
        } else {
            Place::FIRST
        };
        self.copy(table)
    }

    /// Which entries go to the page.
    fn selection(&self) -> Selection {
        let oldest = self.page(1_u8.wrapping_add(self.pass));
        match self.job {
            Job::Save => Selection::Ahead,
            Job::Room { pages: 2.. } => Selection::Page(oldest),
            _ => Selection::Turn {
                oldest,
                head: self.head,
                batch: self.is_batch || self.lengths != 0,
            },
        }
    }

    /// Pages whose live entries are packed into this one.
    fn reach(&self) -> u8 {
        match self.job {
            Job::Room { pages } => pages,
            _ => 1,
        }
    }

    /// Copies as many entries as the buffer holds.
    pub(crate) fn copy(&mut self, table: &mut dyn Table) -> Op {
        loop {
            self.draft.selection = self.selection();
            self.draft.from = self.draft.to;
            let length = self.fill(table);
            if length > 0 {
                let at = self.at;
                self.at = at + bytes(length);
                return self.program(What::Copies, at, length);
            }
            let is_save = self.job == Job::Save;
            if let Some(place) = next(table, self.draft.selection, &mut { self.draft.to }) {
                // The page is full. Second copies may stay out.
                let may_stay = place.list() == List::Copies && !is_save;
                if is_save && self.part < self.parts || !is_save && self.pass > 0 || may_stay {
                    return self.header(table);
                }
                return self.overflow(table);
            }
            if self.pass.wrapping_add(1) >= self.reach() {
                return self.header(table);
            }
            self.pass = self.pass.wrapping_add(1);
            self.draft.to = Place::FIRST;
        }
    }

    /// What has to go to the page does not.
    fn overflow(&mut self, table: &mut dyn Table) -> Op {
        if self.job == Job::Save {
            // A bad word took the room: one page more.
            self.extra = self.extra.wrapping_add(1);
            if self.extra > 2 || self.parts >= self.geometry.pages.wrapping_sub(1) {
                return self.done(Err(Fail::StoreFull));
            }
            return self.save(table);
        }
        if !self.tight {
            self.tight = true;
        } else if self.turns > 4 {
            return self.done(Err(Fail::WornOut(self.head)));
        }
        self.turn(table)
    }

    /// Where records of this page have to end.
    fn limit(&self) -> Bytes {
        let is_last = self.part >= self.parts;
        match self.job {
            Job::Save if is_last => self.end() - self.geometry.unit(),
            Job::Save => self.end() - SLACK,
            _ if self.pass > 0 => self.end() - SLACK,
            _ => self.end(),
        }
    }

    /// Puts records into the buffer: the entries from `draft.from` on, up to `draft.to`.
    fn fill(&mut self, table: &mut dyn Table) -> usize {
        self.draft.is_delta = false;
        self.draft.has_counters = false;
        self.draft.is_batch = false;
        self.draft.is_wiped = false;
        self.draft.has_lengths =
            self.lengths != 0 && !self.has_put_lengths && self.job != Job::Save;
        let has_lengths = self.draft.has_lengths;
        let limit = self.limit();
        let mut filled = 0_usize;
        loop {
            let before = self.draft.to;
            let length = self.compose(table, filled, self.at);
            let end = filled.wrapping_add(length.unwrap_or(0));
            if length.is_none() || self.at + bytes(end) > limit {
                // Not here: in the next buffer, or on the next page.
                self.draft.to = before;
                break;
            }
            // What fails takes room: the next try is a short one.
            let is_enough = end == filled || self.tries < TRIES;
            filled = end;
            self.draft.has_lengths = false;
            if is_enough {
                break;
            }
        }
        self.draft.has_lengths = has_lengths && filled > 0;
        filled
    }

    /// Makes one record in the buffer after what is `filled`, which begins at a place: of the entry that is meant
    /// next, or of all of them that fit. `None`: there is something, but no room.
    #[inline(never)]
    pub(crate) fn compose(
        &mut self,
        table: &mut dyn Table,
        filled: usize,
        at: Bytes,
    ) -> Option<usize> {
        self.buffer.has_key = true;
        let is_save = self.turning && self.job == Job::Save;
        let draft = self.draft;
        let is_tight = self.tight || draft.is_batch;
        let from = filled.wrapping_add(HEAD);
        let mut codec = Codec::write(self.buffer.part_mut(from, MAX_RECORD.wrapping_sub(4)));
        if draft.has_counters {
            put(&mut codec, table, Place::COUNTERS);
        }
        if draft.has_lengths {
            for list in List::ALL {
                if self.lengths & 1 << (list.number() & 7) != 0 {
                    let length = Entry::Length(list, table.len(list));
                    entry(&mut codec, &length, &mut Text::new());
                }
            }
        }
        let mut count = 0_u8;
        while count == 0 || is_tight {
            let (before, length) = (self.draft.to, codec.len);
            let Some(place) = next(table, draft.selection, &mut self.draft.to) else {
                break;
            };
            let is_known = self.turning && place == Place::HOME_DC;
            if is_known || is_save && table.get(place).is_none_or(|change| is_nothing(&change)) {
                // In the header; or nothing in a saved session, where nothing older counts.
                if let Some(mark) = table.marks(place.list()).get_mut(place.position()) {
                    *mark = NOWHERE;
                }
                continue;
            }
            if is_save && self.part_from < Place::COPIES && place.list() == List::Copies {
                // Second copies of a saved session start on a page of their own.
                self.draft.to = place;
                break;
            }
            put(&mut codec, table, place);
            if codec.bad {
                if count == 0 || draft.is_batch {
                    return None;
                }
                (codec.len, self.draft.to) = (length, before);
                break;
            }
            count = count.saturating_add(1);
        }
        if codec.len == 0 && !draft.is_wiped {
            return Some(0);
        }
        let head = Head {
            is_wiped: draft.is_wiped,
            is_stale: self.flags.has(Flags::STALE) && !draft.is_wiped,
            len: codec.len,
        };
        let seed = seed(self.sequence, at + bytes(filled));
        let record = self.buffer.part_mut(filled, MAX_RECORD);
        Some(seal(record, head, seed, self.geometry.unit()))
    }

    /// Copied entries are in the new page.
    pub(crate) fn settle_copies(&mut self, table: &mut dyn Table) {
        let draft = self.draft;
        self.good = self.at;
        self.tries = TRIES;
        self.has_put_lengths |= draft.has_lengths;
        remark(
            table,
            draft.selection,
            draft.from,
            draft.to,
            Some(self.head),
        );
    }

    pub(crate) fn the_header(&self, table: &dyn Table) -> Header {
        Header {
            flags: self.flags,
            sequence: self.sequence,
            erases: self.erases,
            part: self.part,
            parts: self.parts,
            region: self.region,
            counters: table.counters(),
            home_dc_id: home_dc_id(table),
            is_old: false,
        }
    }

    /// Programs the header, once and once more.
    pub(crate) fn header(&mut self, table: &mut dyn Table) -> Op {
        let header = self.the_header(table);
        header.write(self.head, &self.geometry, self.buffer.first_mut(HEADER));
        let mut at = self.geometry.page_at(self.head);
        if self.second {
            at += bytes(HEADER);
        }
        self.program(What::Header, at, HEADER)
    }

    pub(crate) fn header_took(&mut self, table: &mut dyn Table) -> Op {
        self.took = self.took.wrapping_add(1);
        self.header_next(table)
    }

    /// A header's place does not keep it. One is enough.
    pub(crate) fn header_failed(&mut self, table: &mut dyn Table) -> Op {
        self.header_next(table)
    }

    fn header_next(&mut self, table: &mut dyn Table) -> Op {
        self.tries = TRIES;
        if !self.second {
            self.second = true;
            return self.header(table);
        }
        if self.took == 0 {
            if self.turns > 3 {
                return self.done(Err(Fail::WornOut(self.head)));
            }
            return self.turn(table);
        }
        self.turning = false;
        self.stalled = false;
        self.is_half = false;
        self.gap = false;
        self.rebase = false;
        self.tight = false;
        self.base = table.counters();
        self.weak = values(self.base);
        if self.job == Job::Save {
            self.part_from = self.draft.to;
        } else if !matches!(self.job, Job::Room { .. }) {
            self.is_batch = false;
            if self.has_put_lengths {
                self.lengths = 0;
            }
        }
        if self.hint == Some(Place::COUNTERS) {
            self.hint = None;
        }
        self.used = self
            .used
            .saturating_add(1)
            .min(self.geometry.pages.wrapping_sub(1));
        let free = self.page(1);
        if forget_copies(table, free) && table.is_twice() {
            self.wants_copies = !self.copies_refused;
            self.more |= self.wants_copies;
        }
        self.go_on(table)
    }
}

/// A page is given up: second copies that were on it are missing.
fn forget_copies(table: &mut dyn Table, page: u8) -> bool {
    let mut has_forgotten = false;
    for mark in table.marks(List::Copies) {
        if *mark & NOWHERE == page {
            *mark = AHEAD | NOWHERE;
            has_forgotten = true;
        }
    }
    has_forgotten
}

fn home_dc_id(table: &dyn Table) -> i32 {
    match table.get(Place::HOME_DC) {
        Some(Change::HomeDc(id)) => id,
        _ => 0,
    }
}
