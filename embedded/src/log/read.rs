//! Reading: the whole log, one record, a session.

use core::ops::Range;

use mtsession_core::{Change, UpdateChange};

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::fill::{Ignore, Receive};
use crate::lists::{CHANNELS, DC_COPIES, DCS, LISTS, List, NOWHERE, Place};
use crate::record;
use crate::walk::Walk;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Makes sure that head and index are as on flash.
    pub(super) async fn ready(&mut self) -> Result<(), Fail> {
        if !self.state.indexed {
            self.scan(&mut Ignore).await?;
        }
        if self.state.wipe {
            self.finish_wipe().await?;
        }
        Ok(())
    }

    /// Reads every page that counts: builds the index, and fills a session on the way.
    async fn scan(&mut self, receive: &mut dyn Receive) -> Result<(), Fail> {
        if !self.state.located {
            self.locate().await?;
        }
        self.index.clear();
        receive.reset();
        self.state.lazy = 0;
        self.state.tail_unknown = true;
        self.state.next_erased = false;
        let geometry = self.state.geometry;
        for back in (0..self.state.chain).rev() {
            let mut walk = Walk::new(&geometry, self.state.page_before(back));
            loop {
                let buffer = self.buffer.bytes();
                if let Some((at, Range { start, end })) = walk.missing(&geometry, buffer) {
                    let bytes = buffer.get_mut(start..end).unwrap_or_default();
                    self.chip.read(at, bytes).await?;
                }
                if !walk.step(buffer, self.state, &mut self.index, receive)? {
                    break;
                }
            }
        }
        self.state.indexed = true;
        Ok(())
    }

    /// Reads the record of an entry into the buffer; of a DC entry whichever copy is valid.
    pub(super) async fn fetch(&mut self, list: List, slot: u16) -> Result<bool, Fail> {
        let is_known = self.fetch_at(self.index.lists.get(list, slot)).await?;
        if !is_known && list == DCS {
            return self.fetch_at(self.index.lists.get(DC_COPIES, slot)).await;
        }
        Ok(is_known)
    }

    /// Reads a record of the chain into the buffer; whether it is valid.
    pub(super) async fn fetch_at(&mut self, place: Place) -> Result<bool, Fail> {
        if place.at == NOWHERE {
            return Ok(false);
        }
        let at = place.at.into();
        let bytes = self.buffer.units(place.units.into(), &self.state.geometry);
        self.chip.read(at, bytes).await?;
        Ok(record::open(bytes, self.state.seed_at(at) ^ at).is_some())
    }

    /// Makes `session` what the log holds.
    pub(super) async fn load(&mut self, session: &mut dyn Receive) -> Result<bool, Fail> {
        let mut filled = false;
        if !self.state.indexed {
            filled = match self.scan(session).await {
                // Lists with holes, or a session that makes room by forgetting, need another pass.
                Ok(()) => !self.index.has_holes(),
                Err(Fail::Session(_)) => false,
                Err(fail) => return Err(fail),
            };
        }
        self.ready().await?;
        if !filled {
            session.reset();
        }
        let counters = Change::Update(UpdateChange::Counters(self.index.fixed.counters));
        let home = Change::HomeDc(self.index.fixed.home_dc_id);
        session.receive(None, &counters).map_err(Fail::Session)?;
        session.receive(None, &home).map_err(Fail::Session)?;
        for list in 0..LISTS {
            if filled && list != CHANNELS || list == DC_COPIES {
                continue;
            }
            for slot in 0..self.index.len(list) {
                self.load_entry(session, list, slot).await?;
            }
        }
        Ok(self.state.present)
    }

    async fn load_entry(
        &mut self,
        session: &mut dyn Receive,
        list: List,
        slot: u16,
    ) -> Result<(), Fail> {
        let place = self.index.lists.get(list, slot);
        if list == CHANNELS {
            if place.at != NOWHERE {
                let change = self.index.absolute(slot);
                session.receive(None, &change).map_err(Fail::Session)?;
            }
            return Ok(());
        }
        if self.fetch(list, slot).await? {
            if let Some(change) = record::decode(self.buffer.bytes()) {
                session.receive(None, &change).map_err(Fail::Session)?;
            }
        } else if place.at != NOWHERE || list == DCS {
            // A hole that is known is no damage.
            self.state.count_damage();
        }
        Ok(())
    }
}
