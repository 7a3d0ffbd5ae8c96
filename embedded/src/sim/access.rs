//! Calls of the driver: which of them fail, reads, and the way of programs to the cells.

use alloc::vec::Vec;

use embedded_storage::nor_flash::{NorFlashErrorKind, check_write};

use super::chip::{Chip, Word};
use super::{Busy, ChipError, Dice, Tear};

impl<const WRITE: usize, const ERASE: usize> Chip<WRITE, ERASE> {
    pub(super) fn call(&mut self, is_read: bool) -> Result<(), ChipError> {
        let call = self.counts.calls;
        self.counts.calls += 1;
        assert!(
            self.patience.is_none_or(|last| call < last),
            "the store goes on and on"
        );
        if self.dead {
            return Err(ChipError::PowerLost);
        }
        if self.fail.contains(&call) && !(is_read && self.spares_reads) {
            return Err(ChipError::Injected);
        }
        let fails = match self.busy {
            Some(Busy::EveryNth(n)) => call.is_multiple_of(n),
            Some(Busy::OneIn(n)) => self.dice.next().is_multiple_of(n),
            None => false,
        };
        if fails && !(is_read && self.spares_reads) {
            return Err(ChipError::Injected);
        }
        Ok(())
    }

    /// That memory is where DMA can reach it.
    fn check_memory(&self, bytes: &[u8]) {
        assert_eq!(
            bytes.as_ptr().addr() % self.ram_align,
            0,
            "RAM that is not aligned to {}",
            self.ram_align
        );
    }

    /// Counts a word program or a page erase; the tear if the power is cut in it.
    pub(super) fn step(&mut self) -> Option<Tear> {
        let step = self.counts.steps;
        self.counts.steps += 1;
        let due = self.fading.extract_if(.., |(at, ..)| *at <= step);
        for (_, at, bit) in due.collect::<Vec<_>>() {
            self.bytes[at] &= !(1 << bit);
        }
        match self.cut {
            Some((at, tear)) if at == step => {
                self.dead = true;
                Some(tear)
            }
            _ => None,
        }
    }

    fn hold_stuck(&mut self) {
        match self.stuck {
            Some((at, bit, true)) => self.bytes[at] |= 1 << bit,
            Some((at, bit, false)) => self.bytes[at] &= !(1 << bit),
            None => {}
        }
    }

    pub(super) fn do_read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.call(true)?;
        let size = self.bytes.len();
        if offset as usize + bytes.len() > size {
            return Err(ChipError::Rule(NorFlashErrorKind::OutOfBounds));
        }
        self.hold_stuck();
        self.counts.reads += 1;
        self.counts.read_bytes += bytes.len() as u64;
        let at = offset as usize;
        let end = at + bytes.len();
        if self.words[at / WRITE..end.div_ceil(WRITE)].contains(&Word::Faulty) {
            return Err(ChipError::Unreadable);
        }
        self.check_memory(bytes);
        bytes.copy_from_slice(&self.bytes[at..end]);
        self.unstable.read(at, bytes, &mut self.dice);
        for (byte, at) in bytes.iter_mut().zip(at..) {
            *byte ^= !self.erased;
            if self.noise && self.words[at / WRITE] == Word::Erased {
                *byte = Dice::new(at as u64).next() as u8;
            }
        }
        Ok(())
    }

    /// Does a part of what a failing call would do.
    pub(super) fn tear(
        &mut self,
        steps: usize,
        call: impl FnOnce(&mut Self) -> Result<(), ChipError>,
    ) {
        if !self.leaves_tears || self.dead {
            return;
        }
        let tear = Tear::any(&mut self.dice);
        let cut = self
            .cut
            .replace((self.counts.steps + self.dice.below(steps) as u64, tear));
        let _ = call(self);
        self.cut = cut;
        self.dead = false;
    }

    pub(super) fn do_write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        self.check_memory(bytes);
        let bytes: Vec<u8> = bytes.iter().map(|byte| byte ^ !self.erased).collect();
        let program = |chip: &mut Self| chip.program_all(offset as usize, &bytes);
        if let Err(error) = self.call(false) {
            let steps = if self.page_programs {
                1 + bytes.len() / 256
            } else {
                bytes.len() / WRITE
            };
            self.tear(steps, program);
            return Err(error);
        }
        if self.refuses_programs {
            return Err(ChipError::Injected);
        }
        if self.capacity.is_none() {
            check_write(self, offset, bytes.len()).map_err(ChipError::Rule)?;
        }
        self.counts.programs += 1;
        self.counts.programmed_bytes += bytes.len() as u64;
        program(self)?;
        self.hold_stuck();
        Ok(())
    }
}
