//! Driver for QEMU virt's second flash bank: two 16-bit CFI (Intel command set) chips side by side,
//! seen as words of 32 bits.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

const BASE: usize = 0x2200_0000;
const BLOCK: usize = 256 * 1024;
/// What the driver offers of the bank's 32 MiB.
const CAPACITY: usize = 4 * BLOCK;

/// Each command goes to both chips.
const PROGRAM: u32 = 0x0040_0040;
const ERASE: u32 = 0x0020_0020;
const CONFIRM: u32 = 0x00D0_00D0;
const READ_STATUS: u32 = 0x0070_0070;
const READ_ARRAY: u32 = 0x00FF_00FF;
const READY: u32 = 0x0080_0080;

/// The flash bank; only one may exist.
pub struct Cfi(());

impl Cfi {
    /// # Safety
    /// Nothing else may touch the flash bank.
    pub const unsafe fn new() -> Self {
        Self(())
    }

    fn put(&mut self, at: usize, word: u32) {
        // SAFETY: offsets are checked against the bank, which is mapped here; the driver owns it.
        unsafe { core::ptr::write_volatile((BASE + at) as *mut u32, word) }
    }

    fn get(&self, at: usize) -> u32 {
        // SAFETY: as above.
        unsafe { core::ptr::read_volatile((BASE + at) as *const u32) }
    }

    fn finish(&mut self, at: usize) {
        self.put(at, READ_STATUS);
        while self.get(at) & READY != READY {}
        self.put(at, READ_ARRAY);
    }
}

impl ErrorType for Cfi {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Cfi {
    const READ_SIZE: usize = 4;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        for (n, word) in bytes.chunks_mut(4).enumerate() {
            word.copy_from_slice(&self.get(offset as usize + 4 * n).to_le_bytes()[..word.len()]);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        CAPACITY
    }
}

impl NorFlash for Cfi {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = BLOCK;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        for at in (from as usize..to as usize).step_by(BLOCK) {
            self.put(at, ERASE);
            self.put(at, CONFIRM);
            self.finish(at);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        for (n, word) in bytes.chunks_exact(4).enumerate() {
            let at = offset as usize + 4 * n;
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            // The model overwrites; a chip would not set bits again.
            if self.get(at) != u32::MAX {
                return Err(NorFlashErrorKind::Other);
            }
            self.put(at, PROGRAM);
            self.put(at, word);
            self.finish(at);
        }
        Ok(())
    }
}
