//! Peers: the access hashes without which a known id cannot be addressed.

use serde::{Deserialize, Serialize};

/// The kind of a channel, as stored for `is_megagroup()` after a restart.
///
/// The numbers are those of the v6+ file format; any other byte there means "not known".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum ChannelKind {
    /// Only admins post.
    Broadcast = 0,
    /// A supergroup.
    Megagroup = 1,
    /// A supergroup without a member limit, in which only admins post.
    Gigagroup = 2,
}

impl ChannelKind {
    /// Reads the file format's byte; `None` for every byte that names no kind.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Broadcast),
            1 => Some(Self::Megagroup),
            2 => Some(Self::Gigagroup),
            _ => None,
        }
    }

    /// The file format's byte.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::Broadcast => 0,
            Self::Megagroup => 1,
            Self::Gigagroup => 2,
        }
    }
}

/// What a peer is. The discriminants are the file format's `peer_type`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
pub enum PeerKind {
    /// A user or a bot (and, with [`Peer::is_community`], a community).
    #[default]
    User = 0,
    /// A channel or supergroup.
    Channel = 1,
    /// A basic group; needs no access hash.
    Chat = 2,
}

impl PeerKind {
    /// Reads the file format's `peer_type`. As in every release since 0.3.0, a byte that is neither
    /// 1 nor 2 is a user.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            1 => Self::Channel,
            2 => Self::Chat,
            _ => Self::User,
        }
    }

    /// The file format's `peer_type`.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::User => 0,
            Self::Channel => 1,
            Self::Chat => 2,
        }
    }
}

/// A cached peer.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Peer {
    /// Bare id (no `-100` mark); ids of different kinds may be equal.
    pub id: i64,
    /// The access hash; 0 where none is needed or the peer is known only as "min".
    pub access_hash: i64,
    /// What the peer is.
    pub kind: PeerKind,
    /// Which kind of channel, where that is known.
    pub channel_kind: Option<ChannelKind>,
    /// Whether the peer is a community.
    pub is_community: bool,
}

impl Peer {
    /// The user with this bare id.
    #[must_use]
    pub const fn user(id: i64, access_hash: i64) -> Self {
        Self {
            id,
            access_hash,
            kind: PeerKind::User,
            channel_kind: None,
            is_community: false,
        }
    }

    /// The channel or supergroup with this bare id.
    #[must_use]
    pub const fn channel(id: i64, access_hash: i64, channel_kind: Option<ChannelKind>) -> Self {
        Self {
            id,
            access_hash,
            kind: PeerKind::Channel,
            channel_kind,
            is_community: false,
        }
    }

    /// The basic group with this bare id, which needs no access hash.
    #[must_use]
    pub const fn chat(id: i64) -> Self {
        Self {
            id,
            access_hash: 0,
            kind: PeerKind::Chat,
            channel_kind: None,
            is_community: false,
        }
    }

    /// The peer's identity.
    ///
    /// ```
    /// use mtsession_core::{Peer, PeerKind};
    ///
    /// let user = Peer { id: 5, ..Peer::default() };
    /// let channel = Peer { id: 5, kind: PeerKind::Channel, ..Peer::default() };
    /// assert_ne!(user.key(), channel.key());
    /// assert_eq!(user.key(), Peer { access_hash: 9, ..user }.key());
    /// ```
    #[must_use]
    pub const fn key(&self) -> PeerKey {
        PeerKey::new(self.kind, self.is_community, self.id)
    }
}

/// The identity of a peer: its kind and its bare id. Ordered by kind, then by id.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[serde(from = "(PeerKind, bool, i64)")]
pub struct PeerKey {
    kind: PeerKind,
    is_community: bool,
    id: i64,
}

/// A community that is not written as a user is no other peer than the one of its kind.
impl From<(PeerKind, bool, i64)> for PeerKey {
    fn from((kind, is_community, id): (PeerKind, bool, i64)) -> Self {
        Self::new(kind, is_community, id)
    }
}

impl PeerKey {
    /// The key of the peer of this kind with this bare id; `is_community` as in [`Peer`].
    #[must_use]
    pub const fn new(kind: PeerKind, is_community: bool, id: i64) -> Self {
        Self {
            kind,
            // Clients write a community as a user with the flag set. Its id is drawn from another
            // space than users' ids, so it must not replace the user of the same number.
            is_community: is_community && matches!(kind, PeerKind::User),
            id,
        }
    }

    /// What the peer is.
    #[must_use]
    pub const fn kind(&self) -> PeerKind {
        self.kind
    }

    /// Whether the peer is a community among the users.
    #[must_use]
    pub const fn is_community(&self) -> bool {
        self.is_community
    }

    /// The bare id.
    #[must_use]
    pub const fn id(&self) -> i64 {
        self.id
    }

    /// The key of the user with this id.
    #[must_use]
    pub const fn user(id: i64) -> Self {
        Self {
            kind: PeerKind::User,
            is_community: false,
            id,
        }
    }
}

/// A user seen only in somebody's message: reachable through that message.
// The order of fields is a disk format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MinPeer {
    /// Bare id of the user.
    pub user_id: i64,
    /// The chat that the message was seen in.
    pub peer_id: i64,
    /// The message.
    pub msg_id: i32,
}
