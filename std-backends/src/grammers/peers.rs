//! Between peers as stores have them and as grammers has them, the account among them.

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;

use grammers_session::types::{ChannelKind, PeerAuth, PeerId, PeerInfo, PeerKind as IdKind};
use mtsession_core::{Account, Change, ChannelKind as Kind, Peer, PeerKey, PeerKind};

use super::cache::Cache;
use super::held::HeldPeer;
use crate::backend::SessionBackend;
use crate::record::{Keeps, PeerQuery};
use crate::sync::lock;

/// What a call makes of the peers it names.
struct Merged {
    peers: HashMap<PeerId, HeldPeer>,
    account: Account,
    /// What has to be stored.
    changes: Vec<Change<'static>>,
}

/// What is known of a peer, if need be by asking the store. Only the writer's thread may do that: what is
/// held is then never older than what is stored.
pub(super) fn look_up(
    cache: &Mutex<Cache>,
    backend: &dyn SessionBackend,
    id: PeerId,
) -> io::Result<Option<PeerInfo>> {
    if let Some(info) = lock(cache).held(id) {
        return Ok(Some(info));
    }
    let mut stored = None;
    for key in keys_of(id) {
        let found = backend.find_peer(PeerQuery::Key(key))?;
        stored = stored.or(found.map(|known| Peer::from(&known.peer)));
        if stored.is_some() {
            break;
        }
    }
    let mut cache = lock(cache);
    let own = cache.account.user_id.and_then(PeerId::user);
    if stored.is_some() || own == Some(id) {
        cache.hold(id, stored);
    }
    Ok(cache.held(id))
}

/// Stores what these say of peers in addition to what is known of them. What is stored already is not
/// written again.
pub(super) fn cache_peers(
    cache: &Mutex<Cache>,
    backend: &dyn SessionBackend,
    peers: &[PeerInfo],
) -> io::Result<()> {
    let ids = peers
        .iter()
        .map(|peer| id_of(peer).ok_or_else(|| no_such_peer(peer)))
        .collect::<io::Result<Vec<_>>>()?;
    for id in &ids {
        look_up(cache, backend, *id)?;
    }
    let merged = lock(cache).merge(ids.into_iter().zip(peers));
    // A store leaves out what it cannot keep, but may write the whole session for nothing.
    let keeps_account = backend.keeps().contains(Keeps::ACCOUNT);
    let is_kept = |change: &Change<'_>| keeps_account || !matches!(change, Change::Account(_));
    if merged.changes.iter().any(is_kept) {
        backend.apply(&merged.changes)?;
    }
    lock(cache).set_peers(merged);
    Ok(())
}

impl Cache {
    /// The id of a peer: of the account where grammers means that.
    pub(super) fn id_of(&self, peer: PeerId) -> Option<PeerId> {
        if peer == PeerId::self_user() {
            self.account.user_id.and_then(PeerId::user)
        } else {
            Some(peer)
        }
    }

    pub(super) fn held(&self, id: PeerId) -> Option<PeerInfo> {
        self.peers.get(&id).map(|held| held.info.clone())
    }

    /// What is known of peers together with what these say.
    fn merge<'p>(&self, peers: impl Iterator<Item = (PeerId, &'p PeerInfo)>) -> Merged {
        let mut merged = Merged {
            peers: HashMap::new(),
            account: self.account,
            changes: Vec::new(),
        };
        for (id, peer) in peers {
            let new = || HeldPeer {
                info: peer.clone(),
                stored: None,
            };
            let known = || self.peers.get(&id).cloned().unwrap_or_else(new);
            let held = merged.peers.entry(id).or_insert_with(known);
            held.info.extend_info(peer);
            let stored = to_be_stored(&held.info, held.stored.as_ref());
            if held.stored != Some(stored) {
                held.stored = Some(stored);
                merged.changes.push(Change::Peer(stored));
            }
            let account = account_after(merged.account, &held.info);
            if account != merged.account {
                merged.account = account;
                merged.changes.push(Change::Account(account));
            }
        }
        merged
    }

    /// Takes in what is stored.
    fn set_peers(&mut self, merged: Merged) {
        self.peers.extend(merged.peers);
        self.account = merged.account;
    }

    /// Holds a peer that the store has, or the account's own, which stores know apart from its peer.
    fn hold(&mut self, id: PeerId, stored: Option<Peer>) {
        let mut info = match (&stored, id.bare_id()) {
            (Some(peer), _) => info_of(peer),
            (None, Some(id)) => PeerInfo::User {
                id,
                auth: None,
                bot: None,
                is_self: None,
            },
            (None, None) => return,
        };
        if let PeerInfo::User {
            id, bot, is_self, ..
        } = &mut info
            && self.account.user_id == Some(*id)
        {
            *bot = self.account.is_bot;
            *is_self = Some(true);
        }
        self.peers.insert(id, HeldPeer { info, stored });
    }
}

/// How stores may know a peer, the more common way first: some clients keep communities as users.
fn keys_of(id: PeerId) -> Vec<PeerKey> {
    let Some(bare) = id.bare_id() else {
        return Vec::new();
    };
    match id.kind() {
        IdKind::User => vec![PeerKey::user(bare)],
        IdKind::Chat => vec![PeerKey::new(PeerKind::Chat, false, bare)],
        IdKind::Channel => vec![
            PeerKey::new(PeerKind::Channel, false, bare),
            PeerKey::new(PeerKind::User, true, bare),
        ],
    }
}

/// A peer as grammers has it.
fn info_of(peer: &Peer) -> PeerInfo {
    let auth = (peer.access_hash != 0).then(|| PeerAuth::from_hash(peer.access_hash));
    let id = peer.id;
    match peer.kind {
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
    }
}

/// A peer as stores have it, in the way in which this store has it already.
fn to_be_stored(peer: &PeerInfo, known: Option<&Peer>) -> Peer {
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
            let is_user = known.is_some_and(|known| known.kind == PeerKind::User);
            Peer {
                id: *id,
                access_hash: access_hash(auth),
                kind: if is_community && is_user {
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

/// The account with what this peer says of it, if it is the account's own.
fn account_after(account: Account, peer: &PeerInfo) -> Account {
    match peer {
        PeerInfo::User {
            id,
            bot,
            is_self: Some(true),
            ..
        } => Account {
            user_id: Some(*id),
            is_bot: bot.or(account.is_bot),
            ..account
        },
        _ => account,
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
