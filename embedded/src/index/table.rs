//! What the log needs of a session: entries by their place, and a mark for each.

use mtsession_core::{Change, Counters, EntryKey, Full};

use super::{List, Place};

/// A mark: no record of the entry is on flash.
pub(crate) const NOWHERE: u8 = 0x7F;
/// A mark's top bit: RAM is ahead of the record. The old page stays beside it, or a page turn would drop the
/// only record on flash.
pub(crate) const AHEAD: u8 = 0x80;
/// How far a channel's pts is ahead of flash, where it is more than fits.
pub(crate) const UNKNOWN_LAG: u8 = 0xFF;

/// No further, but the next record says all: after a start, what the power was lost at may come and go.
pub(crate) const WHOLE: u8 = 0xFE;

/// A session's entries.
pub(crate) trait Entries {
    fn len(&self, list: List) -> usize;
    fn get(&self, place: Place) -> Option<Change<'_>>;
}

/// A session that is the authority, with its marks. Object safe: the log is compiled once for every session.
pub(crate) trait Table: Entries {
    /// Forgets everything.
    fn clear(&mut self);
    /// Forgets the entries of a list from a position on.
    fn truncate(&mut self, list: List, len: usize);
    /// Stores an entry; its list grows to it.
    fn set(&mut self, place: Place, change: &Change<'_>) -> Result<(), Full>;
    /// Where a change belongs. An entry that is new goes to its list's end, or, where that is full and may
    /// forget, in the place of another one.
    fn find(&mut self, change: &Change<'_>) -> Result<Place, Full>;
    /// Whether the entry that a change is about is there.
    fn knows(&self, change: &Change<'_>) -> bool;
    /// What a change of an entry may be too long for.
    fn fits(&self, change: &Change<'_>) -> Result<(), Full>;
    fn capacity(&self, list: List) -> usize;
    /// Whether a full cache forgets, and whether keys are kept twice.
    fn evicts(&self) -> bool;
    fn is_twice(&self) -> bool;
    /// Where an entry is.
    fn position(&self, key: EntryKey) -> Option<Place>;
    /// Carries out a [`Change::Salt`] of an entry that is there.
    fn set_salt(&mut self, change: &Change<'_>);
    fn counters(&self) -> Counters;
    fn set_counters(&mut self, counters: Counters);
    /// A channel's pts.
    fn pts(&self, position: usize) -> Option<i32>;
    fn set_pts(&mut self, position: usize, pts: i32);
    /// The page of each entry's newest record.
    fn marks(&mut self, list: List) -> &mut [u8];
    /// How far each channel's pts is ahead of flash.
    fn lags(&mut self) -> &mut [u8];
}

/// Which entries are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Selection {
    /// Those that must be in `head` when `oldest` is given up.
    /// With `batch`, those in which RAM is ahead as well: all of them count with the page's header.
    Turn {
        oldest: u8,
        head: u8,
        batch: bool,
    },
    /// Those whose newest record is in a page. No second copies: what makes room for many pages drops them.
    Page(u8),
    /// Those in which RAM is ahead.
    Ahead,
    /// The same, without second copies: a batch.
    Batch,
    All,
}

#[inline(never)]
pub(crate) fn mark(table: &mut dyn Table, place: Place) -> u8 {
    let marks = table.marks(place.list());
    marks.get(place.position()).copied().unwrap_or(NOWHERE)
}

/// Whether a second copy is missing: there is none, an old one, or it is where the first one is.
fn is_missing(copy: u8, first: u8) -> bool {
    copy & AHEAD != 0 || copy == NOWHERE || copy == first & NOWHERE
}

/// The next place from `at` on that is meant; `at` goes past it.
#[inline(never)]
pub(crate) fn next(table: &mut dyn Table, selection: Selection, at: &mut Place) -> Option<Place> {
    loop {
        let here = *at;
        if here.is_end() {
            return None;
        }
        let list = here.list();
        if here.position() >= table.len(list) {
            *at = here.next_list();
            continue;
        }
        *at = here.after();
        let known = mark(table, here);
        let mut first = NOWHERE;
        if list == List::Copies {
            first = mark(table, Place::new(List::Dcs, here.position()));
        }
        let is_ahead = |table: &mut dyn Table| {
            known & AHEAD != 0
                || known == NOWHERE && list != List::Singles
                || list == List::Channels
                    && table
                        .lags()
                        .get(here.position())
                        .is_some_and(|lag| *lag != 0 && *lag != WHOLE)
        };
        let is_meant = match selection {
            Selection::Turn { oldest, head, .. } if list == List::Copies => {
                first & NOWHERE != head && (known & NOWHERE == oldest || is_missing(known, first))
            }
            Selection::Turn { oldest, batch, .. } => {
                known & NOWHERE == oldest || batch && is_ahead(table)
            }
            Selection::Page(_) | Selection::Batch if list == List::Copies => false,
            Selection::Page(page) => known & NOWHERE == page,
            Selection::Ahead if list == List::Copies => is_missing(known, first),
            Selection::Ahead | Selection::Batch => is_ahead(table),
            Selection::All => true,
        };
        if is_meant {
            return Some(here);
        }
    }
}

/// Marks what is meant from `from` up to `to`, as on flash in a page. `None`: a delta of it is.
#[inline(never)]
pub(crate) fn remark(
    table: &mut dyn Table,
    selection: Selection,
    from: Place,
    to: Place,
    mark: Option<u8>,
) {
    let mut at = from;
    while at < to
        && let Some(here) = next(table, selection, &mut at)
    {
        if here >= to {
            return;
        }
        let marks = table.marks(here.list());
        if let (Some(mark), Some(place)) = (mark, marks.get_mut(here.position())) {
            *place = mark;
        }
        if here.list() == List::Channels
            && let Some(lag) = table.lags().get_mut(here.position())
        {
            *lag = 0;
        }
    }
}
