//! The two traits that every session type implements: one to read it, one to change it.

use core::convert::Infallible;

use crate::account::{Account, WithAccount};
use crate::change::{Change, UpdateChange};
use crate::counters::{ChannelPts, Counters};
use crate::dc::DcRef;
use crate::error::{EncodeError, Full};
use crate::names::Names;
use crate::peer::{MinPeer, Peer, PeerKind};
use crate::wire::PeerRecord;

/// Anything that can enumerate a session: bytes ([`SessionView`](crate::SessionView)), fixed lists
/// ([`FixedSession`](crate::FixedSession)), a std client's own structs.
///
/// What can be enumerated can be encoded ([`encode`](crate::encode)) and copied
/// ([`SessionMut::copy_from`]). Order is part of the content, and duplicates are legal.
pub trait SessionSource {
    /// The DC that the account lives on; 0 when not logged in.
    fn home_dc_id(&self) -> i32;

    /// The account-wide update counters.
    fn counters(&self) -> Counters;

    /// What is known of the account. Types without a place for it say "nothing".
    fn account(&self) -> Account {
        Account::default()
    }

    /// What peers are called. Types without a place for it say "nothing".
    fn names(&self) -> Names<'_> {
        Names::NONE
    }

    /// The token that lets a logged-out account log in again without a code.
    fn future_auth_token(&self) -> Option<&[u8]>;

    /// The DC table.
    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>>;

    /// The pts of every known channel.
    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts>;

    /// The peer cache.
    fn peers(&self) -> impl ExactSizeIterator<Item = Peer>;

    /// The same peers in the same order, as the format stores them. This is what encoding reads; a
    /// source whose peers are far from [`Peer`] can say it faster.
    fn peer_records(&self) -> impl ExactSizeIterator<Item = PeerRecord> {
        self.peers().map(PeerRecord::from)
    }

    /// The contexts of users known only from messages.
    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer>;

    /// The entry to connect to `dc_id` with: of the preferred address family if there is one, else
    /// the first. Media-only and CDN entries are never chosen.
    ///
    /// ```
    /// use mtsession_core::{DcFlags, DcRef, FixedSession, SessionMut, SessionSource};
    ///
    /// let mut session = FixedSession::<2, 0, 0, 0, 0>::new();
    /// let v4 = DcRef {
    ///     dc_id: 2,
    ///     addr: "149.154.167.51:443",
    ///     auth_key: None,
    ///     first_salt: 0,
    ///     time_offset: 0,
    ///     flags: DcFlags::NONE,
    /// };
    /// session.put_dc(&v4)?;
    /// session.put_dc(&DcRef { addr: "149.154.167.222:443", flags: DcFlags::MEDIA_ONLY, ..v4 })?;
    /// assert_eq!(session.dc_for(2, true), Some(v4));
    /// assert_eq!(session.dc_for(3, false), None);
    /// # Ok::<(), mtsession_core::Full>(())
    /// ```
    fn dc_for(&self, dc_id: i32, prefer_ipv6: bool) -> Option<DcRef<'_>> {
        let mut fallback = None;
        for dc in self
            .dcs()
            .filter(|dc| dc.dc_id == dc_id && dc.flags.is_main())
        {
            if dc.is_ipv6() == prefer_ipv6 {
                return Some(dc);
            }
            fallback = fallback.or(Some(dc));
        }
        fallback
    }

    /// Counts what the session holds.
    fn stats(&self) -> Stats {
        let mut stats = Stats {
            dcs: self.dcs().len(),
            dcs_with_auth_key: self.dcs().filter(|dc| dc.auth_key.is_some()).count(),
            channels: self.channels().len(),
            peers: self.peers().len(),
            min_peers: self.min_peers().len(),
            ..Stats::default()
        };
        for peer in self.peers() {
            let count = match peer.kind {
                _ if peer.is_community => &mut stats.communities,
                PeerKind::User => &mut stats.users,
                PeerKind::Channel => &mut stats.peer_channels,
                PeerKind::Chat => &mut stats.chats,
            };
            *count = count.saturating_add(1);
        }
        stats
    }

    /// Size in bytes of the session encoded by [`encode`](crate::encode), without encoding it.
    fn encoded_len(&self) -> Result<usize, EncodeError<Infallible>>
    where
        Self: Sized,
    {
        crate::wire::encoded_len(self)
    }

    /// The same session with what is known of its account.
    fn with_account(&self, account: Account) -> WithAccount<'_, Self> {
        WithAccount {
            session: self,
            account,
            names: self.names(),
        }
    }
}

/// How much of everything a session holds; made by [`SessionSource::stats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Stats {
    /// DC entries; IPv4, IPv6 and media entries of one DC count each.
    pub dcs: usize,
    /// DC entries with an auth key.
    pub dcs_with_auth_key: usize,
    /// Channels with a known pts.
    pub channels: usize,
    /// All cached peers: the sum of the next four.
    pub peers: usize,
    /// Cached users.
    pub users: usize,
    /// Cached channels and supergroups.
    pub peer_channels: usize,
    /// Cached basic groups.
    pub chats: usize,
    /// Cached communities, whatever their peer type.
    pub communities: usize,
    /// Users known only from messages.
    pub min_peers: usize,
}

/// A session that can be changed in place.
///
/// Implementors supply storage; the rules (what a change does, which entry it replaces, what a copy
/// is) are provided here once for every store, and for the replay of journals and flash logs.
///
/// `push_*` appends and keeps duplicates, as a copy must. `put_*` replaces the first entry of the
/// same identity and appends where there is none, as a granular update does.
pub trait SessionMut: SessionSource {
    /// Forgets everything; keys are wiped.
    fn reset(&mut self);

    /// Whether a copy of `source` would fit. Checked before [`copy_from`](Self::copy_from) touches
    /// anything. Growable types need not override it.
    fn fits(&self, source: &impl SessionSource) -> Result<(), Full> {
        let _ = source;
        Ok(())
    }

    /// Makes room for a copy of `source`. Fixed-capacity types need not override it.
    fn reserve(&mut self, source: &impl SessionSource) {
        let _ = source;
    }

    /// Sets the home DC.
    fn set_home_dc_id(&mut self, dc_id: i32);

    /// Sets all four counters.
    fn set_counters(&mut self, counters: Counters);

    /// Sets what is known of the account; types without a place for it ignore it.
    fn set_account(&mut self, account: Account) {
        let _ = account;
    }

    /// Sets what peers are called; types without a place for it ignore it.
    fn set_names(&mut self, names: Names<'_>) {
        let _ = names;
    }

    /// Sets or removes the future auth token.
    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Full>;

    /// Appends a DC entry.
    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Full>;

    /// Appends a channel's pts.
    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Full>;

    /// Appends a peer.
    fn push_peer(&mut self, peer: Peer) -> Result<(), Full>;

    /// Appends many peers: the part of a copy that counts. Types that can do it in one plain loop
    /// override it.
    fn extend_peers(&mut self, peers: impl ExactSizeIterator<Item = Peer>) -> Result<(), Full> {
        let mut peers = peers;
        peers.try_for_each(|peer| self.push_peer(peer))
    }

    /// Appends a min-peer context.
    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Full>;

    /// Replaces the DC entry at `index`, which must exist: callers take it from an iteration.
    fn replace_dc(&mut self, index: usize, dc: &DcRef<'_>) -> Result<(), Full>;

    /// Replaces the channel at `index`.
    fn replace_channel(&mut self, index: usize, channel: ChannelPts);

    /// Replaces the peer at `index`.
    fn replace_peer(&mut self, index: usize, peer: Peer);

    /// Replaces the min peer at `index`.
    fn replace_min_peer(&mut self, index: usize, min_peer: MinPeer);

    /// Forgets every channel's pts.
    fn clear_channels(&mut self);

    /// Where the first peer with the identity of `peer` is. Stores with an index override it.
    fn find_peer(&self, peer: &Peer) -> Option<usize> {
        let key = peer.key();
        self.peers().position(|known| known.key() == key)
    }

    /// Where the first entry of this channel is. Stores with an index override it.
    fn find_channel(&self, id: i64) -> Option<usize> {
        self.channels().position(|known| known.id == id)
    }

    /// Where the first context of this user is. Stores with an index override it.
    fn find_min_peer(&self, user_id: i64) -> Option<usize> {
        self.min_peers().position(|known| known.user_id == user_id)
    }

    /// Stores a DC entry in its [slot](crate::DcSlot).
    fn put_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Full> {
        let slot = dc.slot();
        let index = self.dcs().position(|known| known.slot() == slot);
        match index {
            Some(index) => self.replace_dc(index, dc),
            None => self.push_dc(dc),
        }
    }

    /// Stores a channel's pts.
    fn put_channel(&mut self, channel: ChannelPts) -> Result<(), Full> {
        match self.find_channel(channel.id) {
            Some(index) => {
                self.replace_channel(index, channel);
                Ok(())
            }
            None => self.push_channel(channel),
        }
    }

    /// Stores a peer under its [key](Peer::key).
    fn put_peer(&mut self, peer: Peer) -> Result<(), Full> {
        match self.find_peer(&peer) {
            Some(index) => {
                self.replace_peer(index, peer);
                Ok(())
            }
            None => self.push_peer(peer),
        }
    }

    /// Stores the context of a user; a later one replaces an earlier one.
    fn put_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Full> {
        match self.find_min_peer(min_peer.user_id) {
            Some(index) => {
                self.replace_min_peer(index, min_peer);
                Ok(())
            }
            None => self.push_min_peer(min_peer),
        }
    }

    /// Carries out one change. On [`Full`] the session is as it was.
    ///
    /// ```
    /// use mtsession_core::{Change, FixedSession, SessionMut, SessionSource, UpdateChange};
    ///
    /// let mut session = FixedSession::<1, 1, 0, 0, 0>::new();
    /// let primary = UpdateChange::Primary { pts: 40, date: 1_750_000_000, seq: 2 };
    /// session.apply(&Change::Update(primary))?;
    /// session.apply(&Change::Update(UpdateChange::Channel { id: 10, pts: 7 }))?;
    /// assert_eq!(session.counters().pts, 40);
    /// assert_eq!(session.channels().len(), 1);
    /// # Ok::<(), mtsession_core::Full>(())
    /// ```
    fn apply(&mut self, change: &Change<'_>) -> Result<(), Full> {
        match change {
            Change::HomeDc(dc_id) => self.set_home_dc_id(*dc_id),
            Change::Dc(dc) => self.put_dc(dc)?,
            Change::Update(update) => self.apply_update(update)?,
            Change::Peer(peer) => self.put_peer(*peer)?,
            Change::MinPeer(min_peer) => self.put_min_peer(*min_peer)?,
            Change::FutureAuthToken(token) => self.set_future_auth_token(*token)?,
            Change::Account(account) => self.set_account(*account),
        }
        Ok(())
    }

    /// Carries out one change of the update state.
    fn apply_update(&mut self, update: &UpdateChange) -> Result<(), Full> {
        match *update {
            UpdateChange::Channel { id, pts } => self.put_channel(ChannelPts { id, pts }),
            UpdateChange::PushChannel { id, pts } => self.push_channel(ChannelPts { id, pts }),
            UpdateChange::ClearChannels => {
                self.clear_channels();
                Ok(())
            }
            _ => {
                self.set_counters(update.counters_after(self.counters()));
                Ok(())
            }
        }
    }

    /// Makes this session equal to `source`: values, order and duplicates.
    ///
    /// What does not fit is found out before anything is touched.
    fn copy_from(&mut self, source: &impl SessionSource) -> Result<(), Full> {
        self.fits(source)?;
        self.reset();
        self.reserve(source);
        self.set_home_dc_id(source.home_dc_id());
        self.set_counters(source.counters());
        self.set_account(source.account());
        self.set_names(source.names());
        self.set_future_auth_token(source.future_auth_token())?;
        source.dcs().try_for_each(|dc| self.push_dc(&dc))?;
        source
            .channels()
            .try_for_each(|channel| self.push_channel(channel))?;
        self.extend_peers(source.peers())?;
        source
            .min_peers()
            .try_for_each(|min_peer| self.push_min_peer(min_peer))
    }
}
