//! A backend with what the options say about all of its calls.

use std::io;
use std::sync::Arc;

use mtsession_core::{Change, Peer, PeerKey};

use super::StoreOptions;
use super::limited::Bounds;
use crate::address::Address;
use crate::backend::SessionBackend;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::CachedPeer;
use crate::drop_in::session::PersistedSession;
use crate::drop_in::update::UpdateStateChange;
use crate::error::StoreError;
use crate::event::Events;
use crate::owner::{Lease, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, KnownPeer, PeerQuery, SessionHead, SessionRecord};

pub(super) struct Opened {
    /// `None` only while it is dropped.
    inner: Option<Arc<dyn SessionBackend>>,
    address: Address,
    events: Events,
    is_read_only: bool,
    /// Where the option `limits` was chosen.
    bounds: Option<Bounds>,
    /// Where the option `own` was chosen. Given up after the backend has written its last.
    ownership: Option<Ownership>,
}

impl Opened {
    pub(super) fn new(
        inner: Arc<dyn SessionBackend>,
        address: Address,
        options: &StoreOptions,
    ) -> io::Result<Self> {
        let mut opened = Self {
            inner: Some(inner),
            address,
            events: options.events.clone(),
            is_read_only: options.read_only,
            bounds: options
                .limits
                .map(|limits| Bounds::new(limits, Arc::clone(&options.kept_peers))),
            ownership: None,
        };
        if let Some(owner) = &options.own {
            opened.ownership = Some(opened.own(owner.clone())?);
        }
        Ok(opened)
    }

    fn reading<R>(&self, call: impl FnOnce(&dyn SessionBackend) -> io::Result<R>) -> io::Result<R> {
        match &self.inner {
            Some(inner) if self.events.is_none() => call(&**inner),
            Some(inner) => self.events.within(|| call(&**inner)),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn writing<R>(
        &self,
        action: &'static str,
        call: impl FnOnce(&dyn SessionBackend) -> io::Result<R>,
    ) -> io::Result<R> {
        if self.is_read_only {
            return Err(read_only(&self.address, action));
        }
        self.reading(call)
    }
}

/// A change of what was opened to be read.
pub(super) fn read_only(address: &Address, action: &'static str) -> io::Error {
    let message = "it was opened with the option `read_only`";
    let error = io::Error::new(io::ErrorKind::PermissionDenied, message);
    StoreError::io("store", address.to_string(), action, error)
}

/// A database settles what it owes when it is closed, which is worth telling as well.
impl Drop for Opened {
    fn drop(&mut self) {
        let inner = self.inner.take();
        let ownership = self.ownership.take();
        self.events.within(|| {
            drop(inner);
            drop(ownership);
        });
    }
}

impl SessionBackend for Opened {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.writing("save", |inner| match &self.bounds {
            Some(bounds) => bounds.save(inner, session),
            None => inner.save(session),
        })
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.reading(|inner| inner.load())
    }

    fn delete(&self) -> io::Result<()> {
        let deleted = self.writing("delete", |inner| inner.delete());
        self.bounds.iter().for_each(Bounds::forget);
        deleted
    }

    fn name(&self) -> &str {
        self.inner.as_ref().map_or("", |inner| inner.name())
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        self.writing("apply changes", |inner| match &self.bounds {
            Some(bounds) => bounds.apply(inner, changes),
            None => inner.apply(changes),
        })
    }

    fn update_dc(&self, entry: &DcEntry) -> io::Result<()> {
        self.writing("update a DC entry", |inner| inner.update_dc(entry))
    }

    fn set_home_dc(&self, dc_id: i32) -> io::Result<()> {
        self.writing("set the home DC", |inner| inner.set_home_dc(dc_id))
    }

    fn apply_update_state(&self, update: UpdateStateChange) -> io::Result<()> {
        self.writing("apply changes", |inner| inner.apply_update_state(update))
    }

    fn cache_peer(&self, peer: &CachedPeer) -> io::Result<()> {
        self.writing("cache a peer", |inner| match &self.bounds {
            Some(bounds) => bounds.apply(inner, &[Change::Peer(peer.into())]),
            None => inner.cache_peer(peer),
        })
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.reading(|inner| inner.read())
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        self.writing("update", |inner| match &self.bounds {
            Some(bounds) => inner.update(&mut |record| {
                change(record)?;
                bounds.trim(record);
                Ok(())
            }),
            None => inner.update(change),
        })
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        self.reading(|inner| inner.head())
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        let found = self.reading(|inner| inner.find_peer(query))?;
        if let (Some(bounds), Some(found)) = (&self.bounds, &found) {
            bounds.note_use(Peer::from(&found.peer).key());
        }
        Ok(found)
    }

    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        self.reading(|inner| inner.peers_after(after, limit))
    }

    fn retain_peers(&self, keep: &mut dyn FnMut(&KnownPeer) -> bool) -> io::Result<()> {
        let pruned = self.writing("prune peers", |inner| inner.retain_peers(keep));
        self.bounds.iter().for_each(Bounds::forget);
        pruned
    }

    fn keeps(&self) -> Keeps {
        self.inner
            .as_ref()
            .map_or(Keeps::SESSION, SessionBackend::keeps)
    }

    fn address(&self) -> Option<&Address> {
        Some(&self.address)
    }

    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        self.writing("own", |inner| inner.own(owner))
    }

    fn lease(&self) -> Option<Lease> {
        self.inner.as_ref().and_then(SessionBackend::lease)
    }

    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        self.reading(|inner| inner.owner())
    }
}
