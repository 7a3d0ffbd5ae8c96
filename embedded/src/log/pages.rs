//! Pages: beginning one, turning to the next.

use core::ops::Range;

use super::super::{NorFlash, bisync};
use super::Shell;
use super::flash::TRIES;
use crate::error::Fail;
use crate::geometry::Geometry;
use crate::header::{Header, PRESENT, header_units};
use crate::hot::PRIMARY;
use crate::lists::{CHANNELS, DC_COPIES, DCS, NOWHERE, Slot};
use crate::record::{self, MARK_LEN};
use crate::settings::KeyCopies;
use crate::state::{Page, seed};

/// How many programs in a row must work at most before a page is erased to which turning failed so often.
/// More of them would keep a driver that fails every third call from ever trying again.
const PROBES: u8 = 4;
/// Bytes of the longest record that counters need.
const COUNTERS_LEN: u32 = 32;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Begins the page behind the head, which is erased unless that is known to be done.
    pub(super) async fn open_page(&mut self) -> Result<(), Fail> {
        self.prepare_next().await?;
        let page = self.state.geometry.next(self.state.head, 1);
        let seed = seed(self.state.sequence.wrapping_add(1));
        self.state.page = Page::new(&self.state.geometry, page, seed);
        self.state.tail_unknown = false;
        // Until the page counts.
        self.state.failed_turns = self.state.failed_turns.saturating_add(1);
        Ok(())
    }

    /// Erases the page behind the head unless that is known to be done.
    pub(super) async fn prepare_next(&mut self) -> Result<(), Fail> {
        self.settle_headers().await?;
        let head = self.state.head;
        let next = self.state.geometry.next(head, 1);
        // All pages are erased in turn.
        let expected = self.state.erases.saturating_add((next < head).into());
        let recorded = match self.header(next).await {
            Ok(header) => header.erases.saturating_add(1),
            Err(_) => 0,
        };
        self.state.next_erases = recorded.max(expected);
        if self.state.erased == 0 {
            self.probe_next(next).await?;
            self.state.probed = 0;
            // What an erase that fails leaves is not tried, though it may look blank.
            let failed_turns = core::mem::take(&mut self.state.failed_turns);
            self.chip.erase(next).await?;
            self.state.failed_turns = failed_turns;
            self.state.erased = 1;
        }
        Ok(())
    }

    /// After turning to the next page failed: does nothing to it before the driver programs again, and
    /// where it failed again and again, several times in a row. What is tried is at the end of that page,
    /// which will be erased.
    async fn probe_next(&mut self, next: u8) -> Result<(), Fail> {
        let page = Page::new(&self.state.geometry, next, 0);
        let units = self.state.geometry.units(MARK_LEN);
        for probe in 0..self.state.failed_turns.min(PROBES) {
            let probed = self.state.probed.wrapping_add(units);
            if probed > page.room() {
                break;
            }
            self.state.probed = probed;
            let tries = if probe == 0 { TRIES } else { 1 };
            self.probe(page.end.wrapping_sub(probed), tries).await?;
        }
        Ok(())
    }

    /// Whether the driver programs a place on a page that will be erased.
    async fn probe(&mut self, at: u32, tries: u8) -> Result<(), Fail> {
        let units = self.state.geometry.units(MARK_LEN);
        let mut tried = Ok(());
        for _ in 0..tries {
            // Something that was left there says that it was programmed.
            if self.chip.programmed_end(at, at.wrapping_add(units)).await? > at {
                return Ok(());
            }
            let bytes = self.buffer.units(units, &self.state.geometry);
            bytes.fill(0);
            tried = self.chip.program(at, bytes).await;
            if tried.is_ok() {
                break;
            }
        }
        tried
    }

    /// Makes the page that is being written count: programs its header twice.
    pub(super) async fn close_page(&mut self, flags: u8, part: u8, parts: u8) -> Result<(), Fail> {
        let mut header = self.next_header(flags, part, parts);
        let Page { number, .. } = self.state.page;
        let units = header_units(&self.state.geometry);
        let mut at = self.state.geometry.page_at(number);
        let bytes = self.buffer.units(units, &self.state.geometry);
        header.encode(number, bytes);
        let mut result = Ok(());
        let mut counts = false;
        for _ in 0..2_u8 {
            let bytes = self.buffer.units(units, &self.state.geometry);
            result = self.chip.program(at, bytes).await;
            counts |= result.is_ok();
            at = at.wrapping_add(units);
        }
        if !counts {
            return result;
        }
        self.state.begin(&header);
        self.state.begun = self.state.begun.saturating_add(1);
        self.state.counted = true;
        self.state.homed = true;
        self.state.fresh = false;
        self.state.failed_turns = 0;
        self.state.tail_unknown = false;
        self.state.touched = 0;
        self.index.fixed.written = self.index.fixed.counters;
        Ok(())
    }

    /// The header of the page that is being written.
    pub(super) fn next_header(&self, flags: u8, part: u8, parts: u8) -> Header {
        let Geometry {
            page_size,
            pages,
            shift,
            ..
        } = self.state.geometry;
        Header {
            page_size,
            pages,
            shift,
            flags,
            sequence: self.state.sequence.wrapping_add(1),
            erases: self.state.next_erases,
            part,
            parts,
            home_dc_id: self.index.fixed.home_dc_id,
            counters: self.index.fixed.counters,
        }
    }

    /// Begins the next page: copies what is live in the oldest one, which then is the free page.
    /// With `pack`, goes on with what is live in the pages behind it, as long as it fits.
    pub(super) async fn turn(&mut self, pack: bool) -> Result<(), Fail> {
        self.state.forget();
        self.open_page().await?;
        let mut copying = Copying::new(self.state.geometry.next(self.state.page.number, 1), pack);
        while let Some((from, to)) = self.next_copy(&mut copying) {
            let is_known = if from.list == CHANNELS {
                let change = self.index.absolute(from.slot);
                record::encode(&change, from.slot, self.buffer.bytes()).is_some()
            } else {
                self.fetch(from.list, from.slot).await?
            };
            let mut at = NOWHERE.into();
            if is_known {
                record::set_pending(self.buffer.bytes(), false);
                self.emit().await?;
                let units = self.units();
                at = self.state.page.last(units);
            } else {
                self.state.count_damage();
            }
            self.index.moved(to, at);
        }
        // The header has the counters, so that a first update of them is stored with it.
        let is_present = self.state.present || self.index.is_ahead(PRIMARY);
        let flags = if is_present { PRESENT } else { 0 };
        let flags = flags | self.state.stale.flags();
        self.close_page(flags, 0, 0).await?;
        self.state.remember();
        Ok(())
    }

    /// What to copy next, and the slot that its new place is for.
    fn next_copy(&self, copying: &mut Copying) -> Option<(Slot, Slot)> {
        let Self { state, index, .. } = self;
        let geometry = &state.geometry;
        let Page { number, .. } = state.page;
        let oldest = geometry.next(number, 1);
        while let Some(victim) = copying.victim {
            // What does not fit stays, unless it must go.
            let room = if victim == oldest {
                u32::MAX
            } else {
                state.page.room()
            };
            let within = geometry.page(victim);
            if let Some((slot, _)) = index.lists.next(&mut copying.cursor, &within, room) {
                return Some((slot, slot));
            }
            let next = geometry.next(victim, 1);
            copying.cursor = Slot::default();
            let more = copying.pack && next != number && next != oldest && oldest != state.head;
            copying.victim = more.then_some(next);
        }
        if state.key_copies == KeyCopies::One {
            return None;
        }
        // DC entries that have only one copy get a second one, if the first is elsewhere.
        let own: Range<u32> = geometry.page(number);
        while copying.cursor.slot < index.len(DCS) {
            let slot = copying.cursor.slot;
            copying.cursor.slot = slot.wrapping_add(1);
            let first = Slot { list: DCS, slot };
            let second = Slot {
                list: DC_COPIES,
                slot,
            };
            let (known, copy) = (index.lists.get(DCS, slot), index.lists.get(DC_COPIES, slot));
            let (from, to, place) = match (known.at, copy.at) {
                (NOWHERE, _) => (second, first, copy),
                (_, NOWHERE) => (first, second, known),
                _ => continue,
            };
            let is_elsewhere = place.at != NOWHERE && !own.contains(&place.at.into());
            if is_elsewhere && state.page.room() >= u32::from(place.units) {
                return Some((from, to));
            }
        }
        None
    }

    /// Units of live records that the region takes. Wherever they are, some page has room beside them
    /// for a record of counters: a session that was stored can always be counted on. With two copies of
    /// keys, some page that has not the first has room for a second one of `dc` units.
    pub(super) fn limit(&self, dc: u32) -> u32 {
        let mut pages = u32::from(self.state.geometry.pages).wrapping_sub(1);
        let mut spare = self.state.geometry.units(COUNTERS_LEN);
        let mut own = 0;
        if self.state.key_copies == KeyCopies::Two && dc > 0 {
            pages = pages.wrapping_sub(1);
            spare = spare.max(dc);
            own = dc;
        }
        let room = self.state.page_room().saturating_sub(spare);
        pages.saturating_mul(room).saturating_add(own)
    }

    /// Units of the longest DC entry.
    pub(super) fn longest_dc(&self) -> u32 {
        let places = (0..self.index.len(DCS)).map(|slot| self.index.lists.get(DCS, slot));
        let longest = places.map(|place| place.units).max();
        longest.unwrap_or_default().into()
    }

    /// Makes room for `units` in the head page, by `growth` of which there will be more live ones.
    pub(super) async fn reserve(&mut self, units: u32, growth: u32) -> Result<(), Fail> {
        if growth > 0 {
            let live = self.index.lists.live_units(&self.state.everywhere());
            let dc = self.longest_dc().max(growth >> 1);
            if live.saturating_add(growth) > self.limit(dc) {
                return Err(Fail::StoreFull);
            }
        }
        if self.state.fresh {
            self.first_write().await?;
        }
        if self.state.tail_unknown {
            self.reopen_tail().await?;
        }
        if self.state.page.room() >= units {
            return Ok(());
        }
        // With less than this live in the average page, one of them leaves enough room behind.
        let per_page = self.state.page_room().saturating_sub(units);
        let pages = u32::from(self.state.geometry.pages).wrapping_sub(1);
        let live = self.index.lists.live_units(&self.state.everywhere());
        if live > pages.saturating_mul(per_page) {
            return Err(Fail::StoreFull);
        }
        for _ in 0..=pages {
            self.turn(false).await?;
            if self.state.page.room() >= units {
                return Ok(());
            }
        }
        Err(Fail::StoreFull)
    }
}

/// A page turn's progress.
struct Copying {
    /// The page whose live records are being copied; `None` for second copies of DC entries.
    victim: Option<u8>,
    pack: bool,
    cursor: Slot,
}

impl Copying {
    fn new(victim: u8, pack: bool) -> Self {
        Self {
            victim: Some(victim),
            pack,
            cursor: Slot::default(),
        }
    }
}
