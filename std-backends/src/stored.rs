//! A session in memory with its account, and with an index once it is searched often.

use core::cell::{Cell, OnceCell};
use core::convert::Infallible;
use std::collections::HashMap;
use std::io;

use mtsession_core::wire::{encode_to_vec, encoded_len};
use mtsession_core::{
    Account, Change, ChannelPts, Counters, DcRef, DcSlot, EncodeError, EntryKey, Field,
    LOGIN_TEXT_MAX, List, LoginState, MinPeer, Names, NamesBuf, NamesOf, Peer, PeerKey, PeerKind,
    SessionMut, SessionSource, SessionView, forward_session_source,
};
use zeroize::Zeroizing;

use crate::login::OwnedLogin;
use crate::names;
use crate::session::PersistedSession;

/// The most DC entries that a session file can count, and bytes of an address and of a token.
const MAX_DCS: usize = 255;
const MAX_ADDR: usize = 255;
const MAX_TOKEN: usize = 65_535;

/// Searches that are made in place before an index is built: building one costs about as much as
/// this many searches.
const SEARCHES_IN_PLACE: u32 = 32;

/// What a store holds: a session and what is known of its account. Wiped on drop.
///
/// This is what a backend of your own needs that keeps a session as bytes: read them, change them,
/// write them. The examples `redis_backend` and `postgres_backend` are that and little more.
///
/// ```
/// use mtsession::core::SessionSource as _;
/// use mtsession::{Account, Change, PersistedSession, Stored};
///
/// let mut stored = Stored::default();
/// stored.replace_session(&PersistedSession { home_dc_id: 2, ..Default::default() });
/// let account = Account { is_bot: Some(true), ..Default::default() };
/// stored.apply_all(&[Change::HomeDc(4), Change::Account(account)])?;
///
/// let read = Stored::from_bytes(&stored.to_bytes()?)?;
/// assert_eq!(read.account(), account);
/// assert_eq!(read.into_session().home_dc_id, 4);
/// # Ok::<(), std::io::Error>(())
/// ```
// Replaying a journal or caching a peer looks peers up by identity. Without an index that is one pass
// over the cache for each, and a hostile or merely long journal would cost the square of its length.
#[derive(Debug, Default)]
pub struct Stored {
    session: Zeroizing<PersistedSession>,
    account: Account,
    login: OwnedLogin,
    names: NamesBuf,
    searches: Cell<u32>,
    index: OnceCell<Index>,
}

/// Where the first entry of each identity is.
#[derive(Debug, Default)]
struct Index {
    peers: HashMap<PeerKey, usize>,
    channels: HashMap<i64, usize>,
    min_peers: HashMap<i64, usize>,
}

impl Index {
    fn of(session: &PersistedSession) -> Self {
        let mut index = Self::default();
        for (at, peer) in session.peers().enumerate() {
            index.peers.entry(peer.key()).or_insert(at);
        }
        for (at, channel) in session.channels().enumerate() {
            index.channels.entry(channel.id).or_insert(at);
        }
        for (at, min_peer) in session.min_peers().enumerate() {
            index.min_peers.entry(min_peer.user_id).or_insert(at);
        }
        index
    }
}

impl Stored {
    /// Decodes what [`to_bytes`](Self::to_bytes) made, and session files of every version.
    ///
    /// # Errors
    /// `InvalidData` with a [`DecodeError`](mtsession_core::DecodeError) inside, which says which
    /// field, where and why.
    pub fn from_bytes(bytes: &[u8]) -> io::Result<Self> {
        Ok(Self::copy_of(&SessionView::parse(bytes)?))
    }

    /// The bytes of a session file: version 8 with a checksummed trailer.
    ///
    /// # Errors
    /// `InvalidInput` for what no session file can hold.
    pub fn to_bytes(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(encode_to_vec(self)?))
    }

    /// Replaces the session; what is known of the account stays, and the names of peers that it has.
    pub fn replace_session(&mut self, session: &PersistedSession) {
        let names = names::kept_by(self.names.as_names(), session);
        *self = Self {
            session: Zeroizing::new(session.clone()),
            account: self.account,
            login: core::mem::take(&mut self.login),
            names,
            ..Self::default()
        };
    }

    /// A copy of any session.
    pub(crate) fn copy_of(source: &impl SessionSource) -> Self {
        let mut stored = Self::default();
        let Ok(()) = stored.copy_from(source);
        stored
    }

    /// Carries out a batch, all of it or, if the result could not be encoded, nothing.
    ///
    /// # Errors
    /// [`TooLong`](EncodeError::TooLong), which becomes an `io::Error` of the kind `InvalidInput`.
    pub fn apply_all(&mut self, changes: &[Change<'_>]) -> Result<(), TooLong> {
        self.check_room(changes)?;
        self.replay(changes);
        Ok(())
    }

    /// Refuses changes whose result no file could hold, without a copy of what is there: lists other
    /// than that of the DCs have no limit, and an entry's key always fits.
    fn check_room(&self, changes: &[Change<'_>]) -> Result<(), TooLong> {
        let mut dcs = self.session.dcs.len();
        for (at, change) in changes.iter().enumerate() {
            // What a later change replaces need not fit.
            let mut later = changes.iter().skip(at.saturating_add(1));
            match change {
                Change::Dc(dc) if !later.any(|later| is_of_slot(later, dc)) => {
                    at_most(Field::DcAddr, dc.addr.len(), MAX_ADDR)?;
                    if self.dcs().all(|known| known.slot() != dc.slot()) {
                        dcs = dcs.saturating_add(1);
                        at_most(Field::Dcs, dcs, MAX_DCS)?;
                    }
                }
                Change::FutureAuthToken(Some(token))
                    if !later.any(|later| matches!(later, Change::FutureAuthToken(_))) =>
                {
                    at_most(Field::Token, token.len(), MAX_TOKEN)?;
                }
                Change::LoginState(state) => {
                    at_most(Field::LoginState, state.text().len(), LOGIN_TEXT_MAX)?;
                }
                Change::Names(names) => {
                    let mut encoded = NamesBuf::new();
                    encoded.push(names, names.usernames())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Carries out changes that were checked before.
    pub(crate) fn replay(&mut self, changes: &[Change<'_>]) {
        for change in changes {
            let Ok(()) = self.apply(change);
        }
    }

    /// The session itself; the rest is wiped.
    #[must_use]
    pub fn into_session(mut self) -> PersistedSession {
        core::mem::take(&mut *self.session)
    }

    /// A copy of the session.
    pub(crate) fn session(&self) -> PersistedSession {
        PersistedSession::clone(&self.session)
    }

    /// Whether there is a peer that names of this kind and id are of.
    fn has_peer(&self, kind: PeerKind, id: i64) -> bool {
        [false, true].into_iter().any(|is_community| {
            let key = PeerKey::new(kind, is_community, id);
            self.position(EntryKey::Peer(key)).is_some()
        })
    }

    fn index(&self) -> Option<&Index> {
        let searches = self.searches.get().saturating_add(1);
        self.searches.set(searches);
        if searches <= SEARCHES_IN_PLACE {
            return None;
        }
        Some(self.index.get_or_init(|| Index::of(&self.session)))
    }
}

fn at_most(field: Field, len: usize, max: usize) -> Result<(), TooLong> {
    if len > max {
        return Err(EncodeError::TooLong { field, len, max });
    }
    Ok(())
}

fn is_of_slot(change: &Change<'_>, dc: &DcRef<'_>) -> bool {
    matches!(change, Change::Dc(other) if other.slot() == dc.slot())
}

/// Refuses a session that no file could hold: what every backend does before it writes.
pub(crate) fn check(session: &impl SessionSource) -> Result<(), TooLong> {
    encoded_len(session).map(|_| ())
}

/// Something is longer than the format can say.
pub(crate) type TooLong = EncodeError<Infallible>;

impl SessionSource for Stored {
    forward_session_source!(self => *self.session;
        home_dc_id counters future_auth_token dcs channels peers peer_records min_peers count);

    fn account(&self) -> Account {
        self.account
    }

    fn login_state(&self) -> LoginState<'_> {
        self.login.get()
    }

    fn names(&self) -> Names<'_> {
        self.names.as_names()
    }

    fn get(&self, list: List, position: usize) -> Option<Change<'_>> {
        match list {
            List::Singles => self.single(position),
            _ => self.session.get(list, position),
        }
    }

    fn position(&self, key: EntryKey) -> Option<usize> {
        let index = match key {
            EntryKey::Dc(_) => None,
            _ => self.index(),
        };
        let Some(index) = index else {
            return self.session.position(key);
        };
        match key {
            EntryKey::Channel(id) => index.channels.get(&id),
            EntryKey::Peer(key) => index.peers.get(&key),
            EntryKey::MinPeer(id) => index.min_peers.get(&id),
            _ => None,
        }
        .copied()
    }
}

impl SessionMut for Stored {
    type Error = Infallible;

    fn reset(&mut self) {
        *self = Self::default();
    }

    fn reserve(&mut self, source: &impl SessionSource) {
        self.session.reserve(source);
    }

    fn set_home_dc_id(&mut self, dc_id: i32) {
        self.session.home_dc_id = dc_id;
    }

    fn set_counters(&mut self, counters: Counters) {
        self.session.set_counters(counters);
    }

    fn set_account(&mut self, account: Account) {
        self.account = account;
    }

    fn set_login_state(&mut self, state: LoginState<'_>) -> Result<(), Infallible> {
        self.login = state.into();
        Ok(())
    }

    fn set_names(&mut self, names: Names<'_>) {
        self.names = names.into();
    }

    fn put_names(&mut self, names: &NamesOf<'_>) {
        if self.has_peer(names.kind, names.id) {
            self.names.put(names);
        }
    }

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Infallible> {
        self.session.set_future_auth_token(token)
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Infallible> {
        match change {
            Change::Account(account) => self.account = *account,
            Change::LoginState(state) => self.login = (*state).into(),
            _ => {
                let known = change.key().and_then(|key| self.get(key.list(), position));
                // Nothing else than its content changes in an entry that stays the one it was.
                if known.is_none_or(|known| known.key() != change.key()) {
                    self.index.take();
                }
                self.session.set_at(position, change)?;
            }
        }
        Ok(())
    }

    fn forget(&mut self, key: EntryKey) -> bool {
        if !self.session.forget(key) {
            return false;
        }
        self.index.take();
        if let EntryKey::Peer(key) = key
            && !self.has_peer(key.kind(), key.id())
        {
            self.names.put(&NamesOf::new(key.id(), key.kind()));
        }
        true
    }

    fn clear(&mut self, list: List) {
        if let Some(index) = self.index.get_mut() {
            match list {
                List::Channels => index.channels.clear(),
                List::Peers => index.peers.clear(),
                List::MinPeers => index.min_peers.clear(),
                _ => {}
            }
        }
        match list {
            List::Singles => {
                self.account = Account::default();
                self.login = OwnedLogin::default();
            }
            List::Peers => self.names = NamesBuf::new(),
            _ => {}
        }
        self.session.clear(list);
    }

    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Infallible> {
        self.session.push_dc(dc)
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Infallible> {
        if let Some(index) = self.index.get_mut() {
            let at = self.session.channels().len();
            index.channels.entry(channel.id).or_insert(at);
        }
        self.session.push_channel(channel)
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Infallible> {
        if let Some(index) = self.index.get_mut() {
            index
                .peers
                .entry(peer.key())
                .or_insert(self.session.peers.len());
        }
        self.session.push_peer(peer)
    }

    fn extend_peers(
        &mut self,
        peers: impl ExactSizeIterator<Item = Peer>,
    ) -> Result<(), Infallible> {
        self.index.take();
        self.session.extend_peers(peers)
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Infallible> {
        if let Some(index) = self.index.get_mut() {
            let at = self.session.min_peers.len();
            index.min_peers.entry(min_peer.user_id).or_insert(at);
        }
        self.session.push_min_peer(min_peer)
    }

    fn put_salt(&mut self, dc: DcSlot, first_salt: i64, time_offset: i32) {
        self.session.put_salt(dc, first_salt, time_offset);
    }
}
