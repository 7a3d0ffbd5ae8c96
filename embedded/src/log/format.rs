//! The first start: what a region without a log is, and beginning a log in it.
//!
//! Blank pages are not erased: an erase that is cut leaves a page that could be anything. A header that
//! was cut is known by its bits: those that it has to keep are ones.

use super::super::{NorFlash, bisync};
use super::Shell;
use crate::buffer::{Aligned, Piece};
use crate::error::Fail;
use crate::geometry::{Geometry, MAX_UNIT_LEN};
use crate::header::{HEADER_LEN, Header, header_units};
use crate::settings::Started;
use crate::state::{Page, seed};

/// An address that no chip has, at which every unit ends.
const NOWHERE_ON_CHIP: u32 = u32::MAX - 127;

/// What a page of a region without a log is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Look {
    Blank,
    /// Blank but for a part of a first header.
    Begun,
    Other,
}

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// That the region is one, and all of it on the chip. Where the driver's capacity says that it is
    /// not, a driver that reads there, and refuses to read where there is nothing, knows better.
    pub(super) async fn check_region(&mut self) -> Result<(), Fail> {
        let end = self.state.geometry.end();
        let capacity = u32::try_from(self.chip.flash.capacity()).unwrap_or(u32::MAX);
        let mut refused = self.state.refused;
        if refused.is_none() && end > capacity {
            let unit = self.state.geometry.unit();
            let len = usize::try_from(unit).unwrap_or(MAX_UNIT_LEN);
            let mut piece: Piece = Aligned([0; MAX_UNIT_LEN]);
            let (piece, _) = piece.0.split_at_mut(len.min(MAX_UNIT_LEN));
            let last = end.wrapping_sub(unit);
            let is_there = self.chip.flash.read(last, piece).await.is_ok();
            if !is_there || self.chip.flash.read(NOWHERE_ON_CHIP, piece).await.is_ok() {
                refused = Some(crate::RegionError::OutOfBounds { end, capacity });
            }
        }
        match refused {
            Some(error) => {
                self.chip.details.region = error;
                Err(Fail::Region)
            }
            None => Ok(()),
        }
    }

    /// Opens the log, or begins one where there is none.
    pub(super) async fn mount_or_format(&mut self) -> Result<Started, Fail> {
        match self.locate().await {
            Err(Fail::NotFormatted) => {
                self.begin_log().await?;
                Ok(Started::Formatted)
            }
            result => result.map(|()| Started::Mounted),
        }
    }

    /// Begins an empty log; whatever the region holds is erased.
    pub(super) async fn format(&mut self) -> Result<(), Fail> {
        match self.locate().await {
            Err(fail @ (Fail::Region | Fail::Flash)) => return Err(fail),
            // A log is deleted: a power cut leaves all of it or nothing.
            Ok(()) if self.delete().await.is_ok() => return Ok(()),
            _ => {}
        }
        self.begin_log().await
    }

    /// Whether the region is erased, or what an interrupted first format left. Finds out which way it
    /// is erased.
    pub(super) async fn is_unformatted(&mut self) -> Result<bool, Fail> {
        for flip in [0, 0xFF] {
            *self.chip.flip = flip;
            let (mut begun, mut others) = (false, 0_u8);
            for page in 0..self.state.geometry.pages {
                match self.look(page).await? {
                    Look::Blank => {}
                    Look::Begun => begun = true,
                    Look::Other => others = others.saturating_add(1),
                }
                if others > 1 {
                    break;
                }
            }
            // The erase of one page may have been cut, once every page had been begun.
            if others <= u8::from(begun) {
                return Ok(true);
            }
        }
        *self.chip.flip = 0;
        Ok(false)
    }

    /// Looks at a page of a region without a log.
    async fn look(&mut self, page: u8) -> Result<Look, Fail> {
        let geometry = self.state.geometry;
        let units = header_units(&geometry);
        let unit = usize::try_from(geometry.unit()).unwrap_or(MAX_UNIT_LEN);
        let mut expected = [0; HEADER_LEN.next_multiple_of(MAX_UNIT_LEN)];
        first_header(&geometry).encode(page, &mut expected);
        let mut at = geometry.page_at(page);
        let mut look = Look::Blank;
        let mut lost = 0_u8;
        for _ in 0..2_u8 {
            let bytes = self.buffer.units(units, &geometry);
            self.chip.read(at, bytes).await?;
            for (found, expected) in bytes.chunks(unit).zip(expected.chunks(unit)) {
                let mut bits = found.iter().zip(expected);
                let is_part = bits.all(|(found, expected)| found & expected == *expected);
                if !is_part {
                    // The word at which the power was lost, if it cannot be read.
                    lost = lost.saturating_add(1);
                    if lost > 1 || found.iter().any(|byte| *byte != 0) {
                        return Ok(Look::Other);
                    }
                }
                if found.iter().any(|byte| *byte != 0xFF) {
                    look = Look::Begun;
                }
            }
            at = at.wrapping_add(units);
        }
        let end = geometry.page(page).end;
        let is_blank = self.chip.programmed_end(at, end).await? == at;
        Ok(if is_blank { look } else { Look::Other })
    }

    /// Begins a log in a page that is blank, or is made so; then everything else goes.
    async fn begin_log(&mut self) -> Result<(), Fail> {
        let geometry = self.state.geometry;
        let (mut first, mut erases) = (None, 0);
        for page in 0..geometry.pages {
            if let Ok(header) = self.header(page).await {
                erases = header.erases.max(erases);
            }
            if first.is_none() && self.look(page).await? == Look::Blank {
                first = Some(page);
            }
        }
        let page = match first {
            Some(page) => page,
            None => self.erase_first(0).await?,
        };
        if let Err(fail) = self.write_first(page, erases).await {
            if first.is_none() {
                return Err(fail);
            }
            // It only looked blank.
            self.erase_first(page).await?;
            self.write_first(page, erases).await?;
        }
        self.state.erased = 0;
        for steps in 1..geometry.pages {
            let page = geometry.next(page, steps);
            if self.look(page).await? != Look::Blank {
                self.chip.erase(page).await?;
                // As long as there is none between that is only known to look blank.
                if self.state.erased.wrapping_add(1) == steps {
                    self.state.erased = steps;
                }
            }
        }
        self.state.remember();
        Ok(())
    }

    /// Erases a page and looks at what erased cells read as.
    async fn erase_first(&mut self, page: u8) -> Result<u8, Fail> {
        self.chip.erase(page).await?;
        let geometry = self.state.geometry;
        let units = header_units(&geometry);
        let bytes = self.buffer.units(units, &geometry);
        *self.chip.flip = 0;
        self.chip.read(geometry.page_at(page), bytes).await?;
        if bytes.iter().all(|byte| *byte == 0) {
            *self.chip.flip = 0xFF;
        } else if let Some(found) = bytes.iter().find(|byte| **byte != 0xFF) {
            return Err(Fail::ErasedValue(*found));
        }
        Ok(page)
    }

    /// Writes the first header.
    async fn write_first(&mut self, page: u8, erases: u32) -> Result<(), Fail> {
        self.index.clear();
        self.state.sequence = 0;
        self.state.next_erases = erases.saturating_add(1);
        self.state.page = Page::new(&self.state.geometry, page, seed(1));
        self.close_page(0, 1, 1).await
    }
}

/// The header that a log begins with, on a chip that was never used.
fn first_header(geometry: &Geometry) -> Header {
    Header {
        page_size: geometry.page_size,
        pages: geometry.pages,
        shift: geometry.shift,
        sequence: 1,
        erases: 1,
        part: 1,
        parts: 1,
        ..Header::default()
    }
}
