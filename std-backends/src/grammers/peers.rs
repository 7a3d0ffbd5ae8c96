//! Between peers as stores have them and as grammers has them, the account among them.

use std::collections::HashMap;
use std::io;

use grammers_session::types::{ChannelKind, PeerAuth, PeerId, PeerInfo};
use mtsession_core::{Account, Change, ChannelKind as Kind, Peer, PeerKind};

use super::cache::Cache;

/// What a call makes of the peers it names.
pub(super) struct Merged {
    peers: HashMap<PeerId, PeerInfo>,
    account: Account,
    /// What has to be stored.
    pub(super) changes: Vec<Change<'static>>,
}

impl Cache {
    /// What is known of peers together with what these say.
    pub(super) fn merge(&self, peers: &[PeerInfo]) -> io::Result<Merged> {
        let mut merged = Merged {
            peers: HashMap::with_capacity(peers.len()),
            account: self.account,
            changes: Vec::with_capacity(peers.len()),
        };
        for peer in peers {
            let id = id_of(peer).ok_or_else(|| no_such_peer(peer))?;
            let known = || self.peers.get(&id).unwrap_or(peer).clone();
            let info = merged.peers.entry(id).or_insert_with(known);
            info.extend_info(peer);
            merged.changes.push(Change::Peer(self.stored(info)));
            let account = account_after(merged.account, info);
            if account != merged.account {
                merged.account = account;
                merged.changes.push(Change::Account(account));
            }
        }
        Ok(merged)
    }

    /// Takes in what is stored.
    pub(super) fn set_peers(&mut self, merged: Merged) {
        self.peers.extend(merged.peers);
        self.account = merged.account;
    }

    /// The first of each id counts; what grammers has no id for is not shown.
    pub(super) fn add_peer(&mut self, peer: &Peer) {
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
    pub(super) fn add_self(&mut self) {
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
