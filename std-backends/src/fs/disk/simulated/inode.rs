//! The content of one file: what programs read, what is durable, and what lies between.

use core::time::Duration;

use super::dice::Dice;
use super::locks::Lock;

const SECTOR: usize = 512;
const BLOCK: usize = 4096;

/// What was done since the last flush, in its order.
#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Length(usize),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    /// What programs read.
    pub(super) content: Vec<u8>,
    /// What a cut leaves at least.
    durable: Vec<u8>,
    pending: Vec<Change>,
    pub(super) links: u64,
    pub(super) changed: Duration,
    pub(super) lock: Lock,
}

impl Inode {
    /// A file that was there before the machine was started.
    pub(super) fn durable(content: Vec<u8>) -> Self {
        Self {
            durable: content.clone(),
            content,
            ..Self::default()
        }
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let change = Change::Write {
            at,
            bytes: bytes.to_vec(),
        };
        change.make(&mut self.content);
        self.pending.push(change);
    }

    pub(super) fn set_length(&mut self, len: usize) {
        let change = Change::Length(len);
        change.make(&mut self.content);
        self.pending.push(change);
    }

    /// Makes everything durable that no failed flush has lost.
    pub(super) fn flush(&mut self) {
        for change in self.pending.drain(..) {
            change.make(&mut self.durable);
        }
    }

    /// A flush that fails: some of it may have reached the disk, and the rest never will.
    pub(super) fn fail_to_flush(&mut self, dice: &mut Dice, freed: &[Vec<u8>]) {
        self.durable = self.after_cut(dice, freed, false);
        self.pending.clear();
    }

    /// What is left after a power cut.
    pub(super) fn after_cut(
        &self,
        dice: &mut Dice,
        freed: &[Vec<u8>],
        tears_blocks: bool,
    ) -> Vec<u8> {
        if self.pending.is_empty() {
            return self.durable.clone();
        }
        let mood = *dice.of(&[
            Mood::Old,
            Mood::New,
            Mood::Mixed,
            Mood::Mixed,
            Mood::Rubbish,
        ]);
        let lengths = self.lengths();
        let top = lengths.iter().copied().max().unwrap_or_default();
        let mut left = self.durable.clone();
        grow(&mut left, top, mood, dice, freed);
        let start = self.durable.len();
        for sector in 0..top.div_ceil(SECTOR) {
            self.cut_sector(&mut left, sector, mood, dice, freed);
        }
        if tears_blocks && dice.one_in(2) {
            self.tear_block(&mut left, dice, freed);
        }
        let len = match mood {
            Mood::Old => start,
            Mood::New => self.content.len(),
            Mood::Mixed | Mood::Rubbish => *dice.of(&lengths),
        };
        left.resize(len, 0);
        left
    }

    /// Every length that the file had since its flush.
    fn lengths(&self) -> Vec<usize> {
        let mut len = self.durable.len();
        let mut lengths = vec![len];
        for change in &self.pending {
            len = match change {
                Change::Write { at, bytes } => len.max(at + bytes.len()),
                Change::Length(len) => *len,
            };
            lengths.push(len);
        }
        lengths
    }

    fn cut_sector(
        &self,
        left: &mut [u8],
        sector: usize,
        mood: Mood,
        dice: &mut Dice,
        freed: &[Vec<u8>],
    ) {
        let (start, end) = (sector * SECTOR, (sector * SECTOR + SECTOR).min(left.len()));
        let touching: Vec<_> = self
            .pending
            .iter()
            .enumerate()
            .filter(|(number, change)| change.touches(start, end) && self.is_felt(*number, start))
            .map(|(_, change)| change)
            .collect();
        if touching.is_empty() {
            return;
        }
        let kept = match mood {
            Mood::Old => 0,
            Mood::New => touching.len(),
            Mood::Mixed | Mood::Rubbish => dice.below(touching.len() + 1),
        };
        for change in &touching[..kept] {
            change.make_in(left, start, end);
        }
        if mood == Mood::Rubbish && dice.one_in(2) {
            for change in touching {
                if let Change::Write { at, bytes } = change {
                    let (from, to) = (start.max(*at), end.min(at + bytes.len()));
                    // What the file has already is written over where it stands: no other file was there.
                    let is_new = from >= self.durable.len();
                    let freed = if is_new { freed } else { &[] };
                    rubbish(&mut left[from..to], from, dice, freed);
                }
            }
        }
    }

    /// Whether a change reaches this place. Blocks that are cut off as a whole are freed as they are: they become
    /// zeros only where the file grows again.
    fn is_felt(&self, number: usize, start: usize) -> bool {
        let Change::Length(len) = &self.pending[number] else {
            return true;
        };
        let is_in_last_block = start < len.next_multiple_of(BLOCK);
        let mut later = self.pending[number + 1..].iter();
        is_in_last_block
            || later.any(|change| match change {
                Change::Write { at, bytes } => at + bytes.len() > *len,
                Change::Length(longer) => longer > len,
            })
    }

    /// A block that was being written is lost as a whole.
    fn tear_block(&self, left: &mut [u8], dice: &mut Dice, freed: &[Vec<u8>]) {
        let written = self.pending.iter().rev().find_map(|change| match change {
            Change::Write { at, .. } => Some(at / BLOCK * BLOCK),
            Change::Length(_) => None,
        });
        let Some(start) = written else {
            return;
        };
        let end = (start + BLOCK).min(left.len());
        if start < end {
            rubbish(&mut left[start..end], start, dice, freed);
        }
    }
}

/// How much of what was not flushed a cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Old,
    New,
    Mixed,
    Rubbish,
}

impl Change {
    fn make(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Self::Length(len) => content.resize(*len, 0),
        }
    }

    fn touches(&self, start: usize, end: usize) -> bool {
        match self {
            Self::Write { at, bytes } => *at < end && start < at + bytes.len(),
            Self::Length(len) => *len < end,
        }
    }

    fn make_in(&self, content: &mut [u8], start: usize, end: usize) {
        match self {
            Self::Write { at, bytes } => {
                let (from, to) = (start.max(*at), end.min(at + bytes.len()));
                content[from..to].copy_from_slice(&bytes[from - at..to - at]);
            }
            Self::Length(len) => content[start.max(*len)..end].fill(0),
        }
    }
}

fn grow(left: &mut Vec<u8>, top: usize, mood: Mood, dice: &mut Dice, freed: &[Vec<u8>]) {
    // A block is written as a whole, with zeros after the end of the file.
    let start = left.len().next_multiple_of(BLOCK).min(top);
    left.resize(top, 0);
    if mood == Mood::Rubbish && dice.one_in(2) {
        rubbish(&mut left[start..], start, dice, freed);
    }
}

/// Zeros, or bytes of a file that is gone, at the same place or another one.
fn rubbish(left: &mut [u8], at: usize, dice: &mut Dice, freed: &[Vec<u8>]) {
    left.fill(0);
    if freed.is_empty() || dice.one_in(3) {
        return;
    }
    let old = dice.of(freed);
    let from = if dice.one_in(2) || old.is_empty() {
        at
    } else {
        dice.below(old.len().div_ceil(SECTOR)) * SECTOR + at % SECTOR
    };
    for (to, from) in left.iter_mut().zip(old.iter().skip(from)) {
        *to = *from;
    }
}
