//! Where the entries of a session are, for sessions that are searched often.

use std::collections::HashMap;

use mtsession_core::{EntryKey, PeerKey, SessionSource as _};

use crate::drop_in::session::PersistedSession;

/// Where the first entry of each identity is.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) peers: HashMap<PeerKey, usize>,
    pub(super) channels: HashMap<i64, usize>,
    pub(super) min_peers: HashMap<i64, usize>,
}

#[cfg(any(feature = "sqlite", feature = "libsql"))]
impl Index {
    /// About as many bytes.
    pub(super) fn memory(&self) -> usize {
        // With what a map has in addition to its entries.
        fn map<K, V>(map: &HashMap<K, V>) -> usize {
            map.capacity()
                .saturating_mul(size_of::<(K, V)>().saturating_add(2))
        }

        [map(&self.peers), map(&self.channels), map(&self.min_peers)]
            .into_iter()
            .sum()
    }
}

impl Index {
    pub(super) fn of(session: &PersistedSession) -> Self {
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

    /// Where the first entry of this identity is. DC entries are few, and not in the index.
    pub(super) fn position(&self, key: EntryKey) -> Option<usize> {
        match key {
            EntryKey::Channel(id) => self.channels.get(&id),
            EntryKey::Peer(key) => self.peers.get(&key),
            EntryKey::MinPeer(id) => self.min_peers.get(&id),
            _ => None,
        }
        .copied()
    }
}
