//! Reading: the whole log, one record, a session.

use core::ops::Range;

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::fill::Receive;
use crate::index::Fixed;
use crate::lists::{CHANNELS, DC_COPIES, DCS, LISTS, List, NOWHERE, Place};
use crate::record;
use crate::walk::Walk;

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Makes sure that head and index are as on flash: where they are not, reads every page that counts,
    /// and fills a session on the way. Whether it is filled.
    pub(super) async fn ready(
        &mut self,
        mut session: Option<&mut (dyn Receive + '_)>,
    ) -> Result<bool, Fail> {
        if self.state.indexed {
            session = None;
        } else {
            if !self.state.located {
                self.locate().await?;
            }
            self.index.clear();
            if let Some(session) = &mut session {
                session.reset();
            }
            self.state.lazy = 0;
            self.state.tail_unknown = true;
            let geometry = self.state.geometry;
            for back in (0..self.state.chain).rev() {
                let mut walk = Walk::new(&geometry, self.state.page_before(back));
                loop {
                    let buffer = self.buffer.bytes();
                    if let Some((at, Range { start, end })) = walk.missing(&geometry, buffer) {
                        let bytes = buffer.get_mut(start..end).unwrap_or_default();
                        self.chip.read(at, bytes).await?;
                    }
                    if !walk.step(buffer, self.state, &mut self.index, &mut session)? {
                        break;
                    }
                }
            }
            self.state.indexed = true;
        }
        if self.state.wipe {
            self.finish_wipe().await?;
        }
        // Lists with holes, or a session that makes room by forgetting, need another pass.
        Ok(session.is_some() && !self.index.has_holes())
    }

    /// Reads the record of an entry into the buffer; of a DC entry whichever copy is valid.
    pub(super) async fn fetch(&mut self, mut list: List, slot: u16) -> Result<bool, Fail> {
        loop {
            let Place { at, units, .. } = self.index.lists.get(list, slot);
            if at != NOWHERE {
                let at = at.into();
                let bytes = self.buffer.units(units.into(), &self.state.geometry);
                self.chip.read(at, bytes).await?;
                if record::open(bytes, self.state.seed_at(at) ^ at).is_some() {
                    return Ok(true);
                }
            }
            if list != DCS {
                return Ok(false);
            }
            list = DC_COPIES;
        }
    }

    /// Makes `session` what the log holds.
    pub(super) async fn load(&mut self, session: &mut dyn Receive) -> Result<bool, Fail> {
        let filled = self.ready(Some(&mut *session)).await?;
        if !filled {
            session.reset();
        }
        let Fixed {
            home_dc_id,
            counters,
            ..
        } = *self.index.fixed;
        session.set_header(home_dc_id, counters);
        for list in 0..LISTS {
            if filled && list != CHANNELS || list == DC_COPIES {
                continue;
            }
            for slot in 0..self.index.len(list) {
                let is_known = self.index.lists.get(list, slot).at != NOWHERE;
                let change = if list == CHANNELS {
                    is_known.then(|| self.index.absolute(slot))
                } else if self.fetch(list, slot).await? {
                    record::decode(self.buffer.bytes())
                } else {
                    // A hole that is known is no damage.
                    if is_known || list == DCS {
                        self.state.count_damage();
                    }
                    None
                };
                if let Some(change) = change {
                    session.receive(None, &change).map_err(Fail::Session)?;
                }
            }
        }
        Ok(self.state.present)
    }
}
