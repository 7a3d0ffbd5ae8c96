//! Reading: the whole log, one record, a session.

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::error::Fail;
use crate::fill::Receive;
use crate::index::Fixed;
use crate::lists::{CHANNELS, DC_COPIES, DCS, LISTS, List, MIN_PEERS, NOWHERE, PEERS, Place};
use crate::record;
use crate::walk::Walk;

/// How often a record that may be half-done is looked at again: it counts if it is valid each time.
pub(super) const LOOKS: u8 = 16;

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
                    if let Some(len) = walk.missing(&geometry, buffer) {
                        let bytes = buffer.get_mut(..len).unwrap_or_default();
                        self.chip.read(walk.position(), bytes).await?;
                    }
                    for _ in 0..LOOKS {
                        if !walk.is_last(buffer, &geometry, &self.index) {
                            break;
                        }
                        let len = walk.again(&geometry);
                        let bytes = buffer.get_mut(..len).unwrap_or_default();
                        self.chip.read(walk.position(), bytes).await?;
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
                if let Some(change) = change
                    && let Err(full) = session.receive(None, &change)
                {
                    // What can be learnt again must not stand in the way of the keys.
                    if matches!(list, CHANNELS | PEERS | MIN_PEERS) {
                        break;
                    }
                    return Err(Fail::Session(full));
                }
            }
        }
        Ok(self.state.present)
    }
}
