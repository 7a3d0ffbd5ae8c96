//! Connections that are used one call at a time, each by the process that has made it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::refused;
use crate::blob::BlobError;
use crate::error::kind::StoreErrorKind;
use crate::sync::lock;

/// Most connections at once, and most that are kept for later.
const MOST: usize = 8;
const KEPT: usize = 2;

pub(super) struct Pool<C> {
    state: Mutex<State<C>>,
    is_free: Condvar,
}

struct State<C> {
    idle: Vec<C>,
    in_use: usize,
    process: u32,
}

impl<C> Default for Pool<C> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                idle: Vec::new(),
                in_use: 0,
                process: std::process::id(),
            }),
            is_free: Condvar::new(),
        }
    }
}

/// Gives the place back, also after a panic.
struct Place<'p, C>(&'p Pool<C>);

impl<C> Drop for Place<'_, C> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.state);
        state.in_use = state.in_use.saturating_sub(1);
        self.0.is_free.notify_one();
    }
}

impl<C> Pool<C> {
    /// Runs a call on a connection, which is only used again where the call says that it can be.
    pub(super) fn with<R>(
        &self,
        until: Instant,
        connect: impl FnOnce() -> Result<C, BlobError>,
        call: impl FnOnce(&mut C) -> (Result<R, BlobError>, Reuse),
    ) -> Result<R, BlobError> {
        let (_place, idle) = self.place(until)?;
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect()?,
        };
        let (result, reuse) = call(&mut connection);
        if reuse == Reuse::Yes {
            let mut state = lock(&self.state);
            if state.idle.len() < KEPT && state.process == std::process::id() {
                state.idle.push(connection);
            }
        }
        result
    }

    fn place(&self, until: Instant) -> Result<(Place<'_, C>, Option<C>), BlobError> {
        let mut state = lock(&self.state);
        if state.process != std::process::id() {
            // A child after a fork: the connections are its parent's, and closing them would end those.
            state.idle.drain(..).for_each(core::mem::forget);
            state.in_use = 0;
            state.process = std::process::id();
        }
        while state.in_use >= MOST {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let message = "no connection became free within the deadline";
                return Err(refused(StoreErrorKind::Contended, message));
            }
            let waited = self.is_free.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.in_use = state.in_use.saturating_add(1);
        let idle = state.idle.pop();
        Ok((Place(self), idle))
    }
}

/// Whether a connection can be used again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    Yes,
    No,
}
