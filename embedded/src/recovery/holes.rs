//! Entries whose record is lost: the last one of the list takes the place.

use crate::format::codec::{Codec, Text};
use crate::format::entry::{Entry, entry};
use crate::index::{AHEAD, List, NOWHERE, Place, Table, mark};
use crate::machine::Machine;

impl Machine {
    /// After all records were read.
    pub(crate) fn fill_holes(&mut self, table: &mut dyn Table) {
        for list in [List::Channels, List::Peers, List::MinPeers, List::Dcs] {
            let mut position = 0;
            while position < table.len(list) {
                let place = Place::new(list, position);
                if !is_hole(table, place) {
                    position = position.saturating_add(1);
                    continue;
                }
                self.take_out(table, place);
            }
        }
        self.more |= self.lengths != 0;
    }

    /// Takes an entry out of its list: the last one that is there takes its place.
    pub(crate) fn take_out(&mut self, table: &mut dyn Table, place: Place) {
        let list = place.list();
        self.owe_length(list);
        let last = table.len(list).saturating_sub(1);
        let moved = Place::new(list, last);
        if last > place.position() && !is_hole(table, moved) {
            self.move_entry(table, moved, place);
        }
        table.truncate(list, last);
    }

    fn move_entry(&mut self, table: &mut dyn Table, from: Place, to: Place) {
        self.buffer.has_key = true;
        let mut codec = Codec::write(self.buffer.bytes_mut());
        if let Some(change) = table.get(from) {
            entry(&mut codec, &Entry::At(to, change), &mut Text::new());
        }
        let length = codec.len;
        let mut codec = Codec::read(self.buffer.first(length));
        let mut text = Text::new();
        let nothing = Entry::Length(List::Singles, 0);
        if let Some(Entry::At(place, change)) = entry(&mut codec, &nothing, &mut text)
            && table.set(place, &change).is_ok()
        {
            let page = mark(table, from) & NOWHERE;
            if let Some(mark) = table.marks(to.list()).get_mut(to.position()) {
                *mark = page | AHEAD;
            }
            if to.list() == List::Dcs
                && let Some(mark) = table.marks(List::Copies).get_mut(to.position())
            {
                *mark = AHEAD | NOWHERE;
            }
            if to.list() == List::Channels
                && let Some(lag) = table.lags().get_mut(to.position())
            {
                *lag = 0;
            }
        }
    }
}

fn is_hole(table: &mut dyn Table, place: Place) -> bool {
    let is_twin_lost = place.list() != List::Dcs
        || mark(table, Place::new(List::Copies, place.position())) == NOWHERE;
    mark(table, place) == NOWHERE && is_twin_lost
}
