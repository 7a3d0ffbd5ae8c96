//! The session as grammers has it, in memory.

use std::collections::HashMap;

use grammers_session::SessionData;
use grammers_session::types::{PeerId, UpdatesState};
use mtsession_core::Account;

use super::held::{HeldPeer, KnownDc};
use super::updates::updates_of;
use crate::drop_in::dc::DcEntry;
use crate::drop_in::update::UpdatesStateSnap;
use crate::record::SessionHead;

/// The session as grammers has it; of its peers, those that were asked for or stored.
pub(super) struct Cache {
    pub(super) home_dc_id: i32,
    pub(super) dc_options: HashMap<i32, KnownDc>,
    /// What the store knows of a DC's addresses beyond grammers, without their keys: by id and family.
    pub(super) entries: HashMap<(i32, bool), DcEntry>,
    pub(super) peers: HashMap<PeerId, HeldPeer>,
    /// Held here as well, for stores that cannot keep it.
    pub(super) account: Account,
    pub(super) updates: UpdatesState,
}

impl Cache {
    /// What a store holds, if anything.
    pub(super) fn new(head: Option<&SessionHead>) -> Self {
        let known = SessionData::default();
        let home_dc_id = head.map_or(0, |head| head.home_dc_id);
        let updates = head.map(|head| &head.updates_state);
        let mut cache = Self {
            home_dc_id: match home_dc_id {
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
            account: head.map_or_else(Account::default, |head| head.account),
            updates: updates_of(updates.unwrap_or(&UpdatesStateSnap::default())),
        };
        let entries = head.iter().flat_map(|head| &head.dcs);
        for entry in entries.filter(|entry| entry.flags.is_main()) {
            cache.add_entry(entry);
        }
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
