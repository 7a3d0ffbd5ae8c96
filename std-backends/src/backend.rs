//! The one trait of all stores.

mod ext;

use std::io;
use std::sync::Arc;

use mtsession_core::{Change, PeerKey, SessionSource as _};

pub use self::ext::SessionBackendExt;
use crate::address::Address;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::CachedPeer;
use crate::drop_in::session::PersistedSession;
use crate::drop_in::update::UpdateStateChange;
use crate::error::unsupported;
use crate::owner::{Lease, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, KnownPeer, PeerQuery, Sections, SessionHead, SessionRecord};

/// A place where one session is kept.
///
/// Implement `save`, `load`, `delete` and `name`; everything else is provided on top of them, and
/// worth overriding where a store can change a part without writing the whole. What is said here of one
/// session goes for `&B`, `Box<B>` and `Arc<B>` as well; [`SessionBackendExt`] has more methods, made of
/// these.
///
/// # What costs how much
///
/// Only `read`, `load`, `save` and `update` cost as much as the session is long. A client calls them when it
/// starts, and then [`apply`](Self::apply), [`head`](Self::head) and [`find_peer`](Self::find_peer).
///
/// # What every backend of this crate keeps
///
/// 1. `save` then `load` returns exactly what was saved: values, order, duplicates. pts may go down.
/// 2. `load` on an empty store is `Ok(None)`; after any granular write it is `Ok(Some(..))`.
/// 3. A peer is its kind and id, a DC entry its id and address kind: granular writes replace the first
///    entry of the same identity, or append.
/// 4. An unreadable session is an error that says what and where, and is left as it is; granular
///    writes on it fail. Only "not there" is `None`.
/// 5. A failed write leaves the previous session loadable and the backend usable; batches are applied
///    whole or not at all.
/// 6. Writers do not lose each other's changes: threads, backends and processes alike.
/// 7. What `save`, `update_dc` and `set_home_dc` acknowledged survives a power cut; the other granular
///    writes survive a crash of the process, and a power cut up to the backend's documented bound.
/// 8. Nothing secret is in any error, log or `Debug` output; `delete` leaves no key behind.
/// 9. What no session file could hold (more than 255 DC entries, an address of more than 255 bytes, a
///    token of more than 65,535) is refused before anything is written.
/// 10. What peers are called stays as long as they do, in stores that have room for it.
/// 11. Account, names and login state belong to the auth key that was the home DC's when they were stored:
///     see [`SessionRecord::set_session`].
/// 12. `save` replaces whatever is there, except that a backend which has told its caller that there is none, and
///     then finds the login with another key, is an error once ([`Conflict`](crate::StoreErrorKind::Conflict)): the
///     caller has not seen what it would throw away.
///
/// All calls are synchronous and may be made from async code; they block for as long as the store
/// takes to write.
///
/// ```
/// use mtsession::{InMemoryBackend, PersistedSession, SessionBackend, UpdateStateChange};
///
/// let backend: Box<dyn SessionBackend> = Box::new(InMemoryBackend::new());
/// backend.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
/// backend.apply_update_state(UpdateStateChange::Secondary { qts: 5 })?;
/// let session = backend.load()?.expect("saved above");
/// assert_eq!((session.home_dc_id, session.updates_state.qts), (2, 5));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait SessionBackend: Send + Sync {
    /// Replaces the whole session. What is known of the account stays with its login: see
    /// [`SessionRecord::set_session`].
    fn save(&self, session: &PersistedSession) -> io::Result<()>;

    /// The session, or `None` when there is none.
    fn load(&self) -> io::Result<Option<PersistedSession>>;

    /// Removes the session, readable or not.
    fn delete(&self) -> io::Result<()>;

    /// The kind of store, or where it is; never a secret.
    fn name(&self) -> &str;

    /// Carries out `changes` as one: all of them or none. An empty store becomes one with an
    /// otherwise empty session.
    ///
    /// ```
    /// use mtsession::{Change, InMemoryBackend, SessionBackend, UpdateChange};
    ///
    /// let backend = InMemoryBackend::new();
    /// backend.apply(&[
    ///     Change::HomeDc(4),
    ///     Change::Update(UpdateChange::Channel { id: 10, pts: 3 }),
    /// ])?;
    /// let session = backend.load()?.expect("stored above");
    /// assert_eq!(session.updates_state.channel_pts(10), 3);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// A store that cannot keep account or names leaves them out, since they can be learnt again:
    /// [`keeps`](Self::keeps) says what it keeps.
    ///
    /// # Errors
    /// `Unsupported` for a login state that a store of your own cannot keep; nothing is changed then.
    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        let mut record = SessionRecord::of_store(self.read()?);
        record.apply_all(changes)?;
        save_record(self, &record)
    }

    /// Stores a DC entry, replacing the one of the same id and address kind.
    fn update_dc(&self, entry: &DcEntry) -> io::Result<()> {
        self.apply(&[Change::Dc(entry.as_dc_ref())])
    }

    /// Sets the home DC.
    fn set_home_dc(&self, dc_id: i32) -> io::Result<()> {
        self.apply(&[Change::HomeDc(dc_id)])
    }

    /// Changes the update state; `All` is one atomic change.
    fn apply_update_state(&self, update: UpdateStateChange) -> io::Result<()> {
        update.with_changes(|changes| self.apply(changes))
    }

    /// Stores a peer, replacing the one of the same kind and id.
    fn cache_peer(&self, peer: &CachedPeer) -> io::Result<()> {
        self.apply(&[Change::Peer(peer.into())])
    }

    /// Everything that is stored, or `None` when there is nothing.
    fn read(&self) -> io::Result<Option<SessionRecord>> {
        Ok(self.load()?.map(SessionRecord::from))
    }

    /// Changes everything that is stored, whole or not at all.
    ///
    /// `change` gets a copy of what is there, or an empty record that [is new](SessionRecord::is_new), and the
    /// copy is stored if nobody else has changed the store meanwhile; otherwise `change` is asked again with
    /// what is there now. So it may read from the same store, but must have no other effects, and may run
    /// many times. If it fails or panics, nothing is stored. A record that it leaves untouched is not written,
    /// and a store that has none stays empty; a record that is put in its place counts as changed.
    ///
    /// ```
    /// use mtsession::{InMemoryBackend, PersistedSession, SessionBackend};
    ///
    /// let backend = InMemoryBackend::new();
    /// backend.update(&mut |record| {
    ///     if record.is_new() {
    ///         record.set_session(PersistedSession { home_dc_id: 2, ..Default::default() });
    ///     }
    ///     Ok(())
    /// })?;
    /// assert_eq!(backend.load()?.expect("stored above").home_dc_id, 2);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// The provided method reads, changes and saves, and does not notice other writers.
    ///
    /// # Errors
    /// That of `change`; `WouldBlock` where others keep writing for as long as the store waits for them.
    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut record = SessionRecord::of_store(self.read()?);
        change(&mut record)?;
        if record.changed().is_empty() {
            return Ok(());
        }
        save_record(self, &record)
    }

    /// Everything but peers and their names, which are counted; `None` when there is nothing.
    fn head(&self) -> io::Result<Option<SessionHead>> {
        Ok(self.read()?.map(|record| record.head()))
    }

    /// One peer with its names.
    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        Ok(self.read()?.and_then(|record| record.find_peer(query)))
    }

    /// At most `limit` peers after this one, ascending by kind and id; of duplicates the first.
    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        let record = self.read()?;
        Ok(record.map_or_else(Vec::new, |record| record.peers_after(after, limit)))
    }

    /// Keeps the peers for which `keep` says so, and removes the others with their names. `keep` may be asked
    /// again about a peer.
    fn retain_peers(&self, keep: &mut dyn FnMut(&KnownPeer) -> bool) -> io::Result<()> {
        self.update(&mut |record| {
            record.retain_peers(keep);
            Ok(())
        })
    }

    /// What of a [`SessionRecord`] the store keeps.
    fn keeps(&self) -> Keeps {
        Keeps::SESSION
    }

    /// Where it is, if an address has led to it.
    fn address(&self) -> Option<&Address> {
        None
    }

    /// Owns the session until the guard is dropped: writes of others are refused meanwhile, with an error of the
    /// kind [`Owned`](crate::StoreErrorKind::Owned) that says who the owner is. The session need not be there yet.
    /// A second one is refused likewise, unless it [takes over](Owner::take_over); writes of the owner before are
    /// errors of the kind [`NotOwner`](crate::StoreErrorKind::NotOwner) then.
    ///
    /// # Errors
    /// `PermissionDenied` where somebody owns it: [`StoreError::owner`](crate::StoreError::owner); `Unsupported`
    /// where the store has no owners.
    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        let message = format!(
            "{} has no owners, and cannot be owned by {owner}",
            self.name()
        );
        Err(unsupported(message))
    }

    /// Until when the session is owned for certain, if this handle owns it.
    fn lease(&self) -> Option<Lease> {
        None
    }

    /// Who owns the session now, this handle included. Nobody vouches for it.
    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        Ok(None)
    }
}

/// Stores a record in a backend that keeps the session alone. Account and names can be learnt again; that
/// the login does not hold any more must not be forgotten.
fn save_record<B: SessionBackend + ?Sized>(backend: &B, record: &SessionRecord) -> io::Result<()> {
    if !record.login_state().is_active() && !backend.keeps().contains(Keeps::LOGIN_STATE) {
        let name = backend.name();
        return Err(unsupported(format!(
            "{name} cannot keep that a login was ended or moved: override SessionBackend::update"
        )));
    }
    if !record.changed().contains(Sections::SESSION) && !record.is_new() {
        return Ok(());
    }
    backend.save(record.session())
}

/// Every method is forwarded by one list, so that no wrapper can forget one and fall back to the provided
/// body.
macro_rules! forward_backend {
    ($($wrapper:ty),+) => {
        $(impl<B: SessionBackend + ?Sized> SessionBackend for $wrapper {
            fn save(&self, session: &PersistedSession) -> io::Result<()> {
                (**self).save(session)
            }

            fn load(&self) -> io::Result<Option<PersistedSession>> {
                (**self).load()
            }

            fn delete(&self) -> io::Result<()> {
                (**self).delete()
            }

            fn name(&self) -> &str { (**self).name() }

            fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
                (**self).apply(changes)
            }

            fn update_dc(&self, entry: &DcEntry) -> io::Result<()> {
                (**self).update_dc(entry)
            }

            fn set_home_dc(&self, dc_id: i32) -> io::Result<()> {
                (**self).set_home_dc(dc_id)
            }

            fn apply_update_state(&self, update: UpdateStateChange) -> io::Result<()> {
                (**self).apply_update_state(update)
            }

            fn cache_peer(&self, peer: &CachedPeer) -> io::Result<()> {
                (**self).cache_peer(peer)
            }

            fn read(&self) -> io::Result<Option<SessionRecord>> {
                (**self).read()
            }

            fn update(
                &self,
                change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
            ) -> io::Result<()> {
                (**self).update(change)
            }

            fn head(&self) -> io::Result<Option<SessionHead>> {
                (**self).head()
            }

            fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
                (**self).find_peer(query)
            }

            fn peers_after(
                &self,
                after: Option<PeerKey>,
                limit: usize,
            ) -> io::Result<Vec<KnownPeer>> {
                (**self).peers_after(after, limit)
            }

            fn retain_peers(&self, keep: &mut dyn FnMut(&KnownPeer) -> bool) -> io::Result<()> {
                (**self).retain_peers(keep)
            }

            fn keeps(&self) -> Keeps { (**self).keeps() }

            fn address(&self) -> Option<&Address> { (**self).address() }

            fn own(&self, owner: Owner) -> io::Result<Ownership> { (**self).own(owner) }

            fn lease(&self) -> Option<Lease> { (**self).lease() }

            fn owner(&self) -> io::Result<Option<OwnerInfo>> { (**self).owner() }
        })+
    };
}

forward_backend!(&B, Box<B>, Arc<B>);
