//! Erasing: whole pages, and what a cut leaves of one.

use embedded_storage::nor_flash::check_erase;

use super::chip::{Chip, Word};
use super::{ChipError, EraseTear};

impl<const WRITE: usize, const ERASE: usize> Chip<WRITE, ERASE> {
    pub(super) fn do_erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        let pages = from as usize / ERASE..to as usize / ERASE;
        let erase = |chip: &mut Self| pages.clone().try_for_each(|page| chip.erase_page(page));
        if let Err(error) = self.call(false) {
            self.tear(pages.len(), erase);
            return Err(error);
        }
        if self.capacity.is_none() {
            check_erase(self, from, to).map_err(ChipError::Rule)?;
        }
        erase(self)
    }

    fn erase_page(&mut self, page: usize) -> Result<(), ChipError> {
        let range = page * ERASE..(page + 1) * ERASE;
        let words = range.start / WRITE..range.end / WRITE;
        let tear = self.step();
        let erased = tear.map_or(EraseTear::Whole, |tear| tear.erase);
        let middle = range.start + (self.dice.below(ERASE / WRITE)) * WRITE;
        if tear.is_none() {
            self.erases[page] += 1;
            self.counts.erases += 1;
        }
        let blank = match erased {
            EraseTear::Nothing => range.start..range.start,
            EraseTear::Front => range.start..middle,
            EraseTear::Back => middle..range.end,
            _ => range.clone(),
        };
        // Cells that the erase has not reached stay as uncertain as they were.
        self.fading.retain(|(_, at, _)| !blank.contains(at));
        self.unstable.forget(&blank);
        let mut left = Word::Programmed;
        match erased {
            EraseTear::Nothing => return Err(ChipError::PowerLost),
            EraseTear::Front | EraseTear::Back => {
                self.bytes[blank.clone()].fill(0xFF);
            }
            EraseTear::Zeros => self.bytes[blank].fill(0),
            EraseTear::HalfProgrammed => {
                for at in blank {
                    self.bytes[at] &= self.dice.next() as u8;
                }
            }
            EraseTear::HalfErased => {
                for at in blank {
                    self.bytes[at] |= self.dice.next() as u8;
                }
                if self.corrects {
                    left = Word::Faulty;
                }
            }
            EraseTear::Weak => {
                self.bytes[blank].fill(0xFF);
                left = Word::Weak;
                for _ in 0..5 {
                    self.fade(range.clone(), 30);
                }
            }
            EraseTear::Whole => {
                self.bytes[blank].fill(0xFF);
                left = Word::Erased;
            }
        }
        self.words[words.clone()].fill(left);
        self.written[words].fill(left != Word::Erased);
        if tear.is_some() {
            Err(ChipError::PowerLost)
        } else {
            Ok(())
        }
    }
}
