//! The steps of the machine: what a call begins with, and what follows each operation.

use super::state::{Job, Machine, Op, State, TRIES, What};
use crate::error::Fail;
use crate::format::header::Flags;
use crate::geometry::RegionError;
use crate::index::{List, Table};
use crate::num::Bytes;

impl Machine {
    pub(crate) fn read(&mut self, state: State, at: Bytes, len: usize) -> Op {
        self.state = state;
        self.io = (at, len);
        Op::Read
    }

    #[inline(never)]
    pub(crate) fn erase(&mut self, state: State, page: u8) -> Op {
        self.state = state;
        self.io = (self.geometry.page_at(page), 0);
        self.erases = self.erases.saturating_add(1);
        Op::Erase
    }

    #[inline(never)]
    pub(crate) fn program(&mut self, what: What, at: Bytes, len: usize) -> Op {
        self.what = what;
        self.state = State::Program;
        self.io = (at, len);
        self.sum = self.buffer.hash(len);
        self.buffer.flip(len, self.flip);
        Op::Program
    }

    #[inline(never)]
    pub(crate) fn done(&mut self, result: Result<(), Fail>) -> Op {
        // What RAM is ahead in comes with the next call.
        self.more |= result.is_err();
        self.result = result;
        self.state = State::Idle;
        self.buffer.wipe();
        Op::Done
    }

    /// What is at the end of the page is not known, as after a start: nothing builds on it.
    pub(crate) fn is_unsure(&mut self) {
        self.gap = true;
        self.rebase = true;
        self.is_start = true;
    }

    /// The first step of a job.
    #[inline(never)]
    pub(crate) fn begin(&mut self, table: &mut dyn Table, job: Job) -> Op {
        self.job = job;
        self.tries = TRIES;
        self.turns = 0;
        self.extra = 0;
        self.tight = false;
        let op = self.plan(table);
        self.first(op)
    }

    /// What comes next: first what a cut or an error left, then the job.
    pub(crate) fn plan(&mut self, table: &mut dyn Table) -> Op {
        if let Job::Mount | Job::Format = self.job {
            return self.recover(table);
        }
        let owes = !matches!(self.job, Job::Flush)
            || self.hint.is_some()
            || self.more
            || self.is_batch
            || self.again
            || self.lengths != 0;
        if !owes {
            return self.done(Ok(()));
        }
        if let Some(op) = self.prepare() {
            return op;
        }
        if self.saved.is_some() && self.job != Job::Save {
            // A save that failed comes first.
            self.then = Some(self.job);
            self.job = Job::Save;
        }
        let is_deleted = self.flags.has(Flags::DELETED) && self.saved.is_none();
        if is_deleted && !matches!(self.job, Job::Save | Job::Wipe { .. }) {
            // So does a deletion.
            self.then = Some(self.job);
            self.job = Job::Wipe { done: 0 };
        }
        match self.job {
            Job::Save => self.save(table),
            _ if self.turning => self.turn(table),
            _ => self.go_on(table),
        }
    }

    /// After a page, or before the first one.
    pub(crate) fn go_on(&mut self, table: &mut dyn Table) -> Op {
        match self.job {
            Job::Room { pages } => self.make_room(table, pages),
            Job::Save if self.part < self.parts => {
                self.part = self.part.wrapping_add(1);
                self.turn(table)
            }
            Job::Save => self.saved(table),
            Job::Wipe { .. } => self.wipe(table),
            Job::Lap { .. } | Job::Maintain => (self.idle)(self, table),
            Job::Flush | Job::Mount | Job::Format => self.flush(table),
        }
    }

    /// How the last operation went: what is next?
    #[inline(never)]
    pub(crate) fn step(&mut self, table: &mut dyn Table, ok: bool) -> Op {
        let (_, length) = self.io;
        let is_read = !matches!(
            self.state,
            State::Idle
                | State::Program
                | State::Erase
                | State::Cleared
                | State::Ahead
                | State::Wipe
        );
        if is_read {
            self.buffer.flip(length, self.flip);
        }
        match self.state {
            State::Idle => Op::Done,
            State::Program => {
                // Whatever the driver says: what is there counts.
                self.state = State::ReadBack;
                Op::Read
            }
            State::ReadBack if !ok => {
                self.is_unsure();
                self.done(Err(Fail::Flash))
            }
            State::End if !ok => {
                let end = self
                    .geometry
                    .start
                    .wrapping_add(self.geometry.page_at(self.geometry.pages).0);
                let capacity = self.chip;
                self.region_error = Some(RegionError::OutOfBounds { end, capacity });
                self.done(Err(Fail::Region))
            }
            _ if !ok => self.done(Err(Fail::Flash)),
            State::End => self.probe(),
            State::ReadBack => {
                let is_same = self.buffer.hash(length) == self.sum;
                self.programmed(table, is_same)
            }
            State::Erase => self.erased(table),
            State::Stalled if self.buffer.is_blank(length) => self.resume(table),
            State::Stalled => {
                self.stalled = false;
                self.turn(table)
            }
            State::Suspect => self.suspected(table),
            State::Claim => self.claimed(table),
            State::Cleared => {
                self.reading.suspects = self.reading.suspects.wrapping_sub(1);
                self.plan(table)
            }
            State::Mend => self.mend(table),
            State::Ahead => {
                self.blank_ahead = 1;
                self.go_on(table)
            }
            State::Wipe => {
                self.blank_ahead = self.blank_ahead.saturating_add(1);
                self.wipe(table)
            }
            State::Probe => self.probed(table),
            State::Open => self.opened(table),
            State::Scan => self.scan(table),
            State::Recheck => self.rechecked(table),
            State::Blank => self.looked(table),
            State::ErasedValue => self.erased_value(table),
        }
    }

    pub(crate) const fn has_session(&self) -> bool {
        self.is_mounted && self.flags.has(Flags::PRESENT)
    }

    pub(crate) fn owe_length(&mut self, list: List) {
        self.lengths |= 1 << (list.number() & 7);
        self.has_put_lengths = false;
    }
}
