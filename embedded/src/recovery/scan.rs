//! The records of a page, from its start to where nothing more is.

use mtsession_core::{Change, Field, Full, UpdateChange};

use super::{NO_PLACE, Trial};
use crate::error::Fail;
use crate::format::codec::{Codec, Text};
use crate::format::delta::{self, Values};
use crate::format::entry::{Entry, entry};
use crate::format::header::{Flags, is_blank};
use crate::format::record::{Head, Kind, MAX_RECORD, open, seed};
use crate::index::{AHEAD, List, NOWHERE, Place, Table, mark};
use crate::machine::{MAX_BLANK, Machine, Op, State, hash, values};
use crate::num::{Bytes, bytes, len};

/// A record before a gap was perhaps the last one before a cut: it counts if it reads the same each time.
pub(crate) const RECHECKS: u8 = 16;

impl Machine {
    /// Begins with a page.
    pub(crate) fn scan_page(&mut self, page: u8) {
        let start = self.records_at(page);
        #[cfg(feature = "format1")]
        let start = self.old_records_at(page).unwrap_or(start);
        let reading = &mut self.reading;
        reading.pos = start;
        reading.start = start;
        reading.len = 0;
        reading.tail = start;
        reading.claimed = start;
        reading.blank = bytes(0);
        reading.hunting = false;
        reading.expected = NO_PLACE;
        reading.trial = Trial::NONE;
        reading.last_delta = None;
    }

    /// Goes on with what is in the buffer.
    pub(crate) fn scan(&mut self, table: &mut dyn Table) -> Op {
        #[cfg(feature = "format1")]
        if self.reading.is_old {
            return self.scan_old(table);
        }
        let (page, sequence, end) = self.reading_page();
        let unit = self.geometry.unit();
        loop {
            let left = end - self.reading.pos;
            if left.0 == 0 || self.reading.blank > MAX_BLANK {
                self.undo(table, true);
                return self.next_page(table);
            }
            let offset = len(self.reading.pos - self.reading.start);
            let there = self.reading.len.saturating_sub(offset);
            if there < len(unit.max(bytes(8)).min(left)) {
                return self.read_on(left);
            }
            let Some(first) = self
                .buffer
                .bytes()
                .get(offset..)
                .and_then(<[u8]>::first_chunk)
            else {
                return self.read_on(left);
            };
            let word = u32::from_be_bytes(*first);
            let piece = self
                .buffer
                .bytes()
                .get(offset..offset.wrapping_add(len(unit)));
            if is_blank(piece.unwrap_or_default()) {
                self.undo(table, true);
                self.reading.pos += unit;
                self.reading.blank += unit;
                continue;
            }
            let seed = seed(sequence, self.reading.pos);
            let op = if Kind::of(word) == Kind::Delta {
                self.scan_delta(table, word, offset, seed, end);
                None
            } else {
                self.scan_record(table, (word, offset, there), seed, left, page)
            };
            self.reading.tail = self.reading.tail.max(self.reading.pos);
            if let Some(op) = op {
                return op;
            }
        }
    }

    #[inline(never)]
    pub(crate) fn read_on(&mut self, left: Bytes) -> Op {
        self.buffer.has_key = true;
        self.reading.start = self.reading.pos;
        self.reading.len = MAX_RECORD.min(len(left));
        self.read(State::Scan, self.reading.pos, self.reading.len)
    }

    /// What starts here with a word is no record: its length, if it has one, may be programmed.
    fn bad(&mut self, table: &mut dyn Table, word: u32, size: Bytes) {
        self.undo(table, false);
        let reading = &mut self.reading;
        let end = reading.pos + size;
        if (!reading.hunting || reading.blank.0 > 0) && end > reading.claimed {
            (reading.claimed, reading.begun, reading.begun_word) = (end, reading.pos, word);
        }
        if !reading.hunting {
            reading.has_lost_length = false;
            reading.expected = reading.pos + size;
        }
        reading.hunting = true;
        reading.blank = bytes(0);
        reading.pos += self.geometry.unit();
    }

    /// A valid record ends here.
    pub(crate) fn right(&mut self, size: Bytes) {
        let reading = &mut self.reading;
        reading.trial = Trial::NONE;
        reading.hunting = false;
        reading.blank = bytes(0);
        reading.pos += size;
    }

    fn scan_delta(
        &mut self,
        table: &mut dyn Table,
        word: u32,
        offset: usize,
        seed: u32,
        end: Bytes,
    ) {
        let pos = self.reading.pos;
        let size = bytes(self.up(if delta::is_long(word) { 8 } else { 4 })).min(end - pos);
        let channel = delta::position(word).map(|position| len(core::num::Wrapping(position)));
        let base = match channel {
            None => Some(values(self.base)),
            Some(position) => {
                let place = Place::new(List::Channels, position);
                let is_known = mark(table, place) != NOWHERE;
                let pts = table.pts(position).filter(|_| is_known);
                let number = i32::try_from(position).unwrap_or_default();
                pts.map(|pts| [number, pts, 0])
            }
        };
        let Some(base) = base else {
            // Of a channel whose record is not there: passed over.
            if self.reading.hunting {
                self.bad(table, word, size);
            } else {
                self.right(size);
            }
            return;
        };
        let second = self.buffer.bytes().get(offset.wrapping_add(4)..);
        let second = second.and_then(<[u8]>::first_chunk);
        let second = second.map_or(0, |second| u32::from_be_bytes(*second));
        let Some(values) = delta::decode(word, second, seed, base) else {
            self.bad(table, word, size);
            return;
        };
        let reading = &self.reading;
        let follows = reading.trial.end == pos;
        let is_next = reading.expected == pos;
        let is_sure = !reading.hunting || delta::is_long(word) || follows;
        let trial = Trial {
            end: pos + size,
            is_last: is_next || reading.has_lost_length,
            channel,
            known: base,
        };
        self.take_delta(table, channel, values);
        self.flags.set(Flags::PRESENT, true);
        if is_sure {
            self.right(size);
        } else {
            self.reading.trial = trial;
            self.reading.blank = bytes(0);
            self.reading.pos += size;
        }
        self.reading.last_delta = channel;
        self.followed(table);
    }

    #[inline(never)]
    pub(crate) fn take_delta(
        &mut self,
        table: &mut dyn Table,
        channel: Option<usize>,
        values: Values,
    ) {
        let [first, second, third] = values;
        match channel {
            None => (self.base.pts, self.base.date, self.base.seq) = (first, second, third),
            Some(position) => table.set_pts(position, second),
        }
    }

    /// A delta record that nothing followed does not count.
    #[inline(never)]
    pub(crate) fn undo(&mut self, table: &mut dyn Table, is_end: bool) {
        let trial = core::mem::replace(&mut self.reading.trial, Trial::NONE);
        if trial.is_any() && !(is_end && trial.is_last) {
            self.take_delta(table, trial.channel, trial.known);
        }
    }

    fn scan_record(
        &mut self,
        table: &mut dyn Table,
        (word, offset, there): (u32, usize, usize),
        seed: u32,
        left: Bytes,
        page: u8,
    ) -> Option<Op> {
        let head = Head::of(word);
        let unit = len(self.geometry.unit());
        let total = self.up(head.total());
        let pos = self.reading.pos;
        if total > MAX_RECORD || bytes(total) > left {
            self.bad(table, word, self.geometry.unit());
            return None;
        }
        let with_next = total.wrapping_add(unit).min(len(left)).min(MAX_RECORD);
        let is_checked = pos == self.reading.right || pos == self.reading.wrong;
        if there < total || there < with_next && !is_checked {
            return Some(self.read_on(left));
        }
        let record = self.buffer.bytes().get(offset..offset.wrapping_add(total));
        let record = record.unwrap_or_default();
        if open(record, head, seed).is_none() || pos == self.reading.wrong {
            let is_first = !self.reading.hunting;
            self.bad(table, word, bytes(total));
            self.reading.has_lost_length |= is_first && !Head::is_even(word);
            return None;
        }
        let after = self
            .buffer
            .bytes()
            .get(offset.wrapping_add(total)..offset.wrapping_add(there));
        let after = after.unwrap_or_default();
        let is_last = is_blank(after.get(..unit).unwrap_or(after));
        if is_last && pos != self.reading.right {
            self.sum = hash(record);
            self.reading.rechecks = RECHECKS;
            return Some(self.read(State::Recheck, pos, total));
        }
        if Kind::of(word) == Kind::Newer {
            return Some(self.done(Err(Fail::NewerFormat(3))));
        }
        if self.reading.hunting && self.reading.blank.0 == 0 {
            self.damaged = self.damaged.saturating_add(1);
        }
        self.right(bytes(total));
        self.reading.last_delta = None;
        self.followed(table);
        let mut mark = page;
        if is_last && self.reading.page == 0 && head.len > 0 {
            // The word at which the power was lost may be in it, and go bad later. What comes next may build on it:
            // it is written again first.
            mark |= AHEAD;
            self.reading.is_last = true;
        }
        if head.is_wiped {
            self.flags.set(Flags::DELETED | Flags::STALE, false);
        } else if head.len > 0 {
            self.flags.set(Flags::PRESENT, true);
            let is_stale = head.is_stale || self.flags.has(Flags::STALE);
            self.flags.set(Flags::STALE, is_stale);
        }
        self.take(table, offset, head, mark)
            .err()
            .map(|fail| self.done(Err(fail)))
    }

    /// The record before a gap was read once more.
    pub(crate) fn rechecked(&mut self, table: &mut dyn Table) -> Op {
        let (at, total) = self.io;
        self.reading.start = at;
        self.reading.len = total;
        if self.buffer.hash(total) != self.sum {
            self.reading.wrong = at;
            return self.scan(table);
        }
        if let Some(left) = self.reading.rechecks.checked_sub(1) {
            self.reading.rechecks = left;
            return self.read(State::Recheck, at, total);
        }
        self.reading.right = at;
        self.scan(table)
    }

    /// A record is not the last one.
    #[inline(never)]
    pub(crate) fn followed(&mut self, table: &mut dyn Table) {
        if !core::mem::take(&mut self.reading.is_last) {
            return;
        }
        self.reading.owed = 0;
        for list in [List::Singles, List::Channels, List::Peers, List::MinPeers] {
            for mark in table.marks(list) {
                *mark &= !AHEAD;
            }
        }
    }

    /// Takes over the entries of a record in the buffer.
    #[inline(never)]
    fn take(
        &mut self,
        table: &mut dyn Table,
        offset: usize,
        head: Head,
        page: u8,
    ) -> Result<(), Fail> {
        let is_last = self.reading.is_last;
        let from = offset.wrapping_add(crate::format::record::HEAD);
        let entries = self.buffer.bytes().get(from..from.wrapping_add(head.len));
        let mut codec = Codec::read(entries.unwrap_or_default());
        while !codec.is_done() {
            let mut text = Text::new();
            let nothing = Entry::Length(List::Singles, 0);
            let Some(found) = entry(&mut codec, &nothing, &mut text) else {
                return Err(Fail::NewerFormat(3));
            };
            match found {
                Entry::Length(list, length) => {
                    table.truncate(list, length);
                    if is_last {
                        self.reading.owed |= 1 << (list.number() & 7);
                    }
                }
                Entry::At(place, change) if place == Place::COUNTERS => {
                    if let Change::Update(UpdateChange::Counters(counters)) = change {
                        self.base = counters;
                    }
                }
                Entry::At(place, change) => keep(table, &mut self.lengths, place, &change, page)?,
            }
        }
        Ok(())
    }
}

/// Takes over an entry, or forgets it.
pub(crate) fn keep(
    table: &mut dyn Table,
    lengths: &mut u8,
    place: Place,
    change: &Change<'_>,
    mark: u8,
) -> Result<(), Fail> {
    match set(table, place, change, mark) {
        Ok(()) => Ok(()),
        Err(Full(field @ (Field::Dcs | Field::Token))) => Err(Fail::Capacity(field)),
        // What can be learnt again is forgotten.
        Err(Full(_)) => {
            *lengths |= 1 << (place.list().number() & 7);
            Ok(())
        }
    }
}

/// Takes over an entry that stands in a page.
fn set(table: &mut dyn Table, place: Place, change: &Change<'_>, page: u8) -> Result<(), Full> {
    let twin = match place.list() {
        List::Dcs => Some(List::Copies),
        List::Copies => Some(List::Dcs),
        _ => None,
    };
    let first = Place::new(List::Dcs, place.position());
    let is_same = matches!(
        (table.get(first), change),
        (Some(Change::Dc(known)), Change::Dc(now)) if known == *now
    );
    table.set(place, change)?;
    if let Some(mark) = table.marks(place.list()).get_mut(place.position()) {
        *mark = page;
    }
    if let Some(twin) = twin
        && !is_same
        && let Some(mark) = table.marks(twin).get_mut(place.position())
        && *mark != NOWHERE
    {
        // The other copy says something older.
        *mark |= AHEAD;
    }
    Ok(())
}
