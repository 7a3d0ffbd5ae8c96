//! Lists that get shorter at their end: what a store needs that keeps an entry's position for ever.

use super::FixedSession;
use crate::change::Change;
use crate::entry::List;
use crate::error::Full;
use crate::peer::PeerKey;
use crate::session_mut::SessionMut;

impl<const D: usize, const C: usize, const P: usize, const M: usize, const T: usize>
    FixedSession<D, C, P, M, T>
{
    /// Forgets the entries of a list from a position on; [`List::Singles`] stay as they are.
    ///
    /// ```
    /// use mtsession_core::{ChannelPts, FixedSession, List, SessionMut, SessionSource};
    ///
    /// let mut session = FixedSession::<0, 3, 0, 0, 0>::new();
    /// for id in 1..=3 {
    ///     session.put_channel(ChannelPts { id, pts: 1 })?;
    /// }
    /// session.truncate(List::Channels, 2);
    /// assert!(session.channels().map(|channel| channel.id).eq([1, 2]));
    /// # Ok::<(), mtsession_core::Full>(())
    /// ```
    pub fn truncate(&mut self, list: List, len: usize) {
        match list {
            List::Singles => {}
            List::Dcs => self.dcs.truncate(len),
            List::Channels => self.channels.truncate(len),
            List::Peers => self.peers.truncate(len),
            List::MinPeers => self.min_peers.truncate(len),
        }
    }

    /// Whether the peer at a position may be forgotten: it is there, and is not the account's own.
    #[must_use]
    pub fn may_forget_peer(&self, position: usize) -> bool {
        let own = self.account.user_id.map(PeerKey::user);
        let known = self.peers.get(position);
        known.is_some_and(|known| Some(known.key()) != own)
    }

    /// How many entries a list has room for.
    #[must_use]
    pub const fn capacity(list: List) -> usize {
        match list {
            List::Singles => List::SINGLES,
            List::Dcs => D,
            List::Channels => C,
            List::Peers => P,
            List::MinPeers => M,
        }
    }

    /// Stores what there is one of. Not through `apply`, which is all of a session's changes in one.
    pub(super) fn set_single(&mut self, change: &Change<'_>) -> Result<(), Full> {
        match change {
            Change::HomeDc(id) => self.home_dc_id = *id,
            Change::Update(update) => self.counters = update.counters_after(self.counters),
            Change::Account(account) => self.account = *account,
            Change::FutureAuthToken(token) => return self.set_future_auth_token(*token),
            Change::LoginState(state) => return self.set_login_state(*state),
            _ => {}
        }
        Ok(())
    }
}
