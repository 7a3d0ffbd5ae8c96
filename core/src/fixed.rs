//! A session in fixed memory: every list has its capacity in the type.

use core::fmt;

use heapless::{String, Vec};
use zeroize::Zeroize;

use crate::account::Account;
use crate::bug::Certain as _;
use crate::change::{Change, UpdateChange};
use crate::counters::{ChannelPts, Counters};
use crate::dc::{DcRef, DcSlot};
use crate::entry::{EntryKey, List};
use crate::error::{Field, Full};
use crate::fixed_dc::{FIXED_ADDR_LEN, FixedDc};
use crate::login_state::LoginState;
use crate::names::{Names, NamesOf};
use crate::peer::{MinPeer, Peer, PeerKey};
use crate::session_mut::SessionMut;
use crate::source::SessionSource;

/// Longest text of a [`LoginState`] that a [`FixedSession`] keeps, in bytes.
pub const FIXED_LOGIN_TEXT_LEN: usize = 32;

/// What a [`FixedSession`] does with one peer too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WhenFull {
    /// Refuse it: [`Full`].
    #[default]
    Refuse,
    /// Forget the oldest peer, but never the account itself ([`Account::user_id`]); where nothing
    /// may be forgotten, the new one is. Peers and min peers are caches; channels and DCs are state
    /// and are refused all the same.
    EvictOldest,
}

/// A session without a heap: at most `DCS` entries, `CHANNELS` channel counters, `PEERS` peers,
/// `MIN_PEERS` min-peer contexts and a future auth token of `TOKEN` bytes.
///
/// Keys and token are wiped on [`reset`](SessionMut::reset) and on drop. Two things that a session can
/// have are not kept whole: a login state whose text is longer than [`FIXED_LOGIN_TEXT_LEN`] is refused, and
/// what peers are called is left out.
///
/// ```
/// use mtsession_core::{FixedSession, Peer, SessionMut, SessionSource, WhenFull};
///
/// let mut session = FixedSession::<6, 32, 2, 0, 32>::new().when_full(WhenFull::EvictOldest);
/// for id in 1..=3 {
///     session.put_peer(Peer { id, ..Peer::default() })?;
/// }
/// assert_eq!(session.peers().map(|peer| peer.id).collect::<Vec<_>>(), [2, 3]);
/// # Ok::<(), mtsession_core::Full>(())
/// ```
pub struct FixedSession<
    const DCS: usize,
    const CHANNELS: usize,
    const PEERS: usize,
    const MIN_PEERS: usize,
    const TOKEN: usize,
> {
    home_dc_id: i32,
    counters: Counters,
    account: Account,
    login_state: u8,
    login_at: i64,
    login_text: String<FIXED_LOGIN_TEXT_LEN, u8>,
    when_full: WhenFull,
    has_token: bool,
    token: Vec<u8, TOKEN>,
    dcs: Vec<FixedDc, DCS>,
    channels: Vec<ChannelPts, CHANNELS>,
    peers: Vec<Peer, PEERS>,
    min_peers: Vec<MinPeer, MIN_PEERS>,
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize>
    FixedSession<D, C, P, M, T>
{
    /// An empty session: not logged in, nothing known.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            home_dc_id: 0,
            counters: Counters {
                pts: 0,
                qts: 0,
                date: 0,
                seq: 0,
            },
            account: Account {
                user_id: None,
                is_bot: None,
                api_id: None,
                test_mode: None,
            },
            login_state: 0,
            login_at: 0,
            login_text: String::new(),
            when_full: WhenFull::Refuse,
            has_token: false,
            token: Vec::new(),
            dcs: Vec::new(),
            channels: Vec::new(),
            peers: Vec::new(),
            min_peers: Vec::new(),
        }
    }

    /// Chooses what happens to one peer too many.
    #[must_use]
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Stores an entry at a position that the table grows to. In place: an entry is large, and has a key.
    fn set_dc_at(&mut self, position: usize, dc: &DcRef<'_>) -> Result<(), Full> {
        check_len(dc.addr.len(), FIXED_ADDR_LEN, Field::DcAddr)?;
        check_len(position, D.saturating_sub(1), Field::Dcs)?;
        while self.dcs.len() <= position {
            self.dcs
                .push(FixedDc::new())
                .map_err(|_| Full(Field::Dcs))?;
        }
        match self.dcs.get_mut(position) {
            Some(known) => known.set(dc),
            None => Err(Full(Field::Dcs)),
        }
    }

    /// Entries after the one that goes are copied over it, and what is left over is wiped in its place: an
    /// entry that is moved leaves a copy of its key.
    fn forget_dc(&mut self, slot: DcSlot) {
        let at = |dcs: &[FixedDc]| dcs.iter().position(|known| known.as_ref().slot() == slot);
        while let Some(position) = at(&self.dcs) {
            let rest = self.dcs.get_mut(position..).unwrap_or_default();
            for at in 1..rest.len() {
                if let Some((before, after)) = rest.split_at_mut_checked(at)
                    && let ([.., gone], [next, ..]) = (before, after)
                {
                    let copied = gone.set(&next.as_ref());
                    copied.ok().certain("its address fits an entry");
                }
            }
            self.dcs.truncate(self.dcs.len().saturating_sub(1));
        }
    }

    fn refuses(&self, len: usize, capacity: usize, field: Field) -> Result<(), Full> {
        if len > capacity && self.when_full == WhenFull::Refuse {
            return Err(Full(field));
        }
        Ok(())
    }
}

fn check_len(len: usize, capacity: usize, field: Field) -> Result<(), Full> {
    if len > capacity {
        return Err(Full(field));
    }
    Ok(())
}

/// Stores an item at a position that the list grows to.
fn set_in<T: Copy + Default, const N: usize>(
    list: &mut Vec<T, N>,
    position: usize,
    item: T,
    field: Field,
) -> Result<(), Full> {
    if position >= N {
        return Err(Full(field));
    }
    while list.len() <= position {
        list.push(T::default()).map_err(|_| Full(field))?;
    }
    match list.get_mut(position) {
        Some(known) => *known = item,
        None => return Err(Full(field)),
    }
    Ok(())
}

/// Appends to a cache; when it is full, the first element that `may_go` makes room.
fn push_to_cache<T, const N: usize>(
    list: &mut Vec<T, N>,
    item: T,
    when_full: WhenFull,
    field: Field,
    may_go: impl Fn(&T) -> bool,
) -> Result<(), Full> {
    let Err(mut item) = list.push(item) else {
        return Ok(());
    };
    if when_full == WhenFull::Refuse {
        return Err(Full(field));
    }
    // Without room even now, the new one is the one that goes.
    let goes = list.iter().position(may_go).unwrap_or(N);
    for known in list.iter_mut().skip(goes).rev() {
        core::mem::swap(known, &mut item);
    }
    Ok(())
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> SessionSource
    for FixedSession<D, C, P, M, T>
{
    fn home_dc_id(&self) -> i32 {
        self.home_dc_id
    }

    fn counters(&self) -> Counters {
        self.counters
    }

    fn account(&self) -> Account {
        self.account
    }

    fn login_state(&self) -> LoginState<'_> {
        // Only numbers of states are ever stored.
        LoginState::from_parts(self.login_state, self.login_at, &self.login_text)
            .certain("the number of no login state")
    }

    fn names(&self) -> Names<'_> {
        Names::NONE
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        self.has_token.then_some(self.token.as_slice())
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        self.dcs.iter().map(FixedDc::as_ref)
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        self.channels.iter().copied()
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        self.peers.iter().copied()
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        self.min_peers.iter().copied()
    }

    fn get(&self, list: List, position: usize) -> Option<Change<'_>> {
        match list {
            List::Singles => self.single(position),
            List::Dcs => self.dcs.get(position).map(|dc| Change::Dc(dc.as_ref())),
            List::Channels => self.channels.get(position).copied().map(Change::from),
            List::Peers => self.peers.get(position).copied().map(Change::Peer),
            List::MinPeers => self.min_peers.get(position).copied().map(Change::MinPeer),
        }
    }
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> SessionMut
    for FixedSession<D, C, P, M, T>
{
    type Error = Full;

    fn reset(&mut self) {
        for list in [
            List::Singles,
            List::Dcs,
            List::Channels,
            List::Peers,
            List::MinPeers,
        ] {
            self.clear(list);
        }
    }

    fn fits(&self, source: &impl SessionSource) -> Result<(), Full> {
        check_len(source.dcs().len(), D, Field::Dcs)?;
        check_len(source.channels().len(), C, Field::Channels)?;
        self.refuses(source.peers().len(), P, Field::Peers)?;
        self.refuses(source.min_peers().len(), M, Field::MinPeers)?;
        check_len(
            source.future_auth_token().map_or(0, <[u8]>::len),
            T,
            Field::Token,
        )?;
        check_len(
            source.login_state().text().len(),
            FIXED_LOGIN_TEXT_LEN,
            Field::LoginState,
        )?;
        source
            .dcs()
            .try_for_each(|dc| check_len(dc.addr.len(), FIXED_ADDR_LEN, Field::DcAddr))
    }

    fn set_home_dc_id(&mut self, dc_id: i32) {
        self.home_dc_id = dc_id;
    }

    fn set_counters(&mut self, counters: Counters) {
        self.counters = counters;
    }

    fn set_account(&mut self, account: Account) {
        self.account = account;
    }

    fn set_login_state(&mut self, state: LoginState<'_>) -> Result<(), Full> {
        check_len(state.text().len(), FIXED_LOGIN_TEXT_LEN, Field::LoginState)?;
        self.login_text.clear();
        self.login_text
            .push_str(state.text())
            .map_err(|_| Full(Field::LoginState))?;
        self.login_state = state.number();
        self.login_at = state.at();
        Ok(())
    }

    fn set_names(&mut self, _: Names<'_>) {
        // Left out: see the type's documentation.
    }

    fn put_names(&mut self, _: &NamesOf<'_>) {
        // Left out: see the type's documentation.
    }

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Full> {
        let bytes = token.unwrap_or_default();
        if bytes.len() > T {
            return Err(Full(Field::Token));
        }
        self.token.zeroize();
        self.has_token = token.is_some();
        self.token
            .extend_from_slice(bytes)
            .map_err(|_| Full(Field::Token))
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Full> {
        match change {
            Change::Dc(dc) => self.set_dc_at(position, dc),
            Change::Update(
                UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
            ) => {
                let channel = ChannelPts { id: *id, pts: *pts };
                set_in(&mut self.channels, position, channel, Field::Channels)
            }
            Change::Peer(peer) => set_in(&mut self.peers, position, *peer, Field::Peers),
            Change::MinPeer(peer) => set_in(&mut self.min_peers, position, *peer, Field::MinPeers),
            Change::HomeDc(_)
            | Change::Update(_)
            | Change::FutureAuthToken(_)
            | Change::Account(_)
            | Change::LoginState(_) => self.apply(change),
            Change::Names(_) | Change::Salt { .. } | Change::Forget(_) => Ok(()),
        }
    }

    fn put_salt(&mut self, dc: DcSlot, first_salt: i64, time_offset: i32) {
        let entry = self
            .dcs
            .iter_mut()
            .find(|known| known.as_ref().slot() == dc);
        if let Some(entry) = entry {
            entry.set_salt(first_salt, time_offset);
        }
    }

    fn forget(&mut self, key: EntryKey) -> bool {
        let before = self.count(key.list());
        match key {
            EntryKey::Dc(slot) => self.forget_dc(slot),
            EntryKey::Channel(id) => self.channels.retain(|known| known.id != id),
            EntryKey::Peer(key) => self.peers.retain(|known| known.key() != key),
            EntryKey::MinPeer(id) => self.min_peers.retain(|known| known.user_id != id),
        }
        self.count(key.list()) < before
    }

    fn clear(&mut self, list: List) {
        match list {
            List::Singles => {
                self.home_dc_id = 0;
                self.counters = Counters::default();
                self.account = Account::default();
                self.login_state = 0;
                self.login_at = 0;
                self.login_text.clear();
                self.has_token = false;
                self.token.zeroize();
            }
            List::Dcs => self.dcs.clear(),
            List::Channels => self.channels.clear(),
            List::Peers => self.peers.clear(),
            List::MinPeers => self.min_peers.clear(),
        }
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Full> {
        self.channels
            .push(channel)
            .map_err(|_| Full(Field::Channels))
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Full> {
        let account = self.account.user_id.map(PeerKey::user);
        let may_go = |known: &Peer| Some(known.key()) != account;
        push_to_cache(&mut self.peers, peer, self.when_full, Field::Peers, may_go)
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Full> {
        push_to_cache(
            &mut self.min_peers,
            min_peer,
            self.when_full,
            Field::MinPeers,
            |_| true,
        )
    }
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> Default
    for FixedSession<D, C, P, M, T>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> Drop
    for FixedSession<D, C, P, M, T>
{
    fn drop(&mut self) {
        // The keys wipe themselves; the token is a plain list.
        self.token.zeroize();
    }
}

/// Shows how much there is of everything; the token and the access hashes stay hidden.
impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize> fmt::Debug
    for FixedSession<D, C, P, M, T>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedSession")
            .field("home_dc_id", &self.home_dc_id)
            .field("counters", &self.counters)
            .field("account", &self.account)
            .field("dcs", &self.dcs)
            .field("channels", &self.channels.len())
            .field("peers", &self.peers.len())
            .field("min_peers", &self.min_peers.len())
            .field("has_token", &self.has_token)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dc::DcFlags;

    fn dc(addr: &str) -> DcRef<'_> {
        DcRef {
            dc_id: 2,
            addr,
            auth_key: None,
            first_salt: 1,
            time_offset: 0,
            flags: DcFlags::NONE,
        }
    }

    #[test]
    fn the_account_itself_is_never_evicted() {
        let mut session = FixedSession::<0, 0, 2, 1, 0>::new().when_full(WhenFull::EvictOldest);
        session.set_account(Account {
            user_id: Some(1),
            ..Account::default()
        });
        for id in 1..=5 {
            session
                .put_peer(Peer {
                    id,
                    ..Peer::default()
                })
                .unwrap();
        }
        let ids: [i64; 2] = core::array::from_fn(|i| session.peers[i].id);
        assert_eq!(ids, [1, 5]);

        let mut only_self = FixedSession::<0, 0, 1, 0, 0>::new().when_full(WhenFull::EvictOldest);
        only_self.copy_from(&session).unwrap();
        only_self
            .put_peer(Peer {
                id: 9,
                ..Peer::default()
            })
            .unwrap();
        assert_eq!(only_self.peers[0].id, 1);
    }

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut small = FixedSession::<1, 1, 1, 1, 1>::new();
        small.put_dc(&dc("149.154.167.51:443")).unwrap();
        let long = [b'a'; FIXED_ADDR_LEN + 1];
        let long = core::str::from_utf8(&long).unwrap();
        assert_eq!(small.put_dc(&dc(long)), Err(Full(Field::DcAddr)));
        assert_eq!(
            small.set_future_auth_token(Some(&[0; 2])),
            Err(Full(Field::Token))
        );

        let mut big = FixedSession::<1, 2, 0, 0, 0>::new();
        big.put_channel(ChannelPts { id: 1, pts: 1 }).unwrap();
        big.put_channel(ChannelPts { id: 2, pts: 1 }).unwrap();
        assert_eq!(small.copy_from(&big), Err(Full(Field::Channels)));
        assert_eq!(small.dcs().next().map(|dc| dc.addr.len()), Some(18));
        assert_eq!(small.future_auth_token(), None);
    }

    #[test]
    fn a_device_sized_session_fits_in_five_kibibytes() {
        assert!(size_of::<FixedSession<6, 32, 64, 0, 64>>() <= 5 * 1024);
    }
}
