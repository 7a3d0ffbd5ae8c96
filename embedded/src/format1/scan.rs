//! The records of a page of format 1.

use mtsession_core::{Change, UpdateChange};

use super::hot::Hot;
use super::payload;
use super::record::{COMMIT, Head, SYNC, WIPED};
use crate::error::Fail;
use crate::format::codec::Text;
use crate::format::crc::crc32c;
use crate::format::delta::Values;
use crate::format::header::{Flags, is_blank};
use crate::format::record::MAX_RECORD;
use crate::index::{AHEAD, List, NOWHERE, Place, Table, mark};
use crate::machine::{Machine, Op, State, hash, values};
use crate::num::{Bytes, bytes, len};
use crate::recovery::{RECHECKS, Trial, keep};

/// Blank bytes after which nothing more is in a page.
const MAX_BLANK: Bytes = bytes(704);

/// Where reading is in a page.
#[derive(Clone, Copy)]
pub(crate) struct Old {
    /// Where a single hot record is believed: right after a bad one, from here to there.
    successor: (Bytes, Bytes),
    /// While the changes of a batch are taken: where its commit record is, and where reading goes on.
    batch: Option<(Bytes, Bytes)>,
}

impl Old {
    pub(crate) const NEW: Self = Self {
        successor: (bytes(0), bytes(0)),
        batch: None,
    };
}

/// What is at a position.
enum Found {
    Blank,
    Record(Head),
    Hot(Step),
    Bad,
}

/// What a hot record says: its bytes, its channel, what was known before, and the values.
struct Step {
    size: usize,
    channel: Option<usize>,
    known: Values,
    values: Values,
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

impl Machine {
    /// Where the records of a page start, if it is of format 1.
    pub(crate) fn old_records_at(&mut self, page: u8) -> Option<Bytes> {
        self.reading.old = Old::NEW;
        let header = super::room(&self.geometry);
        let start = self.geometry.page_at(page) + header + header;
        self.reading.is_old.then_some(start)
    }

    /// Goes on with what is in the buffer.
    pub(crate) fn scan_old(&mut self, table: &mut dyn Table) -> Op {
        let (page, sequence, end) = self.reading_page();
        let seed = crc32c(u32::MAX, &sequence.to_le_bytes());
        let shift = self.geometry.shift();
        let unit = len(self.geometry.unit());
        loop {
            let pos = self.reading.pos;
            if self.leave_batch(pos) {
                continue;
            }
            let left = end - pos;
            if left.0 == 0 || self.reading.blank > MAX_BLANK {
                self.undo(table, false);
                return self.next_page(table);
            }
            let offset = len(pos - self.reading.start);
            let there = self.buffer.bytes().get(offset..self.reading.len);
            let there = there.unwrap_or_default();
            let (first, second) = (word(there, 0), word(there, 4));
            let head = Head::of(first);
            let total = head.map_or(8, Head::total);
            let wanted = total.wrapping_add(unit).min(MAX_RECORD).min(len(left));
            let is_checked = pos == self.reading.right || pos == self.reading.wrong;
            if there.len() < wanted && !is_checked {
                return self.read_on(left);
            }
            let at_seed = seed ^ (pos.0 >> (shift & 31));
            let found = match self.look_old(table, there, (first, second), at_seed) {
                _ if pos == self.reading.wrong => Found::Bad,
                Ok(found) => found,
                Err(_) if self.reading.hunting || self.reading.blank.0 > 0 => Found::Bad,
                Err(size) => {
                    // Of a channel whose record was not seen: a newer one will be.
                    self.reading.pos += bytes(self.up(size));
                    continue;
                }
            };
            let size = match &found {
                Found::Record(head) => self.up(head.total()),
                Found::Hot(hot) => self.up(hot.size),
                Found::Blank | Found::Bad => unit,
            };
            if self.reading.old.batch.is_some() {
                self.reading.pos = pos + bytes(size);
                if let Err(fail) = self.take_pending(table, &found, offset, page) {
                    return self.done(Err(fail));
                }
                continue;
            }
            let is_silent = matches!(&found, Found::Record(head) if head.kind() == SYNC);
            let is_valid = matches!(&found, Found::Record(_) | Found::Hot(_));
            let after = there.get(size).copied();
            let is_last = is_valid && !is_silent && after.is_none_or(|byte| byte == 0xFF);
            if is_last && pos != self.reading.right && size <= there.len() {
                self.sum = hash(there.get(..size).unwrap_or_default());
                self.reading.rechecks = RECHECKS;
                return self.read(State::Recheck, pos, size);
            }
            if is_valid {
                self.followed(table);
                let is_mark = matches!(&found, Found::Record(head) if head.kind() == WIPED);
                self.reading.is_last = is_last && !is_mark && self.reading.page == 0;
            }
            if let Err(fail) = self.judge_old(table, found, first, offset, page) {
                return self.done(Err(fail));
            }
        }
    }

    /// After the last record of a batch: on with what follows its commit record.
    fn leave_batch(&mut self, pos: Bytes) -> bool {
        match self.reading.old.batch {
            Some((commit, next)) if pos >= commit => {
                self.reading.old.batch = None;
                self.reading.pos = next;
                true
            }
            _ => false,
        }
    }

    /// Takes over a record of a batch.
    fn take_pending(
        &mut self,
        table: &mut dyn Table,
        found: &Found,
        offset: usize,
        page: u8,
    ) -> Result<(), Fail> {
        match found {
            Found::Record(head) if head.is_pending() && head.is_change() => {
                self.take_old(table, *head, offset, page)
            }
            _ => Ok(()),
        }
    }

    /// What is here; `Err` is the size of a hot record of which it is not known what it goes on from.
    fn look_old(
        &self,
        table: &mut dyn Table,
        there: &[u8],
        (first, second): (u32, u32),
        seed: u32,
    ) -> Result<Found, usize> {
        let unit = len(self.geometry.unit());
        if is_blank(there.get(..unit).unwrap_or(there)) {
            return Ok(Found::Blank);
        }
        if let Some(head) = Head::of(first) {
            let is_right = head.open(there, seed).is_some();
            return Ok(if is_right {
                Found::Record(head)
            } else {
                Found::Bad
            });
        }
        let hot = Hot::of(self.geometry.shift(), first, second);
        self.resolve(table, &hot, seed).map_err(|()| hot.size)
    }

    /// What the hot record here says, if it is right; `Err` where what it goes on from is not known.
    fn resolve(&self, table: &mut dyn Table, hot: &Hot, seed: u32) -> Result<Found, ()> {
        let channel = hot
            .channel()
            .map(|position| len(core::num::Wrapping(position)));
        let base = match channel {
            None => values(self.base),
            Some(position) => {
                let is_known = mark(table, Place::new(List::Channels, position)) != NOWHERE;
                let pts = table.pts(position).filter(|_| is_known).ok_or(())?;
                [i32::try_from(position).map_err(|_| ())?, pts, 0]
            }
        };
        let Some(values) = hot.decode(seed, base) else {
            return Ok(Found::Bad);
        };
        Ok(Found::Hot(Step {
            size: hot.size,
            channel,
            known: base,
            values,
        }))
    }

    /// Decides what is found means for what comes next.
    fn judge_old(
        &mut self,
        table: &mut dyn Table,
        found: Found,
        word: u32,
        offset: usize,
        page: u8,
    ) -> Result<(), Fail> {
        let pos = self.reading.pos;
        let unit = self.geometry.unit();
        let was_hunting = self.reading.hunting;
        match found {
            Found::Blank => {
                self.undo(table, false);
                if !was_hunting {
                    self.reading.blank += unit;
                }
                self.reading.pos += unit;
            }
            Found::Bad => self.bad_old(table, word),
            Found::Hot(hot) => {
                let follows = !was_hunting && self.reading.blank.0 == 0;
                let (from, to) = self.reading.old.successor;
                let is_sure = follows
                    || core::mem::replace(&mut self.reading.trial, Trial::NONE).is_any()
                    || pos >= from && pos <= to;
                self.take_delta(table, hot.channel, hot.values);
                self.reading.last_delta = hot.channel;
                let size = bytes(self.up(hot.size));
                self.reading.blank = bytes(0);
                self.reading.pos += size;
                self.reading.hunting = !is_sure;
                if is_sure {
                    self.damaged = self.damaged.saturating_add((!follows).into());
                    self.flags.set(Flags::PRESENT, true);
                } else {
                    self.reading.trial = Trial::of(pos + size, hot.channel, hot.known);
                }
            }
            Found::Record(head) => return self.record_old(table, head, offset, page),
        }
        Ok(())
    }

    /// What starts here is no record.
    fn bad_old(&mut self, table: &mut dyn Table, word: u32) {
        let pos = self.reading.pos;
        let unit = self.geometry.unit();
        let was_hunting = self.reading.hunting;
        self.undo(table, false);
        // A flipped bit makes a long hot record look like a short one, and the other way round; behind a
        // torn one, a unit is left out.
        let (first, last) = match Head::of_damaged(word) {
            Some(head) => {
                let size = bytes(self.up(head.total()));
                (size, size)
            }
            None => (unit, unit + unit),
        };
        let old = &mut self.reading.old;
        let (from, to) = old.successor;
        let next = (pos + first, pos + last);
        if !was_hunting {
            old.successor = next;
        } else if pos >= from && pos <= to && last <= unit + unit {
            old.successor.1 = to.max(next.1);
        }
        self.reading.hunting = true;
        self.reading.blank = bytes(0);
        self.reading.pos += unit;
    }

    fn record_old(
        &mut self,
        table: &mut dyn Table,
        head: Head,
        offset: usize,
        page: u8,
    ) -> Result<(), Fail> {
        let pos = self.reading.pos;
        let unit = self.geometry.unit();
        let was_hunting = self.reading.hunting;
        let is_damage = was_hunting && head.kind() != SYNC;
        self.damaged = self.damaged.saturating_add(is_damage.into());
        self.right(bytes(self.up(head.total())));
        self.reading.last_delta = None;
        if head.is_change() && !head.is_pending() {
            self.take_old(table, head, offset, page)?;
        }
        if head.kind() == COMMIT {
            let units = core::num::Wrapping(head.slot());
            let start = self.geometry.page_at(page) + units * unit;
            if start < pos {
                self.reading.old.batch = Some((pos, self.reading.pos));
                self.reading.pos = start;
                // The batch may be in what the buffer does not hold any more.
                (self.reading.start, self.reading.len) = (start, 0);
            }
        }
        if head.kind() == WIPED {
            let is_stale = head.slot() != 0;
            self.flags.set(Flags::STALE, is_stale);
            if !is_stale {
                self.flags.set(Flags::DELETED, false);
            }
        }
        Ok(())
    }

    /// Takes over the change of a valid record.
    fn take_old(
        &mut self,
        table: &mut dyn Table,
        head: Head,
        offset: usize,
        page: u8,
    ) -> Result<(), Fail> {
        let end = offset.wrapping_add(head.payload_end());
        let payload = self.buffer.bytes().get(offset.wrapping_add(4)..end);
        let mut text = Text::new();
        let change = payload::read(head.packed(), payload.unwrap_or_default(), &mut text);
        let slot = len(core::num::Wrapping(head.slot()));
        // Of a log with more pages than are written, which is only read, any page but "nowhere" will do.
        let page = page % NOWHERE;
        let mut mark = page;
        if self.reading.is_last {
            mark |= AHEAD;
        }
        let place = match &change {
            // Valid but unknown: a newer release's change that this one can do without.
            None => {
                self.damaged = self.damaged.saturating_add(1);
                return Ok(());
            }
            Some(Change::Update(UpdateChange::ClearChannels)) => {
                table.truncate(List::Channels, 0);
                if self.reading.is_last {
                    self.reading.owed |= 1 << List::Channels.number();
                }
                Place::COUNTERS
            }
            Some(Change::Update(UpdateChange::Counters(counters))) => {
                self.base = *counters;
                Place::COUNTERS
            }
            Some(Change::Dc(dc)) => {
                let position = slot & 0xFF;
                let first = Place::new(List::Dcs, position);
                // The same once more, elsewhere: the second copy.
                let is_copy = matches!(table.get(first), Some(Change::Dc(known)) if known == *dc)
                    && crate::index::mark(table, first) & NOWHERE != page;
                Place::new(if is_copy { List::Copies } else { List::Dcs }, position)
            }
            Some(Change::Update(_)) => Place::new(List::Channels, slot),
            Some(Change::Peer(_)) => Place::new(List::Peers, slot),
            Some(Change::MinPeer(_)) => Place::new(List::MinPeers, slot),
            Some(Change::HomeDc(_)) => Place::HOME_DC,
            Some(Change::Account(_)) => Place::new(List::Singles, 2),
            Some(_) => Place::new(List::Singles, 3),
        };
        self.flags.set(Flags::PRESENT, true);
        match &change {
            Some(change) if place != Place::COUNTERS => {
                keep(table, &mut self.lengths, place, change, mark)
            }
            _ => Ok(()),
        }
    }
}
