//! What calls are about, besides single records: saves, room for them, deletion, maintenance.

use mtsession_core::{AuthKeyRef, Change};

use super::apply::as_entries;
use super::state::{Job, Machine, Op, Saved, State, What};
use super::write::measure;
use crate::error::Fail;
use crate::format::header::{BOTH, Flags, HEADER, Header};
use crate::format::record::MAX_RECORD;
use crate::index::{AHEAD, Entries, List, NOWHERE, Place, Selection, Table, is_nothing, next};
use crate::num::{Bytes, bytes, len};
use crate::settings::FlashStats;

/// Bytes that a page needs for a counter, whatever lives in it: a gap and a whole record.
const COUNTERS: Bytes = bytes(64);

impl Machine {
    // ---- room

    /// Whether entries of so many bytes can be kept, and a record of `record` bytes be written as well.
    ///
    /// Live entries stay in the page that a turn copies them to, so some page has no more than the average.
    pub(crate) fn has_room(&self, live: Bytes, record: Bytes, twice: bool) -> bool {
        let spare = if twice { 2 } else { 1 };
        let pages = self.geometry.pages.saturating_sub(spare).max(1);
        let average = live.0.checked_div(pages.into()).unwrap_or(live.0);
        average
            <= (self.capacity() - record.min(self.capacity()))
                .0
                .saturating_sub(COUNTERS.0)
    }

    /// Pages that a session takes when it is saved, and its bytes.
    #[inline(never)]
    pub(crate) fn reckon(&self, entries: &dyn Entries, twice: bool) -> (u8, Bytes) {
        let unit = self.geometry.unit();
        let page = self.capacity() - bytes(128);
        let (mut pages, mut filled, mut live) = (1_u8, bytes(0), bytes(0));
        for list in List::ALL {
            if list == List::Copies {
                if !twice || entries.len(list) == 0 {
                    break;
                }
                pages = pages.saturating_add(1);
                filled = bytes(0);
            }
            for position in 0..entries.len(list) {
                let place = Place::new(list, position);
                if place == Place::COUNTERS {
                    continue;
                }
                let Some(change) = entries.get(place) else {
                    continue;
                };
                if is_nothing(&change) {
                    continue;
                }
                let record = measure(place, &change, unit);
                live += record;
                if filled + record > page {
                    pages = pages.saturating_add(1);
                    filled = bytes(0);
                }
                filled += record;
            }
        }
        (pages, live)
    }

    /// Whether a session can be saved: for how many pages there has to be room.
    #[inline(never)]
    pub(crate) fn may_save(&self, held: &dyn Table, new: &dyn Entries) -> Result<u8, Fail> {
        for list in List::KEPT {
            let is_cache = matches!(list, List::Peers | List::MinPeers);
            if new.len(list) > held.capacity(list) && !(is_cache && held.evicts()) {
                return Err(Fail::Capacity(list.field()));
            }
            for position in 0..new.len(list) {
                if let Some(change) = new.get(Place::new(list, position)) {
                    held.fits(&change)?;
                }
            }
        }
        let twice = held.is_twice();
        let (pages, live) = self.reckon(new, twice);
        let (old, _) = self.reckon(as_entries(held), false);
        let is_room = u16::from(pages).wrapping_add(old.into()) <= self.geometry.pages.into();
        // Into one page, everything goes as it is.
        if (is_room || pages == 1) && self.has_room(live, bytes(0), twice) {
            Ok(pages)
        } else {
            Err(Fail::StoreFull)
        }
    }

    /// Empties so many pages after the head, by packing what lives in them.
    pub(crate) fn make_room(&mut self, table: &mut dyn Table, pages: u8) -> Op {
        if self.turning {
            return self.turn(table);
        }
        for ahead in 2..=pages {
            let page = self.page(ahead);
            if next(table, Selection::Page(page), &mut { Place::FIRST }).is_some() {
                return self.turn(table);
            }
        }
        if self.at + self.room > self.end() {
            return self.turn(table);
        }
        self.room = bytes(0);
        match self.then.take() {
            Some(job) => {
                self.job = job;
                self.plan(table)
            }
            None => self.done(Ok(())),
        }
    }

    // ---- whole sessions

    /// Begins to write the whole session, again where that failed.
    pub(crate) fn save(&mut self, table: &mut dyn Table) -> Op {
        if let Some(saved) = self.saved {
            self.head = saved.head;
            self.sequence = saved.sequence;
            self.used = saved.used;
            self.blank_ahead = 0;
            if self.turning && self.stalled && self.part == 1 {
                // The first page was erased, and nothing took.
                self.head = self.page(1);
                self.sequence = self.sequence.wrapping_add(1);
                return self.turn(table);
            }
        }
        self.saved = Some(Saved {
            head: self.head,
            sequence: self.sequence,
            used: self.used,
        });
        self.turning = false;
        self.stalled = false;
        self.hint = None;
        self.is_batch = false;
        self.again = false;
        self.lengths = 0;
        self.more = true;
        for list in List::ALL {
            table.marks(list).fill(AHEAD | NOWHERE);
        }
        let (pages, _) = self.reckon(as_entries(table), table.is_twice());
        self.parts = pages.wrapping_add(self.extra);
        self.part = 1;
        self.part_from = Place::FIRST;
        self.turn(table)
    }

    /// The last page of a saved session has its header.
    pub(crate) fn saved(&mut self, table: &mut dyn Table) -> Op {
        self.saved = None;
        self.used = self.parts;
        (self.part, self.parts, self.extra) = (0, 0, 0);
        self.is_mounted = true;
        self.waiting = 0;
        self.copies_refused = false;
        if self.flags.has(Flags::DELETED) {
            self.job = Job::Wipe { done: 0 };
            return self.wipe(table);
        }
        self.job = self.then.take().unwrap_or(Job::Flush);
        self.plan(table)
    }

    // ---- maintenance

    /// Erases every page that does not count, and says so.
    pub(crate) fn wipe(&mut self, table: &mut dyn Table) -> Op {
        if self.turning {
            return self.turn(table);
        }
        if !self.flags.has(Flags::DELETED) {
            self.job = self.then.take().unwrap_or(Job::Flush);
            return self.plan(table);
        }
        if let Job::Wipe { done: 0 } = self.job {
            self.blank_ahead = 0;
        }
        if let Job::Wipe { done } = self.job
            && done.saturating_add(self.used) < self.geometry.pages
        {
            let next = done.wrapping_add(1);
            self.job = Job::Wipe { done: next };
            return self.erase(State::Wipe, self.page(next));
        }
        self.write_wiped(table)
    }

    /// Turns page after page until each was erased once, and says so.
    pub(crate) fn lap(&mut self, table: &mut dyn Table, left: u8) -> Op {
        match left.checked_sub(1) {
            Some(left) => {
                self.job = Job::Lap { left };
                self.turns = 0;
                self.turn(table)
            }
            None => self.write_wiped(table),
        }
    }

    pub(crate) fn maintain(&mut self, table: &mut dyn Table) -> Op {
        if let Job::Lap { left } = self.job {
            return self.lap(table, left);
        }
        if self.flags.has(Flags::DELETED) {
            self.job = Job::Wipe { done: 0 };
            return self.wipe(table);
        }
        if self.flags.has(Flags::STALE) {
            return self.lap(table, self.geometry.pages);
        }
        if table.is_twice()
            && !self.copies_refused
            && next(table, Selection::Ahead, &mut { Place::new(List::Dcs, 0) }).is_some()
        {
            self.wants_copies = true;
            self.more = true;
            self.then = Some(Job::Maintain);
            self.job = Job::Flush;
            return self.flush(table);
        }
        let left = self.end() - self.at.min(self.end());
        if self.blank_ahead == 0 && left < bytes(MAX_RECORD) + self.geometry.unit() {
            return self.erase(State::Ahead, self.page(1));
        }
        self.done(Ok(()))
    }

    // ---- after a start

    /// Before the first write after a start: what a cut left half done is finished, or erased.
    pub(crate) fn prepare(&mut self) -> Option<Op> {
        if self.is_half {
            let at = self.geometry.page_at(self.head);
            return Some(self.read(State::Mend, at, HEADER));
        }
        if let Some(left) = self.reading.claims.checked_sub(1) {
            self.reading.claims = left;
            let unit = len(self.geometry.unit());
            return Some(self.read(State::Claim, self.reading.begun, unit));
        }
        if self.reading.suspects == 0 {
            return None;
        }
        let at = self.geometry.page_at(self.page(self.reading.suspects));
        Some(self.read(State::Suspect, at, BOTH))
    }

    /// The head of a record that was begun was read again. If it does not read the same each time, its length does
    /// not count: the next start, if the power is lost in what is written now, has to go on at this place or after
    /// it, but never before it.
    pub(crate) fn claimed(&mut self, table: &mut dyn Table) -> Op {
        let word = self.buffer.bytes().first_chunk();
        if word.is_none_or(|word| u32::from_be_bytes(*word) != self.reading.begun_word) {
            self.reading.claims = 0;
            self.at = self.reading.tail;
            self.good = self.at;
        }
        self.plan(table)
    }

    /// The first header was read: it is programmed once more.
    pub(crate) fn mend(&mut self, table: &mut dyn Table) -> Op {
        let (at, length) = self.io;
        if !self.is_header() {
            // It read well only now and then.
            let header = Header {
                counters: self.base,
                ..self.the_header(table)
            };
            header.write(self.head, &self.geometry, self.buffer.first_mut(length));
        }
        self.program(What::Mend, at + bytes(length), length)
    }

    /// A page was read that a cut may have left half written: it must not count one day.
    pub(crate) fn suspected(&mut self, table: &mut dyn Table) -> Op {
        let page = self.page(self.reading.suspects);
        if self.is_stale(page) {
            self.reading.suspects = self.reading.suspects.wrapping_sub(1);
            return self.plan(table);
        }
        self.erase(State::Cleared, page)
    }

    /// A number of what is known about the region.
    pub(crate) fn stats(&self, table: &dyn Table) -> FlashStats {
        let twice = table.is_twice();
        let (_, live) = self.reckon(as_entries(table), twice);
        let pages = u32::from(self.geometry.pages);
        let spare = if twice { 2 } else { 1 };
        let room = self.capacity().0.saturating_sub(COUNTERS.0);
        let all = room.saturating_mul(pages.saturating_sub(spare).max(1));
        FlashStats {
            pages: self.geometry.pages,
            page_size: self.geometry.page_size.0,
            turns: self.sequence.saturating_sub(1),
            max_erases: self.erases.div_ceil(pages.max(1)),
            min_erases: self.erases.checked_div(pages).unwrap_or_default(),
            live: live.0,
            free_in_page: (self.end() - self.at.min(self.end())).0,
            free: all.saturating_sub(live.0),
            damaged: self.damaged,
            failed_programs: self.failed_programs,
        }
    }

    // ---- what calls say

    /// RAM holds another session, for which there is room.
    pub(crate) fn replace(&mut self, table: &mut dyn Table, new: &dyn Entries) {
        let is_stale = drops_a_key(as_entries(table), new) || self.flags.has(Flags::STALE);
        self.flags = Flags(Flags::PRESENT);
        self.flags.set(Flags::STALE, is_stale);
        table.clear();
        for list in List::KEPT {
            for position in 0..new.len(list) {
                let Some(change) = new.get(Place::new(list, position)) else {
                    continue;
                };
                let mut place = Place::new(list, position);
                if position >= table.capacity(list) {
                    // One too many: another one is forgotten.
                    place = table.find(&change).unwrap_or(place);
                }
                // There is room: that was found out before.
                let result = table.set(place, &change);
                debug_assert!(result.is_ok() || position >= table.capacity(list));
            }
        }
    }

    /// RAM holds none.
    pub(crate) fn delete(&mut self) {
        self.flags = Flags(Flags::DELETED);
    }
}

/// Bytes that an entry's record takes; 0 where there is none.
pub(crate) fn size_of(entries: &dyn Entries, place: Place, unit: Bytes) -> Bytes {
    match entries.get(place) {
        Some(change) if !is_nothing(&change) => measure(place, &change, unit),
        _ => bytes(0),
    }
}

/// Whether a session has a key that another one has not.
fn drops_a_key(old: &dyn Entries, new: &dyn Entries) -> bool {
    (0..old.len(List::Dcs)).any(|position| {
        let key = key_at(old, position);
        key.is_some() && !(0..new.len(List::Dcs)).any(|position| key_at(new, position) == key)
    })
}

fn key_at(entries: &dyn Entries, position: usize) -> Option<AuthKeyRef<'_>> {
    match entries.get(Place::new(List::Dcs, position)) {
        Some(Change::Dc(dc)) => dc.auth_key,
        _ => None,
    }
}
