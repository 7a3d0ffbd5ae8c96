//! The trait by which every session type is read.

use core::convert::Infallible;

use crate::account::Account;
use crate::change::{Change, UpdateChange};
use crate::counters::{ChannelPts, Counters};
use crate::dc::DcRef;
use crate::entry::{EntryKey, List};
use crate::error::EncodeError;
use crate::login_state::LoginState;
use crate::names::Names;
use crate::peer::{MinPeer, Peer, PeerKind};
use crate::wire::PackedPeer;

/// Anything that can enumerate a session: bytes ([`SessionView`](crate::SessionView)), fixed lists
/// ([`FixedSession`](crate::FixedSession)), a std client's own structs.
///
/// What can be enumerated can be encoded ([`encode`](crate::encode)) and copied
/// ([`SessionMut::copy_from`](crate::SessionMut::copy_from)). Order is part of the content, and
/// duplicates are legal.
///
/// No method that says what is in a session has a body here, so that no type can forget a part. A type
/// that wraps another session forwards with [`forward_session_source!`](crate::forward_session_source).
pub trait SessionSource {
    /// The DC that the account lives on; 0 when not logged in.
    fn home_dc_id(&self) -> i32;

    /// The account-wide update counters.
    fn counters(&self) -> Counters;

    /// What is known of the account. Types without a place for it say "nothing".
    fn account(&self) -> Account;

    /// Whether the login still holds. Types without a place for it say that it does.
    fn login_state(&self) -> LoginState<'_>;

    /// What peers are called. Types without a place for it say "nothing".
    fn names(&self) -> Names<'_>;

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
    fn packed_peers(&self) -> impl ExactSizeIterator<Item = PackedPeer> {
        self.peers().map(PackedPeer::from)
    }

    /// The contexts of users known only from messages.
    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer>;

    /// How many entries a list has.
    fn count(&self, list: List) -> usize {
        match list {
            List::Singles => List::SINGLES,
            List::Dcs => self.dcs().len(),
            List::Channels => self.channels().len(),
            List::Peers => self.peers().len(),
            List::MinPeers => self.min_peers().len(),
        }
    }

    /// The entry at a position of a list, as the change that stores it; `None` past the end. The singles
    /// are always there, also with nothing in them. Types that need not walk to the position override it.
    ///
    /// ```
    /// use mtsession_core::{Change, FixedSession, List, SessionMut, SessionSource};
    ///
    /// let mut session = FixedSession::<1, 0, 0, 0, 0>::new();
    /// session.set_home_dc_id(2);
    /// assert_eq!(session.get(List::Singles, 1), Some(Change::HomeDc(2)));
    /// assert_eq!(session.get(List::Dcs, 0), None);
    /// ```
    fn get(&self, list: List, position: usize) -> Option<Change<'_>> {
        match list {
            List::Singles => self.single(position),
            List::Dcs => self.dcs().nth(position).map(Change::Dc),
            List::Channels => self.channels().nth(position).map(Change::from),
            List::Peers => self.peers().nth(position).map(Change::Peer),
            List::MinPeers => self.min_peers().nth(position).map(Change::MinPeer),
        }
    }

    /// [`get`](Self::get) of [`List::Singles`].
    fn single(&self, position: usize) -> Option<Change<'_>> {
        Some(match position {
            0 => Change::Update(UpdateChange::Counters(self.counters())),
            1 => Change::HomeDc(self.home_dc_id()),
            2 => Change::Account(self.account()),
            3 => Change::FutureAuthToken(self.future_auth_token()),
            4 => Change::LoginState(self.login_state()),
            _ => return None,
        })
    }

    /// Where the first entry of this identity is in its list. Types with an index override it.
    fn position(&self, key: EntryKey) -> Option<usize> {
        match key {
            EntryKey::Dc(slot) => self.dcs().position(|known| known.slot() == slot),
            EntryKey::Channel(id) => self.channels().position(|known| known.id == id),
            EntryKey::Peer(key) => self.peers().position(|known| known.key() == key),
            EntryKey::MinPeer(id) => self.min_peers().position(|known| known.user_id == id),
        }
    }

    /// What is left of a change once what the session has already is taken out of it: a DC entry with the
    /// key and address that are known becomes its [`Salt`](Change::Salt). `None` where nothing would
    /// differ.
    ///
    /// ```
    /// use mtsession_core::{Change, FixedSession, SessionMut, SessionSource};
    ///
    /// let mut session = FixedSession::<1, 0, 0, 0, 0>::new();
    /// session.set_home_dc_id(2);
    /// assert_eq!(session.reduce(Change::HomeDc(2)), None);
    /// assert_eq!(session.reduce(Change::HomeDc(4)), Some(Change::HomeDc(4)));
    /// ```
    fn reduce<'c>(&self, change: Change<'c>) -> Option<Change<'c>> {
        let known = |key: EntryKey| self.get(key.list(), self.position(key)?);
        let differs = match change {
            Change::HomeDc(dc_id) => dc_id != self.home_dc_id(),
            Change::FutureAuthToken(token) => token != self.future_auth_token(),
            Change::Account(account) => account != self.account(),
            Change::LoginState(state) => state != self.login_state(),
            Change::Names(names) => match self.names().of(names.kind, names.id) {
                Some(known) => known != names,
                None => !names.is_empty(),
            },
            Change::Update(update) => match update {
                UpdateChange::Channel { id, .. } => known(EntryKey::Channel(id)) != Some(change),
                UpdateChange::ClearChannels => self.channels().len() > 0,
                UpdateChange::PushChannel { .. } => true,
                _ => update.counters_after(self.counters()) != self.counters(),
            },
            Change::Dc(dc) => return reduce_dc(known(EntryKey::Dc(dc.slot())), dc),
            Change::Salt {
                dc,
                first_salt,
                time_offset,
            } => match known(EntryKey::Dc(dc)) {
                Some(Change::Dc(known)) => {
                    (known.first_salt, known.time_offset) != (first_salt, time_offset)
                }
                _ => false,
            },
            Change::Peer(peer) => known(EntryKey::Peer(peer.key())) != Some(change),
            Change::MinPeer(peer) => known(EntryKey::MinPeer(peer.user_id)) != Some(change),
            Change::Forget(key) => self.position(key).is_some(),
        };
        differs.then_some(change)
    }

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
            login_state: self.login_state(),
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

/// What is new in a DC entry, where `known` is the one in its slot.
fn reduce_dc<'c>(known: Option<Change<'_>>, dc: DcRef<'c>) -> Option<Change<'c>> {
    let Some(Change::Dc(known)) = known else {
        return Some(Change::Dc(dc));
    };
    let with_new_salt = DcRef {
        first_salt: dc.first_salt,
        time_offset: dc.time_offset,
        ..known
    };
    if with_new_salt != dc {
        return Some(Change::Dc(dc));
    }
    (known != dc).then_some(Change::Salt {
        dc: dc.slot(),
        first_salt: dc.first_salt,
        time_offset: dc.time_offset,
    })
}

impl<S: SessionSource + ?Sized> SessionSource for &S {
    crate::forward_session_source!(self => **self);
}

/// A session together with an [`Account`] that its own type has no field for.
///
/// Made by [`SessionSource::with_account`].
#[derive(Clone, Copy, Debug)]
pub struct WithAccount<'s, S: ?Sized> {
    session: &'s S,
    account: Account,
    login_state: LoginState<'s>,
    names: Names<'s>,
}

impl<'s, S: ?Sized> WithAccount<'s, S> {
    /// The same session with these names of its peers.
    #[must_use]
    pub const fn with_names(self, names: Names<'s>) -> Self {
        Self { names, ..self }
    }

    /// The same session with this state of its login.
    #[must_use]
    pub const fn with_login_state(self, login_state: LoginState<'s>) -> Self {
        Self {
            login_state,
            ..self
        }
    }
}

impl<S: SessionSource> SessionSource for WithAccount<'_, S> {
    crate::forward_session_source!(self => *self.session;
        home_dc_id counters future_auth_token dcs channels peers packed_peers min_peers
        position);

    fn account(&self) -> Account {
        self.account
    }

    fn login_state(&self) -> LoginState<'_> {
        self.login_state
    }

    fn names(&self) -> Names<'_> {
        self.names
    }
}
