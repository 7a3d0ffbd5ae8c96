//! The recipe for the STM32H7, where a torn word of flash is a bus fault: a driver that turns it into an
//! error. It is linked, here over a flash in RAM; no chip was at hand to run it on.
#![no_std]
#![no_main]

use core::arch::asm;
use core::ptr::{read_volatile, write_volatile};

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use firmware_cortex_m::{Ram, SIZE};
use mtsession_core::{Change, UpdateChange};
use mtsession_embedded::{Error, SessionLog};

/// `FLASH_SR1` and `SR2`, and the registers that clear what they say (RM0433).
const STATUS: [usize; 2] = [0x5200_2010, 0x5200_2110];
const CLEAR: [usize; 2] = [0x5200_2014, 0x5200_2114];
/// Two bits of a word were wrong.
const DBECCERR: u32 = 1 << 26;
/// `SCB.CCR` and its bit BFHFNMIGN: loads that fault are ignored while FAULTMASK is set.
const CCR: usize = 0xE000_ED14;
const BFHFNMIGN: u32 = 1 << 8;
/// `SCB.CFSR` and its bits BFARVALID and PRECISERR.
const CFSR: usize = 0xE000_ED28;
const BUS_FAULT: u32 = 1 << 15 | 1 << 9;

/// A driver whose reads end in an error where a word is torn. `base` is where the flash is in memory.
pub struct Careful<F> {
    flash: F,
    base: usize,
}

/// What a driver says, or that a word cannot be read.
#[derive(Debug)]
pub enum CarefulError<E> {
    Flash(E),
    TornWord,
}

impl<E: NorFlashError> NorFlashError for CarefulError<E> {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Flash(error) => error.kind(),
            Self::TornWord => NorFlashErrorKind::Other,
        }
    }
}

impl<F: ErrorType> ErrorType for Careful<F> {
    type Error = CarefulError<F::Error>;
}

/// Copies from flash. `false`: a word could not be read, and what was copied of it is nothing.
fn copy(from: usize, to: &mut [u8]) -> bool {
    cortex_m::interrupt::free(|_| {
        let mut torn = false;
        // SAFETY: registers of this chip, used by nobody else while interrupts are off; the caller has
        // checked that the flash has these bytes. A load that faults is ignored: it is the last access
        // before the barrier that ends the time in which faults are.
        unsafe {
            let ccr = read_volatile(CCR as *const u32);
            write_volatile(CCR as *mut u32, ccr | BFHFNMIGN);
            asm!("cpsid f", "dsb", "isb");
            for (n, byte) in to.iter_mut().enumerate() {
                *byte = read_volatile(from.wrapping_add(n) as *const u8);
            }
            asm!("dsb", "isb");
            for (status, clear) in STATUS.into_iter().zip(CLEAR) {
                if read_volatile(status as *const u32) & DBECCERR != 0 {
                    torn = true;
                    write_volatile(clear as *mut u32, DBECCERR);
                }
            }
            write_volatile(CFSR as *mut u32, BUS_FAULT);
            asm!("cpsie f");
            write_volatile(CCR as *mut u32, ccr);
        }
        !torn
    })
}

impl<F: ReadNorFlash> ReadNorFlash for Careful<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let at = offset as usize;
        if at.checked_add(bytes.len()).is_none_or(|end| end > self.flash.capacity()) {
            // For its error.
            return self.flash.read(offset, bytes).map_err(CarefulError::Flash);
        }
        if copy(self.base.wrapping_add(at), bytes) {
            Ok(())
        } else {
            Err(CarefulError::TornWord)
        }
    }

    fn capacity(&self) -> usize {
        self.flash.capacity()
    }
}

impl<F: NorFlash> NorFlash for Careful<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.flash.erase(from, to).map_err(CarefulError::Flash)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        self.flash.write(offset, bytes).map_err(CarefulError::Flash)
    }
}

fn run(flash: Ram) -> Result<(), Error<CarefulError<NorFlashErrorKind>>> {
    // On an H7: `Flash::new_blocking(peripherals.FLASH)` of embassy-stm32, and 0x0800_0000.
    let base = flash.0.as_ptr() as usize;
    let mut log = SessionLog::<_>::new(Careful { flash, base }, 0..SIZE as u32);
    log.mount_or_format()?;
    log.append(&Change::Update(UpdateChange::Primary { pts: 7, date: 1_750_000_000, seq: 1 }))
}

#[cortex_m_rt::entry]
fn main() -> ! {
    // What to do about an error is the application's business.
    let _ = firmware_cortex_m::region().map(run);
    loop {}
}
