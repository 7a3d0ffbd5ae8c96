//! Changes of the session in RAM. What there is no room for on flash is refused before.

use mtsession_core::{Change, EntryKey, Field, Full, UpdateChange};

use super::jobs::size_of;
use super::state::Machine;
use super::write::measure;
use crate::error::Fail;
use crate::format::header::Flags;
use crate::format::record::MAX_RECORD;
use crate::index::{AHEAD, List, Place, Table, UNKNOWN_LAG, WHOLE};
use crate::num::bytes;

/// Capacity of the log's type, or a field that is too long for it.
impl From<Full> for Fail {
    fn from(Full(field): Full) -> Self {
        match field {
            Field::DcAddr | Field::Token | Field::LoginState => Self::RecordTooLarge(field),
            _ => Self::Capacity(field),
        }
    }
}

impl Machine {
    /// Carries out a change in RAM. `false`: it may wait there.
    #[inline(never)]
    pub(crate) fn apply(
        &mut self,
        table: &mut dyn Table,
        change: &Change<'_>,
        is_batch: bool,
    ) -> Result<bool, Fail> {
        // The first change makes the log a session.
        let is_first = !self.flags.has(Flags::PRESENT);
        // Nor does one wait that comes after what could not be written.
        let mut may_wait = !is_first && !self.more;
        let place = match change {
            Change::Update(UpdateChange::ClearChannels) => {
                table.truncate(List::Channels, 0);
                self.owe_length(List::Channels);
                may_wait = false;
                Place::COUNTERS
            }
            Change::Update(
                UpdateChange::Channel { pts, .. } | UpdateChange::PushChannel { pts, .. },
            ) => {
                let place = table.find(change)?;
                may_wait &= place.position() < table.len(List::Channels);
                self.count(table, place, *pts, change)?;
                place
            }
            // There is no place for what peers are called.
            Change::Names(_) => return Ok(false),
            Change::Salt { dc, .. } => {
                let Some(place) = table.position(EntryKey::Dc(*dc)) else {
                    return Ok(false);
                };
                table.set_salt(change);
                self.dc_is_ahead(table, place);
                may_wait = false;
                place
            }
            Change::Forget(key) if table.position(*key).is_none() => return Ok(false),
            Change::Forget(key) => {
                self.forget(table, *key);
                may_wait = false;
                Place::COUNTERS
            }
            Change::Update(update) => {
                table.set_counters(update.counters_after(table.counters()));
                Place::COUNTERS
            }
            _ => {
                let place = table.find(change)?;
                self.store(table, place, change)?;
                may_wait = false;
                place
            }
        };
        self.flags.set(Flags::PRESENT, true);
        self.hint = (!is_batch && self.lengths == 0).then_some(place);
        if is_batch || is_first {
            self.hint = None;
            self.is_batch = true;
            self.more = true;
            return Ok(true);
        }
        Ok(!may_wait || !self.waits())
    }

    /// Whether a counter's change waits in RAM.
    fn waits(&mut self) -> bool {
        self.waiting = self.waiting.saturating_add(1);
        let waits = self.waiting < self.lazy;
        self.more |= !waits && self.lazy > 1;
        waits
    }

    /// A channel's pts.
    fn count(
        &mut self,
        table: &mut dyn Table,
        place: Place,
        pts: i32,
        change: &Change<'_>,
    ) -> Result<(), Fail> {
        let position = place.position();
        let Some(known) = table.pts(position) else {
            return self.store(table, place, change);
        };
        table.set_pts(position, pts);
        let step = u8::try_from(pts.wrapping_sub(known)).unwrap_or(UNKNOWN_LAG);
        if let Some(lag) = table.lags().get_mut(position) {
            let sum = lag.saturating_add(step);
            *lag = if sum < WHOLE { sum } else { UNKNOWN_LAG };
        }
        Ok(())
    }

    /// An entry of any other kind.
    fn store(
        &mut self,
        table: &mut dyn Table,
        place: Place,
        change: &Change<'_>,
    ) -> Result<(), Fail> {
        let unit = self.geometry.unit();
        let twice = table.is_twice();
        let old = size_of(as_entries(table), place, unit);
        let new = measure(place, change, unit);
        let times = bytes(if place.list() == List::Dcs && twice {
            2
        } else {
            1
        });
        if new > old {
            let (_, live) = self.reckon(as_entries(table), twice);
            if !self.has_room(live + new * times - old * times, new, twice) {
                return Err(Fail::StoreFull);
            }
        }
        if crate::num::len(new) > MAX_RECORD {
            return Err(Fail::RecordTooLarge(Field::Change));
        }
        let replaces_key = match (change, table.get(place)) {
            (Change::Dc(new), Some(Change::Dc(old))) => {
                old.auth_key.is_some() && old.auth_key != new.auth_key
            }
            _ => false,
        };
        table.set(place, change)?;
        if replaces_key {
            self.flags.set(Flags::STALE, true);
        }
        set_ahead(table, place);
        if place.list() == List::Dcs {
            self.dc_is_ahead(table, place);
        }
        Ok(())
    }

    /// Both copies of a DC entry are to be written.
    fn dc_is_ahead(&mut self, table: &mut dyn Table, place: Place) {
        let twice = table.is_twice();
        set_ahead(table, place);
        set_ahead(table, Place::new(List::Copies, place.position()));
        self.wants_copies = twice;
        self.copies_refused = false;
        self.more |= twice;
    }

    /// Removes every entry of an identity: the last one of the list takes its place.
    fn forget(&mut self, table: &mut dyn Table, key: EntryKey) {
        while let Some(place) = table.position(key) {
            if let Some(Change::Dc(dc)) = table.get(place) {
                let has_key = dc.auth_key.is_some();
                self.flags
                    .set(Flags::STALE, has_key || self.flags.has(Flags::STALE));
            }
            self.take_out(table, place);
        }
    }
}

fn set_ahead(table: &mut dyn Table, place: Place) {
    if let Some(mark) = table.marks(place.list()).get_mut(place.position()) {
        *mark |= AHEAD;
    }
}

pub(crate) fn as_entries(table: &dyn Table) -> &dyn crate::index::Entries {
    table
}
