//! What a log knows between two calls, apart from the index.

use mtsession_core::WhenFull;

use crate::geometry::Geometry;
use crate::header::{Header, header_units};
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
    pub(crate) fn new(geometry: &Geometry, number: u8, seed: u32) -> Self {
        let units = geometry.page(number);
        Self {
            number,
            seed,
            tail: units.start.wrapping_add(header_units(geometry) << 1),
            end: units.end,
        }
    }

    pub(crate) const fn room(&self) -> u32 {
        self.end.saturating_sub(self.tail)
    }
}

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct State {
    pub(crate) geometry: Geometry,
    pub(crate) durability: Durability,
    pub(crate) key_copies: KeyCopies,
    pub(crate) when_full: WhenFull,
    /// The newest page.
    pub(crate) head: Page,
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
    /// Whether the page behind the head was erased since mount: what an erase before it left cannot
    /// be told from an interrupted one.
    pub(crate) next_erased: bool,
    /// Counter changes that are only in RAM.
    pub(crate) lazy: u16,
    pub(crate) damaged: u16,
    pub(crate) failed_programs: u16,
}

impl State {
    pub(crate) fn new(geometry: Geometry) -> Self {
        Self {
            geometry,
            durability: Durability::Now,
            key_copies: KeyCopies::One,
            when_full: WhenFull::Refuse,
            head: Page::new(&geometry, 0, 0),
            sequence: 0,
            erases: 0,
            chain: 0,
            present: false,
            wipe: false,
            located: false,
            indexed: false,
            tail_unknown: true,
            next_erased: false,
            lazy: 0,
            damaged: 0,
            failed_programs: 0,
        }
    }

    /// Units for records in a page.
    pub(crate) fn page_room(&self) -> u32 {
        let headers = header_units(&self.geometry) << 1;
        self.geometry.page_units().saturating_sub(headers)
    }

    /// The seed of a page of the chain: sequence numbers of neighbours differ by one.
    pub(crate) fn seed_at(&self, position: u32) -> u32 {
        let units = self.geometry.page_units();
        let page = position.checked_div(units).unwrap_or_default();
        let head = u32::from(self.head.number);
        let back = if page <= head {
            head.wrapping_sub(page)
        } else {
            head.wrapping_add(self.geometry.pages.into())
                .wrapping_sub(page)
        };
        seed(self.sequence.wrapping_sub(back))
    }

    /// Takes a header as the newest one.
    pub(crate) fn begin(&mut self, page: Page, header: &Header) {
        self.head = page;
        self.sequence = header.sequence;
        self.erases = header.erases;
        self.present = header.flags & crate::header::PRESENT != 0;
        self.wipe = header.flags & crate::header::WIPE != 0;
        self.next_erased = false;
    }
}

/// The register that the checks of a page with this sequence number start from.
pub(crate) fn seed(sequence: u32) -> u32 {
    crate::check::crc32c(u32::MAX, &sequence.to_le_bytes())
}
