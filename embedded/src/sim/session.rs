//! A growable session that can be compared and cloned: the model.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use mtsession_core::{
    Account, AuthKeyRef, Change, ChannelPts, Counters, DcFlags, DcRef, Full, MinPeer, Peer,
    SessionMut, SessionSource, UpdateChange,
};

#[derive(Clone, Debug, PartialEq, Eq)]
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

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Full> {
        self.token = token.map(<[u8]>::to_vec);
        Ok(())
    }

    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Full> {
        self.dcs.push(dc.into());
        Ok(())
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Full> {
        self.channels.push(channel);
        Ok(())
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Full> {
        self.peers.push(peer);
        Ok(())
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Full> {
        self.min_peers.push(min_peer);
        Ok(())
    }

    fn replace_dc(&mut self, index: usize, dc: &DcRef<'_>) -> Result<(), Full> {
        self.dcs[index] = dc.into();
        Ok(())
    }

    fn replace_channel(&mut self, index: usize, channel: ChannelPts) {
        self.channels[index] = channel;
    }

    fn replace_peer(&mut self, index: usize, peer: Peer) {
        self.peers[index] = peer;
    }

    fn replace_min_peer(&mut self, index: usize, min_peer: MinPeer) {
        self.min_peers[index] = min_peer;
    }

    fn clear_channels(&mut self) {
        self.channels.clear();
    }
}
