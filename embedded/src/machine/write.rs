//! Records of the head page.

use mtsession_core::Counters;

use super::state::{Draft, Job, Machine, Op, TRIES, What};
use crate::error::Fail;
use crate::format::codec::{Codec, Text};
use crate::format::delta::{self, Values};
use crate::format::entry::{Entry, entry};
use crate::format::header::Flags;
use crate::format::record::{FRAME, Head, MAX_RECORD, seal, seed};
use crate::index::{AHEAD, List, NOWHERE, Place, Selection, Table, WHOLE, mark, next, remark};
use crate::num::{Bytes, bytes};

/// Blank bytes that a reader passes over: what a torn record may hide, a failed one, and one whose front is
/// blank.
pub(crate) const MAX_BLANK: Bytes = bytes(3 * MAX_RECORD);

/// What is written next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Counters,
    Entry(Place),
    Batch,
    Wiped,
    Nothing,
}

impl Machine {
    /// Writes what RAM is ahead in, record by record.
    pub(crate) fn flush(&mut self, table: &mut dyn Table) -> Op {
        if self.turning {
            return self.turn(table);
        }
        match self.next_record(table) {
            Next::Nothing => match self.then.take() {
                Some(job) => {
                    self.job = job;
                    self.plan(table)
                }
                None => self.done(Ok(())),
            },
            Next::Entry(place) if place.list() == List::Copies => {
                if self.turns > self.geometry.pages {
                    self.wants_copies = false;
                    self.copies_refused = true;
                    return self.flush(table);
                }
                if self.is_beside(table, place) {
                    // The first copy is on this page.
                    return self.turn(table);
                }
                self.write(table, Next::Entry(place))
            }
            next => self.write(table, next),
        }
    }

    fn next_record(&mut self, table: &mut dyn Table) -> Next {
        if self.is_batch || self.again || self.lengths != 0 {
            return Next::Batch;
        }
        let mut next = Next::Nothing;
        if let Some(hint) = self.hint {
            next = Next::Entry(hint);
        } else if self.more {
            next = self.behind(table);
        }
        if self.rebase && next != Next::Nothing || next == Next::Entry(Place::COUNTERS) {
            return Next::Counters;
        }
        next
    }

    /// Anything that RAM is ahead in.
    fn behind(&mut self, table: &mut dyn Table) -> Next {
        if table.counters() != self.base {
            return Next::Counters;
        }
        match next(table, Selection::Ahead, &mut { Place::FIRST }) {
            Some(place) if place.list() != List::Copies || self.wants_copies => Next::Entry(place),
            _ => {
                self.more = false;
                self.wants_copies = false;
                self.waiting = 0;
                Next::Nothing
            }
        }
    }

    /// Whether a second copy would be on the page of the first one.
    fn is_beside(&self, table: &mut dyn Table, place: Place) -> bool {
        mark(table, Place::new(List::Dcs, place.position())) & NOWHERE == self.head
    }

    /// Says that all was wiped.
    pub(crate) fn write_wiped(&mut self, table: &mut dyn Table) -> Op {
        self.write(table, Next::Wiped)
    }

    /// Writes one record, where there is room for it.
    fn write(&mut self, table: &mut dyn Table, next: Next) -> Op {
        let mut at = self.at;
        if self.gap {
            at += self.geometry.unit();
        }
        let Some(total) = self.draft(table, next, at) else {
            if self.again {
                // With its counters it is too long: one entry after the other.
                self.again = false;
                return self.flush(table);
            }
            // A batch that is too long for a record.
            self.then = Some(self.job);
            self.job = Job::Save;
            return self.save(table);
        };
        if at + bytes(total) > self.end() || at - self.good > bytes(MAX_RECORD) {
            return self.turn(table);
        }
        self.at = at + bytes(total);
        self.program(What::Record, at, total)
    }

    /// Makes what is to be programmed, and says how long it is. `None`: more than a record holds.
    fn draft(&mut self, table: &mut dyn Table, next: Next, at: Bytes) -> Option<usize> {
        self.draft = Draft {
            selection: Selection::All,
            from: Place::FIRST,
            to: Place::END,
            is_delta: false,
            has_counters: matches!(next, Next::Counters | Next::Batch),
            is_wiped: next == Next::Wiped,
            is_batch: next == Next::Batch,
            has_lengths: next == Next::Batch,
            is_short: false,
            is_twice: false,
        };
        match next {
            Next::Entry(place) => (self.draft.from, self.draft.to) = (place, place),
            Next::Batch => {
                self.draft.selection = Selection::Batch;
                self.draft.to = Place::FIRST;
            }
            Next::Counters | Next::Wiped | Next::Nothing => self.draft.from = Place::END,
        }
        // After a program that failed, a long one is believed; after a start only a whole record.
        let may_be_delta = !self.rebase || !self.is_start && next == Next::Counters;
        if may_be_delta && let Some(total) = self.delta(table, next, at) {
            self.draft.is_delta = true;
            if let Next::Entry(place) = next {
                self.draft.to = place.after();
            }
            return Some(total);
        }
        let mut total = 0;
        if self.gap && next != Next::Counters {
            // The word that the last cut hit reads blank perhaps, and goes bad later: it gets a record that
            // says nothing.
            let nothing = seal(
                self.buffer.bytes_mut(),
                Head::default(),
                seed(self.sequence, at),
                self.geometry.unit(),
            );
            total = nothing;
        }
        total = total.wrapping_add(self.compose(table, total, at)?);
        if next == Next::Counters && self.is_start {
            // Later records build on the counters, and the word that was hit by the cut may go bad later: they are
            // said twice.
            self.draft.is_twice = true;
            total = total.wrapping_add(self.compose(table, total, at)?);
        }
        Some(total)
    }

    /// Makes a delta record, if that is enough.
    fn delta(&mut self, table: &mut dyn Table, next: Next, at: Bytes) -> Option<usize> {
        let (from, to, is_channel) = match next {
            Next::Counters => {
                let now = table.counters();
                if now.qts != self.base.qts {
                    return None;
                }
                ([self.weak, values(self.base)], values(now), false)
            }
            Next::Entry(place) if place.list() == List::Channels => {
                let position = place.position();
                let lag = table.lags().get(position).copied()?;
                let mark = mark(table, place);
                if mark & AHEAD != 0 || mark == NOWHERE || lag >= WHOLE {
                    return None;
                }
                let pts = table.pts(position)?;
                let position = i32::try_from(position).ok()?;
                let from = [0, pts.wrapping_sub(lag.into()), 0];
                ([from; 2], [position, pts, 0], true)
            }
            _ => return None,
        };
        let is_short = self.geometry.unit().0 == 4 && !self.rebase;
        let seed = seed(self.sequence, at);
        let (words, length) = delta::encode(is_short, seed, is_channel, from, to)?;
        self.draft.is_short = length == 4;
        let total = self.up(length);
        let place = self.buffer.part_mut(0, total);
        place.fill(0xFF);
        let words = words.iter().flat_map(|word| word.to_be_bytes());
        for (place, byte) in place.iter_mut().zip(words.take(length)) {
            *place = byte;
        }
        Some(total)
    }

    /// What was programmed was read back.
    pub(crate) fn programmed(&mut self, table: &mut dyn Table, is_same: bool) -> Op {
        let (at, length) = self.io;
        if is_same {
            return self.took(table);
        }
        self.failed_programs = self.failed_programs.saturating_add(1);
        self.tries = self.tries.saturating_sub(1);
        let is_blank = self.buffer.is_blank(length);
        // Nothing is there: the same place once more. Not for ever in a page that an earlier start wrote to: what reads
        // blank may have been programmed.
        let is_free = is_blank && (self.what != What::Record || self.tries > TRIES / 2);
        if is_free {
            self.at = match self.what {
                What::Record if self.gap => at - self.geometry.unit(),
                What::Record | What::Copies => at,
                What::Header | What::Mend => self.at,
            };
        }
        if self.tries == 0 {
            self.stalled = is_blank && self.turning;
            self.is_start = true;
            return self.done(Err(Fail::Flash));
        }
        match self.what {
            What::Record => {
                if !is_free {
                    self.gap = true;
                    self.rebase = true;
                }
                self.go_on_writing(table)
            }
            What::Copies => {
                self.draft.to = self.draft.from;
                self.copy(table)
            }
            What::Header if is_blank => self.header(table),
            What::Header => self.header_failed(table),
            What::Mend => {
                // Its first header is whole, or something would be blank.
                self.is_half = false;
                self.plan(table)
            }
        }
    }

    fn go_on_writing(&mut self, table: &mut dyn Table) -> Op {
        if self.draft.is_wiped {
            return self.write_wiped(table);
        }
        self.flush(table)
    }

    /// What was programmed is on flash.
    fn took(&mut self, table: &mut dyn Table) -> Op {
        match self.what {
            What::Record => {
                self.settle(table);
                if self.draft.is_wiped {
                    self.job = self.then.take().unwrap_or(Job::Flush);
                    return self.plan(table);
                }
                self.flush(table)
            }
            What::Copies => {
                self.stalled = false;
                self.settle_copies(table);
                self.copy(table)
            }
            What::Header => self.header_took(table),
            What::Mend => {
                self.is_half = false;
                self.plan(table)
            }
        }
    }

    fn settle(&mut self, table: &mut dyn Table) {
        let draft = self.draft;
        self.gap = false;
        self.is_start = false;
        self.good = self.at;
        self.tries = TRIES;
        if draft.is_wiped {
            self.flags.set(Flags::STALE | Flags::DELETED, false);
            return;
        }
        if draft.has_counters {
            // A step that the short form has no room for is not for one record alone: the next one leads over it
            // as well, so that no single rotten bit takes what is written after it.
            let now = table.counters();
            let is_sure = draft.is_short || draft.is_twice;
            self.weak = values(if is_sure { now } else { self.base });
            self.base = now;
            self.rebase = false;
        }
        if draft.is_batch {
            self.is_batch = false;
            self.again = false;
            self.lengths = 0;
            self.hint = None;
        }
        let hint = self.hint;
        if hint == Some(Place::COUNTERS) && draft.has_counters
            || hint.is_some_and(|hint| hint == draft.from && draft.from < draft.to)
        {
            self.hint = None;
        }
        let mark = (!draft.is_delta).then_some(self.head);
        remark(table, draft.selection, draft.from, draft.to, mark);
    }
}

pub(crate) const fn values(counters: Counters) -> Values {
    [counters.pts, counters.date, counters.seq]
}

/// Writes the entry of a place.
pub(crate) fn put(codec: &mut Codec<'_, '_>, table: &dyn Table, place: Place) {
    if let Some(change) = table.get(place) {
        entry(codec, &Entry::At(place, change), &mut Text::new());
    }
}

/// Bytes that the record of an entry takes.
pub(crate) fn measure(place: Place, change: &mtsession_core::Change<'_>, unit: Bytes) -> Bytes {
    let mut codec = Codec::measure();
    entry(&mut codec, &Entry::At(place, *change), &mut Text::new());
    bytes(crate::format::record::padded(
        codec.len.wrapping_add(FRAME),
        unit,
    ))
}
