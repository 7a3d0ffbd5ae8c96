//! What the log knows of its session: where every record is, and the counters themselves.

use mtsession_core::{Change, Counters, Field, UpdateChange};

use crate::hot::{Base, Hot, PRIMARY, Values};
use crate::lists::{
    CHANNELS, DC_COPIES, DCS, LISTS, List, Lists, NOWHERE, PEERS, Place, Slot, field, list_of,
    print,
};

/// A channel lives in RAM: its pts changes all the time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Channel {
    /// As bytes: an i64 would align the entry to 8 and cost 4 bytes each.
    id: [u8; 8],
    pts: i32,
    /// The pts that flash has.
    written: i32,
}

/// The part of the index that does not depend on capacities.
#[derive(Default)]
#[cfg_attr(feature = "_test", derive(Clone))]
pub(crate) struct Fixed {
    pub(crate) counters: Counters,
    /// The counters that flash has.
    pub(crate) written: Counters,
    pub(crate) home_dc_id: i32,
    pub(crate) own_id: i64,
    /// How many slots of each list were ever used.
    lens: [u16; LISTS],
    /// Next victim of each cache's eviction.
    evict: [u16; 2],
}

/// The index as the log works with it.
pub(crate) struct Index<'a> {
    pub(crate) lists: Lists<'a>,
    pub(crate) channels: &'a mut [Channel],
    pub(crate) fixed: &'a mut Fixed,
}

impl<'a> Index<'a> {
    /// Without room for any entry.
    #[inline(never)]
    pub(crate) fn none(fixed: &'a mut Fixed) -> Self {
        Self {
            lists: Lists(Default::default()),
            channels: &mut [],
            fixed,
        }
    }

    #[inline(never)]
    pub(crate) fn clear(&mut self) {
        for list in 0..LISTS {
            self.lists.clear(list);
        }
        let evict = self.fixed.evict;
        *self.fixed = Fixed {
            evict,
            ..Fixed::default()
        };
    }

    /// Sets the counters, as flash has them.
    pub(crate) const fn set_counters(&mut self, home_dc_id: i32, counters: Counters) {
        self.fixed.home_dc_id = home_dc_id;
        self.fixed.counters = counters;
        self.fixed.written = counters;
    }

    /// How many slots of a list were ever used.
    pub(crate) fn len(&self, list: List) -> u16 {
        self.fixed.lens.get(list).copied().unwrap_or_default()
    }

    fn channel(&self, slot: u16) -> Option<&Channel> {
        self.channels.get(usize::from(slot))
    }

    #[inline(never)]
    pub(crate) fn find_channel(&self, id: i64) -> Option<u16> {
        let id = id.to_le_bytes();
        let len = self.len(CHANNELS);
        let known = self.channels.iter().take(len.into());
        (0..)
            .zip(known)
            .find(|(_, known)| known.id == id)
            .map(|(slot, _)| slot)
    }

    /// Slots that may hold an entry with this print, from `first` on.
    pub(crate) fn candidate(&self, list: List, print: u8, first: u16) -> Option<u16> {
        (first..self.len(list)).find(|slot| self.lists.get(list, *slot).print == print)
    }

    /// The slot for an entry that its list does not have yet: a hole, or the end.
    pub(crate) fn free_slot(&self, list: List) -> Option<u16> {
        let len = self.len(list);
        // A DC entry that rotted may be read again one day.
        let first = if list == DCS { len } else { 0 };
        let slot = (first..len).find(|slot| self.lists.get(list, *slot).at == NOWHERE);
        slot.or_else(|| self.end_slot(list))
    }

    /// The slot after a list's last entry, if there is room for one.
    pub(crate) fn end_slot(&self, list: List) -> Option<u16> {
        let len = self.len(list);
        (usize::from(len) < self.lists.capacity(list)).then_some(len)
    }

    /// The slot of a cache to give up next; `None` for what is no cache.
    pub(crate) fn victim(&mut self, list: List) -> Option<u16> {
        let len = self.len(list);
        let next = self.fixed.evict.get_mut(list.wrapping_sub(PEERS))?;
        let victim = if *next < len { *next } else { 0 };
        *next = victim.wrapping_add(1);
        (len > 0).then_some(victim)
    }

    /// Takes note of a change's record. Lists grow up to its slot; a list that cannot is named.
    pub(crate) fn note(
        &mut self,
        change: &Change<'_>,
        slot: u16,
        at: u32,
        units: u32,
    ) -> Result<(), Field> {
        debug_assert!(
            u16::try_from(at).is_ok() && u8::try_from(units).is_ok(),
            "places are counted in 16 bits, lengths in 8"
        );
        let at = u16::try_from(at).unwrap_or_default();
        let units = u8::try_from(units).unwrap_or(u8::MAX);
        let Some(list) = list_of(change) else {
            match change {
                Change::HomeDc(id) => self.fixed.home_dc_id = *id,
                Change::Update(UpdateChange::ClearChannels) => {
                    self.lists.clear(CHANNELS);
                    self.set_len(CHANNELS, 0);
                }
                Change::Update(update) => {
                    let counters = update.counters_after(self.fixed.counters);
                    self.set_counters(self.fixed.home_dc_id, counters);
                }
                _ => {}
            }
            return Ok(());
        };
        let [generation, low] = slot.to_be_bytes();
        let slot = if list == DCS { low.into() } else { slot };
        let Some(place) = self.lists.get_mut(list, slot) else {
            // A log with room for more was here before. What can be learnt again is forgotten.
            return if list == DCS {
                Err(field(list))
            } else {
                Ok(())
            };
        };
        let known = place.at;
        *place = Place {
            at,
            units,
            print: print(change),
        };
        self.set_len(list, self.len(list).max(slot.wrapping_add(1)));
        match change {
            Change::Dc(_) => {
                if let Some(copy) = self.lists.get_mut(DC_COPIES, slot) {
                    let is_copy = known != NOWHERE && copy.print == generation;
                    *copy = Place {
                        at: if is_copy { known } else { NOWHERE },
                        units,
                        print: generation,
                    };
                }
            }
            Change::Update(
                UpdateChange::Channel { id, pts } | UpdateChange::PushChannel { id, pts },
            ) => {
                if let Some(channel) = self.channels.get_mut(usize::from(slot)) {
                    *channel = Channel {
                        id: id.to_le_bytes(),
                        pts: *pts,
                        written: *pts,
                    };
                }
            }
            Change::Account(account) => self.fixed.own_id = account.user_id.unwrap_or_default(),
            _ => {}
        }
        Ok(())
    }

    fn set_len(&mut self, list: List, len: u16) {
        if let Some(known) = self.fixed.lens.get_mut(list) {
            *known = len;
        }
    }

    /// A live record went to another place, or ([`NOWHERE`]) was lost.
    pub(crate) fn moved(&mut self, slot: Slot, at: u32) {
        if let Some(place) = self.lists.get_mut(slot.list, slot.slot) {
            place.at = u16::try_from(at).unwrap_or_default();
        }
        if slot.list == CHANNELS
            && let Some(channel) = self.channels.get_mut(usize::from(slot.slot))
        {
            channel.written = channel.pts;
        }
    }

    /// Carries out a change of a counter that is known, in RAM; says which.
    pub(crate) fn count(&mut self, change: &Change<'_>) -> Option<u16> {
        match change {
            Change::Update(UpdateChange::Channel { id, pts }) => {
                let slot = self.find_channel(*id)?;
                self.channels.get_mut(usize::from(slot))?.pts = *pts;
                Some(slot)
            }
            Change::Update(
                update @ (UpdateChange::Counters(_)
                | UpdateChange::Primary { .. }
                | UpdateChange::Secondary { .. }),
            ) => {
                self.fixed.counters = update.counters_after(self.fixed.counters);
                Some(PRIMARY)
            }
            _ => None,
        }
    }

    /// Whether RAM knows a counter better than flash.
    #[inline(never)]
    pub(crate) fn is_ahead(&self, counter: u16) -> bool {
        if counter == PRIMARY {
            return self.fixed.counters != self.fixed.written;
        }
        self.channel(counter)
            .is_some_and(|channel| channel.pts != channel.written)
    }

    /// Takes a counter as one that flash does not have.
    pub(crate) fn doubt(&mut self, counter: u16) {
        if self.is_ahead(counter) {
            return;
        }
        if counter == PRIMARY {
            self.fixed.written.pts = self.fixed.counters.pts.wrapping_sub(1);
        } else if let Some(channel) = self.channels.get_mut(usize::from(counter)) {
            channel.written = channel.pts.wrapping_sub(1);
        }
    }

    /// A counter as it is in RAM, as a hot record. Its base only if one can bring flash there.
    #[inline(never)]
    pub(crate) fn hot(&self, counter: u16) -> (Option<Values>, Hot) {
        let Fixed {
            counters, written, ..
        } = &self.fixed;
        if counter == PRIMARY {
            let values = primary(counters);
            let base = (counters.qts == written.qts).then(|| primary(written));
            return (base, Hot { counter, values });
        }
        let pts = self.channel(counter).map_or(0, |channel| channel.pts);
        let values = [counter.into(), pts, 0];
        (self.base(counter), Hot { counter, values })
    }

    /// A counter as it is in RAM, as a change that needs no base.
    #[inline(never)]
    pub(crate) fn absolute(&self, counter: u16) -> Change<'static> {
        Change::Update(match self.channel(counter) {
            Some(channel) => UpdateChange::Channel {
                id: i64::from_le_bytes(channel.id),
                pts: channel.pts,
            },
            None => UpdateChange::Counters(self.fixed.counters),
        })
    }

    /// A counters' change in the form that needs no base.
    pub(crate) fn without_base<'c>(&self, change: &Change<'c>) -> Change<'c> {
        match change {
            Change::Update(
                update @ (UpdateChange::Primary { .. } | UpdateChange::Secondary { .. }),
            ) => {
                let counters = update.counters_after(self.fixed.counters);
                Change::Update(UpdateChange::Counters(counters))
            }
            _ => *change,
        }
    }

    /// Takes note of a hot record; returns the one that would bring back what flash had.
    pub(crate) fn note_hot(&mut self, hot: Hot) -> Hot {
        let values = self.base(hot.counter).unwrap_or_default();
        let [first, second, third] = hot.values;
        if hot.counter == PRIMARY {
            let counters = &mut self.fixed.counters;
            (counters.pts, counters.date, counters.seq) = (first, second, third);
            self.fixed.written = *counters;
        } else if let Some(channel) = self.channels.get_mut(usize::from(hot.counter)) {
            (channel.pts, channel.written) = (second, second);
        }
        Hot { values, ..hot }
    }

    /// Whether anything that a list position promises is missing on flash.
    pub(crate) fn has_holes(&self) -> bool {
        (0..LISTS).any(|list| {
            (0..self.len(list)).any(|slot| {
                let copy = if list == DCS { DC_COPIES } else { list };
                let at = self.lists.get(list, slot).at | self.lists.get(copy, slot).at;
                at == NOWHERE
            })
        })
    }
}

impl Base for Index<'_> {
    fn base(&self, counter: u16) -> Option<Values> {
        if counter == PRIMARY {
            return Some(primary(&self.fixed.written));
        }
        let channel = self.channel(counter)?;
        let known = self.lists.get(CHANNELS, counter).at != NOWHERE;
        known.then_some([counter.into(), channel.written, 0])
    }
}

const fn primary(counters: &Counters) -> Values {
    [counters.pts, counters.date, counters.seq]
}
