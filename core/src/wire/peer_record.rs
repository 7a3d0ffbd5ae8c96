//! A peer as the format stores it, for sources that can say it faster than through [`Peer`].

use super::layout::{NO_CHANNEL_KIND, PEER_LEN};
use super::records::join;
use crate::peer::{ChannelKind, Peer, PeerKind};

/// A peer as version 8 stores it: what [`SessionSource::peer_records`] enumerates.
///
/// ```
/// use mtsession_core::wire::{PeerKinds, PeerRecord};
/// use mtsession_core::{Peer, PeerKind};
///
/// let kinds = PeerKinds::new(PeerKind::Chat, None, false);
/// let chat = Peer { id: 5, kind: PeerKind::Chat, ..Peer::default() };
/// assert_eq!(PeerRecord::new(5, 0, kinds), PeerRecord::from(chat));
/// ```
///
/// [`SessionSource::peer_records`]: crate::SessionSource::peer_records
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRecord([u8; PEER_LEN]);

impl PeerRecord {
    /// The record of the peer with this bare id.
    #[inline]
    #[must_use]
    pub fn new(id: i64, access_hash: i64, kinds: PeerKinds) -> Self {
        let PeerKinds {
            kinds,
            is_community,
        } = kinds;
        Self(join!(
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

impl From<Peer> for PeerRecord {
    #[inline]
    fn from(peer: Peer) -> Self {
        let kinds = PeerKinds::new(peer.kind, peer.channel_kind, peer.is_community);
        Self::new(peer.id, peer.access_hash, kinds)
    }
}

/// The last three bytes of a [`PeerRecord`]: what the peer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerKinds {
    /// The peer's type and its channel kind. Two bytes in one store: with three single ones, storing is
    /// what a long list waits for.
    kinds: u16,
    is_community: u8,
}

impl PeerKinds {
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
