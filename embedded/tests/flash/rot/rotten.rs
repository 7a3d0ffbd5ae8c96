//! An image with a flipped bit, as a chip that nothing may write to.

use mtsession_embedded::sim::{ChipError, Plain};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash, check_read};

/// An image with a flipped bit. Nothing writes to it.
pub(super) struct Rotten<'a, const W: usize, const E: usize> {
    pub(super) image: &'a [u8],
    pub(super) bit: usize,
}

impl<const W: usize, const E: usize> Rotten<'_, W, E> {
    pub(super) fn session(self) -> Option<Plain> {
        let bit = self.bit;
        let end = u32::try_from(self.image.len()).unwrap();
        let log = crate::common::mounted(self, 0..end);
        let mut log = log.unwrap_or_else(|error| panic!("bit {bit}: {error}"));
        let mut session = Plain::default();
        log.load(&mut session).unwrap().then_some(session)
    }
}

impl<const W: usize, const E: usize> ErrorType for Rotten<'_, W, E> {
    type Error = ChipError;
}

impl<const W: usize, const E: usize> ReadNorFlash for Rotten<'_, W, E> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        check_read(self, offset, bytes.len()).map_err(ChipError::Rule)?;
        let at = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&self.image[at..at + bytes.len()]);
        if let Some(byte) = (self.bit / 8).checked_sub(at)
            && let Some(byte) = bytes.get_mut(byte)
        {
            *byte ^= 1 << (self.bit % 8);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.image.len()
    }
}

impl<const W: usize, const E: usize> NorFlash for Rotten<'_, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    fn erase(&mut self, from: u32, _: u32) -> Result<(), ChipError> {
        panic!("bit {}: reading erased {from}", self.bit);
    }

    fn write(&mut self, offset: u32, _: &[u8]) -> Result<(), ChipError> {
        panic!("bit {}: reading wrote to {offset}", self.bit);
    }
}
