//! The session in memory: for tests, and for clients that keep it elsewhere.

use std::io;
use std::sync::Mutex;

use mtsession_core::{Account, Change, SessionMut as _, SessionSource};

use crate::backend::SessionBackend;
use crate::error::StoreError;
use crate::names::{self, PeerNames};
use crate::session::PersistedSession;
use crate::stored::{Stored, check};
use crate::sync::lock;

const NAME: &str = "in-memory";

/// Keeps the session in memory; it is gone with the backend, and wiped.
///
/// Survives nothing, refuses what no file could hold like every other backend, and finds peers by
/// hashing: [`cache_peer`](SessionBackend::cache_peer) costs the same at 60,000 peers as at ten.
#[derive(Default)]
pub struct InMemoryBackend {
    stored: Mutex<Option<Stored>>,
}

impl InMemoryBackend {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of the session, or `None` when there is none.
    #[must_use]
    pub fn snapshot(&self) -> Option<PersistedSession> {
        lock(&self.stored).as_ref().map(Stored::session)
    }
}

impl SessionBackend for InMemoryBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        check(session).map_err(|error| StoreError::io(NAME, "", "save", error))?;
        lock(&self.stored)
            .get_or_insert_default()
            .replace_session(session);
        Ok(())
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        Ok(self.snapshot())
    }

    fn delete(&self) -> io::Result<()> {
        *lock(&self.stored) = None;
        Ok(())
    }

    fn name(&self) -> &str {
        NAME
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let mut stored = lock(&self.stored);
        let mut changed = Stored::default();
        let target = stored.as_mut().unwrap_or(&mut changed);
        target
            .apply_all(changes)
            .map_err(|error| StoreError::io(NAME, "", "apply changes", error))?;
        stored.get_or_insert(changed);
        Ok(())
    }

    fn account(&self) -> io::Result<Account> {
        Ok(lock(&self.stored)
            .as_ref()
            .map(SessionSource::account)
            .unwrap_or_default())
    }

    fn peer_names(&self) -> io::Result<Vec<PeerNames>> {
        let stored = lock(&self.stored);
        let names = stored.as_ref().map(SessionSource::names);
        Ok(names::decode(names.unwrap_or_default()))
    }

    fn set_peer_names(&self, names: &[PeerNames]) -> io::Result<()> {
        let mut stored = lock(&self.stored);
        let stored = stored.get_or_insert_default();
        let names = names::encode(names, stored)
            .map_err(|error| StoreError::io(NAME, "", "save the names", error))?;
        stored.set_names(names.as_names());
        Ok(())
    }
}
