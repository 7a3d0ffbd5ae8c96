//! What can go wrong with a log in flash.

use core::fmt;

use mtsession_core::{Field, Full};

use crate::geometry::{Geometry, RegionError};

/// Why a call on a log failed. `E` is the flash driver's own error.
///
/// What a call would do to the flash is checked before it writes; an error that is found before says
/// so by its kind: only [`Flash`](Self::Flash) and [`WornOut`](Self::WornOut) can come after a write,
/// and then the state on flash is the one before or after the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error<E> {
    /// The driver failed, and failed again when asked once more.
    Flash(E),
    /// The region cannot hold a log.
    Region(RegionError),
    /// The region is erased, or the power was lost while it was formatted for the first time:
    /// [`mount_or_format`](crate::SessionLog::mount_or_format) goes on from here.
    NotFormatted,
    /// The region holds something, but no log of this library. `format` would destroy it. Blank flash
    /// reads like this where erased cells are neither ones nor zeros: `format` says so.
    Foreign,
    /// Erased flash does not read as ones, nor as zeros: it is encrypted, or the driver does not erase.
    ErasedValue {
        /// A byte that was read after an erase.
        found: u8,
    },
    /// The log was written by a newer release.
    NewerFormat {
        /// Its format version.
        version: u8,
    },
    /// The log was written for another region or another chip.
    Geometry {
        /// Number of pages that it was written for.
        pages: u8,
        /// Its page size in bytes.
        page_size: u32,
        /// Its record alignment in bytes.
        unit: u32,
        /// The same of the region that was to be mounted.
        region: RegionShape,
    },
    /// There was a log, but no page of it is readable any more.
    Corrupt,
    /// The session on flash, or the change, has more entries than this log's type has room for.
    Capacity(Field),
    /// The caller's session has no room for what the log holds.
    Session(Full),
    /// One record is longer than the log can hold; at most 568 bytes.
    RecordTooLarge(Field),
    /// A batch has to fit into one page.
    BatchTooLarge {
        /// Bytes that the batch needs.
        bytes: u32,
        /// Bytes that a page holds.
        max: u32,
    },
    /// The region is too small for what would have to be in it.
    StoreFull,
    /// Two copies of keys need pages of their own: a region of at least three pages.
    NeedsThreePages,
    /// A page does not keep what is programmed, however often it is erased.
    WornOut {
        /// Its number, counted from the start of the region.
        page: u8,
    },
}

/// How a region is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RegionShape {
    /// Number of pages.
    pub pages: u8,
    /// Page size in bytes.
    pub page_size: u32,
    /// Record alignment in bytes.
    pub unit: u32,
}

impl RegionShape {
    const NONE: Self = Self {
        pages: 0,
        page_size: 0,
        unit: 0,
    };
}

impl From<&Geometry> for RegionShape {
    fn from(geometry: &Geometry) -> Self {
        Self {
            pages: geometry.pages,
            page_size: geometry.page_size,
            unit: geometry.unit(),
        }
    }
}

/// Why a step inside the log failed: small enough for a register. What does not fit is kept beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    Flash,
    Region,
    NotFormatted,
    Foreign,
    ErasedValue(u8),
    NewerFormat(u8),
    Geometry,
    Corrupt,
    Capacity(Field),
    Session(Full),
    RecordTooLarge(Field),
    BatchTooLarge,
    StoreFull,
    WornOut(u8),
}

/// What does not fit into a [`Fail`].
pub(crate) struct Details<E> {
    /// The driver's last error.
    pub(crate) flash: Option<E>,
    /// Of a batch: bytes that it needs, bytes that a page holds.
    pub(crate) batch: (u32, u32),
    /// The region that the log was written for, and the one that it is in.
    pub(crate) shapes: (RegionShape, RegionShape),
    /// What is wrong with the region.
    pub(crate) region: RegionError,
}

impl<E> Details<E> {
    pub(crate) const NONE: Self = Self {
        flash: None,
        batch: (0, 0),
        shapes: (RegionShape::NONE, RegionShape::NONE),
        region: RegionError::TooSmall,
    };

    #[inline(never)]
    pub(crate) fn explain(&mut self, fail: Fail) -> Error<E> {
        match fail {
            Fail::Flash => self.flash.take().map_or(Error::Corrupt, Error::Flash),
            Fail::Region => Error::Region(self.region),
            Fail::NotFormatted => Error::NotFormatted,
            Fail::Foreign => Error::Foreign,
            Fail::ErasedValue(found) => Error::ErasedValue { found },
            Fail::NewerFormat(version) => Error::NewerFormat { version },
            Fail::Geometry => {
                let (log, region) = self.shapes;
                Error::Geometry {
                    pages: log.pages,
                    page_size: log.page_size,
                    unit: log.unit,
                    region,
                }
            }
            Fail::Corrupt => Error::Corrupt,
            Fail::Capacity(field) => Error::Capacity(field),
            Fail::Session(full) => Error::Session(full),
            Fail::RecordTooLarge(field) => Error::RecordTooLarge(field),
            Fail::BatchTooLarge => {
                let (bytes, max) = self.batch;
                Error::BatchTooLarge { bytes, max }
            }
            Fail::StoreFull => Error::StoreFull,
            Fail::WornOut(page) => Error::WornOut { page },
        }
    }
}

impl<E> From<RegionError> for Error<E> {
    fn from(error: RegionError) -> Self {
        Self::Region(error)
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfBounds { end, capacity } => {
                return write!(
                    f,
                    "region ends at byte {end}, the chip's driver has {capacity} bytes"
                );
            }
            Self::NotAligned => "region does not start and end at erase pages",
            Self::TooSmall => "region has fewer than two pages",
            Self::TooLarge => "region has more than 255 pages or 2 MiB",
            Self::Unit => "program unit is no power of two up to 32 that divides the erase page",
        })
    }
}

impl core::error::Error for RegionError {}

impl<E: fmt::Debug> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flash(error) => write!(f, "flash driver: {error:?}"),
            Self::Region(error) => write!(f, "flash region: {error}"),
            Self::NotFormatted => f.write_str("flash region is erased: format it first"),
            Self::Foreign => f.write_str("the flash region does not hold a session log"),
            Self::NewerFormat { version } => {
                write!(
                    f,
                    "session log has format {version}: written by a newer release"
                )
            }
            Self::Geometry {
                pages,
                page_size,
                unit,
                region,
            } => write!(
                f,
                "session log was written for {pages} pages of {page_size} bytes in units of {unit}, \
                 the region has {} of {} in units of {}: nothing was changed",
                region.pages, region.page_size, region.unit
            ),
            Self::ErasedValue { found } => write!(
                f,
                "erased flash reads as {found:#04x}, not as 0xff or 0x00: is it encrypted?"
            ),
            Self::Corrupt => f.write_str("no page of the session log is readable"),
            Self::Capacity(field) => write!(f, "log's type has no room for that many {field}"),
            Self::Session(full) => full.fmt(f),
            Self::RecordTooLarge(field) => write!(f, "{field} is too long for a flash record"),
            Self::BatchTooLarge { bytes, max } => {
                write!(f, "batch of {bytes} bytes does not fit into a page's {max}")
            }
            Self::StoreFull => f.write_str("flash region is too small for the session"),
            Self::NeedsThreePages => {
                f.write_str("two copies of keys need a region of at least three pages")
            }
            Self::WornOut { page } => write!(f, "flash page {page} does not keep what is written"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}
