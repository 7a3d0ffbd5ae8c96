//! Batches: all changes are checked before the first one is carried out.

use mtsession_core::{Change, EntryKey, Field, Full, UpdateChange};

use super::apply::as_entries;
use super::jobs::size_of;
use super::state::{Job, Machine};
use super::write::measure;
use crate::error::Fail;
use crate::format::record::MAX_RECORD;
use crate::index::{List, Place, Table};
use crate::num::{Bytes, bytes, len};

/// Bytes of a batch's record that are not its entries: counters, lengths of lists, head and check.
const OVERHEAD: Bytes = bytes(17 + 3 * 4 + 6 + 32);

impl Machine {
    /// Whether a batch can be carried out; the room that has to be made for it first.
    pub(crate) fn check_batch(
        &mut self,
        table: &mut dyn Table,
        changes: &[Change<'_>],
    ) -> Result<Job, Fail> {
        let (unit, twice) = (self.geometry.unit(), table.is_twice());
        let (mut record, mut live) = (OVERHEAD, self.reckon(as_entries(table), twice).1);
        let (old, mut main) = self.reckon(as_entries(table), false);
        let mut new = [0_usize; 6];
        let mut channels = table.len(List::Channels);
        let mut cleared = None;
        for (n, change) in changes.iter().enumerate() {
            if let Change::Update(UpdateChange::ClearChannels) = change {
                cleared = Some(n);
                channels = 0;
                continue;
            }
            let before = changes.get(..n).unwrap_or_default();
            if let Some(size) = size_without_entry(table, change, unit) {
                record += size;
                continue;
            }
            let list = list_of(change);
            if list == List::Channels {
                let since = before.get(cleared.unwrap_or(0)..).unwrap_or_default();
                let is_push = matches!(change, Change::Update(UpdateChange::PushChannel { .. }));
                let is_known = since.iter().any(|known| is_one(known, change))
                    || cleared.is_none() && table.knows(change);
                if is_push || !is_known {
                    channels = channels.saturating_add(1);
                }
                if channels > table.capacity(list) {
                    return Err(Fail::Capacity(Field::Channels));
                }
            } else {
                let is_new = !table.knows(change) && !before.iter().any(|old| is_one(old, change));
                if let Some(count) = new.get_mut(usize::from(list.number()))
                    && is_new
                {
                    *count = count.saturating_add(1);
                    let total = count.saturating_add(table.len(list));
                    let may_evict = list != List::Dcs && table.evicts();
                    if total > table.capacity(list) && !may_evict {
                        return Err(Full(list.field()).into());
                    }
                }
                table.fits(change)?;
            }
            let size = measure(Place::new(list, 8191), change, unit);
            record += size;
            main += size;
            live += size;
            if list == List::Dcs && twice {
                live += size;
            }
            if list != List::Singles && cleared.is_none() {
                main -= known_size(table, change, unit)?.min(main);
            }
        }
        let is_record = len(record) <= MAX_RECORD;
        let space = if is_record { record } else { bytes(0) };
        if !self.has_room(live, space, twice) {
            return Err(Fail::StoreFull);
        }
        if is_record {
            self.room = record + unit;
            return Ok(Job::Room { pages: 1 });
        }
        self.room_to_save(old, main, record, twice)
    }

    /// Room for a saved session of what there is and all that is new.
    fn room_to_save(
        &mut self,
        old: u8,
        main: Bytes,
        record: Bytes,
        twice: bool,
    ) -> Result<Job, Fail> {
        self.room = bytes(0);
        if main <= self.capacity() - bytes(128) && !twice {
            return Ok(Job::Room { pages: 1 });
        }
        let page = self.capacity() - (self.capacity() >> 1).min(bytes(512));
        let more = record.0.checked_div(page.0).unwrap_or_default();
        let more = crate::num::low(more.min(200)).saturating_add(1);
        let pages = old.saturating_add(more).saturating_add(twice.into());
        if u16::from(pages).wrapping_add(old.into()) > self.geometry.pages.into() {
            return Err(Fail::StoreFull);
        }
        Ok(Job::Room { pages })
    }
}

/// Bytes that a change adds to a batch's record if it stores no entry of its own.
fn size_without_entry(table: &dyn Table, change: &Change<'_>, unit: Bytes) -> Option<Bytes> {
    match change {
        // There is no place for what peers are called.
        Change::Names(_) => Some(bytes(0)),
        Change::Salt { dc, .. } => Some(match table.position(EntryKey::Dc(*dc)) {
            Some(place) => size_of(as_entries(table), place, unit),
            None => bytes(0),
        }),
        // Any entry may take the place: a batch of its own length becomes a save.
        Change::Forget(_) => Some(bytes(MAX_RECORD)),
        _ => None,
    }
}

/// Bytes that the entry takes which a change is about; 0 where it is a new one.
fn known_size(table: &mut dyn Table, change: &Change<'_>, unit: Bytes) -> Result<Bytes, Fail> {
    if !table.knows(change) {
        return Ok(bytes(0));
    }
    let place = table.find(change)?;
    Ok(size_of(as_entries(table), place, unit))
}

fn list_of(change: &Change<'_>) -> List {
    match change {
        Change::Dc(_) => List::Dcs,
        Change::Peer(_) => List::Peers,
        Change::MinPeer(_) => List::MinPeers,
        Change::Update(UpdateChange::Channel { .. } | UpdateChange::PushChannel { .. }) => {
            List::Channels
        }
        _ => List::Singles,
    }
}

/// Whether a change is of the entry that an earlier one made.
fn is_one(old: &Change<'_>, new: &Change<'_>) -> bool {
    match (old, new) {
        (Change::Dc(old), Change::Dc(new)) => old.slot() == new.slot(),
        (Change::Peer(old), Change::Peer(new)) => old.key() == new.key(),
        (Change::MinPeer(old), Change::MinPeer(new)) => old.user_id == new.user_id,
        (
            Change::Update(
                UpdateChange::Channel { id: old, .. } | UpdateChange::PushChannel { id: old, .. },
            ),
            Change::Update(UpdateChange::Channel { id: new, .. }),
        ) => old == new,
        _ => false,
    }
}
