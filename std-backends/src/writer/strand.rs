//! The jobs of one writer, in their order.

use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, Ordering};
use std::io;
use std::panic::catch_unwind;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::waiting::Waiting;
use super::{CAPACITY, Job};
use crate::backend::SessionBackend;
use crate::drop_in::update::UpdateStateChange;
use crate::event::{self, Event, Events};
use crate::sync::lock;

/// A queue of jobs that one thread at a time works on.
pub(super) struct Strand {
    /// `None` when it has ended, or its store has panicked.
    worker: Mutex<Option<Worker>>,
    /// Whether a thread works on it, or is going to.
    is_scheduled: AtomicBool,
    has_ended: Mutex<bool>,
    ended: Condvar,
}

/// The queue, never what waits in it.
impl core::fmt::Debug for Strand {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Strand").finish_non_exhaustive()
    }
}

impl Strand {
    pub(super) fn new(
        backend: Arc<dyn SessionBackend>,
        jobs: mpsc::Receiver<Job>,
        failure: Arc<Mutex<Option<io::Error>>>,
        events: Events,
    ) -> Self {
        Self {
            worker: Mutex::new(Some(Worker {
                backend,
                jobs,
                failure,
                events,
            })),
            is_scheduled: AtomicBool::new(false),
            has_ended: Mutex::new(false),
            ended: Condvar::new(),
        }
    }

    /// Whether it is to be given to a thread: none has it.
    pub(super) fn is_to_be_scheduled(&self) -> bool {
        !self.is_scheduled.swap(true, Ordering::SeqCst)
    }

    /// Carries out some of what waits. True: there is more, and it is to be scheduled again.
    pub(super) fn run(&self) -> bool {
        let mut worker = lock(&self.worker);
        let Some(running) = worker.as_mut() else {
            return false;
        };
        // A panic of the store is its own, and not that of the stores whose threads these are, too.
        let step = catch_unwind(AssertUnwindSafe(|| running.step()));
        if !matches!(step, Ok(Step::Waits)) {
            *worker = None;
            drop(worker);
            self.end();
            return false;
        }
        // What is queued from here on finds it unscheduled.
        self.is_scheduled.store(false, Ordering::SeqCst);
        let has_more = !running.jobs.is_empty() || running.jobs.is_closed();
        drop(worker);
        has_more && self.is_to_be_scheduled()
    }

    /// No thread will ever work on it.
    pub(super) fn give_up(&self) {
        *lock(&self.worker) = None;
        self.end();
    }

    fn end(&self) {
        *lock(&self.has_ended) = true;
        self.ended.notify_all();
    }

    /// Waits until everything is stored and the backend is let go, once nobody can queue any more.
    pub(super) fn wait_for_the_end(&self) {
        let has_ended = lock(&self.has_ended);
        let waited = self.ended.wait_while(has_ended, |has_ended| !*has_ended);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// How the work on a queue went on.
enum Step {
    Waits,
    Ended,
}

struct Worker {
    backend: Arc<dyn SessionBackend>,
    jobs: mpsc::Receiver<Job>,
    failure: Arc<Mutex<Option<io::Error>>>,
    events: Events,
}

impl Worker {
    /// Takes along what came while the last batch was stored, but no more than that: a program that never stops to
    /// queue would keep it from being stored otherwise.
    fn step(&mut self) -> Step {
        let mut waiting = Waiting::default();
        let mut step = Step::Waits;
        for _ in 0..CAPACITY {
            match self.jobs.try_recv() {
                Ok(job) => self.carry_out(job, &mut waiting),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    step = Step::Ended;
                    break;
                }
            }
        }
        self.store(&mut waiting);
        step
    }

    fn carry_out(&self, job: Job, waiting: &mut Waiting) {
        match job {
            Job::Update(UpdateStateChange::All(state)) => {
                self.store(waiting);
                let update = UpdateStateChange::All(state);
                self.note(self.backend.apply_update_state(update));
            }
            Job::Update(update) => waiting.update(update),
            Job::Peer(peer) => waiting.peers.push(peer),
            Job::Call(call) => {
                self.store(waiting);
                call(&*self.backend);
            }
        }
    }

    /// Stores everything that waits as one batch.
    fn store(&self, waiting: &mut Waiting) {
        let waiting = core::mem::take(waiting);
        let changes = waiting.changes();
        if !changes.is_empty() {
            self.note(self.backend.apply(&changes));
        }
    }

    fn note(&self, result: io::Result<()>) {
        if let Err(error) = result {
            let failed = || Event::QueuedChangeFailed {
                error: error.to_string(),
            };
            self.events.within(|| event::emit(failed));
            lock(&self.failure).get_or_insert(error);
        }
    }
}
