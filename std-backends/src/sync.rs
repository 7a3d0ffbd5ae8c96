//! Locks within the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic of another holder: every state that our locks guard is replaced as a whole
/// or checked against the store again, so that a holder that vanished left nothing half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
