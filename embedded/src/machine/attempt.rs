//! Where a call of the driver fails it is made again, and words that stay unreadable read as zeros.

use super::state::{Machine, Op, State};
use crate::format::record::MAX_RECORD;
use crate::index::Table;
use crate::num::{Bytes, bytes, len};

/// How often an erase is tried.
const ERASES: u8 = 8;
/// How often a word is read before it counts as unreadable. A driver that was only busy must never lead to that,
/// since the record would be lost.
const READS: u8 = 24;
/// How many calls go by at most before something is programmed again, the first time: with its read-back, the next
/// program is the 31st call after one that failed. A driver that fails at regular intervals is in step with it only
/// where it fails every 31st call, since that is a prime number. Each further time there are so many more:
/// 37 and 43 are primes, and neither 2 nor 3 is ever a factor.
const PASSES: u8 = 29;
const MORE: u8 = 6;
/// The same where a call that works is waited for: the 11th call at the earliest, then the 17th, 23rd, 29th.
const LEFT: u8 = PASSES - 9;

/// What a call of the driver is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What the machine asks for.
    Whole,
    /// A word elsewhere: are there words that cannot be read, or does the driver read nothing?
    Alive,
    /// What was asked for, a word at a time.
    Word,
    /// A call that goes by.
    Pass,
}

/// Calls of the driver for one operation.
#[cfg_attr(feature = "_test", derive(Clone))]
pub(crate) struct Attempts {
    op: Op,
    way: Way,
    /// Where, and which bytes of the buffer.
    at: Bytes,
    from: usize,
    to: usize,
    /// Calls that failed, or of those that go by, how many are left.
    count: u8,
    /// Programs that failed in this call of the log, and whether calls go by before the next one: the last one
    /// failed, or a call that failed was waited for.
    failed: u8,
    waits: bool,
    /// The page where a word is looked for that can be read.
    page: u8,
}

impl Attempts {
    pub(crate) const NEW: Self = Self {
        op: Op::Done,
        way: Way::Whole,
        at: bytes(0),
        from: 0,
        to: 0,
        count: 0,
        failed: 0,
        waits: false,
        page: 0,
    };
}

impl Machine {
    /// Where on the chip, and the memory for it.
    pub(crate) fn io(&mut self) -> (u32, &mut [u8]) {
        let Attempts { at, from, to, .. } = self.attempts;
        let at = self.geometry.start.wrapping_add(at.0);
        (at, self.buffer.part_mut(from, to))
    }

    /// The first operation of a call.
    pub(crate) fn first(&mut self, op: Op) -> Op {
        self.attempts.failed = 0;
        self.attempts.waits = false;
        self.ask(op)
    }

    #[inline(never)]
    fn ask(&mut self, op: Op) -> Op {
        let attempts = &mut self.attempts;
        attempts.op = op;
        attempts.count = 0;
        if op == Op::Program && attempts.waits {
            // A driver that fails at regular intervals works right after a call that failed; one that is busy for
            // a while, right after one that did not. Which of them it is cannot be known: attempts take turns.
            // Where reads do not fail at all, only the number of calls in between leaves the interval.
            let times = attempts.failed.wrapping_sub(1) >> 1 & 3;
            attempts.count = PASSES.wrapping_add(times.wrapping_mul(MORE));
            return self.elsewhere(Way::Pass, self.io.0);
        }
        self.whole(op)
    }

    fn whole(&mut self, op: Op) -> Op {
        let attempts = &mut self.attempts;
        attempts.way = Way::Whole;
        (attempts.at, attempts.to) = self.io;
        attempts.from = 0;
        op
    }

    /// Reads a word to after what is in the buffer.
    fn elsewhere(&mut self, way: Way, at: Bytes) -> Op {
        self.attempts.at = at;
        self.attempts.from = MAX_RECORD;
        self.attempts.to = len(self.geometry.unit()).wrapping_add(MAX_RECORD);
        self.attempts.way = way;
        Op::Read
    }

    /// How a call of the driver went: what is next?
    #[inline(never)]
    pub(crate) fn called(&mut self, table: &mut dyn Table, ok: bool) -> Op {
        let attempts = &mut self.attempts;
        let op = attempts.op;
        if attempts.way == Way::Pass {
            attempts.count = attempts.count.wrapping_sub(1);
            let waits_for_failure = attempts.failed & 1 == 1;
            let is_over = if waits_for_failure {
                !ok
            } else {
                ok && attempts.count <= LEFT
            };
            if is_over || attempts.count == 0 {
                attempts.waits = waits_for_failure && !ok;
                return self.whole(op);
            }
            return Op::Read;
        }
        if op == Op::Program {
            // Whatever the driver says: what is there counts.
            attempts.waits |= !ok;
            attempts.failed = attempts.failed.wrapping_add((!ok).into());
            return self.next_step(table, true);
        }
        let is_end = self.state == State::End;
        if !ok && !is_end {
            attempts.count = attempts.count.wrapping_add(1);
            if attempts.count < if op == Op::Read { READS } else { ERASES } {
                return op;
            }
        }
        attempts.count = 0;
        if op == Op::Erase || is_end {
            return self.next_step(table, ok);
        }
        match attempts.way {
            Way::Whole if ok => self.next_step(table, true),
            Way::Word => {
                if !ok {
                    let Attempts { from, to, .. } = self.attempts;
                    self.buffer.part_mut(from, to).fill(0);
                }
                let attempts = &mut self.attempts;
                attempts.at += self.geometry.unit();
                attempts.from = attempts.to;
                self.next_word(table)
            }
            Way::Alive if ok => {
                attempts.way = Way::Word;
                (attempts.at, attempts.from) = (self.io.0, 0);
                self.next_word(table)
            }
            _ => {
                // Not where a read went well before: something may have been programmed there since.
                attempts.page = match attempts.way {
                    Way::Whole => 0,
                    _ => attempts.page.wrapping_add(1),
                };
                if attempts.page >= self.geometry.pages {
                    return self.next_step(table, false);
                }
                let at = self.geometry.page_at(attempts.page);
                self.elsewhere(Way::Alive, at)
            }
        }
    }

    /// What was asked for, a word at a time.
    fn next_word(&mut self, table: &mut dyn Table) -> Op {
        let unit = len(self.geometry.unit());
        let (_, length) = self.io;
        let attempts = &mut self.attempts;
        if attempts.from >= length {
            return self.next_step(table, true);
        }
        attempts.to = attempts.from.wrapping_add(unit).min(length);
        attempts.op
    }

    fn next_step(&mut self, table: &mut dyn Table, ok: bool) -> Op {
        let op = self.step(table, ok);
        self.ask(op)
    }
}
