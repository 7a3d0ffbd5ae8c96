//! What a fixed session has.

use super::{FixedDc, FixedSession};
use crate::account::Account;
use crate::bug::Certain as _;
use crate::change::Change;
use crate::counters::{ChannelPts, Counters};
use crate::dc::DcRef;
use crate::entry::List;
use crate::login_state::LoginState;
use crate::names::Names;
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;

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
