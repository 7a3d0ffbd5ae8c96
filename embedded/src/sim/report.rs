//! What a test found.

use core::fmt;
use std::string::String;

/// What happened in all lives of a [`Plan`](super::Plan).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Lives.
    pub lives: u64,
    /// Calls that changed the store.
    pub calls: u64,
    /// Calls that the store refused.
    pub refused: u64,
    /// Calls that failed since the driver did, or a cell.
    pub failed: u64,
    /// Starts.
    pub starts: u64,
    /// Power cuts.
    pub cuts: u64,
    /// Those in a start, or in the calls after one.
    pub cuts_again: u64,
    /// Rotten bits that changed nothing of what was found.
    pub rot_harmless: u64,
    /// Rotten bits after which something was missing or changed.
    pub rot_seen: u64,
    /// Rotten bits after which the store gave an error instead of what it holds.
    pub rot_refused: u64,
    /// Programs of words that were not erased.
    pub violations: u64,
    /// Lives in which something was wrong; each ends there.
    pub failures: u64,
    /// The first of them.
    pub first: Option<Failure>,
}

impl Report {
    /// Ends the test unless everything was right.
    ///
    /// # Panics
    ///
    /// With the first failure.
    #[track_caller]
    pub fn assert(&self) {
        if let Some(failure) = &self.first {
            panic!("{failure}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} lives, {} calls", self.lives, self.calls)?;
        let counts = [
            (self.refused, "refused"),
            (self.failed, "failed"),
            (self.cuts, "power cuts"),
            (self.cuts_again, "of them soon after another"),
            (self.rot_harmless, "rotten bits without effect"),
            (self.rot_seen, "with some"),
            (self.rot_refused, "with an error"),
            (self.violations, "programs of what was not erased"),
        ];
        for (count, what) in counts {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        write!(f, ", {} failures", self.failures)
    }
}

/// What was wrong, and how to see it again.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// The life's seed: `Plan::new(seed).lives(1)`, or `SIM_SEED`, shows it again.
    pub seed: u64,
    /// Which call of the life it was, counted from 0.
    pub call: usize,
    /// The last power cut before it, as the number of the chip's step and its tear, or what else went
    /// wrong.
    pub fault: String,
    /// What was wrong.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            call,
            fault,
            what,
        } = self;
        write!(f, "seed {seed}, call {call}, {fault}: {what}")
    }
}

impl core::error::Error for Failure {}
