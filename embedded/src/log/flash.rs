//! Reading and programming, with every result checked.

use super::super::{NorFlash, bisync};
use super::{Buffer, Shell};
use crate::error::Error;
use crate::header::{HEADER_LEN, Header, NoHeader, header_units};
use crate::record::{Head, open, seal};
use crate::state::Page;

/// Units of one read that may fail before the driver itself is held to be broken.
const MAX_FAULTS: u8 = 8;
/// Places that a record is tried at.
const ATTEMPTS: u8 = 4;

/// Why a program did not take.
enum Failed<E> {
    Driver(E),
    /// It reads back differently.
    Mismatch,
}

#[bisync]
impl<F: NorFlash> Shell<'_, F> {
    /// Reads whole units. Units that the chip cannot read (a torn word of a flash with error
    /// correction) read as zeros, which are no valid record.
    pub(super) async fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        let mut address = self.state.geometry.address(at);
        if self.flash.read(address, bytes).await.is_ok() {
            return Ok(());
        }
        let unit = self.state.geometry.unit();
        let mut faults = 0_u8;
        for chunk in bytes.chunks_mut(usize::try_from(unit).unwrap_or(1)) {
            let mut result = self.flash.read(address, chunk).await;
            if result.is_err() {
                result = self.flash.read(address, chunk).await;
            }
            if let Err(error) = result {
                faults = faults.wrapping_add(1);
                if faults > MAX_FAULTS {
                    return Err(error);
                }
                chunk.fill(0);
            }
            address = address.wrapping_add(unit);
        }
        Ok(())
    }

    /// Programs whole units and reads them back.
    async fn program(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed<F::Error>> {
        let result = self.program_once(at, bytes).await;
        if result.is_err() {
            self.state.failed_programs = self.state.failed_programs.saturating_add(1);
        }
        result
    }

    async fn program_once(&mut self, at: u32, bytes: &[u8]) -> Result<(), Failed<F::Error>> {
        let address = self.state.geometry.address(at);
        self.flash
            .write(address, bytes)
            .await
            .map_err(Failed::Driver)?;
        let mut at = at;
        for written in bytes.chunks(32) {
            let mut back = [0; 32];
            let (back, _) = back.split_at_mut(written.len().min(32));
            self.read(at, back).await.map_err(Failed::Driver)?;
            if back != written {
                return Err(Failed::Mismatch);
            }
            at = at.wrapping_add(32 >> self.state.geometry.shift);
        }
        Ok(())
    }

    /// Programs a hot record at the head's tail. If that does not take, the tail is unknown.
    pub(super) async fn emit_hot(&mut self, bytes: &[u8]) -> Result<(), Error<F::Error>> {
        let at = self.state.head.tail;
        self.state.tail_unknown = true;
        self.program(at, bytes)
            .await
            .map_err(|failed| fault(failed, self.state.head.number))?;
        let units = self
            .state
            .geometry
            .units(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.state.head.tail = at.wrapping_add(units);
        self.state.tail_unknown = false;
        Ok(())
    }

    /// Programs a record whose payload is in `buffer` behind `page`'s tail, or further on where
    /// that does not take. Returns its place.
    pub(super) async fn emit(
        &mut self,
        page: &mut Page,
        buffer: &mut Buffer,
        head: Head,
    ) -> Result<u16, Error<F::Error>> {
        let geometry = self.state.geometry;
        let units = head.units(&geometry);
        let base = page.tail;
        let mut error = Error::StoreFull;
        for _ in 0..ATTEMPTS {
            let at = page.tail;
            if page.room() < units {
                break;
            }
            seal(buffer, head, page.seed ^ at);
            let next = at.wrapping_add(units);
            page.tail = next;
            let len = usize::try_from(units << geometry.shift).unwrap_or_default();
            let bytes = buffer.get(..len).unwrap_or_default();
            match self.program(at, bytes).await {
                Ok(()) => return Ok(u16::try_from(at).unwrap_or(u16::MAX)),
                Err(failed) => error = fault(failed, page.number),
            }
            // Readers take two blank units for the end: as long as there is nothing, leave one. Behind
            // something they go on, so leave all of it, since a unit of ones looks like an erased one.
            if self.programmed_end(base, next).await? == base {
                page.tail = base.wrapping_add(1);
            }
        }
        Err(error)
    }

    /// [`emit`](Self::emit) to the head page.
    pub(super) async fn emit_to_head(
        &mut self,
        buffer: &mut Buffer,
        head: Head,
    ) -> Result<u16, Error<F::Error>> {
        let mut page = self.state.head;
        let result = self.emit(&mut page, buffer, head).await;
        self.state.head = page;
        self.state.tail_unknown |= result.is_err();
        result
    }

    /// Reads a record of the chain into `buffer` and checks it; its payload starts at byte 4.
    pub(super) async fn fetch(
        &mut self,
        at: u16,
        units: u8,
        buffer: &mut Buffer,
    ) -> Result<Option<Head>, Error<F::Error>> {
        let at = u32::from(at);
        let len = usize::from(units) << self.state.geometry.shift;
        let Some(bytes) = buffer.get_mut(..len) else {
            return Ok(None);
        };
        self.read(at, bytes).await.map_err(Error::Flash)?;
        let seed = self.state.seed_at(at) ^ at;
        Ok(open(buffer.as_slice(), seed).map(|(head, _)| head))
    }

    /// Makes a page count: programs its header twice.
    pub(super) async fn commit(
        &mut self,
        page: Page,
        header: &Header,
    ) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        let mut bytes = [0xFF; 64];
        if let Some(place) = bytes.first_chunk_mut::<HEADER_LEN>() {
            *place = header.encode(page.number);
        }
        let units = header_units(&geometry);
        let len = usize::try_from(units << geometry.shift).unwrap_or_default();
        let bytes = bytes.get(..len).unwrap_or_default();
        let at = geometry.page_at(page.number);
        let first = self.program(at, bytes).await;
        let second = self.program(at.wrapping_add(units), bytes).await;
        match (first, second) {
            (Err(_), Err(failed)) => Err(fault(failed, page.number)),
            _ => Ok(()),
        }
    }

    /// Reads the header of a page, or its copy.
    pub(super) async fn header(&mut self, page: u8) -> Result<Result<Header, NoHeader>, F::Error> {
        let geometry = self.state.geometry;
        let units = header_units(&geometry);
        let len = usize::try_from(units << geometry.shift).unwrap_or_default();
        let at = geometry.page_at(page);
        let mut bytes = [0; 64];
        let (place, _) = bytes.split_at_mut(len.min(64));
        let first = self.read(at, place).await;
        let first = first.map(|()| decode(&bytes, page));
        if let Ok(Ok(header)) = first {
            return Ok(Ok(header));
        }
        let (place, _) = bytes.split_at_mut(len.min(64));
        self.read(at.wrapping_add(units), place).await?;
        match decode(&bytes, page) {
            // Where neither is a header, the first place says better what is there.
            Err(_) => first,
            header => Ok(header),
        }
    }

    /// Erases a page; tries twice.
    pub(super) async fn erase(&mut self, page: u8) -> Result<(), Error<F::Error>> {
        let geometry = self.state.geometry;
        let from = geometry.address(geometry.page_at(page));
        let to = from.wrapping_add(geometry.page_size);
        if self.flash.erase(from, to).await.is_ok() {
            return Ok(());
        }
        self.flash.erase(from, to).await.map_err(Error::Flash)
    }

    /// Erases the page behind the head unless that is known to be done; returns how often it has
    /// been erased now.
    pub(super) async fn erase_next(&mut self) -> Result<u32, Error<F::Error>> {
        let head = self.state.head.number;
        let next = self.state.geometry.next(head, 1);
        // All pages are erased in turn.
        let lap = u32::from(next < head);
        let expected = self.state.erases.saturating_add(lap);
        let recorded = match self.header(next).await {
            Ok(Ok(header)) => header.erases.saturating_add(1),
            _ => 0,
        };
        if !self.state.next_erased {
            self.erase(next).await?;
            self.state.next_erased = true;
        }
        Ok(recorded.max(expected))
    }

    /// Behind the last unit from `from` to `end` that is not blank; `from` where all are.
    pub(super) async fn programmed_end(
        &mut self,
        from: u32,
        end: u32,
    ) -> Result<u32, Error<F::Error>> {
        let shift = self.state.geometry.shift;
        let mut last = from;
        let mut at = from;
        while at < end {
            let units = (64 >> shift).min(end.wrapping_sub(at));
            let mut bytes = [0; 64];
            let len = usize::try_from(units << shift).unwrap_or_default();
            let (bytes, _) = bytes.split_at_mut(len.min(64));
            self.read(at, bytes).await.map_err(Error::Flash)?;
            if let Some(byte) = bytes.iter().rposition(|byte| *byte != 0xFF) {
                let unit = u32::try_from(byte >> shift).unwrap_or_default();
                last = at.wrapping_add(unit).wrapping_add(1);
            }
            at = at.wrapping_add(units);
        }
        Ok(last)
    }
}

fn fault<E>(failed: Failed<E>, page: u8) -> Error<E> {
    match failed {
        Failed::Driver(error) => Error::Flash(error),
        Failed::Mismatch => Error::WornOut { page },
    }
}

fn decode(bytes: &[u8; 64], page: u8) -> Result<Header, NoHeader> {
    match bytes.first_chunk() {
        Some(header) => Header::decode(header, page),
        None => Err(NoHeader::Damaged),
    }
}
