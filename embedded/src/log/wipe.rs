//! Erasing keys that the session no longer has: after a deletion at once, else in idle time.

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::fill::Entries;
use crate::lists::DCS;
use crate::record::{self, MARK_LEN, WIPED};
use crate::state::Stale;
use mtsession_core::Change;

/// The slot of a mark that says that keys were replaced.
const REPLACED: u16 = 1;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Before the record in the buffer, a DC entry's, is replaced by `change`: leaves a mark if that
    /// replaces a key.
    pub(super) async fn mark_replaced_key(
        &mut self,
        change: &Change<'_>,
        pending: bool,
    ) -> Result<(), Fail> {
        if self.state.stale == Stale::Within || !record::replaces_key(change, self.buffer.bytes()) {
            return Ok(());
        }
        if !pending {
            self.reserve(self.state.geometry.units(MARK_LEN), 0).await?;
        }
        record::mark(WIPED, REPLACED, self.buffer.bytes());
        let emitted = self.emit().await;
        self.state.stale = Stale::Within;
        if pending {
            // In a batch nothing looks at what was left there before the next record.
            return emitted;
        }
        // Where it does not take, the next page's header says it.
        Ok(())
    }

    /// What becomes of keys when `source` replaces everything.
    pub(super) async fn stale_after(&mut self, source: &dyn Entries) -> Result<Stale, Fail> {
        let mut stale = self.state.stale != Stale::No;
        for slot in 0..self.index.len(DCS) {
            let is_known = self.fetch(DCS, slot).await?;
            let known = record::decode(self.buffer.bytes());
            let kept = |known| {
                let mut entries = (0..).map_while(|slot| source.get(DCS, slot));
                entries.any(|entry| matches!(entry, Change::Dc(dc) if dc.auth_key == Some(known)))
            };
            stale |= match known {
                Some(Change::Dc(dc)) if is_known => dc.auth_key.is_some_and(|key| !kept(key)),
                // Whatever it was, it cannot be read.
                _ => true,
            };
        }
        Ok(if stale { Stale::Outside } else { Stale::No })
    }

    /// Erases whatever keys the session no longer has. While power is lost in it, the marks stay.
    pub(super) async fn wipe_stale(&mut self) -> Result<(), Fail> {
        if self.state.stale == Stale::No {
            return Ok(());
        }
        self.reserve(0, 0).await?;
        let geometry = self.state.geometry;
        if self.state.stale == Stale::Within {
            // Every page that counts is written anew, with what is live.
            for _ in 0..geometry.pages {
                self.turn(false).await?;
            }
        }
        for steps in 1..=geometry.pages.wrapping_sub(self.state.chain) {
            if steps <= self.state.erased {
                continue;
            }
            let page = geometry.next(self.state.head, steps);
            let units = geometry.page(page);
            if self.chip.programmed_end(units.start, units.end).await? > units.start {
                self.chip.erase(page).await?;
                if self.state.erased.wrapping_add(1) == steps {
                    self.state.erased = steps;
                }
            }
        }
        self.note_wiped().await
    }

    /// Finishes a deletion: erases every page but the newest.
    pub(super) async fn finish_wipe(&mut self) -> Result<(), Fail> {
        let geometry = self.state.geometry;
        // An erase that fails may leave anything where nothing was.
        self.state.erased = 0;
        for back in 1..geometry.pages {
            self.chip
                .erase(geometry.previous(self.state.head, back))
                .await?;
        }
        self.state.erased = geometry.pages.wrapping_sub(1);
        self.state.settled = true;
        self.note_wiped().await
    }

    async fn note_wiped(&mut self) -> Result<(), Fail> {
        // Where the page went on, and its record of this went bad, there may be none: the next page has
        // not the flag.
        self.state.stale = Stale::No;
        self.reserve(self.state.geometry.units(MARK_LEN), 0).await?;
        record::mark(WIPED, 0, self.buffer.bytes());
        self.emit().await?;
        self.state.wipe = false;
        Ok(())
    }
}
