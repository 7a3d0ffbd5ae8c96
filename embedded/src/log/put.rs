//! Single changes, and batches of them.

use mtsession_core::{Change, Field, PeerKey, UpdateChange, WhenFull};

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::buffer::{Aligned, Piece};
use crate::error::Fail;
use crate::geometry::MAX_UNIT_LEN;
use crate::hot::{self, PRIMARY};
use crate::lists::{CHANNELS, DC_COPIES, DCS, Place, field, list_of, next_version, print};
use crate::record::{self, COMMIT, MARK_LEN, Relation};
use crate::settings::KeyCopies;
use crate::state::{Due, Page};

/// Bytes of the longest hot record; programmed with a whole unit.
const HOT_LEN: u32 = 8;
/// How often a hot record is tried in other places, after the first one.
const ATTEMPTS: u8 = 7;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Carries out one change.
    pub(super) async fn put(&mut self, change: &Change<'_>) -> Result<(), Fail> {
        self.ready(None).await?;
        let Some(counter) = self.index.count(change) else {
            self.store(change, None, false).await?;
            return match change {
                Change::Dc(_) => self.second_copies().await,
                _ => Ok(()),
            };
        };
        if !self.is_proven(counter) {
            // Though flash says the same: see `is_proven`.
            self.index.doubt(counter);
        }
        let (first, last) = match self.state.due() {
            // The first update makes the log a session.
            Due::Later if self.state.present => return Ok(()),
            Due::Later | Due::This => (counter, counter),
            Due::All => (0, PRIMARY),
        };
        self.flush(first, last).await
    }

    /// Writes every counter that is only in RAM.
    pub(super) async fn flush_lazy(&mut self) -> Result<(), Fail> {
        if self.state.lazy == 0 {
            return Ok(());
        }
        self.flush(0, PRIMARY).await
    }

    /// Whether flash says what a counter is, as a whole, since the power came on. A record from before may
    /// read differently the next time: hot records must not continue it, and nothing is left to it.
    fn is_proven(&self, counter: u16) -> bool {
        if counter == PRIMARY {
            return self.state.counted;
        }
        let place = self.index.lists.get(CHANNELS, counter);
        self.state.is_proven(place.at.into())
    }

    /// Writes the counters from `first` to `last` that RAM knows better than flash.
    async fn flush(&mut self, first: u16, last: u16) -> Result<(), Fail> {
        let channels = self.index.len(CHANNELS);
        let mut counter = first;
        let mut attempts = 0_u8;
        loop {
            if counter >= channels {
                counter = PRIMARY;
            }
            // Reserving may turn the page, which writes the counters.
            if let Err(fail) = self.reserve(self.state.geometry.units(HOT_LEN), 0).await {
                // What was refused must not come out with a later call.
                self.state.forget();
                return Err(fail);
            }
            let is_first = counter == PRIMARY && !self.state.present;
            let mut result = Ok(());
            if is_first || self.index.is_ahead(counter) {
                let mut bytes: Piece = Aligned([0xFF; MAX_UNIT_LEN]);
                let bytes = bytes.0.as_mut_slice();
                let (base, hot) = self.index.hot(counter);
                let base = base.filter(|_| self.is_proven(counter));
                let shift = self.state.geometry.shift;
                let Page { tail, seed, .. } = self.state.page;
                let len = base.and_then(|base| hot::encode(shift, seed ^ tail, base, hot, bytes));
                if let Some(len) = len {
                    let units = self.state.geometry.units(len);
                    let len = usize::try_from(units << shift).unwrap_or(MAX_UNIT_LEN);
                    self.state.tail_unknown = true;
                    let (bytes, _) = bytes.split_at_mut(len.min(MAX_UNIT_LEN));
                    if let Some(attempt) = attempts.checked_sub(1) {
                        self.chip.fall_out_of_step(attempt).await;
                    }
                    result = self.chip.program(tail, bytes).await;
                    if result.is_ok() {
                        self.state.tail_unknown = false;
                        self.state.page.tail = tail.wrapping_add(units);
                        self.index.note_hot(hot);
                        self.state.present = true;
                    }
                } else {
                    // The step is too large for a hot record.
                    let change = self.index.absolute(counter);
                    result = self.store(&change, Some(counter), false).await;
                }
            }
            match result {
                Ok(()) if counter >= last => {
                    self.state.lazy = 0;
                    return Ok(());
                }
                Ok(()) => {
                    attempts = 0;
                    counter = counter.wrapping_add(1);
                }
                Err(_) if attempts < ATTEMPTS && self.state.indexed => {
                    attempts = attempts.wrapping_add(1);
                }
                Err(fail) => {
                    self.state.forget();
                    return Err(fail);
                }
            }
        }
    }

    /// Where a change belongs; `None` if what was written since the power came on says the same.
    async fn slot_of(&mut self, change: &Change<'_>) -> Result<Option<u16>, Fail> {
        let Some(list) = list_of(change) else {
            let known = self.index.fixed.home_dc_id;
            let is_written = self.state.present && self.state.homed;
            let same = is_written && matches!(change, Change::HomeDc(id) if *id == known);
            return Ok((!same).then_some(0));
        };
        let print = print(change);
        let mut first = 0;
        if let Change::Update(update) = change {
            let known = match update {
                UpdateChange::Channel { id, .. } => self.index.find_channel(*id),
                // At the end, whatever is known.
                _ => self.index.end_slot(list),
            };
            if known.is_some() {
                return Ok(known);
            }
            first = u16::MAX;
        }
        let mut victims = match self.state.when_full {
            WhenFull::Refuse => 0_u8,
            WhenFull::EvictOldest => 2,
        };
        loop {
            let candidate = self.index.candidate(list, print, first);
            let slot = if let Some(slot) = candidate {
                slot
            } else if let Some(slot) = self.index.free_slot(list) {
                return Ok(Some(slot));
            } else {
                let victim = if victims > 0 {
                    self.index.victim(list)
                } else {
                    None
                };
                victims = victims.wrapping_sub(1);
                victim.ok_or(Fail::Capacity(field(list)))?
            };
            let is_known = self.fetch(list, slot).await?;
            let Place { at, .. } = self.index.lists.get(list, slot);
            let known = self.buffer.bytes();
            if candidate.is_none() {
                let own = self.index.fixed.own_id;
                let is_own = own != 0
                    && is_known
                    && matches!(
                        record::decode(known),
                        Some(Change::Peer(peer)) if peer.key() == PeerKey::user(own)
                    );
                if !is_own {
                    return Ok(Some(slot));
                }
            } else if is_known {
                match record::relation(change, known) {
                    // A record from before the power came on may be gone the next time, or one that was cut come
                    // back after it.
                    Relation::Same if self.state.is_proven(at.into()) => return Ok(None),
                    Relation::Same | Relation::Entry => {
                        return Ok(Some(next_version(change, known, slot)));
                    }
                    Relation::Other => {}
                }
            }
            first = slot.saturating_add(u16::from(candidate.is_some()));
        }
    }

    /// Writes a change's record: for this slot, or where it belongs. Unchanged entries are not written
    /// again.
    async fn store(
        &mut self,
        change: &Change<'_>,
        slot: Option<u16>,
        pending: bool,
    ) -> Result<(), Fail> {
        let slot = match slot {
            Some(slot) => slot,
            None => match self.slot_of(change).await? {
                Some(slot) => slot,
                None => return Ok(()),
            },
        };
        if let Change::Dc(_) = change {
            self.mark_replaced_key(change, pending).await?;
        }
        let mut is_second = pending;
        loop {
            self.encode(change, slot)?;
            let units = self.units();
            if !pending {
                let growth = self.growth(change, slot, units);
                self.reserve(units, growth).await?;
            }
            // Making room may have used the buffer.
            self.encode(change, slot)?;
            record::set_pending(self.buffer.bytes(), pending);
            match self.emit().await {
                Ok(()) => {
                    self.state.present = true;
                    self.state.counted |=
                        matches!(change, Change::Update(UpdateChange::Counters(_)));
                    self.state.homed |= matches!(change, Change::HomeDc(_));
                    let at = self.state.page.last(units);
                    let noted = self.index.note(change, slot, at, units);
                    return noted.map_err(Fail::Capacity);
                }
                Err(fail) if is_second => {
                    self.state.forget();
                    return Err(fail);
                }
                Err(_) => {
                    // Once more on another page.
                    is_second = true;
                    self.state.page.tail = self.state.page.end;
                    self.state.tail_unknown = false;
                }
            }
        }
    }

    /// How many units more are live when a change's record is stored in a slot.
    fn growth(&self, change: &Change<'_>, slot: u16, units: u32) -> u32 {
        let Some(list) = list_of(change) else {
            return 0;
        };
        let known = |list, slot| self.index.lists.units(list, slot);
        if list != DCS {
            return units.saturating_sub(known(list, slot));
        }
        let (slot, copies) = (slot & 0xFF, self.copies(change));
        let known = known(DCS, slot).saturating_add(known(DC_COPIES, slot));
        units.saturating_mul(copies).saturating_sub(known)
    }

    /// How many records a change has.
    pub(super) fn copies(&self, change: &Change<'_>) -> u32 {
        let is_twice = self.state.key_copies == KeyCopies::Two && matches!(change, Change::Dc(_));
        if is_twice { 2 } else { 1 }
    }

    /// Makes the record of a change in the buffer.
    pub(super) fn encode(&mut self, change: &Change<'_>, slot: u16) -> Result<(), Fail> {
        let encoded = record::encode(change, slot, self.buffer.bytes());
        encoded.ok_or(Fail::RecordTooLarge(match change {
            Change::Dc(_) => Field::Dcs,
            Change::FutureAuthToken(_) => Field::Token,
            _ => Field::Change,
        }))
    }

    /// Carries out all changes or none.
    pub(super) async fn apply(&mut self, changes: &[Change<'_>]) -> Result<(), Fail> {
        if let [change] = changes {
            return self.put(change).await;
        }
        self.ready(None).await?;
        let geometry = self.state.geometry;
        record::mark(COMMIT, 0, self.buffer.bytes());
        let mut units = self.units();
        let mut growth = 0_u32;
        for change in changes {
            let change = self.index.without_base(change);
            self.encode(&change, 0)?;
            let record = self.units();
            units = units.saturating_add(record);
            let is_known = match change {
                Change::Update(UpdateChange::Channel { id, .. }) => {
                    self.index.find_channel(id).is_some()
                }
                _ => list_of(&change).is_none(),
            };
            if let Change::Dc(_) = change {
                // For a mark that its key was replaced.
                units = units.saturating_add(geometry.units(MARK_LEN));
            }
            if !is_known {
                growth = growth.saturating_add(record.saturating_mul(self.copies(&change)));
            }
        }
        let max = self.state.page_room();
        if units > max {
            self.chip.details.batch = (units << geometry.shift, max << geometry.shift);
            return Err(Fail::BatchTooLarge);
        }
        if changes.is_empty() {
            return Ok(());
        }
        // A batch that fails is forgotten by reading flash again: what is only in RAM must not go with it.
        self.flush_lazy().await?;
        self.reserve(units, growth).await?;
        match self.write_batch(changes).await {
            Ok(()) => {}
            Err(fail @ Fail::Capacity(_)) => return Err(fail),
            // A bad word took the room of the rest: once more, behind it or on another page.
            Err(_) => {
                self.ready(None).await?;
                self.reserve(units, growth).await?;
                self.write_batch(changes).await?;
            }
        }
        if changes.iter().any(|change| matches!(change, Change::Dc(_))) {
            self.second_copies().await?;
        }
        Ok(())
    }

    /// Writes all changes to the head page, and that they count.
    async fn write_batch(&mut self, changes: &[Change<'_>]) -> Result<(), Fail> {
        self.state.forget();
        let start = self.state.page.tail;
        for change in changes {
            let change = self.index.without_base(change);
            self.store(&change, None, true).await?;
        }
        if self.state.page.tail != start {
            let in_page = start.wrapping_sub(self.state.geometry.page_at(self.state.head));
            let slot = u16::try_from(in_page).unwrap_or_default();
            record::mark(COMMIT, slot, self.buffer.bytes());
            self.emit().await?;
        }
        self.state.remember();
        Ok(())
    }
}
