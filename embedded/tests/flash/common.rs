//! Running scripts on a log.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use mtsession_embedded::sim::{Call, Chip, ChipError, Plain};
use mtsession_embedded::{Error, SessionLog};

/// Lengths of the lists of small sessions: DC entries, channels, peers, min peers.
pub(crate) const LISTS: [usize; 4] = [3, 12, 16, 4];

pub(crate) type Log<const W: usize, const E: usize> = SessionLog<Chip<W, E>>;

pub(crate) fn run<const W: usize, const E: usize>(
    log: &mut Log<W, E>,
    call: &Call,
) -> Result<(), Error<ChipError>> {
    call.run(log)
}

pub(crate) fn load<const W: usize, const E: usize>(
    log: &mut Log<W, E>,
) -> Result<Option<Plain>, Error<ChipError>> {
    let mut session = Plain::default();
    Ok(log.load(&mut session)?.then_some(session))
}

/// An empty log on a new chip.
pub(crate) fn new_log<const W: usize, const E: usize>(size: usize) -> Log<W, E> {
    let mut log = Log::new(Chip::new(size), 0..u32::try_from(size).unwrap());
    log.mount_or_format().unwrap();
    log
}

pub(crate) fn mount<const W: usize, const E: usize>(
    chip: Chip<W, E>,
) -> Result<Log<W, E>, Error<ChipError>> {
    let end = u32::try_from(chip.bytes.len()).unwrap();
    Log::mount(chip, 0..end)
}

/// Takes the chip out of the device, whatever the log has in RAM.
pub(crate) fn pull<const W: usize, const E: usize>(mut log: Log<W, E>) -> Chip<W, E> {
    core::mem::replace(log.chip(), Chip::new(0))
}

/// A log with the default capacities in a region that has one.
pub(crate) fn mounted<F: NorFlash>(
    flash: F,
    region: Range<u32>,
) -> Result<SessionLog<F>, Error<F::Error>> {
    mounted_as(flash, region)
}

pub(crate) fn mounted_as<
    F: NorFlash,
    const D: usize,
    const C: usize,
    const P: usize,
    const M: usize,
    const T: usize,
>(
    flash: F,
    region: Range<u32>,
) -> Result<SessionLog<F, D, C, P, M, T>, Error<F::Error>> {
    SessionLog::mount(flash, region)
}

/// An empty log, whatever was there.
pub(crate) fn formatted<F: NorFlash>(
    flash: F,
    region: Range<u32>,
) -> Result<SessionLog<F>, Error<F::Error>> {
    formatted_as(flash, region)
}

pub(crate) fn formatted_as<
    F: NorFlash,
    const D: usize,
    const C: usize,
    const P: usize,
    const M: usize,
    const T: usize,
>(
    flash: F,
    region: Range<u32>,
) -> Result<SessionLog<F, D, C, P, M, T>, Error<F::Error>> {
    SessionLog::format(flash, region)
}
