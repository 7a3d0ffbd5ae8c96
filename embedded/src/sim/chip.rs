//! The chip.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use embedded_storage::nor_flash::{
    NorFlashError, NorFlashErrorKind, check_erase, check_read, check_write,
};

use super::Dice;

/// What an interrupted program leaves of a word.
pub const PROGRAM_TEARS: u8 = 6;
/// What an interrupted erase leaves of a page.
pub const ERASE_TEARS: u8 = 8;

/// Which damage a power cut does; the one of the operation that it hits counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tear {
    pub program: u8,
    pub erase: u8,
}

/// A power cut in the middle of the `after`th word program or page erase from now, counted from 0.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub after: u64,
    pub tear: Tear,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipError {
    /// The power is off.
    PowerLost,
    /// Asked to fail.
    Injected,
    /// The word cannot be read: its error correction fails.
    Unreadable,
    /// An argument is wrong.
    Rule(NorFlashErrorKind),
    /// A word that is not erased was programmed.
    NotErased,
    /// The word did not take what was programmed.
    NotTaken,
}

impl NorFlashError for ChipError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Rule(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

/// What the chip was asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub reads: u64,
    pub read_bytes: u64,
    pub programs: u64,
    pub programmed_bytes: u64,
    pub erases: u64,
    /// Word programs and page erases: the places for a power cut.
    pub steps: u64,
    /// Calls of any kind.
    pub calls: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Erased,
    Programmed,
    /// Reads as erased, but some charge has moved: what is programmed there fails, is garbage, or
    /// goes bad after a while.
    Weak,
    /// Cannot be read.
    Faulty,
}

/// A chip with program units of `WRITE` bytes and pages of `ERASE`.
#[derive(Clone)]
pub struct Chip<const WRITE: usize, const ERASE: usize> {
    pub bytes: Vec<u8>,
    words: Vec<Word>,
    pub counts: Counts,
    pub erases: Vec<u32>,
    /// Whether torn words cannot be read, as with error correction.
    pub corrects: bool,
    /// Whether a word that was programmed with all ones counts as programmed, as it does where error
    /// correction has bits of its own. Else it counts as erased: no cell of it has changed.
    pub strict: bool,
    /// Whether a weak word may also take what is programmed, and go bad a few steps later.
    pub late: bool,
    cut: Option<(u64, Tear)>,
    dead: bool,
    /// Numbers of the calls that fail.
    fail: Range<u64>,
    /// Whether reads of them work nevertheless.
    pub spares_reads: bool,
    /// Whether programs and erases among them do a part of their work, as if the power were cut.
    leaves_tears: bool,
    /// A cell, as byte and bit, and what it always reads as.
    pub stuck: Option<(usize, u8, bool)>,
    /// Cells of a page that was nearly erased, or of a weak word, that turn to 0 some steps later.
    fading: Vec<(u64, usize, u8)>,
    /// Rules that were broken; must stay 0.
    pub violations: u32,
    /// Programs of words that only look erased.
    pub weak_programs: u32,
    dice: Dice,
}

impl<const WRITE: usize, const ERASE: usize> Chip<WRITE, ERASE> {
    pub fn new(size: usize) -> Self {
        Self {
            bytes: vec![0xFF; size],
            words: vec![Word::Erased; size / WRITE],
            counts: Counts::default(),
            erases: vec![0; size / ERASE],
            corrects: false,
            strict: true,
            late: false,
            cut: None,
            dead: false,
            fail: 0..0,
            spares_reads: false,
            leaves_tears: false,
            stuck: None,
            fading: Vec::new(),
            violations: 0,
            weak_programs: 0,
            dice: Dice::new(1),
        }
    }

    /// Cuts the power at a later operation.
    pub fn cut(&mut self, cut: Cut, seed: u64) {
        self.cut = Some((self.counts.steps + cut.after, cut.tear));
        self.dice = Dice::new(seed);
    }

    /// Fails so many calls, the first of them number `after` from now.
    pub fn fail(&mut self, after: u64, times: u64) {
        let first = self.counts.calls + after;
        self.fail = first..first.saturating_add(times);
    }

    /// As [`fail`](Self::fail), and what fails does a part of its work.
    pub fn fail_torn(&mut self, after: u64, times: u64, seed: u64) {
        self.fail(after, times);
        self.leaves_tears = true;
        self.dice = Dice::new(seed);
    }

    /// Stops failing.
    pub fn heal(&mut self) {
        self.fail = 0..0;
        self.spares_reads = false;
        self.leaves_tears = false;
    }

    /// Whether the power was cut. It is on again afterwards, and a cut still to come is called off.
    pub fn power_up(&mut self) -> bool {
        self.cut = None;
        core::mem::take(&mut self.dead)
    }

    /// Whether the power is off.
    pub const fn is_dead(&self) -> bool {
        self.dead
    }

    /// Flips a bit.
    pub fn flip(&mut self, bit: usize) {
        self.bytes[bit / 8] ^= 1 << (bit % 8);
    }

    fn call(&mut self, is_read: bool) -> Result<(), ChipError> {
        let call = self.counts.calls;
        self.counts.calls += 1;
        if self.dead {
            return Err(ChipError::PowerLost);
        }
        if self.fail.contains(&call) && !(is_read && self.spares_reads) {
            return Err(ChipError::Injected);
        }
        Ok(())
    }

    /// Counts a word program or a page erase; the tear if the power is cut in it.
    fn step(&mut self) -> Option<Tear> {
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

    fn program_word(&mut self, word: usize, data: &[u8]) -> Result<(), ChipError> {
        let range = word * WRITE..(word + 1) * WRITE;
        let weak = match self.words[word] {
            Word::Erased => false,
            Word::Weak => true,
            Word::Programmed | Word::Faulty => {
                self.violations += 1;
                return Err(ChipError::NotErased);
            }
        };
        self.weak_programs += u32::from(weak);
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
        match tear.program % PROGRAM_TEARS {
            0 => self.words[word] = Word::Erased,
            1 => {
                for (byte, data) in place.iter_mut().zip(data) {
                    *byte = data | self.dice.next() as u8;
                }
            }
            2 => {
                place.copy_from_slice(data);
                let zeros: Vec<_> = (0..WRITE * 8)
                    .filter(|bit| data[bit / 8] & 1 << (bit % 8) == 0)
                    .collect();
                if let Some(bit) = zeros.get(self.dice.below(zeros.len().max(1))) {
                    place[bit / 8] |= 1 << (bit % 8);
                }
            }
            3 => place.copy_from_slice(data),
            4 => self.words[word] = Word::Weak,
            _ if self.corrects => self.words[word] = Word::Faulty,
            _ => {
                for (byte, data) in place.iter_mut().zip(data) {
                    *byte = data | self.dice.next() as u8 & self.dice.next() as u8;
                }
            }
        }
        if self.words[word] == Word::Programmed
            && self.bytes[range].iter().all(|byte| *byte == 0xFF)
        {
            // Some charge has moved, but not enough to see it.
            self.words[word] = Word::Weak;
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
    fn fade(&mut self, range: Range<usize>, steps: usize) {
        let later = self.counts.steps + self.dice.below(steps) as u64;
        let at = range.start + self.dice.below(range.len());
        self.fading.push((later, at, self.dice.below(8) as u8));
    }

    fn erase_page(&mut self, page: usize) -> Result<(), ChipError> {
        let range = page * ERASE..(page + 1) * ERASE;
        let words = range.start / WRITE..range.end / WRITE;
        let tear = self.step();
        self.fading.retain(|(_, at, _)| !range.contains(at));
        let erased = tear.map_or(7, |tear| tear.erase % ERASE_TEARS);
        let middle = range.start + (self.dice.below(ERASE / WRITE)) * WRITE;
        if tear.is_none() {
            self.erases[page] += 1;
            self.counts.erases += 1;
        }
        let blank = match erased {
            0 => return Err(ChipError::PowerLost),
            1 => range.start..middle,
            2 => middle..range.end,
            _ => range.clone(),
        };
        let mut left = Word::Programmed;
        match erased {
            1 | 2 => {
                self.bytes[blank.clone()].fill(0xFF);
            }
            3 => self.bytes[blank].fill(0),
            4 => {
                for at in blank {
                    self.bytes[at] &= self.dice.next() as u8;
                }
            }
            5 => {
                for at in blank {
                    self.bytes[at] |= self.dice.next() as u8;
                }
                if self.corrects {
                    left = Word::Faulty;
                }
            }
            6 => {
                self.bytes[blank].fill(0xFF);
                left = Word::Weak;
                for _ in 0..5 {
                    self.fade(range.clone(), 30);
                }
            }
            _ => {
                self.bytes[blank].fill(0xFF);
                left = Word::Erased;
            }
        }
        self.words[words].fill(left);
        if tear.is_some() {
            Err(ChipError::PowerLost)
        } else {
            Ok(())
        }
    }

    pub(super) fn do_read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        self.call(true)?;
        check_read(self, offset, bytes.len()).map_err(ChipError::Rule)?;
        self.hold_stuck();
        self.counts.reads += 1;
        self.counts.read_bytes += bytes.len() as u64;
        let at = offset as usize;
        let end = at + bytes.len();
        if self.words[at / WRITE..end.div_ceil(WRITE)].contains(&Word::Faulty) {
            return Err(ChipError::Unreadable);
        }
        bytes.copy_from_slice(&self.bytes[at..end]);
        Ok(())
    }

    /// Does a part of what a failing call would do.
    fn tear(&mut self, steps: usize, call: impl FnOnce(&mut Self) -> Result<(), ChipError>) {
        if !self.leaves_tears || self.dead {
            return;
        }
        let tear = Tear {
            program: self.dice.next() as u8,
            erase: self.dice.next() as u8,
        };
        let cut = self
            .cut
            .replace((self.counts.steps + self.dice.below(steps) as u64, tear));
        let _ = call(self);
        self.cut = cut;
        self.dead = false;
    }

    pub(super) fn do_erase(&mut self, from: u32, to: u32) -> Result<(), ChipError> {
        let pages = from as usize / ERASE..to as usize / ERASE;
        let erase = |chip: &mut Self| pages.clone().try_for_each(|page| chip.erase_page(page));
        if let Err(error) = self.call(false) {
            self.tear(pages.len(), erase);
            return Err(error);
        }
        check_erase(self, from, to).map_err(ChipError::Rule)?;
        erase(self)
    }

    pub(super) fn do_write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), ChipError> {
        let words = bytes.chunks(WRITE).zip(offset as usize / WRITE..);
        let program = |chip: &mut Self| {
            words
                .clone()
                .try_for_each(|(data, word)| chip.program_word(word, data))
        };
        if let Err(error) = self.call(false) {
            self.tear(bytes.len() / WRITE, program);
            return Err(error);
        }
        check_write(self, offset, bytes.len()).map_err(ChipError::Rule)?;
        self.counts.programs += 1;
        self.counts.programmed_bytes += bytes.len() as u64;
        program(self)?;
        self.hold_stuck();
        Ok(())
    }
}
