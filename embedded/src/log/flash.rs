//! Reading, programming and erasing, with every result checked.

use super::super::{NorFlash, bisync};
use crate::buffer::{Aligned, Piece};
use crate::error::{Details, Fail};
use crate::geometry::{Geometry, MAX_UNIT, MAX_UNIT_LEN};

/// How often a call that the driver failed is made. Of a driver that fails one call in three, one in
/// 6,500 then fails for the log.
pub(super) const TRIES: u8 = 8;
/// How often a unit is read before it counts as unreadable. A driver that was only busy must never lead to
/// that, since the record would be lost: one that fails every third call does in one read of 10^11.
const READS: u8 = 24;
/// How many calls [`Chip::fall_out_of_step`] makes at most, the first time.
const STEPS: u8 = 31;

/// The chip, by positions in the region. All lengths are whole units, all memory is aligned.
pub(super) struct Chip<'a, F: NorFlash> {
    pub(super) flash: &'a mut F,
    pub(super) geometry: Geometry,
    pub(super) failed_programs: &'a mut u16,
    /// What bits on the chip are flipped with: all of them where erased cells read as zeros.
    pub(super) flip: &'a mut u8,
    pub(super) details: Details<F::Error>,
}

#[bisync]
impl<F: NorFlash> Chip<'_, F> {
    /// Reads. Units that the chip cannot read (a torn word of a flash with error correction) read as
    /// zeros, which are no valid record.
    pub(super) async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fail> {
        let address = self.geometry.address(at);
        if self.flash.read(address, bytes).await.is_err() {
            self.read_units(address, bytes).await?;
        }
        flip(bytes, *self.flip);
        Ok(())
    }

    /// Reads unit by unit what could not be read at once.
    #[inline(never)]
    async fn read_units(&mut self, address: u32, bytes: &mut [u8]) -> Result<(), Fail> {
        let unit = usize::try_from(self.geometry.unit()).unwrap_or_default();
        let mut address = address;
        for place in bytes.chunks_mut(unit.max(1)) {
            let mut piece: Piece = Aligned([0; MAX_UNIT_LEN]);
            let (piece, _) = piece.0.split_at_mut(unit.min(MAX_UNIT_LEN));
            // What says "unreadable" once may have been busy.
            let mut result = Err(());
            for tried in 0..READS {
                result = self.flash.read(address, piece).await.map_err(drop);
                if result.is_ok() {
                    break;
                }
                if tried == 0 {
                    self.probe(piece).await?;
                }
            }
            if result.is_err() {
                piece.fill(*self.flip);
            }
            for (place, byte) in place.iter_mut().zip(piece) {
                *place = *byte;
            }
            address = address.wrapping_add(self.geometry.unit());
        }
        Ok(())
    }

    /// Tells a word that cannot be read from a driver that fails: then nothing can be read. What was
    /// read as zeros for that would be lost.
    async fn probe(&mut self, piece: &mut [u8]) -> Result<(), Fail> {
        for _ in 0..TRIES {
            for page in 0..self.geometry.pages {
                let address = self.geometry.address(self.geometry.page_at(page));
                match self.flash.read(address, piece).await {
                    Ok(()) => return Ok(()),
                    Err(error) => self.details.flash = Some(error),
                }
            }
        }
        Err(Fail::Flash)
    }

    /// Lets some calls go by before something is programmed again. A driver that fails at regular intervals
    /// works right after a call that failed; one that is busy for a while, right after one that did not.
    /// Which of them it is cannot be known: attempts take turns. Where reads do not fail at all, the
    /// interval is left by making another number of calls each time.
    pub(super) async fn fall_out_of_step(&mut self, attempt: u8) {
        let unit = usize::try_from(self.geometry.unit()).unwrap_or_default();
        let address = self.geometry.address(0);
        let mut piece: Piece = Aligned([0; MAX_UNIT_LEN]);
        let (piece, _) = piece.0.split_at_mut(unit.min(MAX_UNIT_LEN));
        for _ in 0..STEPS.saturating_add(attempt >> 1) {
            let works = self.flash.read(address, piece).await.is_ok();
            if works != attempt.is_multiple_of(2) {
                break;
            }
        }
    }

    /// Programs and reads back.
    pub(super) async fn program(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), Fail> {
        flip(bytes, *self.flip);
        let result = self.flash.write(self.geometry.address(at), bytes).await;
        flip(bytes, *self.flip);
        let mut result = result.map_err(|error| {
            self.details.flash = Some(error);
            Fail::Flash
        });
        let mut at = at;
        for written in bytes.chunks(MAX_UNIT_LEN) {
            if result.is_err() {
                break;
            }
            let mut back: Piece = Aligned([0; MAX_UNIT_LEN]);
            let (back, _) = back.0.split_at_mut(written.len().min(MAX_UNIT_LEN));
            result = self.read(at, back).await;
            if result.is_ok() && back != written {
                result = Err(Fail::WornOut(self.geometry.page_of(at)));
            }
            at = at.wrapping_add(self.geometry.units(MAX_UNIT));
        }
        if result.is_err() {
            *self.failed_programs = self.failed_programs.saturating_add(1);
        }
        result
    }

    /// Erases a page; tries again.
    pub(super) async fn erase(&mut self, page: u8) -> Result<(), Fail> {
        let from = self.geometry.address(self.geometry.page_at(page));
        let to = from.wrapping_add(self.geometry.page_size);
        for _ in 0..TRIES {
            match self.flash.erase(from, to).await {
                Ok(()) => return Ok(()),
                Err(error) => self.details.flash = Some(error),
            }
        }
        Err(Fail::Flash)
    }

    /// Behind the last unit from `from` to `end` that is not blank; `from` where all are.
    pub(super) async fn programmed_end(&mut self, from: u32, end: u32) -> Result<u32, Fail> {
        let units = self.geometry.units(MAX_UNIT);
        let mut last = from;
        let mut at = from;
        while at < end {
            let mut bytes: Piece = Aligned([0; MAX_UNIT_LEN]);
            let len = usize::try_from(units.min(end.wrapping_sub(at)) << self.geometry.shift);
            let (bytes, _) = bytes
                .0
                .split_at_mut(len.unwrap_or_default().min(MAX_UNIT_LEN));
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

/// Flips bits on their way to or from the chip.
pub(super) fn flip(bytes: &mut [u8], bits: u8) {
    if bits != 0 {
        for byte in bytes {
            *byte ^= bits;
        }
    }
}
