//! Reading, programming and erasing, with every result checked.

use super::super::{NorFlash, bisync};
use crate::error::{Details, Fail};
use crate::geometry::Geometry;

/// Bytes that are read back at once: the largest unit.
const PIECE: usize = 32;

/// The chip, by positions in the region. All lengths are whole units.
pub(super) struct Chip<'a, F: NorFlash> {
    pub(super) flash: &'a mut F,
    pub(super) geometry: Geometry,
    pub(super) failed_programs: &'a mut u16,
    pub(super) details: Details<F::Error>,
}

#[bisync]
impl<F: NorFlash> Chip<'_, F> {
    /// Reads. Units that the chip cannot read (a torn word of a flash with error correction) read as
    /// zeros, which are no valid record.
    pub(super) async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fail> {
        let address = self.geometry.address(at);
        let unit = usize::try_from(self.geometry.unit()).unwrap_or_default();
        let mut from = 0_usize;
        let mut step = bytes.len();
        while let Some(piece) = bytes.get_mut(from..from.wrapping_add(step)) {
            let address = address.wrapping_add(u32::try_from(from).unwrap_or_default());
            if self.flash.read(address, piece).await.is_err() {
                if step > unit {
                    step = unit;
                    continue;
                }
                self.probe(piece).await?;
                if self.flash.read(address, piece).await.is_err() {
                    piece.fill(0);
                }
            }
            from = from.wrapping_add(step);
        }
        Ok(())
    }

    /// Tells a word that cannot be read from a driver that fails: then nothing can be read. What was
    /// read as zeros for that would be lost.
    async fn probe(&mut self, piece: &mut [u8]) -> Result<(), Fail> {
        for page in 0..self.geometry.pages {
            let address = self.geometry.address(self.geometry.page_at(page));
            match self.flash.read(address, piece).await {
                Ok(()) => return Ok(()),
                Err(error) => self.details.flash = Some(error),
            }
        }
        Err(Fail::Flash)
    }

    /// Programs and reads back.
    pub(super) async fn program(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fail> {
        let result = self.flash.write(self.geometry.address(at), bytes).await;
        let mut result = result.map_err(|error| {
            self.details.flash = Some(error);
            Fail::Flash
        });
        let mut at = at;
        for written in bytes.chunks(PIECE) {
            if result.is_err() {
                break;
            }
            let mut back = [0; PIECE];
            let (back, _) = back.split_at_mut(written.len().min(PIECE));
            result = self.read(at, back).await;
            if result.is_ok() && back != written {
                result = Err(Fail::WornOut(self.geometry.page_of(at)));
            }
            at = at.wrapping_add(self.geometry.units(32));
        }
        if result.is_err() {
            *self.failed_programs = self.failed_programs.saturating_add(1);
        }
        result
    }

    /// Erases a page; tries twice.
    pub(super) async fn erase(&mut self, page: u8) -> Result<(), Fail> {
        let from = self.geometry.address(self.geometry.page_at(page));
        let to = from.wrapping_add(self.geometry.page_size);
        for _ in 0..2_u8 {
            match self.flash.erase(from, to).await {
                Ok(()) => return Ok(()),
                Err(error) => self.details.flash = Some(error),
            }
        }
        Err(Fail::Flash)
    }

    /// Behind the last unit from `from` to `end` that is not blank; `from` where all are.
    pub(super) async fn programmed_end(&mut self, from: u32, end: u32) -> Result<u32, Fail> {
        let units = self.geometry.units(32);
        let mut last = from;
        let mut at = from;
        while at < end {
            let mut bytes = [0; PIECE];
            let len = usize::try_from(units.min(end.wrapping_sub(at)) << self.geometry.shift);
            let (bytes, _) = bytes.split_at_mut(len.unwrap_or_default().min(PIECE));
            self.read(at, bytes).await?;
            if let Some(byte) = bytes.iter().rposition(|byte| *byte != 0xFF) {
                let unit = u32::try_from(byte >> self.geometry.shift).unwrap_or_default();
                last = at.wrapping_add(unit).wrapping_add(1);
            }
            at = at.wrapping_add(units);
        }
        Ok(last)
    }
}
