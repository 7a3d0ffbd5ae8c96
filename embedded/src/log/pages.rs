//! Pages: which count, beginning one, turning to the next.

use core::ops::Range;

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::geometry::Geometry;
use crate::header::{Header, PRESENT, header_units};
use crate::hot::PRIMARY;
use crate::lists::{CHANNELS, DC_COPIES, DCS, NOWHERE, Slot};
use crate::locate::Locator;
use crate::record::{self, Head, SYNC};
use crate::settings::KeyCopies;
use crate::state::{Page, seed};

/// Bytes of the longest record that counters need.
const COUNTERS_LEN: u32 = 32;
/// Places that a record is tried at.
const ATTEMPTS: u8 = 4;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Finds the newest page and how many count. Reads only headers.
    pub(super) async fn locate(&mut self) -> Result<(), Fail> {
        let geometry = self.state.geometry;
        let mut locator = Locator::new();
        for page in 0..geometry.pages {
            let mut header = self.header(page).await;
            if header == Err(Fail::Flash) {
                // An older page must not be taken for the newest.
                return Err(Fail::Flash);
            }
            if let Ok(other) = &header
                && !other.matches(&geometry)
            {
                let unit = 1_u32.wrapping_shl(other.shift.into());
                self.chip.details.geometry = (other.pages, other.page_size, unit);
                header = Err(Fail::Geometry);
            }
            locator.see(page, header);
        }
        let (newest, chain) = locator.finish()?;
        self.state.page = Page::new(&geometry, newest.page, seed(newest.header.sequence));
        self.state.begin(&newest.header);
        self.state.erased = 0;
        self.state.chain = chain.min(geometry.pages.wrapping_sub(1));
        self.state.located = true;
        Ok(())
    }

    /// Reads the header of a page, or its copy.
    pub(super) async fn header(&mut self, page: u8) -> Result<Header, Fail> {
        let geometry = self.state.geometry;
        let units = header_units(&geometry);
        let mut at = geometry.page_at(page);
        let mut first = None;
        loop {
            let bytes = self.buffer.units(units, &geometry);
            let header = match self.chip.read(at, bytes).await {
                Ok(()) => Header::decode(bytes, page),
                Err(fail) => Err(fail),
            };
            match (header, first) {
                (Ok(header), _) => return Ok(header),
                // Where neither is a header, the first place says better what is there.
                (Err(Fail::Flash), _) if first.is_some() => return Err(Fail::Flash),
                (Err(_), Some(first)) => return Err(first),
                (Err(fail), None) => first = Some(fail),
            }
            at = at.wrapping_add(units);
        }
    }

    /// Begins the page behind the head, which is erased unless that is known to be done.
    pub(super) async fn open_page(&mut self) -> Result<(), Fail> {
        self.prepare_next().await?;
        let page = self.state.geometry.next(self.state.head, 1);
        let seed = seed(self.state.sequence.wrapping_add(1));
        self.state.page = Page::new(&self.state.geometry, page, seed);
        self.state.tail_unknown = false;
        Ok(())
    }

    /// Erases the page behind the head unless that is known to be done.
    pub(super) async fn prepare_next(&mut self) -> Result<(), Fail> {
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
            self.chip.erase(next).await?;
            self.state.erased = 1;
        }
        Ok(())
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
        self.state.tail_unknown = false;
        self.state.touched = 0;
        self.index.fixed.written = self.index.fixed.counters;
        Ok(())
    }

    /// The header of the page that is being written.
    fn next_header(&self, flags: u8, part: u8, parts: u8) -> Header {
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

    /// Goes on behind whatever a power cut or a failed program left: behind one blank unit, since
    /// the last word may be weaker than it looks, with a sync record that readers find.
    pub(super) async fn reopen_tail(&mut self) -> Result<(), Fail> {
        let Page { tail, end, .. } = self.state.page;
        let programmed = self.chip.programmed_end(tail, end).await?;
        let mut start = programmed.saturating_add(1);
        // A record that was begun is left out as a whole: units of ones look like erased ones.
        let touched = self.state.touched;
        if (tail..=end).contains(&touched) {
            start = start.max(touched);
        } else if programmed > tail {
            let unit = self.buffer.units(1, &self.state.geometry);
            self.chip.read(tail, unit).await?;
            let behind = tail.saturating_add(self.units());
            if behind >= programmed {
                start = behind;
            }
        }
        self.state.page.tail = start.min(end);
        // Twice: a cut in the first one before this start may have weakened its word, without a trace.
        // It may take what is programmed now, and lose it later.
        for _ in 0..2_u8 {
            record::mark(SYNC, 0, self.buffer.bytes());
            if self.emit().await.is_err() {
                // The page is full, or as good as full.
                self.state.page.tail = end;
            }
        }
        self.state.tail_unknown = false;
        Ok(())
    }

    /// Units of the record in the buffer.
    #[inline(never)]
    pub(super) fn units(&mut self) -> u32 {
        let head = Head::decode(self.buffer.bytes());
        head.map_or(0, |head| head.units(&self.state.geometry))
    }

    /// Programs the record in the buffer behind the page's tail, or further on where that does not
    /// take. The page's tail is behind it then.
    pub(super) async fn emit(&mut self) -> Result<(), Fail> {
        let geometry = self.state.geometry;
        let units = self.units();
        let base = self.state.page.tail;
        let mut fail = Fail::StoreFull;
        for _ in 0..ATTEMPTS {
            let at = self.state.page.tail;
            if self.state.page.room() < units {
                break;
            }
            let next = at.wrapping_add(units);
            self.state.page.tail = next;
            let bytes = self.buffer.units(units, &geometry);
            record::seal(bytes, self.state.page.seed ^ at);
            match self.chip.program(at, bytes).await {
                Ok(()) => {
                    self.state.tail_unknown = false;
                    return Ok(());
                }
                Err(failed) => fail = failed,
            }
            // Readers take two blank units for the end: where nothing was left, leave one, but once.
            // Behind what was left they go on, so leave all of it, since a unit of ones looks like an
            // erased one.
            match self.chip.programmed_end(at, next).await {
                Ok(end) if end > at => {
                    self.state.tail_unknown = false;
                    if self.state.page.number == self.state.head {
                        self.state.touched = next;
                    }
                }
                Ok(_) if !self.state.tail_unknown => {
                    self.state.tail_unknown = true;
                    self.state.page.tail = at.wrapping_add(1);
                }
                Ok(_) => break,
                Err(failed) => {
                    fail = failed;
                    break;
                }
            }
        }
        // Whoever goes on looks at what was left here.
        self.state.page.tail = base;
        self.state.tail_unknown = true;
        Err(fail)
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
