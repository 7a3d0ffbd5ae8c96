//! The lists of a session, and what identifies an entry of one.

use serde::{Deserialize, Serialize};

use crate::dc::DcSlot;
use crate::peer::PeerKey;

/// A list of a session, as [`SessionSource::get`](crate::SessionSource::get) counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[repr(u8)]
#[non_exhaustive]
pub enum List {
    /// What a session has once, in this order: counters, home DC, account, future auth token, login
    /// state.
    Singles,
    /// The DC table.
    Dcs,
    /// The pts of channels.
    Channels,
    /// The peer cache.
    Peers,
    /// Users known only from messages.
    MinPeers,
}

impl List {
    /// How many entries [`Singles`](Self::Singles) has in every session.
    pub const SINGLES: usize = 5;
}

/// What identifies an entry of a list.
// The order of variants is a disk format: new ones are only ever added at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EntryKey {
    /// An entry of the DC table.
    Dc(DcSlot),
    /// The channel with this bare id.
    Channel(i64),
    /// A peer.
    Peer(PeerKey),
    /// The context of the user with this bare id.
    MinPeer(i64),
}

impl EntryKey {
    /// The list that the entry is in.
    #[must_use]
    pub const fn list(&self) -> List {
        match self {
            Self::Dc(_) => List::Dcs,
            Self::Channel(_) => List::Channels,
            Self::Peer(_) => List::Peers,
            Self::MinPeer(_) => List::MinPeers,
        }
    }
}
