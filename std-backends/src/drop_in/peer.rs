//! The drop-in peer types.

use mtsession_core::{ChannelKind, MinPeer, Peer, PeerKind};

/// A cached peer: id, kind and the access hash to address it with.
///
/// The fields are those of `ferogram-session` 0.6.6. A peer that claims to be both a chat and a
/// channel is a chat, as in the file format.
// The flags side by side: see `packed_peer`.
#[repr(C)]
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CachedPeer {
    /// Bare id.
    pub id: i64,
    /// The access hash; 0 where none is needed or known.
    pub access_hash: i64,
    /// A channel or supergroup.
    #[cfg_attr(feature = "serde", serde(default))]
    pub is_channel: bool,
    /// A basic group.
    #[cfg_attr(feature = "serde", serde(default))]
    pub is_chat: bool,
    /// Which kind of channel, where known.
    #[cfg_attr(feature = "serde", serde(default))]
    pub channel_kind: Option<ChannelKind>,
    /// A community.
    #[cfg_attr(feature = "serde", serde(default))]
    pub is_community: bool,
}

impl CachedPeer {
    /// What the two flags of a cached peer say that it is.
    pub(crate) const fn kind(is_channel: bool, is_chat: bool) -> PeerKind {
        match (is_chat, is_channel) {
            (true, _) => PeerKind::Chat,
            (false, true) => PeerKind::Channel,
            (false, false) => PeerKind::User,
        }
    }
}

impl From<&CachedPeer> for Peer {
    #[inline]
    fn from(peer: &CachedPeer) -> Self {
        Self {
            id: peer.id,
            access_hash: peer.access_hash,
            kind: CachedPeer::kind(peer.is_channel, peer.is_chat),
            channel_kind: peer.channel_kind,
            is_community: peer.is_community,
        }
    }
}

impl From<Peer> for CachedPeer {
    #[inline]
    fn from(peer: Peer) -> Self {
        Self {
            id: peer.id,
            access_hash: peer.access_hash,
            is_channel: peer.kind == PeerKind::Channel,
            is_chat: peer.kind == PeerKind::Chat,
            channel_kind: peer.channel_kind,
            is_community: peer.is_community,
        }
    }
}

/// A user seen only in somebody's message: reachable through that message.
///
/// The fields are those of `ferogram-session` 0.6.6.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CachedMinPeer {
    /// Bare id of the user.
    pub user_id: i64,
    /// The chat that the message was seen in.
    pub peer_id: i64,
    /// The message.
    pub msg_id: i32,
}

impl From<&CachedMinPeer> for MinPeer {
    #[inline]
    fn from(peer: &CachedMinPeer) -> Self {
        Self {
            user_id: peer.user_id,
            peer_id: peer.peer_id,
            msg_id: peer.msg_id,
        }
    }
}

impl From<MinPeer> for CachedMinPeer {
    #[inline]
    fn from(peer: MinPeer) -> Self {
        Self {
            user_id: peer.user_id,
            peer_id: peer.peer_id,
            msg_id: peer.msg_id,
        }
    }
}
