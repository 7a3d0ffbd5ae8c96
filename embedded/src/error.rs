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
    /// The log was written by an earlier release. `mtsession` converts it on a computer, and a firmware with
    /// the feature `format1` when it mounts it.
    OlderFormat {
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
    /// A field is longer than the log's type has room for.
    RecordTooLarge(Field),
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

impl From<&Geometry> for RegionShape {
    fn from(geometry: &Geometry) -> Self {
        Self {
            pages: geometry.pages,
            page_size: geometry.page_size.0,
            unit: geometry.unit().0,
        }
    }
}

/// Why a step inside the log failed: small enough for a register. What does not fit is in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    Flash,
    Region,
    NotFormatted,
    Foreign,
    ErasedValue(u8),
    NewerFormat(u8),
    OlderFormat(u8),
    Geometry,
    Corrupt,
    Capacity(Field),
    RecordTooLarge(Field),
    StoreFull,
    WornOut(u8),
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
            Self::OlderFormat { version } => write!(
                f,
                "session log has format {version}, of an earlier release: convert it with `mtsession`, or \
                 build with the feature `format1`"
            ),
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
            Self::StoreFull => f.write_str("flash region is too small for the session"),
            Self::NeedsThreePages => {
                f.write_str("two copies of keys need a region of at least three pages")
            }
            Self::WornOut { page } => write!(f, "flash page {page} does not keep what is written"),
        }
    }
}

impl<E: fmt::Debug> core::error::Error for Error<E> {}
