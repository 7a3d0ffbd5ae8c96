//! What the programs share: a flash in RAM that keeps the rules, and the end of a program.
#![no_std]

#[cfg(feature = "peers")]
pub mod peers;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Bytes of the region.
pub const SIZE: usize = 16 * 1024;

/// A flash with the nRF52840's geometry.
pub struct Ram(pub &'static mut [u8; SIZE]);

impl ErrorType for Ram {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Ram {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        let at = offset as usize;
        let from = self.0.get(at..at.wrapping_add(bytes.len()));
        for (byte, from) in bytes.iter_mut().zip(from.unwrap_or_default()) {
            *byte = *from;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

impl NorFlash for Ram {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        if let Some(page) = self.0.get_mut(from as usize..to as usize) {
            page.fill(0xFF);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        let at = offset as usize;
        let to = self.0.get_mut(at..at.wrapping_add(bytes.len()));
        for (to, byte) in to.unwrap_or_default().iter_mut().zip(bytes) {
            *to &= *byte;
        }
        Ok(())
    }
}

#[cfg(feature = "async")]
impl embedded_storage_async::nor_flash::ReadNorFlash for Ram {
    const READ_SIZE: usize = 4;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        ReadNorFlash::read(self, offset, bytes)
    }

    fn capacity(&self) -> usize {
        SIZE
    }
}

#[cfg(feature = "async")]
impl embedded_storage_async::nor_flash::NorFlash for Ram {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        NorFlash::erase(self, from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        NorFlash::write(self, offset, bytes)
    }
}

/// The region, handed out once.
pub fn region() -> Option<Ram> {
    cortex_m::singleton!(: [u8; SIZE] = [0xFF; SIZE]).map(Ram)
}

#[cfg(not(feature = "demo"))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    #[cfg(feature = "no-panic")]
    {
        unsafe extern "C" {
            fn mtsession_must_not_panic() -> !;
        }
        // SAFETY: never runs; there is no such function, so a program that gets here does not link.
        unsafe { mtsession_must_not_panic() }
    }
    #[cfg(not(feature = "no-panic"))]
    loop {}
}
