//! A login that has appeared is not replaced by a program that was told that there is none.

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::io;

use mtsession_core::{AuthKeyRef, SessionSource};

use crate::error::kind::StoreErrorKind;
use crate::error::told::told_as;
use crate::record::home_key;

/// Whether the caller of a handle was told last that there is no session.
#[derive(Debug, Default)]
pub(crate) struct ToldNone(AtomicBool);

impl ToldNone {
    /// The caller is told whether there is a session, or has stored one.
    pub(crate) fn note(&self, is_some: bool) {
        self.0.store(!is_some, Relaxed);
    }

    pub(crate) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }

    /// Refuses, once, that `session` takes the place of the login with another key, of which the caller knows nothing:
    /// two programs have logged in at the same time, or the answer came from a copy that was behind.
    pub(crate) fn check(
        &self,
        there: Option<AuthKeyRef<'_>>,
        session: &impl SessionSource,
    ) -> io::Result<()> {
        if !self.get() || there.is_none() || there == home_key(session) {
            return Ok(());
        }
        self.note(true);
        // Not one of the kinds that callers repeat: the second save replaces the login.
        Err(told_as(
            io::ErrorKind::AlreadyExists,
            StoreErrorKind::Conflict,
            "another login appeared since this one found none; nothing was changed: load it; a second \
             save replaces it",
        ))
    }
}
