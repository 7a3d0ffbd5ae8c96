//! The end of what is written: going on there, and programming a record.

use super::super::{NorFlash, bisync};
use super::Shell;
use super::read::LOOKS;
use crate::error::Fail;
use crate::record::{self, Head, MAX_RECORD, SYNC};
use crate::state::{Last, Page};
use crate::walk::MAX_BLANK;

/// Places that a record is tried at.
const ATTEMPTS: u8 = 8;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Goes on behind whatever a power cut or a failed program left: behind one blank unit, since
    /// the last word may be weaker than it looks, with a sync record that readers find.
    pub(super) async fn reopen_tail(&mut self) -> Result<(), Fail> {
        let Page { tail, end, .. } = self.state.page;
        let programmed = self.chip.programmed_end(tail, end).await?;
        if programmed > tail {
            // Something was begun after the last record, which was whole then.
            self.state.last = Last::Other;
        }
        let mut start = programmed.saturating_add(1);
        // A record that was begun is left out as a whole: units of ones look like erased ones.
        let touched = self.state.touched;
        if (tail..=end).contains(&touched) {
            start = start.max(touched);
        } else if programmed > tail {
            let behind = tail.saturating_add(self.begun(tail).await?);
            if behind >= programmed {
                // The gap tells readers that it may have been half-done.
                start = behind.saturating_add(1);
            }
        }
        if start.saturating_sub(tail) > self.state.geometry.units(MAX_BLANK) {
            // No cut leaves as much: a cell far away reads 0 for good. Readers stop before they get there, so
            // nothing may be written after it; what comes next turns the page.
            start = end;
        }
        self.state.page.tail = start.min(end);
        // Twice: a cut in the first one before this start may have weakened its word, without a trace.
        // It may take what is programmed now, and lose it later.
        for _ in 0..2_u8 {
            record::mark(SYNC, 0, self.buffer.bytes());
            if self.emit().await.is_err() {
                // The page is full, or as good as full.
                self.state.page.tail = end;
            }
        }
        self.state.tail_unknown = false;
        Ok(())
    }

    /// Units of the record that was begun at a position; 0 where its head cannot be believed. That is where
    /// the power was lost then: nothing was programmed after it, and readers do not look further than one
    /// record for what comes next.
    async fn begun(&mut self, at: u32) -> Result<u32, Fail> {
        let mut known = None;
        for _ in 0..LOOKS {
            let unit = self.buffer.units(1, &self.state.geometry);
            self.chip.read(at, unit).await?;
            let head =
                Head::decode(self.buffer.bytes()).filter(|head| head.record_len() <= MAX_RECORD);
            if head.is_none() || known.is_some_and(|known| known != head) {
                return Ok(0);
            }
            known = Some(head);
        }
        Ok(self.units())
    }

    /// Units of the record in the buffer.
    #[inline(never)]
    pub(super) fn units(&mut self) -> u32 {
        let head = Head::decode(self.buffer.bytes());
        head.map_or(0, |head| head.units(&self.state.geometry))
    }

    /// Programs the record in the buffer behind the page's tail, or further on where that does not
    /// take. The page's tail is behind it then.
    pub(super) async fn emit(&mut self) -> Result<(), Fail> {
        let geometry = self.state.geometry;
        let units = self.units();
        let base = self.state.page.tail;
        // Room was made for the record before: where there is none, programs that failed have taken it.
        let mut fail = match self.chip.details.flash {
            Some(_) => Fail::Flash,
            None => Fail::StoreFull,
        };
        for attempt in 0..ATTEMPTS {
            let at = self.state.page.tail;
            if self.state.page.room() < units {
                break;
            }
            let next = at.wrapping_add(units);
            self.state.page.tail = next;
            let bytes = self.buffer.units(units, &geometry);
            record::seal(bytes, self.state.page.seed ^ at);
            // What fails costs room, which a page turn may not have.
            if self.chip.details.flash.is_some() {
                self.chip.fall_out_of_step(attempt).await;
            }
            match self.chip.program(at, bytes).await {
                Ok(()) => {
                    self.state.tail_unknown = false;
                    return Ok(());
                }
                Err(failed) => fail = failed,
            }
            // Readers pass over the few blank units that are left where nothing was. Behind what was left
            // they go on, so leave all of it, since a unit of ones looks like an erased one.
            match self.chip.programmed_end(at, next).await {
                Ok(end) if end > at => {
                    self.state.tail_unknown = false;
                    if self.state.page.number == self.state.head {
                        self.state.touched = next;
                    }
                }
                Ok(_) => {
                    self.state.tail_unknown = true;
                    self.state.page.tail = at.wrapping_add(1);
                }
                Err(failed) => {
                    fail = failed;
                    break;
                }
            }
        }
        // Whoever goes on looks at what was left here.
        self.state.page.tail = base;
        self.state.tail_unknown = true;
        Err(fail)
    }
}
