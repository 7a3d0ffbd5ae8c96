//! Running scripts on a log.

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
    Log::format(Chip::new(size), 0..u32::try_from(size).unwrap()).unwrap()
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
