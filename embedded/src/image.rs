//! Flash images on a computer: reading the dump of a device's region, making one to be flashed.
//!
//! An image is exactly the region. The chip's geometry has to be said, and a wrong one is noticed;
//! [`find`] takes it, and the place of the region in a larger dump, from the log's own headers.
//!
//! ```
//! use mtsession_core::{FixedSession, SessionMut, SessionSource};
//! use mtsession_embedded::image::{self, Layout};
//!
//! let mut session = FixedSession::<6, 32, 64, 0, 0>::new();
//! session.set_home_dc_id(4);
//! let nrf52840 = Layout { write: 4, erase: 4096 };
//! let bytes = image::provision(4 * 4096, nrf52840, &session)?;
//!
//! let mut found = FixedSession::<6, 32, 64, 0, 0>::new();
//! let report = image::load(&bytes, nrf52840, &mut found)?;
//! assert!(report.present);
//! assert_eq!(found.home_dc_id(), 4);
//! # Ok::<(), image::ImageError>(())
//! ```

mod find;

use alloc::boxed::Box;
use alloc::vec::Vec;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use mtsession_core::{SessionMut, SessionSource};
use zeroize::Zeroizing;

pub use find::{Found, find};

use crate::SessionLog;
use crate::error::Error;
use crate::geometry::{Geometry, RegionError};
use crate::settings::FlashStats;

/// Why an image could not be read or made.
pub type ImageError = Error<NorFlashErrorKind>;

/// Room for every session that a device can hold.
type Log = SessionLog<Bytes, 255, 1024, 8191, 1024, 256>;

/// The geometry of a chip, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The program unit.
    pub write: usize,
    /// The erase page.
    pub erase: usize,
}

/// What was found in an image besides the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Whether the image holds a session at all.
    pub present: bool,
    /// The region's state. [`FlashStats::damaged`] counts records that could not be read: what is
    /// left was loaded.
    pub stats: FlashStats,
}

/// Reads the session in an image. Records that are damaged are left out and counted; the image is
/// never changed.
pub fn load(
    image: &[u8],
    layout: Layout,
    session: &mut impl SessionMut,
) -> Result<Report, ImageError> {
    let mut log = read(image, layout)?;
    Ok(Report {
        present: log.load(session)?,
        stats: log.stats()?,
    })
}

/// Makes an image of `len` bytes that holds `session`, to be written to a device's region.
pub fn provision(
    len: usize,
    layout: Layout,
    session: &impl SessionSource,
) -> Result<Vec<u8>, ImageError> {
    // Before there is memory for it: nobody has that much for any number that may be asked for.
    let geometry = geometry(len, layout)?;
    let mut blank = Vec::new();
    blank.resize(len, 0xFF);
    let mut log = open(blank, geometry);
    log.mount_or_format()?;
    log.save(session)?;
    let mut released = log.release().map_err(|(_, error)| error)?;
    Ok(core::mem::take(&mut *released.0))
}

/// Whether an image is a log, of this geometry.
fn mounts(image: &[u8], layout: Layout) -> bool {
    read(image, layout).is_ok()
}

/// The log in an image, which is only read from then on: one of the first format may have more pages than a log
/// writes.
fn read(image: &[u8], layout: Layout) -> Result<Box<Log>, ImageError> {
    let mut log = open(image.to_vec(), geometry(image.len(), layout)?);
    if let Err(Error::OlderFormat { .. }) = log.open() {
        let end = u32::try_from(image.len()).map_err(|_| RegionError::TooLarge)?;
        let wide = Geometry::of_format_1(&(0..end), layout.write, layout.erase)?;
        log = open(image.to_vec(), wide);
    }
    log.open()?;
    Ok(log)
}

/// A log of that size would be a lot of stack.
fn open(image: Vec<u8>, geometry: Geometry) -> Box<Log> {
    Box::new(Log::with(Bytes(Zeroizing::new(image)), Ok(geometry)))
}

/// The region that an image of this length is.
fn geometry(len: usize, layout: Layout) -> Result<Geometry, ImageError> {
    let end = u32::try_from(len).map_err(|_| RegionError::TooLarge)?;
    Ok(Geometry::new(&(0..end), layout.write, layout.erase)?)
}

/// A copy of an image as a chip; wiped when dropped. Any alignment goes: the log keeps to the
/// geometry that it was given.
struct Bytes(Zeroizing<Vec<u8>>);

impl Bytes {
    fn part(&mut self, offset: u32, len: usize) -> &mut [u8] {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(len);
        self.0.get_mut(start..end).unwrap_or_default()
    }
}

impl ErrorType for Bytes {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Bytes {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(self.part(offset, bytes.len()));
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Bytes {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 1;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        let len = usize::try_from(to.saturating_sub(from)).unwrap_or_default();
        self.part(from, len).fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (place, byte) in self.part(offset, bytes.len()).iter_mut().zip(bytes) {
            *place &= *byte;
        }
        Ok(())
    }
}
