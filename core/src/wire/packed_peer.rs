//! A peer as the format stores it, for sources that can say it faster than through [`Peer`].

use super::concat::concat_array;
use super::layout::{NO_CHANNEL_KIND, PEER_LEN};
use crate::peer::{ChannelKind, Peer, PeerKind};

/// A peer as version 8 stores it: what [`SessionSource::packed_peers`] enumerates.
///
/// ```
/// use mtsession_core::wire::{PackedKinds, PackedPeer};
/// use mtsession_core::{Peer, PeerKind};
///
/// let kinds = PackedKinds::new(PeerKind::Chat, None, false);
/// let chat = Peer { id: 5, kind: PeerKind::Chat, ..Peer::default() };
/// assert_eq!(PackedPeer::new(5, 0, kinds), PackedPeer::from(chat));
/// ```
///
/// [`SessionSource::packed_peers`]: crate::SessionSource::packed_peers
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedPeer([u8; PEER_LEN]);

impl PackedPeer {
    /// The record of the peer with this bare id.
    #[inline]
    #[must_use]
    pub fn new(id: i64, access_hash: i64, kinds: PackedKinds) -> Self {
        let PackedKinds {
            kinds,
            is_community,
        } = kinds;
        Self(concat_array!(
            PEER_LEN;
            id.to_le_bytes(),
            access_hash.to_le_bytes(),
            kinds.to_le_bytes(),
            [is_community]
        ))
    }

    #[inline]
    pub(super) const fn into_bytes(self) -> [u8; PEER_LEN] {
        self.0
    }
}

impl From<Peer> for PackedPeer {
    #[inline]
    fn from(peer: Peer) -> Self {
        let kinds = PackedKinds::new(peer.kind, peer.channel_kind, peer.is_community);
        Self::new(peer.id, peer.access_hash, kinds)
    }
}

/// The last three bytes of a [`PackedPeer`]: what the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackedKinds {
    /// The peer's type and its channel kind. Two bytes in one store: with three single ones, storing is
    /// what a long list waits for.
    kinds: u16,
    is_community: u8,
}

impl PackedKinds {
    /// The bytes that say this.
    #[inline]
    #[must_use]
    pub const fn new(
        kind: PeerKind,
        channel_kind: Option<ChannelKind>,
        is_community: bool,
    ) -> Self {
        let channel_kind = match channel_kind {
            Some(kind) => kind.to_byte(),
            None => NO_CHANNEL_KIND,
        };
        Self {
            kinds: u16::from_le_bytes([kind.to_byte(), channel_kind]),
            is_community: if is_community { 1 } else { 0 },
        }
    }
}
