//! The chip.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind, check_write};

use super::Dice;
use super::unstable::Unstable;
use crate::header::HEADER_LEN;

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
pub(super) enum Word {
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
    pub(super) words: Vec<Word>,
    pub counts: Counts,
    pub erases: Vec<u32>,
    /// Whether torn words cannot be read, as with error correction.
    pub corrects: bool,
    /// Whether a word that was programmed with all ones counts as programmed, as it does where error
    /// correction has bits of its own. Else it counts as erased: no cell of it has changed.
    pub strict: bool,
    /// Whether up to 256 bytes are programmed in one operation, as SPI NOR does: a power cut may leave
    /// any of its bits done.
    pub page_programs: bool,
    /// Whether bits of a word that was hit by a cut read differently from time to time.
    pub is_unstable: bool,
    /// Bytes that RAM must be aligned to, as DMA wants it.
    pub ram_align: usize,
    /// What erased bytes read as; programming turns bits the other way.
    pub erased: u8,
    /// Whether erased words read as noise, as decrypted erased flash does.
    pub noise: bool,
    /// One call in so many fails: every one that is a multiple of it, or any.
    pub busy: Option<(u64, bool)>,
    /// Whether a word that was hit by a cut and reads blank may take anything else than what is
    /// programmed next.
    pub weakens: bool,
    /// What the driver says its capacity is, if that is not where the chip ends.
    pub capacity: Option<usize>,
    /// Whether programs fail, and nothing else.
    pub refuses_programs: bool,
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
    pub(super) fading: Vec<(u64, usize, u8)>,
    pub(super) unstable: Unstable,
    /// Rules that were broken; must stay 0.
    pub violations: u32,
    /// Programs of words that only look erased.
    pub weak_programs: u32,
    pub(super) dice: Dice,
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
            page_programs: false,
            is_unstable: false,
            ram_align: if cfg!(feature = "align-32") { 32 } else { 4 },
            erased: 0xFF,
            noise: false,
            busy: None,
            weakens: true,
            capacity: None,
            refuses_programs: false,
            late: false,
            cut: None,
            dead: false,
            fail: 0..0,
            spares_reads: false,
            leaves_tears: false,
            stuck: None,
            fading: Vec::new(),
            unstable: Unstable::default(),
            violations: 0,
            weak_programs: 0,
            dice: Dice::new(1),
        }
    }

    /// A chip that holds an image; what is not blank in it was programmed.
    pub fn with(image: &[u8]) -> Self {
        let mut chip = Self::new(image.len());
        chip.bytes.copy_from_slice(image);
        for (word, bytes) in chip.words.iter_mut().zip(image.chunks(WRITE)) {
            if bytes.iter().any(|byte| *byte != 0xFF) {
                *word = Word::Programmed;
            }
        }
        chip
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

    pub(super) fn call(&mut self, is_read: bool) -> Result<(), ChipError> {
        let call = self.counts.calls;
        self.counts.calls += 1;
        if self.dead {
            return Err(ChipError::PowerLost);
        }
        if self.fail.contains(&call) && !(is_read && self.spares_reads) {
            return Err(ChipError::Injected);
        }
        let fails = match self.busy {
            Some((n, false)) => call.is_multiple_of(n),
            Some((n, true)) => self.dice.next().is_multiple_of(n),
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

    /// Whether the word is in the second header of a page. It may be programmed where a cut in the first
    /// one cannot be told from one in the second: one of them is whole.
    pub(super) fn is_second_header(word: usize) -> bool {
        let header = HEADER_LEN.next_multiple_of(WRITE.max(4));
        (header..2 * header).contains(&(word * WRITE % ERASE.max(1024)))
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
