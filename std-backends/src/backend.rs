//! The one trait of all stores.

use std::io;

use mtsession_core::{Account, Change, SessionMut};
use zeroize::Zeroizing;

use crate::dc::DcEntry;
use crate::names::PeerNames;
use crate::peer::CachedPeer;
use crate::session::PersistedSession;
use crate::update::UpdateStateChange;

/// A place where one session is kept.
///
/// Implement `save`, `load`, `delete` and `name`; everything else is provided on top of them, and
/// worth overriding where a store can change a part without writing the whole.
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
    /// Replaces the whole session. What is known of the account stays.
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
    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        if changes
            .iter()
            .any(|change| matches!(change, Change::Account(_)))
        {
            return Err(no_account(self.name()));
        }
        let mut session = Zeroizing::new(self.load()?.unwrap_or_default());
        for change in changes {
            let Ok(()) = session.apply(change);
        }
        self.save(&session)
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

    /// What is known of the account beyond the session.
    fn account(&self) -> io::Result<Account> {
        Ok(Account::default())
    }

    /// Stores what is known of the account.
    ///
    /// # Errors
    /// `Unsupported` where a store of your own has no place for it.
    fn set_account(&self, account: Account) -> io::Result<()> {
        self.apply(&[Change::Account(account)])
    }

    /// Usernames, phone numbers and titles of the session's peers, as far as they were stored; in no
    /// order.
    fn peer_names(&self) -> io::Result<Vec<PeerNames>> {
        Ok(Vec::new())
    }

    /// Stores what peers are called, in place of what was stored before: files, databases and memory
    /// have room for it.
    ///
    /// Names belong to their peers: those of peers that the session does not have are left out here,
    /// and go when [`save`](Self::save) removes the peer.
    ///
    /// ```
    /// use mtsession::core::Peer;
    /// use mtsession::{Change, InMemoryBackend, PeerNames, PersistedSession, SessionBackend};
    ///
    /// let backend = InMemoryBackend::new();
    /// backend.apply(&[Change::Peer(Peer { id: 777_000, access_hash: 5, ..Peer::default() })])?;
    /// let names = PeerNames { id: 777_000, usernames: vec!["alice".into()], ..PeerNames::default() };
    /// backend.set_peer_names(std::slice::from_ref(&names))?;
    /// assert_eq!(backend.peer_names()?, [names]);
    /// backend.save(&PersistedSession::default())?;
    /// assert!(backend.peer_names()?.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Unsupported` where there is no room, as in a string session.
    fn set_peer_names(&self, names: &[PeerNames]) -> io::Result<()> {
        let _ = names;
        let message = format!("{} has no room for the names of peers", self.name());
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}

fn no_account(name: &str) -> io::Error {
    let message = format!("{name} keeps no account data: override SessionBackend::apply");
    io::Error::new(io::ErrorKind::Unsupported, message)
}
