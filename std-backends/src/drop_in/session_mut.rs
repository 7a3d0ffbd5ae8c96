//! How the parts of a session are changed, and how keys that were in them are wiped.

use core::convert::Infallible;

use mtsession_core::{
    Account, Change, ChannelPts, Counters, DcRef, DcSlot, EntryKey, List, LoginState, MinPeer,
    Names, NamesOf, Peer, SessionMut, SessionSource, UpdateChange,
};
use zeroize::Zeroize;

use crate::drop_in::dc::DcEntry;
use crate::drop_in::peer::{CachedMinPeer, CachedPeer};
use crate::drop_in::session::PersistedSession;

/// Makes room for more entries. A vector that grows by itself leaves its keys where it was.
fn move_wiping(dcs: &mut Vec<DcEntry>) {
    const LEAST: usize = 4;

    let capacity = dcs.len().saturating_mul(2).max(LEAST);
    let mut moved = Vec::with_capacity(capacity);
    moved.extend(dcs.iter().cloned());
    for entry in dcs.iter_mut() {
        entry.zeroize();
    }
    *dcs = moved;
}

impl PersistedSession {
    /// A copy of any session.
    pub(crate) fn copy_of(source: &impl SessionSource) -> Self {
        let mut session = Self::default();
        let Ok(()) = session.copy_from(source);
        session
    }
}

impl SessionMut for PersistedSession {
    type Error = Infallible;

    fn reset(&mut self) {
        self.zeroize();
    }

    fn reserve(&mut self, source: &impl SessionSource) {
        self.dcs.reserve(source.dcs().len());
        self.updates_state.channels.reserve(source.channels().len());
        self.peers.reserve(source.peers().len());
        self.min_peers.reserve(source.min_peers().len());
    }

    fn set_home_dc_id(&mut self, dc_id: i32) {
        self.home_dc_id = dc_id;
    }

    fn set_counters(&mut self, counters: Counters) {
        self.updates_state.set_counters(counters);
    }

    /// Has no place for it.
    fn set_account(&mut self, _: Account) {}

    /// Has no place for it.
    fn set_login_state(&mut self, _: LoginState<'_>) -> Result<(), Infallible> {
        Ok(())
    }

    /// Has no place for them.
    fn set_names(&mut self, _: Names<'_>) {}

    /// Has no place for them.
    fn put_names(&mut self, _: &NamesOf<'_>) {}

    fn set_future_auth_token(&mut self, token: Option<&[u8]>) -> Result<(), Infallible> {
        self.future_auth_token.zeroize();
        self.future_auth_token = token.map(<[u8]>::to_vec);
        Ok(())
    }

    fn set_at(&mut self, position: usize, change: &Change<'_>) -> Result<(), Infallible> {
        match change {
            Change::Dc(dc) => {
                while self.dcs.len() < position {
                    self.push_dc(&DcRef::EMPTY)?;
                }
                match self.dcs.get_mut(position) {
                    Some(known) => known.replace_by(dc),
                    None => self.push_dc(dc)?,
                }
            }
            Change::Update(
                UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
            ) => {
                let channels = &mut self.updates_state.channels;
                set_in(channels, position, (*id, *pts), (0, 0));
            }
            Change::Peer(peer) => {
                let empty = CachedPeer::from(Peer::default());
                set_in(&mut self.peers, position, CachedPeer::from(*peer), empty);
            }
            Change::MinPeer(min_peer) => {
                let empty = CachedMinPeer::from(MinPeer::default());
                let min_peer = CachedMinPeer::from(*min_peer);
                set_in(&mut self.min_peers, position, min_peer, empty);
            }
            Change::HomeDc(_)
            | Change::Update(_)
            | Change::FutureAuthToken(_)
            | Change::Account(_)
            | Change::LoginState(_) => self.apply(change)?,
            _ => {}
        }
        Ok(())
    }

    fn forget(&mut self, key: EntryKey) -> bool {
        let before = self.count(key.list());
        match key {
            EntryKey::Dc(slot) => {
                while let Some(position) = self.position(EntryKey::Dc(slot)) {
                    remove_wiping(&mut self.dcs, position);
                }
            }
            EntryKey::Channel(id) => self.updates_state.channels.retain(|known| known.0 != id),
            EntryKey::Peer(key) => self.peers.retain(|known| Peer::from(known).key() != key),
            EntryKey::MinPeer(id) => self.min_peers.retain(|known| known.user_id != id),
            _ => return false,
        }
        self.count(key.list()) < before
    }

    fn clear(&mut self, list: List) {
        match list {
            List::Singles => {
                self.home_dc_id = 0;
                self.updates_state.set_counters(Counters::default());
                self.future_auth_token.zeroize();
                self.future_auth_token = None;
            }
            List::Dcs => {
                for dc in &mut self.dcs {
                    dc.zeroize();
                }
                self.dcs.clear();
            }
            List::Channels => self.updates_state.channels.clear(),
            List::Peers => self.peers.clear(),
            List::MinPeers => self.min_peers.clear(),
            _ => {}
        }
    }

    #[inline]
    fn push_dc(&mut self, dc: &DcRef<'_>) -> Result<(), Infallible> {
        if self.dcs.len() == self.dcs.capacity() {
            move_wiping(&mut self.dcs);
        }
        self.dcs.push(DcEntry::from(dc));
        Ok(())
    }

    fn push_channel(&mut self, channel: ChannelPts) -> Result<(), Infallible> {
        self.updates_state.channels.push((channel.id, channel.pts));
        Ok(())
    }

    fn push_peer(&mut self, peer: Peer) -> Result<(), Infallible> {
        self.peers.push(CachedPeer::from(peer));
        Ok(())
    }

    fn extend_peers(
        &mut self,
        peers: impl ExactSizeIterator<Item = Peer>,
    ) -> Result<(), Infallible> {
        self.peers.reserve(peers.len());
        peers.for_each(|peer| self.peers.push(CachedPeer::from(peer)));
        Ok(())
    }

    fn push_min_peer(&mut self, min_peer: MinPeer) -> Result<(), Infallible> {
        self.min_peers.push(CachedMinPeer::from(min_peer));
        Ok(())
    }

    fn put_salt(&mut self, slot: DcSlot, first_salt: i64, time_offset: i32) {
        let entry = self.dcs.iter_mut().find(|dc| dc.as_dc_ref().slot() == slot);
        if let Some(dc) = entry {
            dc.first_salt = first_salt;
            dc.time_offset = time_offset;
        }
    }
}

/// Removes an entry. Entries are moved by swapping, so that no copy of a key is left after the last one.
fn remove_wiping(dcs: &mut Vec<DcEntry>, position: usize) {
    if let Some(rest) = dcs.get_mut(position..)
        && let Some(entry) = rest.first_mut()
    {
        entry.zeroize();
        rest.rotate_left(1);
        dcs.pop();
    }
}

/// Stores an item at a position that the list grows to.
fn set_in<T: Clone>(list: &mut Vec<T>, position: usize, item: T, empty: T) {
    if list.len() < position {
        list.resize(position, empty);
    }
    match list.get_mut(position) {
        Some(known) => *known = item,
        None => list.push(item),
    }
}
