//! Programming: word by word, or many bytes in one operation.

use alloc::vec::Vec;
use core::ops::Range;

use super::chip::{Chip, Word};
use super::{ChipError, ProgramTear};

/// Bytes that are programmed in one operation at most.
const PAGE: usize = 256;

impl<const WRITE: usize, const ERASE: usize> Chip<WRITE, ERASE> {
    pub(super) fn program_word(&mut self, word: usize, data: &[u8]) -> Result<(), ChipError> {
        let range = word * WRITE..(word + 1) * WRITE;
        let weak = match self.words[word] {
            Word::Erased => false,
            Word::Weak => true,
            Word::Programmed | Word::Faulty => {
                self.violations += 1;
                return Err(ChipError::NotErased);
            }
        };
        if weak {
            self.weak_programs.push(range.start);
        }
        let tear = self.step();
        let blank = data.iter().all(|byte| *byte == 0xFF);
        self.words[word] = if blank && !self.strict && !weak {
            Word::Erased
        } else {
            Word::Programmed
        };
        let Some(tear) = tear else {
            self.bytes[range.clone()].copy_from_slice(data);
            return if weak { self.weaken(range) } else { Ok(()) };
        };
        let place = &mut self.bytes[range.clone()];
        match tear.program {
            ProgramTear::Weak if self.weakens => self.words[word] = Word::Weak,
            ProgramTear::Nothing | ProgramTear::Weak => self.words[word] = Word::Erased,
            ProgramTear::SomeBits => {
                for (byte, data) in place.iter_mut().zip(data) {
                    *byte = data | self.dice.next() as u8;
                }
            }
            ProgramTear::AllButOne => {
                place.copy_from_slice(data);
                let zeros: Vec<_> = (0..WRITE * 8)
                    .filter(|bit| data[bit / 8] & 1 << (bit % 8) == 0)
                    .collect();
                if let Some(bit) = zeros.get(self.dice.below(zeros.len().max(1))) {
                    place[bit / 8] |= 1 << (bit % 8);
                }
            }
            ProgramTear::Whole => place.copy_from_slice(data),
            ProgramTear::Unreadable if self.corrects => self.words[word] = Word::Faulty,
            ProgramTear::Unreadable => {
                for (byte, data) in place.iter_mut().zip(data) {
                    *byte = data | self.dice.next() as u8 & self.dice.next() as u8;
                }
            }
        }
        if self.is_unstable && self.words[word] == Word::Programmed {
            let place = &self.bytes[range.clone()];
            self.unstable
                .shake(range.start, place, data, &mut self.dice);
        }
        if self.words[word] == Word::Programmed
            && self.bytes[range].iter().all(|byte| *byte == 0xFF)
        {
            // Some charge has moved, but not enough to see it.
            self.words[word] = if self.weakens {
                Word::Weak
            } else {
                Word::Erased
            };
        }
        Err(ChipError::PowerLost)
    }

    /// What becomes of a weak word that was programmed.
    fn weaken(&mut self, range: Range<usize>) -> Result<(), ChipError> {
        let fate = self.dice.below(if self.late { 3 } else { 2 });
        if fate < 2 {
            for at in range {
                self.bytes[at] &= self.dice.next() as u8;
            }
            return if fate == 0 {
                Err(ChipError::NotTaken)
            } else {
                Ok(())
            };
        }
        for _ in 0..4 {
            self.fade(range.clone(), 6);
        }
        Ok(())
    }

    /// Makes a random cell of `range` turn to 0 within so many steps.
    pub(super) fn fade(&mut self, range: Range<usize>, steps: usize) {
        let later = self.counts.steps + self.dice.below(steps) as u64;
        let at = range.start + self.dice.below(range.len());
        self.fading.push((later, at, self.dice.below(8) as u8));
    }

    pub(super) fn program_all(&mut self, offset: usize, bytes: &[u8]) -> Result<(), ChipError> {
        self.written[offset / WRITE..(offset + bytes.len()) / WRITE].fill(true);
        if !self.page_programs {
            let mut words = bytes.chunks(WRITE).zip(offset / WRITE..);
            return words.try_for_each(|(data, word)| self.program_word(word, data));
        }
        let mut at = offset;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (data, others) = rest.split_at(rest.len().min(PAGE - at % PAGE));
            self.program_page(at, data)?;
            at += data.len();
            rest = others;
        }
        Ok(())
    }

    /// Programs bytes of one of the chip's program pages in one operation.
    fn program_page(&mut self, at: usize, data: &[u8]) -> Result<(), ChipError> {
        let words = at / WRITE..(at + data.len()) / WRITE;
        let is_ready = |word: &Word| matches!(word, Word::Erased | Word::Weak);
        if !self.words[words.clone()].iter().all(is_ready) {
            self.violations += 1;
            return Err(ChipError::NotErased);
        }
        let Some(tear) = self.step() else {
            let mut result = Ok(());
            for (data, word) in data.chunks(WRITE).zip(words) {
                let range = word * WRITE..(word + 1) * WRITE;
                self.bytes[range.clone()].copy_from_slice(data);
                if self.words[word] == Word::Weak {
                    self.weak_programs.push(range.start);
                    result = self.weaken(range).and(result);
                    self.words[word] = Word::Programmed;
                } else {
                    self.settle_word(word);
                }
            }
            return result;
        };
        let cells: Vec<_> = (0..data.len() * 8)
            .filter(|bit| data[bit / 8] & 1 << (bit % 8) == 0)
            .collect();
        let one = cells.get(self.dice.below(cells.len().max(1))).copied();
        let (mut first, mut last) = (self.dice.below(data.len()), self.dice.below(data.len()));
        if first > last {
            (first, last) = (last, first);
        }
        for (n, data) in data.iter().enumerate() {
            let one = one
                .filter(|bit| bit / 8 == n)
                .map_or(0, |bit| 1 << (bit % 8));
            let left = match tear.program {
                ProgramTear::SomeBits => self.dice.next() as u8,
                ProgramTear::AllButOne => one,
                ProgramTear::Whole => 0,
                ProgramTear::Weak => !one,
                ProgramTear::Unreadable if (first..=last).contains(&n) => 0,
                ProgramTear::Nothing | ProgramTear::Unreadable => 0xFF,
            };
            self.bytes[at + n] &= data | left;
        }
        let torn = !matches!(tear.program, ProgramTear::Nothing | ProgramTear::Whole);
        for (data, word) in data.chunks(WRITE).zip(words) {
            self.settle_word(word);
            if self.is_unstable && torn && self.words[word] == Word::Programmed {
                let range = word * WRITE..(word + 1) * WRITE;
                let place = &self.bytes[range.clone()];
                self.unstable
                    .shake(range.start, place, data, &mut self.dice);
            }
        }
        Err(ChipError::PowerLost)
    }

    /// Where no cell has changed, a word is as erased.
    fn settle_word(&mut self, word: usize) {
        let place = &self.bytes[word * WRITE..(word + 1) * WRITE];
        self.words[word] = if place.iter().all(|byte| *byte == 0xFF) {
            Word::Erased
        } else {
            Word::Programmed
        };
    }
}
