//! The first start: a chip as it comes from the factory, and whatever a first format left that was cut.

use mtsession_core::{Change, FixedSession, SessionMut, SessionSource, UpdateChange};
use mtsession_embedded::sim::{
    Chip, ChipError, Cut, Dice, ERASE_TEARS, PROGRAM_TEARS, Tear, fresh_session,
};
use mtsession_embedded::{Error, RegionError, SessionLog, Started};

use crate::common::{Log, formatted, load, mounted};

fn end<const W: usize, const E: usize>(chip: &Chip<W, E>) -> u32 {
    u32::try_from(chip.bytes.len()).unwrap()
}

/// Starts as a firmware does.
fn boot<const W: usize, const E: usize>(
    chip: Chip<W, E>,
) -> (Log<W, E>, Result<Started, Error<ChipError>>) {
    let end = end(&chip);
    let mut log = SessionLog::new(chip, 0..end);
    let started = log.mount_or_format();
    (log, started)
}

fn power_up<const W: usize, const E: usize>(log: Log<W, E>) -> Chip<W, E> {
    let mut chip = log.release().map_err(|_| "nothing waits in RAM").unwrap();
    chip.power_up();
    chip
}

/// Cuts a first start at every step with every damage, then the next ones at random steps.
fn first_starts<const W: usize, const E: usize>(chip: &Chip<W, E>, cuts: usize) {
    let (mut probe, started) = boot(chip.clone());
    assert_eq!(started, Ok(Started::Formatted));
    let steps = probe.chip().counts.steps;
    let mut dice = Dice::new(3);
    for (step, n) in (0..steps).flat_map(|step| (0..PROGRAM_TEARS * 8).map(move |n| (step, n))) {
        let mut chip = chip.clone();
        let mut after = step;
        let mut context = format!("unit {W}");
        for again in 0..=cuts {
            let tear = Tear::new(
                if again == 0 {
                    n % PROGRAM_TEARS
                } else {
                    dice.next() as u8 % PROGRAM_TEARS
                },
                dice.next() as u8 % ERASE_TEARS,
            );
            // A word that only looks blank takes anything, whatever a header has there.
            chip.weakens = again + 1 == cuts;
            if again < cuts {
                chip.cut(Cut { after, tear }, dice.next());
                context = format!("{context}, step {after} {tear:?}");
            }
            let (mut log, started) = boot(chip);
            if !log.chip().is_dead() {
                started.unwrap_or_else(|error| panic!("{context}: {error}"));
            }
            chip = power_up(log);
            after = dice.below(usize::try_from(steps).unwrap() + 1) as u64;
        }
        let (mut log, started) = boot(chip);
        assert_eq!(started, Ok(Started::Empty), "{context}");
        assert_eq!(load(&mut log).unwrap(), None, "{context}");
        let session = fresh_session(&mut dice, 1, 2, 2);
        log.save(&session).unwrap();
        assert_eq!(log.chip().violations, 0, "{context}");
        let (mut log, _) = boot(power_up(log));
        assert_eq!(load(&mut log).unwrap(), Some(session), "{context}");
    }
}

#[test]
fn a_first_format_that_is_cut_goes_on_at_the_next_start() {
    // As often in a row as there are pages, and once more.
    first_starts(&Chip::<1, 4096>::new(16 << 10), 3);
    first_starts(&Chip::<4, 1024>::new(3 << 10), 3);
    first_starts(&Chip::<8, 2048>::new(4 << 10), 2);
    first_starts(&Chip::<32, 4096>::new(8 << 10), 2);
    let mut chip = Chip::<16, 2048>::new(6 << 10);
    chip.corrects = true;
    first_starts(&chip, 2);
    let mut chip = Chip::<1, 4096>::new(8 << 10);
    chip.page_programs = true;
    chip.strict = false;
    first_starts(&chip, 3);
    chip.erased = 0;
    first_starts(&chip, 2);
}

#[test]
fn a_blank_chip_is_not_erased() {
    let (mut log, started) = boot(Chip::<4, 4096>::new(16 << 10));
    assert_eq!(started, Ok(Started::Formatted));
    assert_eq!(log.chip().counts.erases, 0);
}

#[test]
fn what_is_not_a_log_is_never_formatted_by_a_start() {
    for at in [0, 100, 4095, 9000] {
        let mut chip = Chip::<4, 4096>::new(16 << 10);
        chip.bytes[at..at + 3].copy_from_slice(b"app");
        let bytes = chip.bytes.clone();
        let (mut log, started) = boot(chip);
        assert_eq!(started, Err(Error::Foreign), "at {at}");
        assert!(log.chip().bytes == bytes && log.chip().counts.erases == 0);
    }
}

/// Formatting anew, cut anywhere: the old session or none, and never a part of it.
#[test]
fn a_log_that_is_formatted_again_is_there_as_a_whole_or_not_at_all() {
    let mut log = boot(Chip::<4, 1024>::new(6 << 10)).0;
    let session = fresh_session(&mut Dice::new(1), 3, 4, 5);
    log.save(&session).unwrap();
    let chip = power_up(log);
    let region = 0..end(&chip);
    let mut probe = chip.clone();
    formatted(&mut probe, region.clone()).map(drop).unwrap();
    let steps = probe.counts.steps - chip.counts.steps;
    for (after, n) in (0..steps).flat_map(|step| (0..8).map(move |n| (step, n))) {
        let mut chip = chip.clone();
        let tear = Tear::new(n % PROGRAM_TEARS, n % ERASE_TEARS);
        chip.cut(Cut { after, tear }, after);
        let done = formatted(&mut chip, region.clone()).is_ok();
        chip.power_up();
        let (mut log, started) = boot(chip);
        started.unwrap_or_else(|error| panic!("step {after}, {tear:?}: {error}"));
        let found = load(&mut log).unwrap();
        assert!(
            found.is_none() || !done && found == Some(session.clone()),
            "step {after}, {tear:?}"
        );
    }
}

#[test]
fn erased_cells_may_read_as_zeros() {
    let mut chip = Chip::<4, 1024>::new(8 << 10);
    chip.erased = 0;
    let (mut log, started) = boot(chip);
    assert_eq!(started, Ok(Started::Formatted));
    let session = fresh_session(&mut Dice::new(1), 2, 4, 5);
    log.save(&session).unwrap();
    let mut chip = power_up(log);
    let erases = chip.counts.erases;
    for pts in 0..100 {
        let (mut log, started) = boot(chip);
        assert_eq!(started, Ok(Started::Mounted));
        let found = load(&mut log).unwrap().unwrap();
        assert!(found.dcs == session.dcs && (pts == 0 || found.counters.pts == pts - 1));
        let update = UpdateChange::Primary {
            pts,
            date: 1,
            seq: 1,
        };
        log.append(&Change::Update(update)).unwrap();
        chip = power_up(log);
    }
    assert!(chip.counts.erases - erases < 10, "no erase for each start");
    assert_eq!(chip.violations, 0);
}

#[test]
fn another_erased_state_is_named_with_what_was_read() {
    for (erased, noise) in [(0x55, false), (0xFE, false), (0xFF, true)] {
        let mut chip = Chip::<16, 4096>::new(16 << 10);
        (chip.erased, chip.noise) = (erased, noise);
        let (mut log, started) = boot(chip);
        assert_eq!(started, Err(Error::Foreign));
        let bytes = log.chip().counts;
        assert_eq!((bytes.programs, bytes.erases), (0, 0));
        let chip = power_up(log);
        let error = formatted(chip, 0..16 << 10).map(drop).unwrap_err();
        let Error::ErasedValue { found } = error else {
            panic!("{error}")
        };
        assert!(noise || found == erased);
        let text = format!("reads as {found:#04x}");
        assert!(error.to_string().contains(&text), "{error}");
    }
}

#[test]
fn no_error_of_a_start_takes_the_driver() {
    let mut chip = Chip::<4, 4096>::new(16 << 10);
    chip.bytes[5] = 0;
    for (start, end) in [(0, 16 << 10), (0, 1 << 20), (3, 9), (0, 4096)] {
        let mut log = SessionLog::<_>::new(chip, start..end);
        let mut session = FixedSession::<6, 32, 64, 16, 64>::new();
        let error = log.mount_or_format().unwrap_err();
        assert_eq!(log.load(&mut session), Err(error));
        assert_eq!(log.append(&Change::HomeDc(2)), Err(error));
        assert_eq!(log.delete(), Err(error));
        chip = log.release().map_err(|_| "the driver is here").unwrap();
    }
    chip.bytes[5] = 0xFF;
    let (_, started) = boot(chip);
    assert_eq!(started, Ok(Started::Formatted));
}

#[test]
fn a_region_after_the_chip_is_refused_with_both_numbers() {
    let mut log = SessionLog::<_>::new(Chip::<8, 2048>::new(0x20000), 0x40000..0x44000);
    let error = log.mount_or_format().unwrap_err();
    let wrong = RegionError::OutOfBounds {
        end: 0x44000,
        capacity: 0x20000,
    };
    assert_eq!(error, Error::Region(wrong));
    let text = error.to_string();
    assert!(text.contains("278528") && text.contains("131072"), "{text}");
}

/// Two banks with a gap between them: the driver's capacity is what both have.
#[test]
fn a_region_in_the_second_bank_works_where_the_driver_reads_it() {
    let mut chip = Chip::<8, 2048>::new(0x60000);
    chip.capacity = Some(0x40000);
    let mut log = SessionLog::<_>::new(chip, 0x40000..0x44000);
    assert_eq!(log.mount_or_format(), Ok(Started::Formatted));
    log.append(&Change::HomeDc(4)).unwrap();
    let mut log = mounted(log.release().map_err(|_| ()).unwrap(), 0x40000..0x44000).unwrap();
    let mut session = FixedSession::<6, 32, 64, 16, 64>::new();
    assert!(log.load(&mut session).unwrap());
    assert_eq!(session.home_dc_id(), 4);
    session.set_home_dc_id(5);
    log.save(&session).unwrap();
}
