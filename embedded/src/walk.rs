//! Reading a page record by record: decides what counts, and takes note of it.
//!
//! A page is read up to a run of blank units that no record could have left: a chip that programs many
//! bytes in one operation may lose power when only the last of them have changed. What is not a valid
//! record was torn, or rotted; then the next record with a check of 24 bits or more is looked for, or two
//! hot records in a row: a single one could be found in the middle of random bytes.

use core::ops::Range;

use mtsession_core::Change;

use crate::error::Fail;
use crate::fill::Receive;
use crate::geometry::Geometry;
use crate::header::{Header, PRESENT, header_units};
use crate::hot::{self, Decoded, Hot};
use crate::index::Index;
use crate::lists::{CHANNELS, list_of};
use crate::record::{self, COMMIT, Head, MAX_RECORD, SYNC, WIPED};
use crate::span::{bytes_in, hot_units, successor};
use crate::state::{Last, Page, Stale, State};

/// Bytes of the longest run of blank units before something that counts: a record of which nothing
/// reads, and the units that starts after it left out.
pub(crate) const MAX_BLANK: u32 = 704;

/// How reading goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Behind a valid record.
    Reading,
    /// After so many blank units.
    Gap(u32),
    /// Behind something that is no record.
    Hunting,
}

/// What is at a position.
#[derive(Clone, Copy)]
enum Found {
    Blank,
    Record(Head),
    Hot(Decoded),
}

/// A reader of one page. A piece of the page is in a buffer, which moves forward with the reader.
pub(crate) struct Walk {
    page: Page,
    /// Position of the buffer's first byte.
    start: u32,
    /// Bytes in the buffer that are valid.
    len: usize,
    at: u32,
    /// Behind the last valid record.
    tail: u32,
    mode: Mode,
    /// Where a single hot record is accepted although hunting: right behind a bad one.
    successor: Range<u32>,
    /// A first hot record found while hunting, as what undoes it.
    trial: Option<Hot>,
    /// The last valid record.
    last: Last,
    /// The commit record up to which pending changes are being applied.
    batch_end: Option<u32>,
}

impl Walk {
    pub(crate) fn new(geometry: &Geometry, page: Page) -> Self {
        let at = geometry.page_at(page.number);
        Self {
            page,
            start: at,
            len: 0,
            at,
            tail: page.tail,
            mode: Mode::Reading,
            successor: 0..0,
            trial: None,
            batch_end: None,
            last: Last::Other,
        }
    }

    /// The bytes from where the reader is.
    fn bytes<'b>(&self, buffer: &'b [u8], shift: u8) -> &'b [u8] {
        let from = bytes_in(self.at.wrapping_sub(self.start), shift);
        buffer.get(from..self.len).unwrap_or_default()
    }

    /// How much has to be read to the start of the buffer, from where the reader is, before the next
    /// step. What is known of it already is read again: drivers want whole, aligned buffers.
    pub(crate) fn missing(&mut self, geometry: &Geometry, buffer: &[u8]) -> Option<usize> {
        let shift = geometry.shift;
        let known = self.bytes(buffer, shift);
        let kept = known.len();
        // And what comes after it.
        let wanted = Head::decode(known)
            .map_or(8, Head::record_len)
            .saturating_add(bytes_in(1, shift))
            .min(MAX_RECORD);
        let left = bytes_in(self.page.end.saturating_sub(self.at), shift);
        (kept < wanted.min(left)).then(|| self.again(geometry))
    }

    /// As [`missing`](Self::missing), whatever is known.
    pub(crate) fn again(&mut self, geometry: &Geometry) -> usize {
        let left = bytes_in(self.page.end.saturating_sub(self.at), geometry.shift);
        self.start = self.at;
        self.len = left.min(MAX_RECORD);
        self.len
    }

    /// Whether there is a valid record here that may be the last one before the power was lost: then
    /// nothing, or a gap, is after it. It may be half-done and read well only now and then.
    pub(crate) fn is_last(&self, buffer: &[u8], geometry: &Geometry, index: &Index<'_>) -> bool {
        if self.at < self.page.tail || self.at >= self.page.end || self.batch_end.is_some() {
            return false;
        }
        let bytes = self.bytes(buffer, geometry.shift);
        let units = match Head::decode(bytes) {
            Some(head) => head.units(geometry),
            None => hot_units(bytes, geometry),
        };
        // No record begins like erased flash.
        let next = bytes.get(bytes_in(units, geometry.shift));
        if next.is_some_and(|first| *first != 0xFF) {
            return false;
        }
        match self.look(bytes, geometry, index).0 {
            Found::Record(head) => head.kind() != SYNC,
            Found::Hot(decoded) => matches!(decoded, Decoded::Valid(_)),
            Found::Blank => false,
        }
    }

    /// Where the reader is.
    pub(crate) const fn position(&self) -> u32 {
        self.at
    }

    /// Goes one record on. `false`: the page ends here.
    pub(crate) fn step(
        &mut self,
        buffer: &[u8],
        state: &mut State,
        index: &mut Index<'_>,
        session: &mut Option<&mut (dyn Receive + '_)>,
    ) -> Result<bool, Fail> {
        let geometry = state.geometry;
        let bytes = self.bytes(buffer, geometry.shift);
        if self.at < self.page.tail {
            self.header(bytes, state, index);
            return Ok(true);
        }
        if self.batch_end.is_some_and(|end| self.at >= end) {
            // Behind the commit record.
            self.at = self.tail;
            self.batch_end = None;
            return Ok(true);
        }
        if self.at >= self.page.end {
            self.finish(state, index);
            return Ok(false);
        }
        if geometry.shift == 2 && self.mode == Mode::Reading && self.batch_end.is_none() {
            let run = self.short(bytes, index);
            if run > 0 {
                self.at = self.at.wrapping_add(run);
                self.tail = self.at;
                self.last = Last::Other;
                state.present = true;
                return Ok(true);
            }
        }
        let (found, next) = self.look(bytes, &geometry, index);
        let at = self.at;
        self.at = next;
        if self.batch_end.is_none() {
            return self.judge(found, at, bytes, state, index, session);
        }
        if let Found::Record(head) = found
            && head.is_pending()
            && head.is_change()
        {
            take(bytes, at, head, state, index, session)?;
        }
        Ok(true)
    }

    /// Takes note of the short hot records that are here, one after another, but for the last one; how
    /// many there are.
    fn short(&self, bytes: &[u8], index: &mut Index<'_>) -> u32 {
        let mut run = 0_u32;
        let (words, _) = bytes.as_chunks::<4>();
        for (word, next) in words.iter().zip(words.iter().skip(1)) {
            let at = self.at.wrapping_add(run);
            let ([first, ..], [next, ..]) = (word, next);
            if *first >= 0x80 || *next == 0xFF {
                break;
            }
            let Decoded::Valid(hot) = hot::narrow(self.page.seed ^ at, index, word) else {
                break;
            };
            index.note_hot(hot);
            run = run.wrapping_add(1);
        }
        run
    }

    /// What is here, and where to look next.
    fn look(&self, bytes: &[u8], geometry: &Geometry, index: &Index<'_>) -> (Found, u32) {
        let seed = self.page.seed ^ self.at;
        let behind = |units| self.at.wrapping_add(units);
        if bytes
            .iter()
            .take(bytes_in(1, geometry.shift))
            .all(|byte| *byte == 0xFF)
        {
            return (Found::Blank, behind(1));
        }
        if Head::decode(bytes).is_some() {
            return match record::open(bytes, seed) {
                Some(head) => (Found::Record(head), behind(head.units(geometry))),
                None => (Found::Hot(Decoded::Bad), behind(1)),
            };
        }
        let decoded = hot::decode(geometry.shift, seed, index, bytes);
        let units = if decoded == Decoded::Bad {
            1
        } else {
            hot_units(bytes, geometry)
        };
        (Found::Hot(decoded), behind(units))
    }

    /// Decides what is found at `at` means for what comes next.
    fn judge(
        &mut self,
        found: Found,
        at: u32,
        bytes: &[u8],
        state: &mut State,
        index: &mut Index<'_>,
        session: &mut Option<&mut (dyn Receive + '_)>,
    ) -> Result<bool, Fail> {
        let geometry = state.geometry;
        let was = self.mode;
        match found {
            Found::Blank => {
                self.revert(index);
                match was {
                    Mode::Reading => self.mode = Mode::Gap(1),
                    Mode::Gap(blanks) if blanks << geometry.shift < MAX_BLANK => {
                        self.mode = Mode::Gap(blanks.wrapping_add(1));
                    }
                    Mode::Gap(_) => {
                        self.finish(state, index);
                        return Ok(false);
                    }
                    Mode::Hunting => {}
                }
            }
            // A channel's hot record whose base was not seen: a newer base will be.
            Found::Hot(Decoded::Unresolved) if was == Mode::Reading => self.tail = self.at,
            Found::Hot(Decoded::Bad | Decoded::Unresolved) => {
                self.revert(index);
                let next = successor(at, bytes, &geometry);
                if was != Mode::Hunting {
                    self.successor = next;
                } else if self.successor.contains(&at) && next.end <= at.wrapping_add(3) {
                    // Hot records that continue a lost one are bad in a row; and behind a torn record
                    // there may be a bad sync record, on a word that an earlier one weakened.
                    self.successor.end = self.successor.end.max(next.end);
                }
                self.mode = Mode::Hunting;
                self.at = at.wrapping_add(1);
            }
            Found::Hot(Decoded::Valid(hot)) => {
                let undo = index.note_hot(hot);
                let follows = was == Mode::Reading;
                if follows || self.trial.take().is_some() || self.successor.contains(&at) {
                    if !follows {
                        state.count_damage();
                    }
                    state.present = true;
                    self.mode = Mode::Reading;
                    self.last = Last::Other;
                    self.tail = self.at;
                } else {
                    self.mode = Mode::Hunting;
                    self.trial = Some(undo);
                }
            }
            Found::Record(head) => {
                if was == Mode::Hunting && head.kind() != SYNC {
                    state.count_damage();
                }
                self.trial = None;
                self.mode = Mode::Reading;
                self.tail = self.at;
                if head.is_change() && !head.is_pending() {
                    take(bytes, at, head, state, index, session)?;
                }
                self.last = Last::of(head, bytes);
                if head.kind() == COMMIT {
                    let start = geometry.page_at(self.page.number);
                    let start = start.wrapping_add(head.slot().into());
                    if start < at {
                        self.batch_end = Some(at);
                        self.at = start;
                    }
                }
                if head.kind() == WIPED {
                    state.note_wiped(head.slot(), self.page.number == state.head);
                }
            }
        }
        Ok(true)
    }

    /// Looks for the header, or its copy.
    fn header(&mut self, bytes: &[u8], state: &mut State, index: &mut Index<'_>) {
        let units = header_units(&state.geometry);
        let header = Header::decode(bytes, self.page.number);
        self.at = self.at.wrapping_add(units);
        if let Ok(header) = header {
            index.set_counters(header.home_dc_id, header.counters);
            state.stale = Stale::of(header.flags);
            state.present |= header.flags & PRESENT != 0;
            self.at = self.page.tail;
        }
    }

    fn finish(&mut self, state: &mut State, index: &mut Index<'_>) {
        self.revert(index);
        if self.page.number == state.head {
            state.last = self.last;
            state.page = Page {
                tail: self.tail,
                ..self.page
            };
        }
    }

    fn revert(&mut self, index: &mut Index<'_>) {
        if let Some(hot) = self.trial.take() {
            index.note_hot(hot);
        }
    }
}

/// Applies a valid record's change.
fn take(
    bytes: &[u8],
    at: u32,
    head: Head,
    state: &mut State,
    index: &mut Index<'_>,
    session: &mut Option<&mut (dyn Receive + '_)>,
) -> Result<(), Fail> {
    let Some(change) = record::decode(bytes) else {
        // Valid but unknown: a newer release's change that this one can do without.
        state.count_damage();
        return Ok(());
    };
    state.present = true;
    let slot = head.slot();
    index
        .note(&change, slot, at, head.units(&state.geometry))
        .map_err(Fail::Capacity)?;
    // Counters, channels and the home DC are kept by the index, and put in at the end.
    if !matches!(list_of(&change), None | Some(CHANNELS))
        && let Some(receiver) = session
    {
        let [_, low] = slot.to_be_bytes();
        let slot = if let Change::Dc(_) = change {
            low.into()
        } else {
            slot
        };
        if usize::from(slot) >= list_of(&change).map_or(0, |list| index.lists.capacity(list)) {
            // Forgotten, see `note`.
            return Ok(());
        }
        // A session that has no room now may have it once it is known what is still there.
        if receiver.receive(Some(slot), &change).is_err() {
            *session = None;
        }
    }
    Ok(())
}
