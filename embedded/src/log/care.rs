//! What is done in idle time, and what can be told about the region.

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::lists::{DC_COPIES, DCS};
use crate::record::MAX_RECORD;
use crate::settings::{FlashStats, KeyCopies};

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Where two copies of keys are wanted: turns pages until every key is on two.
    pub(super) async fn second_copies(&mut self) -> Result<(), Fail> {
        if self.state.key_copies == KeyCopies::One {
            return Ok(());
        }
        for _ in 0..self.state.geometry.pages.saturating_mul(2) {
            let missing = self.missing_copies();
            let live = self.index.lists.live_units(&self.state.everywhere());
            // Where there is no room for them, turning pages would only wear them.
            if missing == 0 || live.saturating_add(missing) > self.limit(self.longest_dc()) {
                break;
            }
            self.reserve(0, 0).await?;
            self.turn(false).await?;
        }
        Ok(())
    }

    /// Units of the records of keys that are on one page only.
    fn missing_copies(&self) -> u32 {
        let units = |list, slot| self.index.lists.units(list, slot);
        let missing =
            (0..self.index.len(DCS)).map(|slot| match (units(DCS, slot), units(DC_COPIES, slot)) {
                (0, only) | (only, 0) => only,
                _ => 0,
            });
        missing.fold(0, u32::saturating_add)
    }

    /// Does in idle time what a put would have to wait for.
    pub(super) async fn maintain(&mut self) -> Result<(), Fail> {
        self.ready(None).await?;
        self.second_copies().await?;
        self.wipe_stale().await?;
        let record = u32::try_from(MAX_RECORD).unwrap_or_default();
        let enough = self.state.geometry.units(record);
        for _ in 0..self.state.geometry.pages {
            // In a page's first half no turn is near; a device that starts over and over does not
            // erase each time.
            if self.state.page.room() >= enough.max(self.state.page_room() >> 1) {
                break;
            }
            self.prepare_next().await?;
            let victim = self.state.geometry.next(self.state.head, 2);
            let victim = self.state.geometry.page(victim);
            let live = self.index.lists.live_units(&victim);
            if self.state.page_room().saturating_sub(live) >= enough {
                break;
            }
            // The next turn would leave too little room, and the one behind it would erase.
            self.reserve(0, 0).await?;
            self.turn(false).await?;
        }
        Ok(())
    }

    pub(super) async fn stats(&mut self) -> Result<FlashStats, Fail> {
        self.ready(None).await?;
        let geometry = self.state.geometry;
        let mut stats = FlashStats {
            pages: geometry.pages,
            page_size: geometry.page_size,
            turns: self.state.sequence,
            max_erases: self.state.erases,
            min_erases: u32::MAX,
            damaged: self.state.damaged,
            failed_programs: *self.chip.failed_programs,
            ..FlashStats::default()
        };
        for page in 0..geometry.pages {
            let erases = match self.header(page).await {
                Ok(header) => header.erases,
                Err(Fail::Flash) => return Err(Fail::Flash),
                // A page without a header is the free one: as often as its neighbours, or one behind.
                Err(_) => self.state.erases,
            };
            stats.max_erases = stats.max_erases.max(erases);
            stats.min_erases = stats.min_erases.min(erases);
        }
        let pages = u32::from(geometry.pages).wrapping_sub(1);
        let live = self.index.lists.live_units(&self.state.everywhere());
        let capacity = pages.saturating_mul(self.state.page_room());
        stats.live = live << geometry.shift;
        stats.free = capacity.saturating_sub(live) << geometry.shift;
        stats.free_in_page = self.state.page.room() << geometry.shift;
        Ok(stats)
    }
}
