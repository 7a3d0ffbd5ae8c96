//! Changes that wait to be stored together.

use std::collections::HashMap;

use mtsession_core::{Change, Peer};

use crate::drop_in::peer::CachedPeer;
use crate::drop_in::update::UpdateStateChange;

/// Changes that are not stored yet: of each counter and channel only the newest.
#[derive(Default)]
pub(super) struct Waiting {
    primary: Option<UpdateStateChange>,
    secondary: Option<UpdateStateChange>,
    channels: Vec<UpdateStateChange>,
    channel_at: HashMap<i64, usize>,
    pub(super) peers: Vec<CachedPeer>,
}

impl Waiting {
    pub(super) fn update(&mut self, update: UpdateStateChange) {
        match update {
            UpdateStateChange::Primary { .. } => self.primary = Some(update),
            UpdateStateChange::Secondary { .. } => self.secondary = Some(update),
            UpdateStateChange::Channel { id, .. } => {
                let known = self.channel_at.get(&id).copied();
                if let Some(older) = known.and_then(|at| self.channels.get_mut(at)) {
                    *older = update;
                } else {
                    self.channel_at.insert(id, self.channels.len());
                    self.channels.push(update);
                }
            }
            // Replaces channels too, so it is never merged.
            UpdateStateChange::All(_) => {}
        }
    }

    /// All of them as one batch.
    pub(super) fn changes(&self) -> Vec<Change<'_>> {
        let peers = self.peers.iter().map(Peer::from).map(Change::Peer);
        self.updates().chain(peers).collect()
    }

    fn updates(&self) -> impl Iterator<Item = Change<'static>> {
        let updates = self
            .primary
            .iter()
            .chain(&self.secondary)
            .chain(&self.channels);
        updates.flat_map(|update| {
            update.with_changes(|changes| {
                changes
                    .iter()
                    .filter_map(|change| match change {
                        Change::Update(update) => Some(Change::Update(*update)),
                        _ => None,
                    })
                    .collect::<Vec<_>>()
            })
        })
    }
}
