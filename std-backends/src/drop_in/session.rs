//! The drop-in session.

use core::fmt;

use mtsession_core::wire::{PackedPeer, encoded_len};
use mtsession_core::{
    Account, Change, ChannelPts, Counters, DcRef, List, LoginState, MinPeer, Names, Peer,
    SessionSource,
};
use zeroize::Zeroize;

use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::{CachedMinPeer, CachedPeer};
use crate::drop_in::update::UpdatesStateSnap;

/// A whole session.
///
/// The fields are those of `ferogram-session` 0.6.6; more about the account is kept in addition
/// ([`SessionRecord`](crate::SessionRecord)).
///
/// `Debug` hides keys and token. **`Display` is the session string**, that is, the account itself:
/// prefer [`to_session_string`](Self::to_session_string), which wipes what it returns.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PersistedSession {
    /// The DC that the account lives on; 0 when not logged in.
    pub home_dc_id: i32,
    /// The DC table.
    #[cfg_attr(feature = "serde", serde(default))]
    pub dcs: Vec<DcEntry>,
    /// The update state.
    #[cfg_attr(feature = "serde", serde(default))]
    pub updates_state: UpdatesStateSnap,
    /// The peer cache.
    #[cfg_attr(feature = "serde", serde(default))]
    pub peers: Vec<CachedPeer>,
    /// The contexts of users known only from messages.
    #[cfg_attr(feature = "serde", serde(default))]
    pub min_peers: Vec<CachedMinPeer>,
    /// The token that lets a logged-out account log in again without a code.
    #[cfg_attr(feature = "serde", serde(default))]
    pub future_auth_token: Option<Vec<u8>>,
}

impl PersistedSession {
    /// The entry to connect to `dc_id` with: of the preferred address family if there is one, else
    /// the first. Media-only and CDN entries are never chosen.
    #[must_use]
    pub fn dc_for(&self, dc_id: i32, prefer_ipv6: bool) -> Option<&DcEntry> {
        let chosen = SessionSource::dc_for(self, dc_id, prefer_ipv6)?;
        self.dcs.iter().find(|dc| dc.as_dc_ref() == chosen)
    }

    /// Every entry of `dc_id`, of any kind.
    pub fn all_dcs_for(&self, dc_id: i32) -> impl Iterator<Item = &DcEntry> {
        self.dcs.iter().filter(move |dc| dc.dc_id == dc_id)
    }

    /// Counts what the session holds.
    ///
    /// ```
    /// use mtsession::PersistedSession;
    ///
    /// let session = PersistedSession::default();
    /// let stats = session.stats();
    /// assert_eq!((stats.peers_total, stats.approx_bytes), (0, session.to_bytes().len()));
    /// ```
    #[must_use]
    pub fn stats(&self) -> SessionStats {
        let stats = SessionSource::stats(self);
        SessionStats {
            home_dc_id: self.home_dc_id,
            dcs_total: stats.dcs,
            dcs_with_auth_key: stats.dcs_with_auth_key,
            peers_total: stats.peers,
            peers_users: stats.users,
            peers_channels: stats.peer_channels,
            peers_chats: stats.chats,
            peers_communities: stats.communities,
            min_peers: stats.min_peers,
            channel_pts_entries: stats.channels,
            updates_initialised: self.updates_state.is_initialised(),
            approx_bytes: encoded_len(self).unwrap_or_default(),
        }
    }
}

/// What a [`PersistedSession`] holds; made by [`PersistedSession::stats`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStats {
    /// The home DC.
    pub home_dc_id: i32,
    /// DC entries; IPv4, IPv6 and media entries of one DC count each.
    pub dcs_total: usize,
    /// DC entries with an auth key.
    pub dcs_with_auth_key: usize,
    /// All cached peers: the sum of the next four.
    pub peers_total: usize,
    /// Cached users.
    pub peers_users: usize,
    /// Cached channels and supergroups.
    pub peers_channels: usize,
    /// Cached basic groups.
    pub peers_chats: usize,
    /// Cached communities, which older releases counted as users.
    pub peers_communities: usize,
    /// Users known only from messages: what makes sessions grow.
    pub min_peers: usize,
    /// Channels with a known pts.
    pub channel_pts_entries: usize,
    /// Whether a real update state was ever stored.
    pub updates_initialised: bool,
    /// Size in bytes of [`PersistedSession::to_bytes`], computed without encoding.
    pub approx_bytes: usize,
}

impl SessionSource for PersistedSession {
    fn home_dc_id(&self) -> i32 {
        self.home_dc_id
    }

    fn counters(&self) -> Counters {
        self.updates_state.counters()
    }

    /// Nothing: see [`SessionRecord`](crate::SessionRecord).
    fn account(&self) -> Account {
        Account::default()
    }

    /// Active: see [`SessionRecord`](crate::SessionRecord).
    fn login_state(&self) -> LoginState<'_> {
        LoginState::Active
    }

    /// None: see [`SessionRecord`](crate::SessionRecord).
    fn names(&self) -> Names<'_> {
        Names::NONE
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        self.future_auth_token.as_deref()
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        self.dcs.iter().map(DcEntry::as_dc_ref)
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        let channels = self.updates_state.channels.iter();
        channels.map(|&(id, pts)| ChannelPts { id, pts })
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        self.peers.iter().map(Peer::from)
    }

    fn packed_peers(&self) -> impl ExactSizeIterator<Item = PackedPeer> {
        self.peers.iter().map(PackedPeer::from)
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        self.min_peers.iter().map(MinPeer::from)
    }

    fn get(&self, list: List, position: usize) -> Option<Change<'_>> {
        Some(match list {
            List::Singles => return self.single(position),
            List::Dcs => Change::Dc(self.dcs.get(position)?.as_dc_ref()),
            List::Channels => {
                let &(id, pts) = self.updates_state.channels.get(position)?;
                Change::from(ChannelPts { id, pts })
            }
            List::Peers => Change::Peer(self.peers.get(position)?.into()),
            List::MinPeers => Change::MinPeer(self.min_peers.get(position)?.into()),
            _ => return None,
        })
    }
}

impl Zeroize for PersistedSession {
    /// Wipes keys and token, and forgets the rest: afterwards the session is the default one.
    fn zeroize(&mut self) {
        for dc in &mut self.dcs {
            dc.zeroize();
        }
        self.future_auth_token.zeroize();
        *self = Self::default();
    }
}

/// Hides keys and token.
impl fmt::Debug for PersistedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = self.future_auth_token.as_ref().map(|_| "[redacted]");
        f.debug_struct("PersistedSession")
            .field("home_dc_id", &self.home_dc_id)
            .field("dcs", &self.dcs)
            .field("updates_state", &self.updates_state)
            .field("peers", &self.peers)
            .field("min_peers", &self.min_peers)
            .field("future_auth_token", &token)
            .finish()
    }
}
