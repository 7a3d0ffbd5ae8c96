//! A growable session that can be compared and cloned: the model.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::convert::Infallible;

use mtsession_core::{
    Account, AuthKeyRef, Change, ChannelPts, Counters, DcFlags, DcRef, DcSlot, EntryKey, List,
    LoginState, MinPeer, Names, NamesOf, Peer, SessionMut, SessionSource, UpdateChange,
};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedDc {
    pub dc_id: i32,
    pub addr: String,
    pub auth_key: Option<[u8; 256]>,
    pub first_salt: i64,
    pub time_offset: i32,
    pub flags: DcFlags,
}

impl OwnedDc {
    pub fn as_ref(&self) -> DcRef<'_> {
        DcRef {
            dc_id: self.dc_id,
            addr: &self.addr,
            auth_key: self.auth_key.as_ref().map(AuthKeyRef::new),
            first_salt: self.first_salt,
            time_offset: self.time_offset,
            flags: self.flags,
        }
    }
}

impl From<&DcRef<'_>> for OwnedDc {
    fn from(dc: &DcRef<'_>) -> Self {
        Self {
            dc_id: dc.dc_id,
            addr: dc.addr.to_string(),
            auth_key: dc.auth_key.map(|key| *key.as_bytes()),
            first_salt: dc.first_salt,
            time_offset: dc.time_offset,
            flags: dc.flags,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnedChange {
    HomeDc(i32),
    Dc(OwnedDc),
    Update(UpdateChange),
    Peer(Peer),
    MinPeer(MinPeer),
    Token(Option<Vec<u8>>),
    Account(Account),
}

impl OwnedChange {
    pub fn as_ref(&self) -> Change<'_> {
        match self {
            Self::HomeDc(id) => Change::HomeDc(*id),
            Self::Dc(dc) => Change::Dc(dc.as_ref()),
            Self::Update(update) => Change::Update(*update),
            Self::Peer(peer) => Change::Peer(*peer),
            Self::MinPeer(min_peer) => Change::MinPeer(*min_peer),
            Self::Token(token) => Change::FutureAuthToken(token.as_deref()),
            Self::Account(account) => Change::Account(*account),
        }
    }

    /// Carries out the change.
    pub fn apply(&self, session: &mut Plain) {
        SessionMut::apply(session, &self.as_ref()).unwrap();
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plain {
    pub home_dc_id: i32,
    pub counters: Counters,
    pub account: Account,
    pub token: Option<Vec<u8>>,
    pub dcs: Vec<OwnedDc>,
    pub channels: Vec<ChannelPts>,
    pub peers: Vec<Peer>,
    pub min_peers: Vec<MinPeer>,
}

impl SessionSource for Plain {
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
        LoginState::Active
    }

    fn names(&self) -> Names<'_> {
        Names::NONE
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        self.dcs.iter().map(OwnedDc::as_ref)
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
}

impl SessionMut for Plain {
    type Error = Infallible;

    fn reset(&mut self) {
        *self = Self::default();
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

    fn set_login_state(&mut self, _: LoginState<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    fn set_names(&mut self, _: Names<'_>) {}

    fn put_names(&mut self, _: &NamesOf<'_>) {}

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Infallible> {
        self.token = token.map(<[u8]>::to_vec);
        Ok(())
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Infallible> {
        match change {
            Change::Dc(dc) => set(&mut self.dcs, position, OwnedDc::from(dc)),
            Change::Update(
                UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
            ) => {
                let channel = ChannelPts { id: *id, pts: *pts };
                set(&mut self.channels, position, channel);
            }
            Change::Peer(peer) => set(&mut self.peers, position, *peer),
            Change::MinPeer(peer) => set(&mut self.min_peers, position, *peer),
            Change::HomeDc(_)
            | Change::Update(_)
            | Change::FutureAuthToken(_)
            | Change::Account(_) => self.apply(change)?,
            _ => {}
        }
        Ok(())
    }

    fn put_salt(&mut self, slot: DcSlot, first_salt: i64, time_offset: i32) {
        let entry = self.dcs.iter_mut().find(|dc| dc.as_ref().slot() == slot);
        if let Some(dc) = entry {
            dc.first_salt = first_salt;
            dc.time_offset = time_offset;
        }
    }

    fn forget(&mut self, key: EntryKey) -> bool {
        let before = self.count(key.list());
        match key {
            EntryKey::Dc(slot) => self.dcs.retain(|dc| dc.as_ref().slot() != slot),
            EntryKey::Channel(id) => self.channels.retain(|channel| channel.id != id),
            EntryKey::Peer(key) => self.peers.retain(|peer| peer.key() != key),
            EntryKey::MinPeer(id) => self.min_peers.retain(|peer| peer.user_id != id),
            _ => {}
        }
        self.count(key.list()) < before
    }

    fn clear(&mut self, list: List) {
        match list {
            List::Dcs => self.dcs.clear(),
            List::Channels => self.channels.clear(),
            List::Peers => self.peers.clear(),
            List::MinPeers => self.min_peers.clear(),
            _ => {
                let lists = core::mem::take(self);
                self.dcs = lists.dcs;
                self.channels = lists.channels;
                self.peers = lists.peers;
                self.min_peers = lists.min_peers;
            }
        }
    }
}

/// Sets an item of a list, which grows to it.
fn set<T: Default>(list: &mut Vec<T>, position: usize, item: T) {
    while list.len() <= position {
        list.push(T::default());
    }
    list[position] = item;
}
