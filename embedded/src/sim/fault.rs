//! What goes wrong on a chip, and how its driver says so.

use core::fmt;

use embedded_storage::nor_flash::{NorFlashError, NorFlashErrorKind};

use super::Dice;

/// How many kinds of [`ProgramTear`] there are.
pub const PROGRAM_TEARS: u8 = 6;
/// How many kinds of [`EraseTear`] there are.
pub const ERASE_TEARS: u8 = 8;

/// What an interrupted program leaves: of a word, or with
/// [`page_programs`](super::Chip::page_programs) of everything that is programmed in one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramTear {
    /// Nothing: the word is still erased.
    Nothing,
    /// Any subset of the bits.
    SomeBits,
    /// All bits but one.
    AllButOne,
    /// The whole word: the power went just after it.
    Whole,
    /// A word that reads as erased and is not: what is programmed there next may be refused, become
    /// garbage, or fade. Of page programs a single bit.
    Weak,
    /// A word that cannot be read, on a chip with error correction; a few bits on any other. Of page
    /// programs all bits of any part of it.
    Unreadable,
}

impl ProgramTear {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::SomeBits,
        Self::AllButOne,
        Self::Whole,
        Self::Weak,
        Self::Unreadable,
    ];
}

/// What an interrupted erase leaves of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraseTear {
    /// The page as it was.
    Nothing,
    /// The front of it erased.
    Front,
    /// The back of it erased.
    Back,
    /// All zeros: chips program a page before they erase it.
    Zeros,
    /// Half of its bits programmed.
    HalfProgrammed,
    /// Half of its bits erased; with error correction words that cannot be read.
    HalfErased,
    /// A page that reads as erased and of which some bits fade later.
    Weak,
    /// The page erased.
    Whole,
}

impl EraseTear {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Front,
        Self::Back,
        Self::Zeros,
        Self::HalfProgrammed,
        Self::HalfErased,
        Self::Weak,
        Self::Whole,
    ];
}

/// Which damage a power cut does; the one of the operation that it hits counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tear {
    /// Where a program is hit.
    pub program: ProgramTear,
    /// Where an erase is hit.
    pub erase: EraseTear,
}

impl Tear {
    /// The tears of these numbers, which are taken modulo the number of kinds.
    pub const fn new(program: u8, erase: u8) -> Self {
        Self {
            program: ProgramTear::ALL[(program % PROGRAM_TEARS) as usize],
            erase: EraseTear::ALL[(erase % ERASE_TEARS) as usize],
        }
    }

    /// Any of them.
    pub const fn any(dice: &mut Dice) -> Self {
        Self::new(dice.next() as u8, dice.next() as u8)
    }
}

/// A power cut in the middle of an operation that is still to come.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Which word program, page program or page erase from now, counted from 0.
    pub after: u64,
    /// What is left of it.
    pub tear: Tear,
}

/// How often calls of a driver fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Every call whose number is a multiple of this.
    EveryNth(u64),
    /// One call in so many, at random.
    OneIn(u64),
}

/// Why a call of the driver failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipError {
    /// The power is off.
    PowerLost,
    /// The call was asked to fail.
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

impl fmt::Display for ChipError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerLost => "the power is off",
            Self::Injected => "the driver failed as it was asked to",
            Self::Unreadable => "a word that cannot be read",
            Self::Rule(NorFlashErrorKind::NotAligned) => "a call that is not aligned",
            Self::Rule(NorFlashErrorKind::OutOfBounds) => "a call beyond the chip's end",
            Self::Rule(_) => "a call that breaks a rule of NorFlash",
            Self::NotErased => "a program of what is not erased",
            Self::NotTaken => "a word that did not take what was programmed",
        })
    }
}

impl core::error::Error for ChipError {}

impl NorFlashError for ChipError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Rule(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}
