//! The session in memory: for tests, and for clients that keep it elsewhere.

use std::io;
use std::sync::{Arc, Mutex};

use mtsession_core::{Change, PeerKey};

use crate::backend::SessionBackend;
use crate::backends::optimistic;
use crate::backends::unseen::ToldNone;
use crate::drop_in::session::PersistedSession;
use crate::error::StoreError;
use crate::owner::{Lease, Mine, OwnedInProcess, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, KnownPeer, PeerQuery, SessionHead, SessionRecord, check, home_key};
use crate::sync::lock;

const NAME: &str = "in-memory";

/// Keeps the session in memory; it is gone with the backend, and wiped.
///
/// Survives nothing, refuses what no file could hold like every other backend, and finds peers by
/// hashing: [`cache_peer`](SessionBackend::cache_peer) costs the same at 60,000 peers as at ten.
#[derive(Default)]
pub struct InMemoryBackend {
    shared: Arc<Shared>,
    mine: Mine,
    told_none: ToldNone,
}

/// What all handles on one session have in common.
#[derive(Default)]
struct Shared {
    /// Held by every writer, before the record itself: the last attempt of an update holds it while the
    /// caller's code runs, which may still read.
    turn: Mutex<()>,
    stored: Mutex<Option<SessionRecord>>,
    owned: OwnedInProcess,
}

impl InMemoryBackend {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another handle on the same session.
    pub(crate) fn another(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            mine: Mine::default(),
            told_none: ToldNone::default(),
        }
    }

    /// Refuses to write to what another handle owns. The caller has the turn.
    fn admit(&self) -> io::Result<()> {
        self.shared.owned.check(&self.mine)
    }

    /// A copy of the session, or `None` when there is none.
    #[must_use]
    pub fn snapshot(&self) -> Option<PersistedSession> {
        lock(&self.shared.stored)
            .as_ref()
            .map(|record| record.session().clone())
    }
}

fn error<E: Into<io::Error>>(action: &'static str) -> impl Fn(E) -> io::Error {
    move |source| StoreError::io(NAME, "", action, source)
}

impl SessionBackend for InMemoryBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        check(session).map_err(error("save"))?;
        let _turn = lock(&self.shared.turn);
        self.admit().map_err(error("save"))?;
        let mut stored = lock(&self.shared.stored);
        self.told_none
            .check(stored.as_ref().and_then(home_key), session)
            .map_err(error("save"))?;
        stored.get_or_insert_default().set_session(session.clone());
        self.told_none.note(true);
        Ok(())
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        let loaded = self.snapshot();
        self.told_none.note(loaded.is_some());
        Ok(loaded)
    }

    fn delete(&self) -> io::Result<()> {
        let _turn = lock(&self.shared.turn);
        self.admit().map_err(error("delete"))?;
        *lock(&self.shared.stored) = None;
        Ok(())
    }

    fn name(&self) -> &str {
        NAME
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let _turn = lock(&self.shared.turn);
        self.admit().map_err(error("apply changes"))?;
        let mut stored = lock(&self.shared.stored);
        let mut changed = SessionRecord::default();
        let target = stored.as_mut().unwrap_or(&mut changed);
        target.apply_all(changes).map_err(error("apply changes"))?;
        stored.get_or_insert(changed);
        Ok(())
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        let record = lock(&self.shared.stored).clone();
        self.told_none.note(record.is_some());
        Ok(record)
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        let store = |before: Option<&SessionRecord>, record| {
            self.admit().map_err(error("update"))?;
            let mut stored = lock(&self.shared.stored);
            let is_same = stored.as_ref() == before;
            if is_same {
                *stored = Some(record);
            }
            Ok(is_same)
        };
        optimistic::update_in_turn(&self.shared.turn, change, || self.read(), store)
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        let head = lock(&self.shared.stored).as_ref().map(SessionRecord::head);
        self.told_none.note(head.is_some());
        Ok(head)
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        let stored = lock(&self.shared.stored);
        Ok(stored.as_ref().and_then(|record| record.find_peer(query)))
    }

    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        let stored = lock(&self.shared.stored);
        Ok(stored
            .as_ref()
            .map_or_else(Vec::new, |record| record.peers_after(after, limit)))
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }

    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        let _turn = lock(&self.shared.turn);
        let owned = self.shared.owned.own(&self.mine, &owner);
        owned.map_err(error("own"))
    }

    fn lease(&self) -> Option<Lease> {
        self.mine.lease()
    }

    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        Ok(self.shared.owned.info())
    }
}
