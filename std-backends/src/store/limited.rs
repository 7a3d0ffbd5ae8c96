//! Backends that keep a bounded number of peers.
//!
//! Peers stand in the session's list in the order in which they were stored. One that is used stays where it is, and
//! costs no write; this remembers it, and when room is made those that were used since are moved to the end of the
//! list instead of being removed, in the same write. So use outlives the process as far as it matters.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex};

use mtsession_core::{Change, EntryKey, Peer, PeerKey, SessionMut as _, SessionSource as _};

use super::limits::PeerLimits;
use crate::backend::SessionBackend;
use crate::drop_in::session::PersistedSession;
use crate::record::SessionRecord;
use crate::record::prune::{Kind, Leaving};
use crate::sync::lock;

/// What part of the room is made at once: each time, everything is read.
const PART: usize = 16;

/// What one handle has seen of the peers of a store.
#[derive(Default)]
struct Seen {
    /// `None` before they were read, and after they were changed in another way.
    known: Option<Known>,
    used: HashSet<EntryKey>,
}

/// How many peers a handle keeps.
pub(super) struct Bounds {
    limits: PeerLimits,
    named: Arc<[PeerKey]>,
    seen: Mutex<Seen>,
}

fn key_of(change: &Change<'_>) -> Option<EntryKey> {
    match change {
        Change::Peer(_) | Change::MinPeer(_) => change.key(),
        _ => None,
    }
}

impl Bounds {
    pub(super) fn new(limits: PeerLimits, named: Arc<[PeerKey]>) -> Self {
        Self {
            limits,
            named,
            seen: Mutex::default(),
        }
    }

    /// A peer was looked up.
    pub(super) fn note_use(&self, key: PeerKey) {
        lock(&self.seen).used.insert(EntryKey::Peer(key));
    }

    /// Carries out changes, and makes room for the peers in them where there is none, in one step.
    pub(super) fn apply(
        &self,
        inner: &dyn SessionBackend,
        changes: &[Change<'_>],
    ) -> io::Result<()> {
        let mut keys = changes.iter().filter_map(key_of).peekable();
        if keys.peek().is_none() {
            return inner.apply(changes);
        }
        let mut seen = lock(&self.seen);
        let mut known = match seen.known.take() {
            Some(known) => known,
            None => Known::of(&inner.read()?.unwrap_or_default()),
        };
        // The place of a new one says that it is the newest.
        let (new, seen_again): (Vec<_>, Vec<_>) = keys.partition(|key| known.insert(*key));
        seen.used.extend(seen_again);
        if new.is_empty() || !self.is_over(&known) {
            inner.apply(changes)?;
            seen.known = Some(known);
            return Ok(());
        }
        let mut record = inner.read()?.unwrap_or_default();
        record.apply_all(changes)?;
        let room = |kind: Kind| kind.limit(self.limits);
        let keep = |limit: usize| limit.saturating_sub(limit.checked_div(PART).unwrap_or_default());
        let leaving = Leaving::of(&record, &self.named, room, keep, |key| {
            seen.used.contains(&key)
        });
        let mut with_room = changes.to_vec();
        with_room.extend(leaving.changes(&record));
        inner.apply(&with_room)?;
        known = Known::of(&record);
        for key in &leaving.gone {
            known.remove(*key);
        }
        seen.known = Some(known);
        seen.used.clear();
        Ok(())
    }

    fn is_over(&self, known: &Known) -> bool {
        let is_over = |(kind, keys): &(Kind, HashSet<EntryKey>)| {
            let limit = kind.limit(self.limits);
            limit.is_some_and(|limit| keys.len() > limit)
        };
        known.0.iter().any(is_over)
    }

    /// Stores what of a session there is room for.
    pub(super) fn save(
        &self,
        inner: &dyn SessionBackend,
        session: &PersistedSession,
    ) -> io::Result<()> {
        let mut record = SessionRecord::from(session.clone());
        if let Some(head) = inner.head()? {
            record.set_account(head.account);
        }
        self.trim(&mut record);
        inner.save(record.session())
    }

    /// The peers were changed in another way.
    pub(super) fn forget(&self) {
        lock(&self.seen).known = None;
    }

    /// Leaves of a record what there is room for.
    pub(super) fn trim(&self, record: &mut SessionRecord) {
        if record.changed().is_empty() {
            return;
        }
        let mut seen = lock(&self.seen);
        seen.known = None;
        record.leave(self.limits, &self.named, |key| seen.used.contains(&key));
    }
}

/// The entries that there are, by kind.
struct Known([(Kind, HashSet<EntryKey>); 4]);

impl Known {
    fn of(record: &SessionRecord) -> Self {
        let mut known = Self(Kind::ALL.map(|kind| (kind, HashSet::new())));
        let peers = record.session().peers.iter();
        let peers = peers.map(|peer| EntryKey::Peer(Peer::from(peer).key()));
        let min_peers = record.min_peers();
        let min_peers = min_peers.map(|peer| EntryKey::MinPeer(peer.user_id));
        for key in peers.chain(min_peers) {
            known.insert(key);
        }
        known
    }

    fn keys(&mut self, key: EntryKey) -> Option<&mut HashSet<EntryKey>> {
        let kind = Kind::of(key)?;
        let mut kinds = self.0.iter_mut();
        kinds.find(|(of, _)| *of == kind).map(|(_, keys)| keys)
    }

    /// Whether it is new.
    fn insert(&mut self, key: EntryKey) -> bool {
        self.keys(key).is_some_and(|keys| keys.insert(key))
    }

    fn remove(&mut self, key: EntryKey) {
        if let Some(keys) = self.keys(key) {
            keys.remove(&key);
        }
    }
}
