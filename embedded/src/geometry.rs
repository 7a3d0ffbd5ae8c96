//! The shape of a region: erase pages, and the units that records are aligned to.

use core::ops::Range;

/// Records are at least this aligned: a torn record never shares a word with the next one.
pub(crate) const MIN_UNIT: u32 = 4;
/// The largest program unit of any supported chip.
pub(crate) const MAX_UNIT: u32 = 32;
/// The same as lengths.
#[expect(clippy::as_conversions, reason = "const")]
pub(crate) const MIN_UNIT_LEN: usize = MIN_UNIT as usize;
#[expect(clippy::as_conversions, reason = "const")]
pub(crate) const MAX_UNIT_LEN: usize = MAX_UNIT as usize;
/// Locations are counted in units, in 16 bits; the last value means "nowhere".
const MAX_UNITS: u32 = 0xFFFF;
/// A page holds at least a header, its copy and one record of the largest size.
const MIN_PAGE: u32 = 1024;

/// Why a region cannot hold a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RegionError {
    /// The region starts or ends inside an erase page.
    NotAligned,
    /// The region ends after the chip's last byte: the driver says so, and does not read there. A chip
    /// whose banks have a gap between them has bytes beyond what its driver calls the capacity.
    OutOfBounds {
        /// Where the region ends.
        end: u32,
        /// What the driver says.
        capacity: u32,
    },
    /// Fewer than two pages.
    TooSmall,
    /// More than 255 pages, or 2 MiB.
    TooLarge,
    /// The program unit is not a power of two up to 32, or does not divide the erase page.
    Unit,
}

/// Pages and units of a region. Positions are in units from the region's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Where the region starts on the chip, in bytes.
    pub(crate) start: u32,
    /// Bytes per page: the erase size, or the smallest multiple of it that can hold a record.
    pub(crate) page_size: u32,
    /// Number of pages.
    pub(crate) pages: u8,
    /// Log2 of the unit that records are aligned to.
    pub(crate) shift: u8,
}

impl Geometry {
    /// The shape of no region.
    pub(crate) const NONE: Self = Self {
        start: 0,
        page_size: 0,
        pages: 0,
        shift: 2,
    };

    /// Checks a region of a chip with this program unit and erase size, all in bytes.
    pub(crate) fn new(
        region: &Range<u32>,
        write: usize,
        erase: usize,
    ) -> Result<Self, RegionError> {
        let write = u32::try_from(write).map_err(|_| RegionError::Unit)?;
        let erase = u32::try_from(erase).map_err(|_| RegionError::Unit)?;
        let unit = write.max(MIN_UNIT);
        if !write.is_power_of_two() || unit > MAX_UNIT || erase == 0 {
            return Err(RegionError::Unit);
        }
        let page_size = MIN_PAGE
            .checked_next_multiple_of(erase)
            .ok_or(RegionError::TooLarge)?;
        if !page_size.is_multiple_of(unit) {
            return Err(RegionError::Unit);
        }
        let len = region
            .end
            .checked_sub(region.start)
            .ok_or(RegionError::NotAligned)?;
        if !region.start.is_multiple_of(erase) || !len.is_multiple_of(page_size) {
            return Err(RegionError::NotAligned);
        }
        let pages = len.checked_div(page_size).unwrap_or_default();
        if pages < 2 {
            return Err(RegionError::TooSmall);
        }
        let pages = u8::try_from(pages).map_err(|_| RegionError::TooLarge)?;
        // Large regions are counted in larger units.
        let mut shift = unit.trailing_zeros();
        while len >> shift > MAX_UNITS {
            shift = shift.saturating_add(1);
        }
        if MAX_UNIT >> shift == 0 || !page_size.is_multiple_of(1 << shift) {
            return Err(RegionError::TooLarge);
        }
        Ok(Self {
            start: region.start,
            page_size,
            pages,
            shift: u8::try_from(shift).unwrap_or_default(),
        })
    }

    /// Bytes per unit.
    pub(crate) const fn unit(&self) -> u32 {
        1 << self.shift
    }

    /// How many units hold `bytes`.
    pub(crate) const fn units(&self, bytes: u32) -> u32 {
        bytes.wrapping_add(self.unit()).wrapping_sub(1) >> self.shift
    }

    /// Units per page.
    pub(crate) const fn page_units(&self) -> u32 {
        self.page_size >> self.shift
    }

    /// Where a page starts.
    pub(crate) fn page_at(&self, page: u8) -> u32 {
        u32::from(page).wrapping_mul(self.page_units())
    }

    /// The page of a position.
    pub(crate) fn page_of(&self, position: u32) -> u8 {
        let page = position.checked_div(self.page_units());
        page.and_then(|page| u8::try_from(page).ok())
            .unwrap_or_default()
    }

    /// The units of a page.
    pub(crate) fn page(&self, page: u8) -> Range<u32> {
        let start = self.page_at(page);
        start..start.wrapping_add(self.page_units())
    }

    /// The page `steps` behind `page` in the ring; `steps` is at most the number of pages.
    #[inline(never)]
    pub(crate) fn next(&self, page: u8, steps: u8) -> u8 {
        let sum = u16::from(page).wrapping_add(u16::from(steps));
        let pages = u16::from(self.pages);
        u8::try_from(if sum >= pages {
            sum.wrapping_sub(pages)
        } else {
            sum
        })
        .unwrap_or_default()
    }

    /// The page `steps` before `page` in the ring.
    pub(crate) fn previous(&self, page: u8, steps: u8) -> u8 {
        self.next(page, self.pages.wrapping_sub(steps))
    }

    /// Where the region ends on the chip.
    pub(crate) fn end(&self) -> u32 {
        self.address(self.page_at(self.pages))
    }

    /// Address on the chip of a position.
    pub(crate) const fn address(&self, position: u32) -> u32 {
        self.start.wrapping_add(position << self.shift)
    }
}

#[cfg(test)]
mod tests {
    use super::{Geometry, RegionError};

    #[test]
    fn refuses_what_cannot_work() {
        let region = |range, write, erase| Geometry::new(&range, write, erase);
        assert_eq!(region(0..4096, 4, 4096), Err(RegionError::TooSmall));
        assert_eq!(region(0..5000, 4, 4096), Err(RegionError::NotAligned));
        assert_eq!(region(100..8292, 4, 4096), Err(RegionError::NotAligned));
        assert_eq!(region(0..2 << 20, 4, 4096), Err(RegionError::TooLarge));
        assert_eq!(region(0..1 << 20, 4, 2048), Err(RegionError::TooLarge));
        assert_eq!(region(0..8192, 3, 4096), Err(RegionError::Unit));
        assert_eq!(region(0..8192, 64, 4096), Err(RegionError::Unit));
        let small = region(0..8192, 1, 256).unwrap();
        assert_eq!((small.page_size, small.pages, small.unit()), (1024, 8, 4));
    }
}
