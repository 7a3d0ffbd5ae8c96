//! What a log knows between two calls, apart from the index.

use core::ops::Range;

use mtsession_core::WhenFull;

use crate::geometry::{Geometry, RegionError};
use crate::header::{Header, PRESENT, STALE, STALE_WITHIN, WIPE, header_units};
use crate::record::{self, COMMIT, Head};
use crate::settings::{Durability, KeyCopies};

/// A page that is being written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    pub(crate) number: u8,
    /// Of the page's checks.
    pub(crate) seed: u32,
    /// Where the next record goes.
    pub(crate) tail: u32,
    /// Where the page ends.
    pub(crate) end: u32,
}

impl Page {
    #[inline(never)]
    pub(crate) fn new(geometry: &Geometry, number: u8, seed: u32) -> Self {
        let units = geometry.page(number);
        Self {
            number,
            seed,
            tail: units.start.wrapping_add(header_units(geometry) << 1),
            end: units.end,
        }
    }

    /// Where the last record is, of that many units.
    pub(crate) const fn last(&self, units: u32) -> u32 {
        self.tail.wrapping_sub(units)
    }

    pub(crate) const fn room(&self) -> u32 {
        self.end.saturating_sub(self.tail)
    }
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct State {
    pub(crate) geometry: Geometry,
    /// Why the region cannot hold a log; the geometry is none then.
    pub(crate) refused: Option<RegionError>,
    pub(crate) durability: Durability,
    pub(crate) key_copies: KeyCopies,
    pub(crate) when_full: WhenFull,
    /// The page that is being written: the head, or the next one until it has its header.
    pub(crate) page: Page,
    /// Number of the newest page that counts.
    pub(crate) head: u8,
    pub(crate) sequence: u32,
    pub(crate) erases: u32,
    /// How many pages count, the head included.
    pub(crate) chain: u8,
    /// Whether the log holds a session at all, be it an empty one.
    pub(crate) present: bool,
    /// Whether a deletion has to be finished.
    pub(crate) wipe: bool,
    /// Whether head and chain are as on flash.
    pub(crate) located: bool,
    /// Whether the index is as on flash.
    pub(crate) indexed: bool,
    /// Whether something may have been programmed at the tail that no one knows of.
    pub(crate) tail_unknown: bool,
    /// In the head page, behind the last record that was left unfinished: units of ones look erased.
    pub(crate) touched: u32,
    /// How many pages behind the head were erased since mount, and not written: what an erase before
    /// it left cannot be told from an interrupted one.
    pub(crate) erased: u8,
    /// How often the page behind the head has been erased once it is.
    pub(crate) next_erases: u32,
    /// Whether the log has not written since the power came on.
    pub(crate) fresh: bool,
    /// Whether headers that an earlier cut left half-done were looked for since then.
    pub(crate) settled: bool,
    /// Where writing began since the power came on: what is before may read differently some day. In
    /// the page that was the newest then, so many pages ago.
    pub(crate) since: u32,
    pub(crate) begun: u8,
    /// Whether the primary counters were written as a whole since the power came on.
    pub(crate) counted: bool,
    /// Whether the home DC was.
    pub(crate) homed: bool,
    /// The record before the gap in which the power was lost, if several others depend on it: a commit
    /// record, with its slot, or an emptied list.
    pub(crate) last: Last,
    /// Keys that were replaced, and may still be on the chip.
    pub(crate) stale: Stale,
    /// How often turning to the page after the head was begun, and failed, since it worked.
    pub(crate) failed_turns: u8,
    /// Units at the end of that page that were tried since.
    pub(crate) probed: u32,
    /// Counter changes that are only in RAM.
    pub(crate) lazy: u16,
    pub(crate) damaged: u16,
}

impl State {
    pub(crate) fn new(geometry: Result<Geometry, RegionError>) -> Self {
        let (geometry, refused) = match geometry {
            Ok(geometry) => (geometry, None),
            Err(error) => (Geometry::NONE, Some(error)),
        };
        Self {
            geometry,
            refused,
            durability: Durability::Now,
            key_copies: KeyCopies::One,
            when_full: WhenFull::Refuse,
            page: Page::new(&geometry, 0, 0),
            head: 0,
            sequence: 0,
            erases: 0,
            chain: 0,
            present: false,
            wipe: false,
            located: false,
            indexed: false,
            tail_unknown: true,
            touched: 0,
            erased: 0,
            next_erases: 0,
            fresh: true,
            settled: false,
            since: 0,
            begun: 0,
            counted: false,
            homed: false,
            last: Last::Other,
            stale: Stale::No,
            failed_turns: 0,
            probed: 0,
            lazy: 0,
            damaged: 0,
        }
    }

    /// How many pages a position is before the newest one.
    fn back(&self, position: u32) -> u8 {
        let page = self.geometry.page_of(position);
        self.geometry
            .next(self.head, self.geometry.pages.wrapping_sub(page))
    }

    /// Whether what is here was written, and read back, since the power came on.
    pub(crate) fn is_proven(&self, position: u32) -> bool {
        let back = self.back(position);
        back < self.begun || !self.fresh && back == self.begun && position >= self.since
    }

    /// Units for records in a page.
    #[inline(never)]
    pub(crate) fn page_room(&self) -> u32 {
        let headers = header_units(&self.geometry) << 1;
        self.geometry.page_units().saturating_sub(headers)
    }

    /// The seed of a page of the chain: sequence numbers of neighbours differ by one.
    pub(crate) fn seed_at(&self, position: u32) -> u32 {
        let back = u32::from(self.back(position));
        seed(self.sequence.wrapping_sub(back))
    }

    /// The page `back` before the head.
    pub(crate) fn page_before(&self, back: u8) -> Page {
        let number = self.geometry.previous(self.head, back);
        Page::new(
            &self.geometry,
            number,
            seed(self.sequence.wrapping_sub(back.into())),
        )
    }

    /// Takes the page that is being written as the newest one.
    pub(crate) fn begin(&mut self, header: &Header) {
        let others = if header.part == 1 { 0 } else { self.chain };
        self.chain = others
            .saturating_add(1)
            .min(self.geometry.pages.wrapping_sub(1));
        self.head = self.page.number;
        self.sequence = header.sequence;
        self.erases = header.erases;
        self.present = header.flags & PRESENT != 0;
        self.wipe = header.flags & WIPE != 0;
        self.stale = Stale::of(header.flags);
        self.erased = self.erased.saturating_sub(1);
    }

    /// All units of the region.
    pub(crate) fn everywhere(&self) -> Range<u32> {
        0..self.geometry.page_at(self.geometry.pages)
    }

    #[inline(never)]
    pub(crate) fn count_damage(&mut self) {
        self.damaged = self.damaged.saturating_add(1);
    }

    /// Takes note of a mark about keys that were replaced, or erased.
    pub(crate) const fn note_wiped(&mut self, slot: u16, is_in_head: bool) {
        if is_in_head {
            self.wipe = false;
        }
        self.stale = if slot == 0 { Stale::No } else { Stale::Within };
    }

    /// Counts a change of a counter. While none wait, `lazy` is 0.
    pub(crate) fn due(&mut self) -> Due {
        let waits = self.lazy > 0;
        match self.durability {
            Durability::Lazy(n @ 2..) => {
                self.lazy = self.lazy.saturating_add(1);
                if self.lazy >= n { Due::All } else { Due::Later }
            }
            _ if waits => Due::All,
            _ => Due::This,
        }
    }

    /// From here on until [`remember`](Self::remember), what is on flash is what counts: whatever ends
    /// the write in the middle.
    pub(crate) const fn forget(&mut self) {
        self.indexed = false;
        self.located = false;
    }

    /// The write is complete.
    pub(crate) const fn remember(&mut self) {
        self.indexed = true;
        self.located = true;
    }
}

/// The last valid record of the newest page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    /// The batch from this unit of the page on counts.
    Commit(u16),
    /// There are no channels.
    Cleared,
    Other,
}

impl Last {
    /// What is known where this one is the last.
    pub(crate) fn of(head: Head, record: &[u8]) -> Self {
        match head.kind() {
            COMMIT => Self::Commit(head.slot()),
            _ if record::empties_channels(head, record) => Self::Cleared,
            _ => Self::Other,
        }
    }
}

/// Where keys may be that the session no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stale {
    /// Nowhere.
    No,
    /// In pages that do not count.
    Outside,
    /// In those that do as well.
    Within,
}

impl Stale {
    pub(crate) const fn of(flags: u8) -> Self {
        match flags & (STALE | STALE_WITHIN) {
            0 => Self::No,
            STALE => Self::Outside,
            _ => Self::Within,
        }
    }

    /// As flags of a page's header.
    pub(crate) const fn flags(self) -> u8 {
        match self {
            Self::No => 0,
            Self::Outside => STALE,
            Self::Within => STALE_WITHIN,
        }
    }
}

/// When a counter's change has to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    Later,
    This,
    /// Others wait too.
    All,
}

/// The register that the checks of a page with this sequence number start from.
#[inline(never)]
pub(crate) fn seed(sequence: u32) -> u32 {
    crate::check::crc32c(u32::MAX, &sequence.to_le_bytes())
}
