//! Whose turn it is to write, and what waits for it.
//!
//! A writer that finds another one at work leaves the write here. The next one whose turn it is takes along all that
//! waits; see [`Writer`](super::writer::Writer).

use core::time::Duration;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::connection::{Durability, Write, Written};
use super::local_error::bug;
use super::local_open::Moment;
use super::writer::Commit;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::flush::FlushPolicy;
use crate::sync::lock;

/// A write of one handle.
pub(super) struct Job {
    pub(super) write: Write,
    pub(super) basis: Basis,
    /// The commit after which the handle knew the account, if it has not read since.
    pub(super) since: Option<Commit>,
    /// When small changes of this handle are to be on the disk.
    pub(super) policy: FlushPolicy,
    result: Mutex<Ended>,
}

#[derive(Default)]
struct Ended {
    is_said: bool,
    result: Option<io::Result<Done>>,
}

/// What a write that depends on the whole database was planned for.
#[derive(Clone, Copy)]
pub(super) enum Basis {
    /// It has to be as it was read at this moment.
    Read(Moment),
    /// There was nothing, so there may still be nothing.
    Nothing,
    /// Nobody knows, so it has to be looked at again.
    Unknown,
}

/// What became of a [`Job`].
#[derive(Clone, Copy)]
pub(super) struct Done {
    pub(super) written: Written,
    /// The commit that it was a part of.
    pub(super) at: Option<Commit>,
}

impl Job {
    pub(super) fn new(
        write: Write,
        basis: Basis,
        since: Option<Commit>,
        policy: FlushPolicy,
    ) -> Self {
        Self {
            write,
            basis,
            since,
            policy,
            result: Mutex::default(),
        }
    }

    /// Whether it asks for the state of the whole database, which others in the same transaction change.
    pub(super) fn stands_alone(&self) -> bool {
        self.write.if_unchanged && self.write.known.is_none()
    }

    /// Says what became of it. Only the first word counts.
    pub(super) fn ends(&self, result: io::Result<Done>) {
        let mut ended = lock(&self.result);
        if !ended.is_said {
            ended.is_said = true;
            ended.result = Some(result);
        }
    }

    fn take_result(&self) -> Option<io::Result<Done>> {
        lock(&self.result).result.take()
    }

    fn has_ended(&self) -> bool {
        lock(&self.result).is_said
    }

    /// What became of one that the caller has carried out, or had carried out.
    pub(super) fn into_result(self: Arc<Self>) -> io::Result<Done> {
        let result = self.take_result();
        result.unwrap_or_else(|| Err(bug("a write that was carried out has no result")))
    }
}

/// Those who want to write.
#[derive(Default)]
pub(super) struct Line {
    state: Mutex<State>,
    /// Told when a turn ends.
    moved: Condvar,
}

#[derive(Default)]
struct State {
    /// Whether it is somebody's turn.
    is_taken: bool,
    waiting: Vec<Arc<Job>>,
}

/// How a job that was left in the line goes on.
pub(super) enum Joined {
    /// Somebody else has carried it out.
    Ended(io::Result<Done>),
    /// It is the caller's turn, who has to carry it out and to [end](Line::end_turn) the turn.
    Turn,
}

impl Line {
    /// Waits for a turn, which the caller has to [end](Self::end_turn).
    ///
    /// # Errors
    /// `Contended` where others do not end theirs for that long.
    pub(super) fn take_turn(&self, until: Option<Instant>) -> io::Result<()> {
        let mut state = lock(&self.state);
        while state.is_taken {
            state = self.wait(state, until).ok_or_else(kept_out)?;
        }
        state.is_taken = true;
        Ok(())
    }

    /// Leaves a job in the line and waits until it is carried out, or it is the caller's turn to do so.
    pub(super) fn join(&self, job: &Arc<Job>, until: Option<Instant>) -> Joined {
        let mut state = lock(&self.state);
        state.waiting.push(Arc::clone(job));
        loop {
            if let Some(result) = job.take_result() {
                return Joined::Ended(result);
            }
            if !state.is_taken {
                state.is_taken = true;
                return Joined::Turn;
            }
            state = match self.wait(state, until) {
                Some(state) => state,
                None if self.leave(job) => return Joined::Ended(Err(kept_out())),
                // It is being carried out: what becomes of it is to be known.
                None => {
                    let state = lock(&self.state);
                    self.moved
                        .wait_while(state, |_| !job.has_ended())
                        .unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    /// Waits until something has changed; `None` when the time is over.
    fn wait<'s>(
        &self,
        state: MutexGuard<'s, State>,
        until: Option<Instant>,
    ) -> Option<MutexGuard<'s, State>> {
        let Some(until) = until else {
            return Some(
                self.moved
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        let waited = self.moved.wait_timeout(state, left);
        Some(waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Takes a job back; false where somebody else has taken it already.
    pub(super) fn leave(&self, job: &Arc<Job>) -> bool {
        let waiting = &mut lock(&self.state).waiting;
        let before = waiting.len();
        waiting.retain(|waiting| !Arc::ptr_eq(waiting, job));
        waiting.len() != before
    }

    /// How many jobs wait that can be carried out together.
    pub(super) fn together(&self) -> usize {
        let state = lock(&self.state);
        let together = state.waiting.iter().filter(|job| !job.stands_alone());
        together.count()
    }

    /// When they have to be on the disk: now if one of them has to.
    pub(super) fn durability_together(&self, is_due: &mut dyn FnMut(&Job) -> bool) -> Durability {
        let state = lock(&self.state);
        let mut together = state.waiting.iter().filter(|job| !job.stands_alone());
        if together.any(|job| is_due(job)) {
            Durability::Now
        } else {
            Durability::Soon
        }
    }

    /// Takes the jobs that can be carried out together and fit.
    pub(super) fn take_together(&self, fits: &mut dyn FnMut(&Job) -> bool) -> Taken {
        let waiting = &mut lock(&self.state).waiting;
        let (taken, left) = core::mem::take(waiting)
            .into_iter()
            .partition(|job| !job.stands_alone() && fits(job));
        *waiting = left;
        Taken(taken)
    }

    /// Lets the next one write.
    pub(super) fn end_turn(&self) {
        lock(&self.state).is_taken = false;
        self.moved.notify_all();
    }
}

/// Jobs that were taken from the line. Nobody waits for ever for one that was forgotten.
pub(super) struct Taken(Vec<Arc<Job>>);

impl Taken {
    pub(super) fn jobs(&self) -> &[Arc<Job>] {
        &self.0
    }

    /// Says what became of each.
    pub(super) fn end(self, results: Vec<io::Result<Done>>) {
        for (job, result) in self.0.iter().zip(results) {
            job.ends(result);
        }
    }

    /// None was carried out. Those for which there is no error wait again, before those that came meanwhile.
    pub(super) fn fail(mut self, line: &Line, error_of: impl Fn(&Job) -> Option<io::Error>) {
        let mut again = Vec::new();
        for job in core::mem::take(&mut self.0) {
            match error_of(&job) {
                Some(error) => job.ends(Err(error)),
                None => again.push(job),
            }
        }
        lock(&line.state).waiting.splice(..0, again);
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        for job in self.0.iter().filter(|job| !job.has_ended()) {
            job.ends(Err(bug("a write that was taken along has no result")));
        }
    }
}

/// The moment until which a caller is ready to wait; `None` is for ever.
pub(super) fn deadline(patience: Duration) -> Option<Instant> {
    Instant::now().checked_add(patience)
}

fn kept_out() -> io::Error {
    told(
        StoreErrorKind::Contended,
        "another part of this program keeps the database locked for longer than the timeout; nothing was \
         changed",
    )
}
