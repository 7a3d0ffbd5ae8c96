//! The chip: its cells, its habits, its power.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::unstable::Unstable;
use super::{Busy, Cut, Dice, Tear};

/// What a chip was asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Reads that were carried out.
    pub reads: u64,
    /// Bytes of them.
    pub read_bytes: u64,
    /// Programs that were carried out.
    pub programs: u64,
    /// Bytes of them.
    pub programmed_bytes: u64,
    /// Pages that were erased.
    pub erases: u64,
    /// Word programs, page programs and page erases: the places for a power cut.
    pub steps: u64,
    /// Calls of any kind, those that failed too.
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

/// A chip in memory, with program units ("words") of `WRITE` bytes and erase pages of `ERASE`.
///
/// It is a driver itself: `NorFlash` of `embedded-storage`, with the feature `async` that of
/// `embedded-storage-async` too. A [`Flash`](super::Flash) is a driver that shares one.
///
/// Its habits are public fields, which may be changed at any time; a new chip is a strict one without
/// error correction, whose programs are cut between words and within one.
///
/// ```
/// use embedded_storage::nor_flash::NorFlash;
/// use mtsession_embedded::sim::{Chip, ChipError, Cut, Tear};
///
/// let mut chip = Chip::<4, 4096>::new(16384);
/// // The arrays below are anywhere in memory; 4 bytes is what DMA wants.
/// chip.ram_align = 1;
/// chip.write(0, &[1, 2, 3, 4])?;
/// // No word is programmed twice.
/// assert_eq!(chip.write(0, &[0; 4]), Err(ChipError::NotErased));
///
/// // The power goes in the second word of the next program, and leaves half of that word's bits.
/// chip.cut(Cut { after: 1, tear: Tear::new(1, 0) }, 7);
/// assert_eq!(chip.write(8, &[0; 12]), Err(ChipError::PowerLost));
/// assert!(chip.power_up());
/// assert_eq!(chip.bytes[8..12], [0; 4]);
/// assert_eq!(chip.bytes[16..20], [0xFF; 4]);
/// # Ok::<(), ChipError>(())
/// ```
#[derive(Clone)]
pub struct Chip<const WRITE: usize, const ERASE: usize> {
    /// The cells, as they are on a chip whose erased bytes read 0xFF.
    pub bytes: Vec<u8>,
    pub(super) words: Vec<Word>,
    /// Words that were written since they were erased, with ones too.
    pub(super) written: Vec<bool>,
    /// What was done so far.
    pub counts: Counts,
    /// How often each page was erased.
    pub erases: Vec<u32>,
    /// Whether torn words may be unreadable, as with error correction.
    pub corrects: bool,
    /// Whether a word that was programmed with all ones counts as programmed, as it does where error
    /// correction has bits of its own. Else it counts as erased: no cell of it has changed.
    pub strict: bool,
    /// Whether up to 256 bytes are programmed in one operation, as SPI NOR does: a power cut may leave
    /// any of its bits done.
    pub page_programs: bool,
    /// Whether bits of a word that was hit by a cut read differently from time to time.
    pub is_unstable: bool,
    /// Bytes that RAM must be aligned to, as DMA wants it: 4, with the feature `align-32` 32, unless changed.
    /// What is not panics.
    pub ram_align: usize,
    /// What erased bytes read as; programming turns bits the other way.
    pub erased: u8,
    /// Whether erased words read as noise, as decrypted erased flash does.
    pub noise: bool,
    /// Which calls fail.
    pub busy: Option<Busy>,
    /// Whether a word that was hit by a cut and reads blank may take anything else than what is
    /// programmed next.
    pub weakens: bool,
    /// What the driver says its capacity is, if that is not where the chip ends.
    pub capacity: Option<usize>,
    /// Whether programs fail, and nothing else.
    pub refuses_programs: bool,
    /// Whether a weak word may also take what is programmed, and go bad a few steps later.
    pub late: bool,
    /// Whether reads among the calls that fail work nevertheless.
    pub spares_reads: bool,
    /// Whether programs and erases among the calls that fail do a part of their work, as if the power
    /// were cut.
    pub leaves_tears: bool,
    /// A cell, as byte and bit, and what it always reads as.
    pub stuck: Option<(usize, u8, bool)>,
    /// After so many calls the driver panics: a store that never comes to an end is found so.
    pub patience: Option<u64>,
    /// Programs of words that were not erased: each is an error of the store.
    pub violations: u32,
    /// Where words were programmed that a cut had hit and that only look erased, in bytes.
    pub weak_programs: Vec<usize>,
    pub(super) cut: Option<(u64, Tear)>,
    pub(super) dead: bool,
    /// Numbers of the calls that fail.
    pub(super) fail: Range<u64>,
    /// Cells of a page that was nearly erased, or of a weak word, that turn to 0 some steps later.
    pub(super) fading: Vec<(u64, usize, u8)>,
    pub(super) unstable: Unstable,
    pub(super) dice: Dice,
}

impl<const WRITE: usize, const ERASE: usize> Chip<WRITE, ERASE> {
    /// An erased chip of `size` bytes, a multiple of `ERASE`.
    pub fn new(size: usize) -> Self {
        Self {
            bytes: vec![0xFF; size],
            words: vec![Word::Erased; size / WRITE],
            written: vec![false; size / WRITE],
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
            spares_reads: false,
            leaves_tears: false,
            stuck: None,
            patience: None,
            violations: 0,
            weak_programs: Vec::new(),
            cut: None,
            dead: false,
            fail: 0..0,
            fading: Vec::new(),
            unstable: Unstable::default(),
            dice: Dice::new(1),
        }
    }

    /// A chip as SPI NOR is (RP2040, ESP32): up to 256 bytes are one operation, and a word whose cells
    /// did not change is as good as erased.
    pub fn spi_nor(size: usize) -> Self {
        Self {
            page_programs: true,
            strict: false,
            ..Self::new(size)
        }
    }

    /// A chip with error correction (STM32): a torn word may be unreadable.
    pub fn with_error_correction(size: usize) -> Self {
        Self {
            corrects: true,
            ..Self::new(size)
        }
    }

    /// The same chip with words that read differently from time to time after a cut.
    #[must_use]
    pub fn unstable(self) -> Self {
        Self {
            is_unstable: true,
            ..self
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

    /// Cuts the power at a later operation; the seed decides which bits that leaves.
    pub const fn cut(&mut self, cut: Cut, seed: u64) {
        self.cut = Some((self.counts.steps + cut.after, cut.tear));
        self.dice = Dice::new(seed);
    }

    /// Whether a cut is still to come.
    pub const fn is_to_be_cut(&self) -> bool {
        self.cut.is_some() && !self.dead
    }

    /// Fails so many calls, the first of them number `after` from now.
    pub const fn fail(&mut self, after: u64, times: u64) {
        let first = self.counts.calls + after;
        self.fail = first..first.saturating_add(times);
    }

    /// As [`fail`](Self::fail), and what fails does a part of its work.
    pub const fn fail_torn(&mut self, after: u64, times: u64, seed: u64) {
        self.fail(after, times);
        self.leaves_tears = true;
        self.dice = Dice::new(seed);
    }

    /// Ends what [`fail`](Self::fail) and [`fail_torn`](Self::fail_torn) began.
    pub const fn heal(&mut self) {
        self.fail = 0..0;
        self.spares_reads = false;
        self.leaves_tears = false;
    }

    /// Whether the power was cut. It is on again afterwards, and a cut still to come is called off.
    pub const fn power_up(&mut self) -> bool {
        self.cut = None;
        core::mem::replace(&mut self.dead, false)
    }

    /// Whether the power is off.
    pub const fn is_dead(&self) -> bool {
        self.dead
    }

    /// Whether the word of a byte may be programmed.
    pub fn is_erased(&self, at: usize) -> bool {
        self.words[at / WRITE] == Word::Erased
    }

    /// Whether nothing was written to a byte since it was erased. A word of ones that may be programmed again
    /// counts as erased, but its cells are a record's.
    pub(super) fn is_unwritten(&self, at: usize) -> bool {
        self.is_erased(at) && !self.written[at / WRITE]
    }

    /// Flips a bit, counted from the chip's first: bit rot.
    pub fn flip(&mut self, bit: usize) {
        self.bytes[bit / 8] ^= 1 << (bit % 8);
    }
}
