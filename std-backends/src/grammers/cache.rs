//! The session as grammers has it, in memory.

use std::collections::HashMap;

use grammers_session::SessionData;
use grammers_session::types::{PeerId, PeerInfo, UpdatesState};
use mtsession_core::{Account, SessionSource as _};

use super::dcs::KnownDc;
use super::updates::updates_of;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::session::PersistedSession;

/// The session as grammers has it.
pub(super) struct Cache {
    pub(super) home_dc_id: i32,
    pub(super) dc_options: HashMap<i32, KnownDc>,
    /// What the store knows of a DC's addresses beyond grammers, without their keys: by id and family.
    pub(super) entries: HashMap<(i32, bool), DcEntry>,
    pub(super) peers: HashMap<PeerId, PeerInfo>,
    /// The communities that are stored as users, by bare id: clients differ.
    pub(super) user_communities: Vec<i64>,
    pub(super) account: Account,
    pub(super) updates: UpdatesState,
}

impl Cache {
    pub(super) fn new(session: &PersistedSession, account: Account) -> Self {
        let known = SessionData::default();
        let mut cache = Self {
            home_dc_id: match session.home_dc_id {
                0 => known.home_dc,
                home => home,
            },
            dc_options: known
                .dc_options
                .into_iter()
                .map(|(id, option)| (id, KnownDc(option)))
                .collect(),
            entries: HashMap::new(),
            peers: HashMap::new(),
            user_communities: Vec::new(),
            account,
            updates: updates_of(&session.updates_state),
        };
        for entry in session.dcs.iter().filter(|entry| entry.flags.is_main()) {
            cache.add_entry(entry);
        }
        for peer in session.peers() {
            cache.add_peer(&peer);
        }
        cache.add_self();
        cache
    }
}

/// Which DC and how much, never a key.
impl core::fmt::Debug for Cache {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cache")
            .field("home_dc_id", &self.home_dc_id)
            .field("peers", &self.peers.len())
            .finish_non_exhaustive()
    }
}
