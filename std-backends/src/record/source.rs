//! A record is read and changed as every session is.

use core::convert::Infallible;

use mtsession_core::{
    Account, Change, ChannelPts, Counters, DcRef, DcSlot, EntryKey, List, LoginState, MinPeer,
    Names, NamesOf, Peer, SessionMut, SessionSource, forward_session_source,
};

use super::{Sections, SessionRecord};
use crate::record::login_state::OwnedLoginState;

impl SessionSource for SessionRecord {
    forward_session_source!(self => *self.session;
        home_dc_id counters future_auth_token dcs channels peers packed_peers min_peers count);

    fn account(&self) -> Account {
        self.account
    }

    fn login_state(&self) -> LoginState<'_> {
        self.login.as_state()
    }

    fn names(&self) -> Names<'_> {
        self.names.get()
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
        index.position(key)
    }
}

impl SessionMut for SessionRecord {
    type Error = Infallible;

    fn reset(&mut self) {
        *self = Self {
            changed: Sections::ALL,
            origin: self.origin,
            ..Self::default()
        };
    }

    fn reserve(&mut self, source: &impl SessionSource) {
        self.session.reserve(source);
    }

    fn set_home_dc_id(&mut self, dc_id: i32) {
        self.changed.insert(Sections::SESSION);
        self.session.home_dc_id = dc_id;
    }

    fn set_counters(&mut self, counters: Counters) {
        self.changed.insert(Sections::SESSION);
        self.session.set_counters(counters);
    }

    fn set_account(&mut self, account: Account) {
        self.changed.insert(Sections::ACCOUNT);
        self.account = account;
    }

    fn set_login_state(&mut self, state: LoginState<'_>) -> Result<(), Infallible> {
        self.changed.insert(Sections::LOGIN_STATE);
        self.login = state.into();
        Ok(())
    }

    fn set_names(&mut self, names: Names<'_>) {
        self.changed.insert(Sections::NAMES);
        self.names.set(names);
    }

    fn put_names(&mut self, names: &NamesOf<'_>) {
        if self.position_of_named(names.kind, names.id).is_some() {
            self.changed.insert(Sections::NAMES);
            self.names.put(names);
        }
    }

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Infallible> {
        self.changed.insert(Sections::SESSION);
        self.session.set_future_auth_token(token)
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Infallible> {
        match change {
            Change::Account(account) => self.set_account(*account),
            Change::LoginState(state) => self.set_login_state(*state)?,
            _ => {
                self.changed.insert(Sections::SESSION);
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
        self.changed.insert(Sections::SESSION);
        self.index.take();
        if let EntryKey::Peer(key) = key
            && self.position_of_named(key.kind(), key.id()).is_none()
        {
            self.changed.insert(Sections::NAMES);
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
                self.changed.insert(Sections::ACCOUNT);
                self.changed.insert(Sections::LOGIN_STATE);
                self.account = Account::default();
                self.login = OwnedLoginState::default();
            }
            List::Peers => {
                self.changed.insert(Sections::NAMES);
                self.names.set(Names::NONE);
            }
            _ => {}
        }
        self.changed.insert(Sections::SESSION);
        self.session.clear(list);
    }

    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Infallible> {
        self.changed.insert(Sections::SESSION);
        self.session.push_dc(dc)
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Infallible> {
        self.changed.insert(Sections::SESSION);
        if let Some(index) = self.index.get_mut() {
            let at = self.session.channels().len();
            index.channels.entry(channel.id).or_insert(at);
        }
        self.session.push_channel(channel)
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Infallible> {
        self.changed.insert(Sections::SESSION);
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
        self.changed.insert(Sections::SESSION);
        self.index.take();
        self.session.extend_peers(peers)
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Infallible> {
        self.changed.insert(Sections::SESSION);
        if let Some(index) = self.index.get_mut() {
            let at = self.session.min_peers.len();
            index.min_peers.entry(min_peer.user_id).or_insert(at);
        }
        self.session.push_min_peer(min_peer)
    }

    fn put_salt(&mut self, dc: DcSlot, first_salt: i64, time_offset: i32) {
        self.changed.insert(Sections::SESSION);
        self.session.put_salt(dc, first_salt, time_offset);
    }
}
