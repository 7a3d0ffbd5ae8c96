//! Any store as the session of a client on [grammers](grammers_session).

use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use grammers_session::types::{
    ChannelKind, ChannelState, DcOption, PeerAuth, PeerId, PeerInfo, UpdateState, UpdatesState,
};
use grammers_session::{BoxFuture, Session, SessionData};
use mtsession_core::{
    Account, Change, ChannelKind as Kind, DcFlags, Peer, PeerKind, SessionSource as _,
};
use zeroize::{Zeroize, Zeroizing};

use crate::backend::SessionBackend;
use crate::dc::DcEntry;
use crate::session::PersistedSession;
use crate::sync::lock;
use crate::update::{UpdateStateChange, UpdatesStateSnap};
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

/// The session as grammers has it.
struct Cache {
    home_dc_id: i32,
    dc_options: HashMap<i32, DcOption>,
    /// What the store knows of a DC's addresses beyond grammers, without their keys: by id and family.
    entries: HashMap<(i32, bool), DcEntry>,
    peers: HashMap<PeerId, PeerInfo>,
    /// The communities that are stored as users, by bare id: clients differ.
    user_communities: Vec<i64>,
    account: Account,
    updates: UpdatesState,
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

    /// Takes in what is known of peers; returns what has to be stored.
    fn merge(&self, peers: Vec<PeerInfo>) -> io::Result<Vec<Change<'static>>> {
        let mut cache = lock(&self.cache);
        let ids = peers
            .iter()
            .map(|peer| id_of(peer).ok_or_else(|| no_such_peer(peer)))
            .collect::<io::Result<Vec<_>>>()?;
        let mut changes = Vec::with_capacity(ids.len());
        for (id, peer) in ids.into_iter().zip(peers) {
            let known = cache.peers.entry(id).or_insert_with(|| peer.clone());
            known.extend_info(&peer);
            let merged = known.clone();
            changes.push(Change::Peer(cache.stored(&merged)));
            changes.extend(cache.account_after(&merged).map(Change::Account));
        }
        Ok(changes)
    }
}

impl Cache {
    fn new(session: &PersistedSession, account: Account) -> Self {
        let known = SessionData::default();
        let mut cache = Self {
            home_dc_id: match session.home_dc_id {
                0 => known.home_dc,
                home => home,
            },
            dc_options: known.dc_options,
            entries: HashMap::new(),
            peers: HashMap::new(),
            user_communities: Vec::new(),
            account,
            updates: updates_of(&session.updates_state),
        };
        for entry in session.dcs.iter().filter(|entry| entry.flags.is_main()) {
            cache.add_entry(entry);
        }
        for peer in session.peers() {
            cache.add_peer(&peer);
        }
        cache.add_self();
        cache
    }

    /// The first entry of each family counts, as for every client.
    fn add_entry(&mut self, entry: &DcEntry) {
        let slot = (entry.dc_id, entry.is_ipv6());
        let Ok(addr) = entry.socket_addr() else {
            return;
        };
        if self.entries.contains_key(&slot) {
            return;
        }
        let option = self
            .dc_options
            .entry(entry.dc_id)
            .or_insert_with(|| embedded(entry.dc_id, addr));
        match addr {
            SocketAddr::V4(addr) => option.ipv4 = addr,
            SocketAddr::V6(addr) => option.ipv6 = addr,
        }
        option.auth_key = option.auth_key.or(entry.auth_key);
        self.entries.insert(slot, without_key(entry));
    }

    /// The first of each id counts; what grammers has no id for is not shown.
    fn add_peer(&mut self, peer: &Peer) {
        let auth = (peer.access_hash != 0).then(|| PeerAuth::from_hash(peer.access_hash));
        let id = peer.id;
        let info = match peer.kind {
            PeerKind::User if !peer.is_community => PeerInfo::User {
                id,
                auth,
                bot: None,
                is_self: None,
            },
            PeerKind::Chat => PeerInfo::Chat { id },
            PeerKind::User | PeerKind::Channel => PeerInfo::Channel {
                id,
                auth,
                kind: if peer.is_community {
                    Some(ChannelKind::Community)
                } else {
                    peer.channel_kind.map(|kind| match kind {
                        Kind::Broadcast => ChannelKind::Broadcast,
                        Kind::Megagroup => ChannelKind::Megagroup,
                        Kind::Gigagroup => ChannelKind::Gigagroup,
                    })
                },
            },
        };
        if peer.is_community && peer.kind == PeerKind::User {
            self.user_communities.push(id);
        }
        if let Some(id) = id_of(&info) {
            self.peers.entry(id).or_insert(info);
        }
    }

    /// Stores know the account apart from its peer.
    fn add_self(&mut self) {
        let Some(user_id) = self.account.user_id else {
            return;
        };
        let Some(id) = PeerId::user(user_id) else {
            return;
        };
        let peer = self.peers.entry(id).or_insert(PeerInfo::User {
            id: user_id,
            auth: None,
            bot: None,
            is_self: None,
        });
        if let PeerInfo::User { bot, is_self, .. } = peer {
            *bot = self.account.is_bot;
            *is_self = Some(true);
        }
    }

    /// A peer as stores have it.
    fn stored(&self, peer: &PeerInfo) -> Peer {
        let access_hash = |auth: &Option<PeerAuth>| auth.unwrap_or_default().hash();
        match peer {
            PeerInfo::User { id, auth, .. } => Peer {
                id: *id,
                access_hash: access_hash(auth),
                ..Peer::default()
            },
            PeerInfo::Chat { id } => Peer {
                id: *id,
                kind: PeerKind::Chat,
                ..Peer::default()
            },
            PeerInfo::Channel { id, auth, kind } => {
                let is_community = matches!(kind, Some(ChannelKind::Community));
                let is_user = is_community && self.user_communities.contains(id);
                Peer {
                    id: *id,
                    access_hash: access_hash(auth),
                    kind: if is_user {
                        PeerKind::User
                    } else {
                        PeerKind::Channel
                    },
                    channel_kind: kind.and_then(|kind| match kind {
                        ChannelKind::Broadcast => Some(Kind::Broadcast),
                        ChannelKind::Megagroup => Some(Kind::Megagroup),
                        ChannelKind::Gigagroup => Some(Kind::Gigagroup),
                        ChannelKind::Community => None,
                    }),
                    is_community,
                }
            }
        }
    }

    /// The account, if this peer is it and says something new of it.
    fn account_after(&mut self, peer: &PeerInfo) -> Option<Account> {
        let PeerInfo::User {
            id,
            bot,
            is_self: Some(true),
            ..
        } = peer
        else {
            return None;
        };
        let account = Account {
            user_id: Some(*id),
            is_bot: bot.or(self.account.is_bot),
            ..self.account
        };
        let is_new = account != self.account;
        self.account = account;
        is_new.then_some(account)
    }

    /// Both addresses of a DC as the store shall have them: with what it knew of them, except for the
    /// salt of another key.
    fn entries_of(&mut self, option: &DcOption) -> Zeroizing<Vec<DcEntry>> {
        let old_key = self
            .dc_options
            .get(&option.id)
            .and_then(|known| known.auth_key);
        let is_same_key = old_key == option.auth_key;
        let addresses = [
            // Only what is an address of its own: see `embedded`.
            (!option.ipv4.ip().is_unspecified()).then_some(SocketAddr::V4(option.ipv4)),
            (option.ipv6.ip().to_ipv4_mapped().is_none()).then_some(SocketAddr::V6(option.ipv6)),
        ];
        let mut entries = Vec::with_capacity(addresses.len());
        for addr in addresses.into_iter().flatten() {
            let family = if addr.is_ipv6() {
                DcFlags::IPV6
            } else {
                DcFlags::NONE
            };
            let known = self.entries.get(&(option.id, addr.is_ipv6()));
            let kept = known.filter(|_| is_same_key);
            let entry = DcEntry {
                dc_id: option.id,
                addr: addr.to_string(),
                auth_key: option.auth_key,
                first_salt: kept.map_or(0, |known| known.first_salt),
                time_offset: known.map_or(0, |known| known.time_offset),
                flags: known.map_or(family, |known| known.flags),
            };
            self.entries
                .insert((option.id, addr.is_ipv6()), without_key(&entry));
            entries.push(entry);
        }
        for (&(dc_id, is_ipv6), known) in &self.entries {
            let is_set = entries.iter().any(|entry| entry.is_ipv6() == is_ipv6);
            if dc_id == option.id && !is_set {
                // An address that the option does not repeat: its key is the option's as well.
                entries.push(DcEntry {
                    auth_key: option.auth_key,
                    first_salt: if is_same_key { known.first_salt } else { 0 },
                    ..known.clone()
                });
            }
        }
        Zeroizing::new(entries)
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        for option in self.dc_options.values_mut() {
            option.auth_key.zeroize();
        }
    }
}

/// Which DC and how much, never a key.
impl core::fmt::Debug for Cache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cache")
            .field("home_dc_id", &self.home_dc_id)
            .field("peers", &self.peers.len())
            .finish_non_exhaustive()
    }
}

fn without_key(entry: &DcEntry) -> DcEntry {
    DcEntry {
        dc_id: entry.dc_id,
        addr: entry.addr.clone(),
        auth_key: None,
        first_salt: entry.first_salt,
        time_offset: entry.time_offset,
        flags: entry.flags,
    }
}

/// A DC that grammers does not know, with one address for both families. There is no way to write an
/// IPv6 address as IPv4.
fn embedded(id: i32, addr: SocketAddr) -> DcOption {
    let (ipv4, ipv6) = match addr {
        SocketAddr::V4(addr) => {
            let mapped = addr.ip().to_ipv6_mapped();
            (addr, SocketAddrV6::new(mapped, addr.port(), 0, 0))
        }
        SocketAddr::V6(addr) => {
            let none = Ipv4Addr::UNSPECIFIED;
            (SocketAddrV4::new(none, addr.port()), addr)
        }
    };
    DcOption {
        id,
        ipv4,
        ipv6,
        auth_key: None,
    }
}

/// The id of a peer; `None` where grammers itself would panic.
fn id_of(peer: &PeerInfo) -> Option<PeerId> {
    match peer {
        PeerInfo::User { id, .. } => PeerId::user(*id),
        PeerInfo::Chat { id } => PeerId::chat(*id),
        PeerInfo::Channel { id, .. } => PeerId::channel(*id),
    }
}

fn no_such_peer(peer: &PeerInfo) -> io::Error {
    let (PeerInfo::User { id, .. } | PeerInfo::Chat { id } | PeerInfo::Channel { id, .. }) = peer;
    let message = format!("no peer has the id {id}");
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

fn updates_of(state: &UpdatesStateSnap) -> UpdatesState {
    let channel = |(id, pts): &(i64, i32)| ChannelState { id: *id, pts: *pts };
    UpdatesState {
        pts: state.pts,
        qts: state.qts,
        date: state.date,
        seq: state.seq,
        channels: state.channels.iter().map(channel).collect(),
    }
}

/// Makes the same change in memory as [`change_of`] makes in the store.
fn update(state: &mut UpdatesState, update: &UpdateState) {
    match update {
        UpdateState::All(all) => state.clone_from(all),
        UpdateState::Primary { pts, date, seq } => {
            (state.pts, state.date, state.seq) = (*pts, *date, *seq);
        }
        UpdateState::Secondary { qts } => state.qts = *qts,
        UpdateState::Channel { id, pts } => {
            match state.channels.iter_mut().find(|known| known.id == *id) {
                Some(known) => known.pts = *pts,
                None => state.channels.push(ChannelState { id: *id, pts: *pts }),
            }
        }
    }
}

fn change_of(update: UpdateState) -> UpdateStateChange {
    match update {
        UpdateState::All(state) => UpdateStateChange::All(UpdatesStateSnap {
            pts: state.pts,
            qts: state.qts,
            date: state.date,
            seq: state.seq,
            channels: state
                .channels
                .iter()
                .map(|channel| (channel.id, channel.pts))
                .collect(),
        }),
        UpdateState::Primary { pts, date, seq } => UpdateStateChange::Primary { pts, date, seq },
        UpdateState::Secondary { qts } => UpdateStateChange::Secondary { qts },
        UpdateState::Channel { id, pts } => UpdateStateChange::Channel { id, pts },
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
        cache.dc_options.insert(dc_option.id, dc_option.clone());
        drop(cache);
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
            let changes = self.merge(peers)?;
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
