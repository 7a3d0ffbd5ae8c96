//! The chip's drivers, blocking and async.

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::{Chip, ChipError};

impl<const WRITE: usize, const ERASE: usize> ErrorType for Chip<WRITE, ERASE> {
    type Error = ChipError;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Chip<WRITE, ERASE> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.do_read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.capacity.unwrap_or(self.bytes.len())
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Chip<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        self.do_erase(from, to)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.do_write(offset, bytes)
    }
}

#[cfg(feature = "async")]
impl<const WRITE: usize, const ERASE: usize> embedded_storage_async::nor_flash::ReadNorFlash
    for Chip<WRITE, ERASE>
{
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.do_read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.capacity.unwrap_or(self.bytes.len())
    }
}

#[cfg(feature = "async")]
impl<const WRITE: usize, const ERASE: usize> embedded_storage_async::nor_flash::NorFlash
    for Chip<WRITE, ERASE>
{
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        self.do_erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.do_write(offset, bytes)
    }
}
