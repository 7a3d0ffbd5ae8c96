//! Replacing everything: saving, deleting, formatting.

use mtsession_core::FixedSession;

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::fill::{self, Entries};
use crate::header::{PRESENT, WIPE};
use crate::lists::{LISTS, Slot, field};

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Replaces everything: writes the new session to pages of its own, the last of whose headers
    /// makes all of them count at once.
    pub(super) async fn save(&mut self, source: &dyn Entries) -> Result<(), Fail> {
        self.ready(None).await?;
        let parts = self.measure(source)?;
        let stale = self.stale_after(source).await?;
        // The pages behind the head must hold nothing that is live.
        let mut turns = 0_u8;
        while self.free_run() < parts {
            if turns >= self.state.geometry.pages.saturating_mul(2) {
                return Err(Fail::StoreFull);
            }
            self.reserve(0, 0).await?;
            self.turn(true).await?;
            turns = turns.saturating_add(1);
        }
        self.replace(source, parts, PRESENT | stale.flags()).await?;
        self.second_copies().await
    }

    /// How many pages a session takes; checks everything that could keep it from being saved.
    fn measure(&mut self, source: &dyn Entries) -> Result<u8, Fail> {
        for list in 0..LISTS {
            if source.len(list) > self.index.lists.capacity(list) {
                return Err(Fail::Capacity(field(list)));
            }
        }
        let room = self.state.page_room();
        let (mut parts, mut left) = (1_u8, room);
        let (mut live, mut dc) = (0_u32, 0_u32);
        let mut cursor = Slot::default();
        while let Some(change) = fill::next(source, &mut cursor) {
            self.encode(&change, cursor.slot)?;
            let units = self.units();
            if units > left {
                parts = parts.saturating_add(1);
                left = room;
            }
            left = left.saturating_sub(units);
            let copies = self.copies(&change);
            live = live.saturating_add(units.saturating_mul(copies));
            if copies > 1 {
                dc = dc.max(units);
            }
            cursor.slot = cursor.slot.wrapping_add(1);
        }
        if parts >= self.state.geometry.pages || live > self.limit(dc) {
            return Err(Fail::StoreFull);
        }
        Ok(parts)
    }

    /// How many pages behind the head hold nothing that is live; at least the free one.
    fn free_run(&self) -> u8 {
        let geometry = self.state.geometry;
        let mut run = 1_u8;
        while run < geometry.pages.wrapping_sub(1) {
            let page = geometry.next(self.state.head, run.wrapping_add(1));
            if self.index.lists.live_units(&geometry.page(page)) > 0 {
                break;
            }
            run = run.wrapping_add(1);
        }
        run
    }

    /// Writes a session to the `parts` pages behind the head.
    async fn replace(&mut self, source: &dyn Entries, parts: u8, flags: u8) -> Result<(), Fail> {
        self.state.forget();
        let mut cursor = Slot::default();
        for part in 1..=parts {
            self.open_page().await?;
            if part == 1 {
                self.index.clear();
                let (home_dc_id, counters) = source.header();
                self.index.set_counters(home_dc_id, counters);
            }
            while let Some(change) = fill::next(source, &mut cursor) {
                self.encode(&change, cursor.slot)?;
                let units = self.units();
                if self.state.page.room() < units && part < parts {
                    break;
                }
                self.emit().await?;
                let at = self.state.page.last(units);
                self.index
                    .note(&change, cursor.slot, at, units)
                    .map_err(Fail::Capacity)?;
                cursor.slot = cursor.slot.wrapping_add(1);
            }
            self.close_page(flags, part, parts).await?;
        }
        self.state.lazy = 0;
        self.state.remember();
        Ok(())
    }

    /// Deletes the session: an empty page takes over, then every other page is erased.
    pub(super) async fn delete(&mut self) -> Result<(), Fail> {
        if !self.state.located {
            self.locate().await?;
        }
        let nothing = FixedSession::<0, 0, 0, 0, 0>::new();
        self.replace(&nothing, 1, WIPE).await?;
        self.finish_wipe().await
    }
}
