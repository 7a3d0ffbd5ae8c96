//! The threads that writers share.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::SessionWriter;
use super::strand::Strand;
use crate::backend::SessionBackend;
use crate::event::Events;
use crate::sync::lock;

/// How many threads the writers of a store have together: a store waits for its disk or its server, not for
/// a processor.
const OF_STORE: usize = 4;

/// Threads that start with the first job and end with the last writer.
#[derive(Clone, Debug)]
pub(crate) struct Threads(Arc<Owner>);

#[derive(Debug)]
struct Owner(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    most: usize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Arc<Strand>>,
    threads: usize,
    idle: usize,
    is_closed: bool,
}

impl Threads {
    fn new(most: usize) -> Self {
        Self(Arc::new(Owner(Arc::new(Pool {
            most,
            state: Mutex::default(),
            wake: Condvar::new(),
        }))))
    }

    /// One thread, for one writer.
    pub(super) fn one() -> Self {
        Self::new(1)
    }

    /// Those of all writers of a store.
    pub(crate) fn of_store() -> Self {
        Self::new(OF_STORE)
    }

    pub(crate) fn writer(&self, backend: Arc<dyn SessionBackend>, events: Events) -> SessionWriter {
        SessionWriter::on(self.clone(), backend, events)
    }

    /// Has a thread work on what was queued.
    pub(super) fn schedule(&self, strand: &Arc<Strand>) {
        if strand.is_to_be_scheduled() {
            Pool::push(&self.0.0, Arc::clone(strand));
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        lock(&self.0.state).is_closed = true;
        self.0.wake.notify_all();
    }
}

impl Pool {
    fn push(this: &Arc<Self>, strand: Arc<Strand>) {
        let mut state = lock(&this.state);
        state.ready.push_back(strand);
        if state.ready.len() <= state.idle || state.threads >= this.most {
            this.wake.notify_one();
            return;
        }
        let pool = Arc::clone(this);
        let started = std::thread::Builder::new().spawn(move || pool.work());
        if started.is_ok() {
            state.threads = state.threads.saturating_add(1);
        } else if state.threads == 0 {
            // No thread will come: those that wait for it get an error.
            let ready = core::mem::take(&mut state.ready);
            drop(state);
            for strand in ready {
                strand.give_up();
            }
        }
    }

    fn work(self: Arc<Self>) {
        while let Some(strand) = self.next() {
            if strand.run() {
                // This thread takes it up again, after those that came before it.
                lock(&self.state).ready.push_back(strand);
            }
        }
    }

    /// What is to be worked on next; `None` when there will be nothing.
    fn next(&self) -> Option<Arc<Strand>> {
        let mut state = lock(&self.state);
        loop {
            if let Some(strand) = state.ready.pop_front() {
                return Some(strand);
            }
            if state.is_closed {
                return None;
            }
            state.idle = state.idle.saturating_add(1);
            let waited = self.wake.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
            state.idle = state.idle.saturating_sub(1);
        }
    }
}
