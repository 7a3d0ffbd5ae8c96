//! Between peers as stores have them and as grammers has them, the account among them.

use std::io;

use grammers_session::types::{ChannelKind, PeerAuth, PeerId, PeerInfo};
use mtsession_core::{Account, Change, ChannelKind as Kind, Peer, PeerKind};

use super::cache::Cache;

impl Cache {
    /// Takes in what is known of peers; returns what has to be stored.
    pub(super) fn merge(&mut self, peers: Vec<PeerInfo>) -> io::Result<Vec<Change<'static>>> {
        let ids = peers
            .iter()
            .map(|peer| id_of(peer).ok_or_else(|| no_such_peer(peer)))
            .collect::<io::Result<Vec<_>>>()?;
        let mut changes = Vec::with_capacity(ids.len());
        for (id, peer) in ids.into_iter().zip(peers) {
            let known = self.peers.entry(id).or_insert_with(|| peer.clone());
            known.extend_info(&peer);
            let merged = known.clone();
            changes.push(Change::Peer(self.stored(&merged)));
            changes.extend(self.account_after(&merged).map(Change::Account));
        }
        Ok(changes)
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
