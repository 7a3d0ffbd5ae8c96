//! The shape of a region: erase pages, and the units that records are aligned to.

use core::num::Wrapping;
use core::ops::Range;

use crate::num::{Bytes, low};

/// Records are at least this aligned: a torn record never shares a word with the next one.
pub(crate) const MIN_UNIT: u32 = 4;
/// The largest program unit of any supported chip.
pub(crate) const MAX_UNIT: u32 = 32;
/// The same as lengths.
#[expect(clippy::as_conversions, reason = "const")]
pub(crate) const MIN_UNIT_LEN: usize = MIN_UNIT as usize;
#[expect(clippy::as_conversions, reason = "const")]
pub(crate) const MAX_UNIT_LEN: usize = MAX_UNIT as usize;
/// Pages are counted in seven bits, of which the last value means "nowhere". A region of more erase pages
/// has log pages of several.
const MAX_PAGES: u8 = 126;
/// The largest region.
const MAX_LEN: u32 = 2 << 20;
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

/// Pages and units of a region. Positions are bytes from the region's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Where the region starts on the chip, in bytes.
    pub(crate) start: u32,
    /// Bytes per page: the erase size, or a multiple of it.
    pub(crate) page_size: Bytes,
    /// Number of pages.
    pub(crate) pages: u8,
    /// Bytes of a unit, which records are aligned to.
    pub(crate) unit: Bytes,
}

impl Geometry {
    /// The shape of no region.
    pub(crate) const NONE: Self = Self {
        start: 0,
        page_size: Wrapping(0),
        pages: 0,
        unit: Wrapping(MIN_UNIT),
    };

    /// Checks a region of a chip with this program unit and erase size, all in bytes.
    pub(crate) fn new(
        region: &Range<u32>,
        write: usize,
        erase: usize,
    ) -> Result<Self, RegionError> {
        let mut geometry = Self::of_format_1(region, write, erase)?;
        // What is left over at the end stays unused.
        while geometry.pages > MAX_PAGES {
            geometry.pages >>= 1;
            geometry.page_size *= 2;
        }
        Ok(geometry)
    }

    /// The pages as the first format divides a region: up to 255 of them.
    pub(crate) fn of_format_1(
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
        if len > MAX_LEN || pages > 255 {
            return Err(RegionError::TooLarge);
        }
        Ok(Self {
            start: region.start,
            page_size: Wrapping(page_size),
            pages: low(pages),
            unit: Wrapping(unit),
        })
    }

    /// Bytes per unit.
    pub(crate) const fn unit(&self) -> Bytes {
        self.unit
    }

    /// Log2 of it.
    pub(crate) const fn shift(&self) -> u8 {
        low(self.unit.0.trailing_zeros())
    }

    /// Where a page starts.
    pub(crate) fn page_at(&self, page: u8) -> Bytes {
        Wrapping(u32::from(page)) * self.page_size
    }

    /// The page `steps` after `page` in the ring; `steps` is at most the number of pages.
    #[inline(never)]
    pub(crate) fn next(&self, page: u8, steps: u8) -> u8 {
        let page = u16::from(page).wrapping_add(steps.into());
        let pages = u16::from(self.pages);
        low(u32::from(if page >= pages {
            page.wrapping_sub(pages)
        } else {
            page
        }))
    }

    /// The page `steps` before `page` in the ring.
    pub(crate) fn previous(&self, page: u8, steps: u8) -> u8 {
        self.next(page, self.pages.wrapping_sub(steps))
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
        assert_eq!(region(0..4 << 20, 4, 65536), Err(RegionError::TooLarge));
        assert_eq!(region(0..1 << 20, 4, 2048), Err(RegionError::TooLarge));
        let many = region(0..201 * 4096, 4, 4096).unwrap();
        assert_eq!((many.page_size.0, many.pages), (8192, 100));
        assert_eq!(region(0..8192, 3, 4096), Err(RegionError::Unit));
        assert_eq!(region(0..8192, 64, 4096), Err(RegionError::Unit));
        let small = region(0..8192, 1, 256).unwrap();
        assert_eq!(
            (small.page_size.0, small.pages, small.unit().0),
            (1024, 8, 4)
        );
    }
}
