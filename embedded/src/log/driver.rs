//! The loop between the machine and a driver.

use super::super::{NorFlash, bisync};
use crate::error::{Error, Fail, RegionShape};
use crate::geometry::RegionError;
use crate::index::Table;
use crate::machine::{Machine, Op};

/// Carries out what the machine asks for, until it is done.
#[bisync]
#[inline(never)]
pub(super) async fn run<F: NorFlash>(
    flash: &mut F,
    machine: &mut Machine,
    table: &mut dyn Table,
    mut op: Op,
) -> Result<(), Error<F::Error>> {
    let mut fault = None;
    loop {
        let size = machine.geometry.page_size.0;
        let (at, bytes) = machine.io();
        let done = match op {
            Op::Read => flash.read(at, bytes).await,
            Op::Program => flash.write(at, bytes).await,
            Op::Erase => flash.erase(at, at.wrapping_add(size)).await,
            Op::Done => break,
        };
        let ok = done.is_ok();
        if let Err(error) = done {
            fault = Some(error);
        }
        op = machine.called(table, ok);
    }
    match (machine.result, fault) {
        (Ok(()), _) => Ok(()),
        // Where calls failed, it is the driver that is at fault.
        (Err(Fail::Flash | Fail::WornOut(_) | Fail::StoreFull), Some(fault)) => {
            Err(Error::Flash(fault))
        }
        (Err(fail), _) => Err(explain(fail, machine)),
    }
}

/// What went wrong, with what belongs to it.
#[inline(never)]
pub(super) fn explain<E>(fail: Fail, machine: &Machine) -> Error<E> {
    match fail {
        Fail::Flash | Fail::Corrupt => Error::Corrupt,
        Fail::Region => Error::Region(machine.region_error.unwrap_or(RegionError::TooSmall)),
        Fail::NotFormatted => Error::NotFormatted,
        Fail::Foreign => Error::Foreign,
        Fail::ErasedValue(found) => Error::ErasedValue { found },
        Fail::NewerFormat(version) => Error::NewerFormat { version },
        Fail::OlderFormat(version) => Error::OlderFormat { version },
        Fail::Geometry => {
            let log = machine.reading.other.unwrap_or_default();
            Error::Geometry {
                pages: log.pages,
                page_size: log.page_size,
                unit: log.unit,
                region: RegionShape::from(&machine.geometry),
            }
        }
        Fail::Capacity(field) => Error::Capacity(field),
        Fail::RecordTooLarge(field) => Error::RecordTooLarge(field),
        Fail::StoreFull => Error::StoreFull,
        Fail::WornOut(page) => Error::WornOut { page },
    }
}
