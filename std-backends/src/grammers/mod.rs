//! Any store as the session of a client on [grammers](grammers_session).

mod cache;
mod dcs;
mod held;
mod peers;
mod updates;

use std::io;
use std::sync::{Arc, Mutex};

use grammers_session::types::{DcOption, PeerId, PeerInfo, UpdateState, UpdatesState};
use grammers_session::{BoxFuture, Session};
use mtsession_core::Change;

use self::cache::Cache;
use self::held::KnownDc;
use self::peers::{cache_peers, look_up};
use self::updates::{change_of, update};
use crate::backend::{SessionBackend, SessionBackendExt as _};
use crate::owner::refusal::not_owner;
use crate::owner::{Lease, Owner};
use crate::record::SessionHead;
use crate::sync::lock;
use crate::writer::SessionWriter;

/// Lets a client on grammers 0.11 keep its session in any store of this crate.
///
/// Everything but peers is read once, when this is made, and answered from memory. A peer is looked up when
/// it is asked for or cached, and held from then on: opening costs the same however many there are, and a
/// peer that is cached as it is stored is not written. Every write goes to the store
/// through a [`SessionWriter`], so that no executor is blocked; once it is stored it holds, in memory
/// too, and its future is ready. Writes are stored in the order in which their futures are first polled.
/// Nothing else may write to the store in the meantime. Dropping it waits for what is still to be written.
///
/// The store is asked for [`head`](SessionBackend::head), [`find_peer`](SessionBackend::find_peer) and
/// [`apply`](SessionBackend::apply) alone. A store that cannot keep the account
/// ([`keeps`](SessionBackend::keeps)) knows it for as long as this lives.
///
/// grammers has no calls for min peers, names, the future auth token, the login state or deleting: use the
/// backend.
///
/// Stores keep what Telegram needs to address a peer. That a user other than the account itself is a
/// bot, or is known not to be the account, is forgotten with the process; an access hash of 0 comes back
/// as none.
///
/// ```
/// use std::sync::Arc;
/// use grammers_session::Session;
/// use grammers_session::types::{PeerId, PeerInfo};
/// use mtsession::{GrammersSession, InMemoryBackend, SessionBackend, SessionBackendExt};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let backend = Arc::new(InMemoryBackend::new()); // or SqliteBackend::open("account.db")?, ...
/// let session = GrammersSession::new(backend.clone())?;
/// assert_eq!(session.home_dc_id()?, 2); // a guess, as for every new session
///
/// session.set_home_dc_id(4).await?;
/// let me = PeerInfo::User { id: 777_000, auth: None, bot: Some(false), is_self: Some(true) };
/// session.cache_peer(me.clone()).await?;
/// assert_eq!(session.peer(PeerId::self_user()).await?, Some(me));
///
/// assert_eq!(backend.load()?.expect("stored above").home_dc_id, 4);
/// assert_eq!(backend.account()?.user_id, Some(777_000));
/// # Ok::<(), std::io::Error>(())
/// # })?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct GrammersSession {
    writer: SessionWriter,
    cache: Arc<Mutex<Cache>>,
}

impl GrammersSession {
    /// Reads the head of the session that `backend` holds, if any.
    ///
    /// A login that is known to have ended is not given to the client: see
    /// [`mark_revoked`](Self::mark_revoked).
    ///
    /// # Errors
    /// What [`active_head`](crate::SessionBackendExt::active_head) gives.
    pub fn new(backend: Arc<dyn SessionBackend>) -> io::Result<Self> {
        let head = backend.active_head()?;
        Ok(Self::of(SessionWriter::new(backend), head.as_ref()))
    }

    /// The same for a client that is to be the only one: the session is [owned](SessionBackend::own) until this is
    /// dropped.
    ///
    /// # Errors
    /// As [`new`](Self::new) and [`SessionBackend::own`].
    pub fn owned(backend: Arc<dyn SessionBackend>, owner: Owner) -> io::Result<Self> {
        let reader = Arc::clone(&backend);
        let writer = SessionWriter::owned(backend, owner)?;
        // Nobody else changes it from here on.
        let head = reader.active_head()?;
        Ok(Self::of(writer, head.as_ref()))
    }

    /// The same whatever is known of the login.
    ///
    /// # Errors
    /// What [`head`](SessionBackend::head) gives.
    pub fn in_any_state(backend: Arc<dyn SessionBackend>) -> io::Result<Self> {
        let head = backend.head()?;
        Ok(Self::of(SessionWriter::new(backend), head.as_ref()))
    }

    fn of(writer: SessionWriter, head: Option<&SessionHead>) -> Self {
        Self {
            writer,
            cache: Arc::new(Mutex::new(Cache::new(head))),
        }
    }

    /// Remembers that Telegram does not accept the key any more: see
    /// [`mark_revoked`](crate::SessionBackendExt::mark_revoked).
    ///
    /// # Errors
    /// What storing it gives.
    pub async fn mark_revoked(&self, error: &str) -> io::Result<bool> {
        let error = error.to_owned();
        let run = move |backend: &dyn SessionBackend| backend.mark_revoked(&error);
        self.writer.run(run).await
    }

    /// Until when the session is owned for certain, if the store's handle owns it.
    #[must_use]
    pub fn lease(&self) -> Option<Lease> {
        self.writer.lease()
    }

    /// Waits until the client must disconnect: see [`SessionWriter::lease_ends`].
    pub async fn lease_ends(&self) {
        self.writer.lease_ends().await;
    }

    /// Nothing is given to a client whose lease is over: it would use a login that another program may use by now.
    fn check_lease(&self) -> io::Result<()> {
        match self.lease() {
            Some(lease) if lease.is_over() => Err(not_owner(None)),
            _ => Ok(()),
        }
    }

    /// Runs `write` on the writer's thread. Only there is the cache changed, after the store: both see
    /// all writes in one order, and what could not be stored is not in the cache.
    fn write(
        &self,
        write: impl FnOnce(&Mutex<Cache>, &dyn SessionBackend) -> io::Result<()> + Send + 'static,
    ) -> BoxFuture<'_, io::Result<()>> {
        let cache = Arc::clone(&self.cache);
        Box::pin(self.writer.run(move |backend| write(&cache, backend)))
    }
}

impl Session for GrammersSession {
    type Error = io::Error;

    fn home_dc_id(&self) -> io::Result<i32> {
        self.check_lease()?;
        Ok(lock(&self.cache).home_dc_id)
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, io::Result<()>> {
        self.write(move |cache, backend| {
            backend.set_home_dc(dc_id)?;
            lock(cache).home_dc_id = dc_id;
            Ok(())
        })
    }

    fn dc_option(&self, dc_id: i32) -> io::Result<Option<DcOption>> {
        self.check_lease()?;
        let cache = lock(&self.cache);
        Ok(cache.dc_options.get(&dc_id).map(|known| known.0.clone()))
    }

    fn set_dc_option(&self, dc_option: &DcOption) -> BoxFuture<'_, io::Result<()>> {
        let option = KnownDc(dc_option.clone());
        self.write(move |cache, backend| {
            let entries = lock(cache).entries_of(&option);
            let changes: Vec<_> = entries
                .iter()
                .map(|entry| Change::Dc(entry.as_dc_ref()))
                .collect();
            backend.apply(&changes)?;
            lock(cache).set_option(&option, &entries);
            Ok(())
        })
    }

    fn peer(&self, peer: PeerId) -> BoxFuture<'_, io::Result<Option<PeerInfo>>> {
        Box::pin(async move {
            let Some(id) = lock(&self.cache).id_of(peer) else {
                return Ok(None);
            };
            if let Some(info) = lock(&self.cache).held(id) {
                return Ok(Some(info));
            }
            let cache = Arc::clone(&self.cache);
            self.writer
                .run(move |backend| look_up(&cache, backend, id))
                .await
        })
    }

    fn cache_peer(&self, peer: PeerInfo) -> BoxFuture<'_, io::Result<()>> {
        self.cache_peers(vec![peer])
    }

    fn cache_peers(&self, peers: Vec<PeerInfo>) -> BoxFuture<'_, io::Result<()>> {
        self.write(move |cache, backend| cache_peers(cache, backend, &peers))
    }

    fn updates_state(&self) -> BoxFuture<'_, io::Result<UpdatesState>> {
        Box::pin(async move { Ok(lock(&self.cache).updates.clone()) })
    }

    fn set_update_state(&self, state: UpdateState) -> BoxFuture<'_, io::Result<()>> {
        self.write(move |cache, backend| {
            backend.apply_update_state(change_of(&state))?;
            update(&mut lock(cache).updates, state);
            Ok(())
        })
    }
}
