//! Any store as the session of a client on [grammers](grammers_session).

mod cache;
mod dcs;
mod peers;
mod updates;

use std::io;
use std::sync::{Arc, Mutex};

use grammers_session::types::{DcOption, PeerId, PeerInfo, UpdateState, UpdatesState};
use grammers_session::{BoxFuture, Session};
use mtsession_core::Change;
use zeroize::{Zeroize as _, Zeroizing};

use self::cache::Cache;
use self::updates::{change_of, update};
use crate::backend::SessionBackend;
use crate::sync::lock;
use crate::writer::SessionWriter;

/// Lets a client on grammers 0.11 keep its session in any store of this crate.
///
/// Everything is read once, when this is made, and answered from memory; every write goes to the store
/// through a [`SessionWriter`], so that no executor is blocked, and counts when its future is ready.
/// Nothing else may write to the store in the meantime. Dropping it waits for what is still to be
/// written.
///
/// Stores keep what Telegram needs to address a peer. That a user other than the account itself is a
/// bot, or is known not to be the account, is forgotten with the process; an access hash of 0 comes back
/// as none.
///
/// ```
/// use std::sync::Arc;
/// use grammers_session::Session;
/// use grammers_session::types::{PeerId, PeerInfo};
/// use mtsession::{GrammersSession, InMemoryBackend, SessionBackend};
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
    cache: Mutex<Cache>,
}

impl GrammersSession {
    /// Reads the session that `backend` holds, if any.
    ///
    /// # Errors
    /// What loading from the backend gives.
    pub fn new(backend: Arc<dyn SessionBackend>) -> io::Result<Self> {
        let session = Zeroizing::new(backend.load()?.unwrap_or_default());
        let cache = Cache::new(&session, backend.account()?);
        Ok(Self {
            writer: SessionWriter::new(backend),
            cache: Mutex::new(cache),
        })
    }

    /// Carries out changes that own what they hold.
    async fn apply(&self, changes: Vec<Change<'static>>) -> io::Result<()> {
        self.writer
            .call(move |backend| backend.apply(&changes))
            .await
    }
}

impl Session for GrammersSession {
    type Error = io::Error;

    fn home_dc_id(&self) -> io::Result<i32> {
        Ok(lock(&self.cache).home_dc_id)
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, io::Result<()>> {
        lock(&self.cache).home_dc_id = dc_id;
        Box::pin(self.writer.set_home_dc(dc_id))
    }

    fn dc_option(&self, dc_id: i32) -> io::Result<Option<DcOption>> {
        Ok(lock(&self.cache).dc_options.get(&dc_id).cloned())
    }

    fn set_dc_option(&self, dc_option: &DcOption) -> BoxFuture<'_, io::Result<()>> {
        let mut cache = lock(&self.cache);
        let entries = cache.entries_of(dc_option);
        let old = cache.dc_options.insert(dc_option.id, dc_option.clone());
        drop(cache);
        if let Some(mut old) = old {
            old.auth_key.zeroize();
        }
        Box::pin(self.writer.call(move |backend| {
            let changes: Vec<_> = entries
                .iter()
                .map(|entry| Change::Dc(entry.as_dc_ref()))
                .collect();
            backend.apply(&changes)
        }))
    }

    fn peer(&self, peer: PeerId) -> BoxFuture<'_, io::Result<Option<PeerInfo>>> {
        Box::pin(async move {
            let cache = lock(&self.cache);
            let id = if peer == PeerId::self_user() {
                cache.account.user_id.and_then(PeerId::user)
            } else {
                Some(peer)
            };
            Ok(id.and_then(|id| cache.peers.get(&id)).cloned())
        })
    }

    fn cache_peer(&self, peer: PeerInfo) -> BoxFuture<'_, io::Result<()>> {
        self.cache_peers(vec![peer])
    }

    fn cache_peers(&self, peers: Vec<PeerInfo>) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            let changes = lock(&self.cache).merge(peers)?;
            self.apply(changes).await
        })
    }

    fn updates_state(&self) -> BoxFuture<'_, io::Result<UpdatesState>> {
        Box::pin(async move { Ok(lock(&self.cache).updates.clone()) })
    }

    fn set_update_state(&self, state: UpdateState) -> BoxFuture<'_, io::Result<()>> {
        Box::pin(async move {
            update(&mut lock(&self.cache).updates, &state);
            let change = change_of(state);
            self.writer
                .call(move |backend| backend.apply_update_state(change))
                .await
        })
    }
}
