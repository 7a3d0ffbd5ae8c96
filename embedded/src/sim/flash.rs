//! A driver that a store can own while its test has the chip.

use alloc::rc::Rc;
use core::cell::{RefCell, RefMut};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::{Chip, ChipError};

/// A driver of a [`Chip`] that others have too: a store owns one, and where the power is cut the store is
/// dropped and the chip stays.
///
/// ```
/// use mtsession_embedded::SessionLog;
/// use mtsession_embedded::sim::{Chip, Flash};
///
/// let flash = Flash::new(Chip::<4, 4096>::new(16384));
/// let mut log = SessionLog::<_>::new(flash.clone(), 0..16384);
/// log.mount_or_format()?;
/// drop(log);
/// assert!(flash.chip().counts.programs > 0);
/// # Ok::<(), mtsession_embedded::Error<mtsession_embedded::sim::ChipError>>(())
/// ```
#[derive(Clone)]
pub struct Flash<const WRITE: usize, const ERASE: usize>(Rc<RefCell<Chip<WRITE, ERASE>>>);

impl<const WRITE: usize, const ERASE: usize> Flash<WRITE, ERASE> {
    /// A driver of this chip.
    pub fn new(chip: Chip<WRITE, ERASE>) -> Self {
        Self(Rc::new(RefCell::new(chip)))
    }

    /// The chip. Not to be held while the store is called.
    ///
    /// # Panics
    ///
    /// If it is held already.
    pub fn chip(&self) -> RefMut<'_, Chip<WRITE, ERASE>> {
        self.0.borrow_mut()
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Flash<WRITE, ERASE> {
    type Error = ChipError;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.chip().do_read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(&*self.chip())
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Flash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        self.chip().do_erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.chip().do_write(offset, bytes)
    }
}

#[cfg(feature = "async")]
impl<const WRITE: usize, const ERASE: usize> embedded_storage_async::nor_flash::ReadNorFlash
    for Flash<WRITE, ERASE>
{
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.chip().do_read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        ReadNorFlash::capacity(&*self.chip())
    }
}

#[cfg(feature = "async")]
impl<const WRITE: usize, const ERASE: usize> embedded_storage_async::nor_flash::NorFlash
    for Flash<WRITE, ERASE>
{
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        self.chip().do_erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.chip().do_write(offset, bytes)
    }
}

/// The result of a future that is ready at once, as every call of an async store on a [`Flash`] is.
///
/// ```
/// assert_eq!(mtsession_embedded::sim::ready(async { 7 }), 7);
/// ```
///
/// # Panics
///
/// If it is not ready.
pub fn ready<T>(future: impl Future<Output = T>) -> T {
    let future = pin!(future);
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the store waits for something else than its flash"),
    }
}
