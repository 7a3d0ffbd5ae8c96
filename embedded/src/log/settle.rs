//! The first write since the power came on. What the last cut left half-done may read differently from
//! time to time: nothing that is written from now on may depend on how it reads.

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::header::header_units;
use crate::record::{self, COMMIT};
use crate::state::Last;
use mtsession_core::{Change, UpdateChange};

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Goes on after whatever a cut left.
    ///
    /// What is before the mark is not built on any more: counters are written as a whole before they are
    /// counted on ([`State::is_proven`](crate::state::State::is_proven)).
    pub(super) async fn first_write(&mut self) -> Result<(), Fail> {
        self.settle_headers().await?;
        self.state.since = self.state.page.tail;
        self.reopen_tail().await?;
        self.adopt_last().await;
        self.state.fresh = false;
        Ok(())
    }

    /// Writes the record again that was the last one before the power was lost, if others depend on it: what
    /// it says must not come apart when some of them were copied, or replaced, and it is gone.
    async fn adopt_last(&mut self) {
        let change = Change::Update(UpdateChange::ClearChannels);
        let encoded = match self.state.last {
            Last::Commit(start) => {
                record::mark(COMMIT, start, self.buffer.bytes());
                Ok(())
            }
            Last::Cleared => self.encode(&change, 0),
            Last::Other => return,
        };
        if encoded.is_err() || self.emit().await.is_err() {
            // The page is full, or as good as full.
            self.state.page.tail = self.state.page.end;
            self.state.tail_unknown = false;
        }
    }

    /// Erases pages that do not count and have half a header, since they may count one day; gives the
    /// newest page its second header, where the first one may be half-done.
    pub(super) async fn settle_headers(&mut self) -> Result<(), Fail> {
        if self.state.settled {
            return Ok(());
        }
        let geometry = self.state.geometry;
        let head = self.state.head;
        for steps in 1..=geometry.pages.wrapping_sub(self.state.chain) {
            let page = geometry.next(head, steps);
            let is_half = match self.header(page).await {
                // A moment ago it did not count.
                Ok(header) => header.sequence > self.state.sequence && header.part == header.parts,
                Err(Fail::Flash) => return Err(Fail::Flash),
                Err(fail) => fail != Fail::NotFormatted,
            };
            if is_half {
                self.chip.erase(page).await?;
                if self.state.erased.wrapping_add(1) == steps {
                    self.state.erased = steps;
                }
            }
        }
        if let [Ok(mut header), Err(Fail::NotFormatted)] = self.headers(head).await? {
            let units = header_units(&geometry);
            let at = geometry.page_at(head).wrapping_add(units);
            let bytes = self.buffer.units(units, &geometry);
            header.encode(head, bytes);
            // Where it does not take, the power was lost there, and the first one is whole.
            let _ = self.chip.program(at, bytes).await;
        }
        self.state.settled = true;
        Ok(())
    }
}
