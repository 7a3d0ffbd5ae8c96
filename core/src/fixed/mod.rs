//! A session in fixed memory: every list has its capacity in the type.

mod dc;
mod positions;
mod reading;
#[cfg(test)]
mod tests;
mod writing;

use core::fmt;

use heapless::{String, Vec};
use zeroize::Zeroize as _;

use crate::account::Account;
use crate::counters::{ChannelPts, Counters};
use crate::peer::{MinPeer, Peer};

pub use dc::{FIXED_ADDR_LEN, FixedDc};

/// Longest text of a [`LoginState`](crate::LoginState) that a [`FixedSession`] keeps, in bytes.
pub const FIXED_LOGIN_TEXT_LEN: usize = 32;

/// What a [`FixedSession`] does with one peer too many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum WhenFull {
    /// Refuse it: [`Full`](crate::Full).
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
/// Keys and token are wiped on [`reset`](crate::SessionMut::reset) and on drop. Two things that a session can
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
