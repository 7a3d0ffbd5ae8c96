//! Accounts in a store of blobs.
//!
//! An account is a *root*, which each change replaces where it still is what the change was made on, and for
//! a long list of peers a *base*, which is written once under a name that is never used again. So a counter of
//! a session with 60,000 peers costs a root of some kilobytes, not the 1.25 MB of the session.
//!
//! [`root`] draws the bytes, [`change`] carries changes out exactly once, [`state`] reads, [`fold`] decides
//! where the lists are, [`delete`] leaves tombstones.

mod blobs;
mod change;
mod delete;
mod fold;
mod parts;
mod revisions;
mod root;
mod state;

use std::io;
use std::sync::{Mutex, MutexGuard};

use mtsession_core::{Change, PeerKey, SessionSource as _};

pub(crate) use self::blobs::{Blobs, DEADLINE, ROOTS, account_of};
use self::change::{Failed, On, Plan};
pub(crate) use self::delete::Renamed;
use self::parts::{ListChange, have_same_peers, is_of_lists};
pub(crate) use self::root::TOMBSTONE_LEN;
use self::state::State;
use crate::backend::SessionBackend;
use crate::backends::file::put_change;
use crate::backends::optimistic::{RecordChange, Updated, changed};
use crate::backends::unseen::ToldNone;
use crate::drop_in::session::PersistedSession;
use crate::error::kind::{Outcome, StoreErrorKind};
use crate::error::told::told;
use crate::record::{Keeps, KnownPeer, PeerQuery, SessionHead, SessionRecord, check, home_key};
use crate::sync::lock;

/// How often an update may be overtaken by others before the rest of this process waits for it, and before it
/// is given up.
const ATTEMPTS_OUT_OF_TURN: u32 = 8;
const ATTEMPTS: u32 = 50;

/// One account of a store of blobs.
pub(crate) struct BlobBackend {
    blobs: Blobs,
    account: String,
    /// Held by every writer, before the state itself: the last attempts of an update hold it while the caller's
    /// code runs, which may still read.
    turn: Mutex<()>,
    state: Mutex<State>,
    told_none: ToldNone,
}

impl BlobBackend {
    /// Nothing is asked of the store yet.
    pub(crate) fn new(blobs: Blobs, account: &str) -> Self {
        Self {
            blobs,
            account: account.to_owned(),
            turn: Mutex::default(),
            state: Mutex::default(),
            told_none: ToldNone::default(),
        }
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        lock(&self.turn)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn error(&self, action: &'static str, error: io::Error) -> io::Error {
        self.blobs.error(&self.account, action, None, error)
    }

    fn failed(&self, action: &'static str, (error, outcome): Failed) -> io::Error {
        self.blobs
            .error(&self.account, action, Some(outcome), error)
    }

    fn change(&self, action: &'static str, plan: &mut Plan<'_>) -> io::Result<()> {
        let _turn = self.turn();
        let result = self.carry_out(&mut self.state(), On::Any, plan);
        result
            .map(drop)
            .map_err(|failed| self.failed(action, failed))
    }

    /// Looks at what is there now.
    fn looking<R>(
        &self,
        action: &'static str,
        look: impl FnOnce(&SessionRecord) -> R,
    ) -> io::Result<Option<R>> {
        let mut state = self.state();
        let patience = self.blobs.patience();
        let seen = self
            .refresh(&mut state, &patience)
            .map_err(|error| self.error(action, error))?;
        let found = seen.account().map(|known| look(&known.record));
        self.told_none.note(found.is_some());
        Ok(found)
    }

    /// An update's copy of what is there, and which state that is.
    fn copy(&self) -> io::Result<(Option<SessionRecord>, On)> {
        let mut state = self.state();
        let patience = self.blobs.patience();
        let seen = self
            .refresh(&mut state, &patience)
            .map_err(|error| self.error("update", error))?;
        let record = seen.account().map(|known| known.record.clone());
        Ok((record, On::Only(seen.head())))
    }

    fn store_if_unchanged(&self, record: &SessionRecord, on: On) -> io::Result<Updated> {
        let mut plan = |there: &mut SessionRecord| {
            let is_same = have_same_peers(there.session(), record.session())
                && there.names() == record.names();
            there.clone_from(record);
            Ok(if is_same {
                ListChange::None
            } else {
                ListChange::All
            })
        };
        self.carry_out(&mut self.state(), on, &mut plan)
            .map_err(|failed| self.failed("update", failed))
    }
}

impl SessionBackend for BlobBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        const ACTION: &str = "save";

        check(session).map_err(|error| self.error(ACTION, error.into()))?;
        let _turn = self.turn();
        let mut state = self.state();
        let mut plan = |there: &mut SessionRecord| {
            self.told_none.check(home_key(there.session()), session)?;
            let has_same = have_same_peers(there.session(), session);
            let had_names = !there.names().is_empty();
            there.set_session(session.clone());
            // Another login takes the names with it.
            let is_same = has_same && had_names != there.names().is_empty();
            Ok(if is_same {
                ListChange::None
            } else {
                ListChange::All
            })
        };
        let result = self.carry_out(&mut state, On::Any, &mut plan);
        result
            .map(drop)
            .map_err(|failed| self.failed(ACTION, failed))
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.looking("load", |record| record.session().clone())
    }

    fn delete(&self) -> io::Result<()> {
        let _turn = self.turn();
        let mut state = self.state();
        self.told_none.note(true);
        let result = self.bury(&mut state, On::Any);
        result
            .map(drop)
            .map_err(|failed| self.failed("delete", failed))
    }

    fn name(&self) -> &str {
        self.blobs.kind
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let mut plan = |there: &mut SessionRecord| {
            there.apply_all(changes)?;
            let mut encoded = Vec::new();
            for change in changes.iter().filter(|change| is_of_lists(change)) {
                put_change(change, &mut encoded)?;
            }
            Ok(if encoded.is_empty() {
                ListChange::None
            } else {
                ListChange::Some(encoded)
            })
        };
        self.change("apply changes", &mut plan)
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.looking("read", SessionRecord::clone)
    }

    fn update(&self, change: &mut RecordChange<'_>) -> io::Result<()> {
        let mut turn = None;
        for attempt in 0..ATTEMPTS {
            if attempt == ATTEMPTS_OUT_OF_TURN {
                turn = Some(self.turn());
            }
            let (before, on) = self.copy()?;
            let Some(record) = changed(before, change)? else {
                return Ok(());
            };
            let _turn = turn.is_none().then(|| self.turn());
            if self.store_if_unchanged(&record, on)? == Updated::Done {
                return Ok(());
            }
        }
        let message = "other programs keep changing the account at the same time";
        let error = told(StoreErrorKind::Contended, message);
        Err(self.failed("update", (error, Outcome::Unchanged)))
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        let mut state = self.state();
        let patience = self.blobs.patience();
        let head = self
            .look_at_head(&mut state, &patience)
            .map_err(|error| self.error("read", error))?;
        self.told_none.note(head.is_some());
        Ok(head)
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        let found = self.looking("find a peer", |record| record.find_peer(query));
        Ok(found?.flatten())
    }

    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        let found = self.looking("list peers", |record| record.peers_after(after, limit));
        Ok(found?.unwrap_or_default())
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }
}
