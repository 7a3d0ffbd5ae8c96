//! A driver that fails at any of its calls, once, several times in a row, or from then on.

use mtsession_embedded::sim::{Call, Chip, Dice, History, OwnedChange, Plain, random_calls};
use mtsession_embedded::{Durability, Error, KeyCopies};

use crate::common::{Log, formatted, load, mount, new_log, pull, run};

/// Lists of a session that fits three small pages with two copies of keys.
const TINY: [usize; 4] = [1, 3, 4, 1];

/// How a log is used.
#[derive(Clone, Copy)]
struct Options {
    copies: KeyCopies,
    lazy: u16,
}

const PLAIN: Options = Options {
    copies: KeyCopies::One,
    lazy: 1,
};

impl Options {
    fn set_up<const W: usize, const E: usize>(self, log: &mut Log<W, E>) {
        log.set_key_copies(self.copies).unwrap();
        log.set_durability(Durability::Lazy(self.lazy));
    }
}

/// Once, a few times, for ever.
const TIMES: [u64; 4] = [1, 2, 40, u64::MAX];

/// How a driver fails: how often, whether reads work, and whether a part of the work is done. Of the
/// last, `MTSESSION_TEARS` sets how many kinds are tried.
fn ways() -> impl Iterator<Item = (u64, bool, bool)> {
    let tears = std::env::var("MTSESSION_TEARS").map_or(1, |tears| tears.parse().unwrap());
    let torn = move || (0..=tears).map(|tear: u32| tear > 0);
    let reads = move |times| [false, true].into_iter().map(move |reads| (times, reads));
    let ways = TIMES.into_iter().flat_map(reads);
    ways.flat_map(move |(times, reads)| torn().map(move |torn| (times, reads, torn)))
}

/// What a call made of a chip: its result, and how many calls of the driver it took.
fn counted<const W: usize, const E: usize, T>(
    log: &mut Log<W, E>,
    call: impl FnOnce(&mut Log<W, E>) -> T,
) -> (T, u64) {
    let before = log.chip().counts.calls;
    let result = call(log);
    (result, log.chip().counts.calls - before)
}

/// Fails every driver call of every call of a script that laps the region.
fn every_call<const W: usize, const E: usize>(size: usize, options: Options) {
    let mut log = new_log::<W, E>(size);
    options.set_up(&mut log);
    log.chip().corrects = W >= 8;
    let mut model = History::new(options.lazy);
    let (mut trials, mut kinds) = (0, [0; 6]);
    let calls = random_calls(&mut Dice::new(5), 600, TINY);
    let calls = calls
        .chunks(7)
        .flat_map(|calls| calls.iter().chain([&Call::Maintain]));
    for (n, call) in calls.enumerate() {
        let mut probe = log.clone();
        let (result, count) = counted(&mut probe, |log| run(log, call));
        if matches!(result, Err(Error::StoreFull)) {
            continue;
        }
        result.unwrap();
        kinds[kind(call)] += count;
        let allowed = model.interrupted(call);
        let mut after = model.clone();
        after.note(call);
        for at in 0..count {
            for (times, spares_reads, torn) in ways() {
                trials += 1;
                let context = format!(
                    "unit {W}, call {n} {call:?}, {times} failures at {at}, reads work: {spares_reads}, \
                     torn: {torn}"
                );
                let mut trial = log.clone();
                trial.chip().spares_reads = spares_reads;
                if torn {
                    trial.chip().fail_torn(at, times, trials);
                } else {
                    trial.chip().fail(at, times);
                }
                let result = run(&mut trial, call);
                trial.chip().heal();
                let now = load(&mut trial).unwrap_or_else(|error| panic!("{context}: {error}"));
                // What fails once is done again.
                assert!(times > 1 || result.is_ok(), "{context}: {result:?}");
                let mut models = vec![after.clone()];
                if result.is_err() {
                    let known = allowed.iter().any(|model| model.allows(&now));
                    assert!(known, "{context}: {now:?}");
                    // Counters that wait in RAM still do, or are forgotten.
                    models.push(model.clone());
                    models.push(model.clone());
                    models[2].settle(now.clone());
                    models.retain(|model| *model.now() == now);
                }
                assert_eq!(&now, models[0].now(), "{context}");
                // The same object goes on: a second try works, and so does something else.
                for call in [call, &Call::Append(OwnedChange::HomeDc(77))] {
                    let (mut trial, mut models) = (trial.clone(), models.clone());
                    run(&mut trial, call).unwrap_or_else(|error| panic!("{context}: {error}"));
                    for model in &mut models {
                        model.note(call);
                    }
                    assert_eq!(&load(&mut trial).unwrap(), models[0].now(), "{context}");
                    assert_eq!(trial.chip().violations, 0, "{context}");
                    let found = load(&mut mount(pull(trial)).unwrap()).unwrap();
                    let known = models.iter().any(|model| model.allows(&found));
                    assert!(known, "{context}, then {call:?}: {found:#?} {models:#?}");
                }
            }
        }
        run(&mut log, call).unwrap();
        model = after;
    }
    let laps = *log.chip().erases.iter().min().unwrap();
    println!("unit {W}: {trials} failing drivers, {laps} laps, driver calls by kind {kinds:?}");
    assert!(laps > 1 && kinds[..5].iter().all(|count| *count > 0));
    assert_eq!(
        kinds[5] > 0,
        options.lazy > 1,
        "only lazy counters are synced"
    );
}

fn kind(call: &Call) -> usize {
    match call {
        Call::Append(_) => 0,
        Call::Apply(_) => 1,
        Call::Save(_) => 2,
        Call::Delete => 3,
        Call::Maintain => 4,
        Call::Sync => 5,
    }
}

#[test]
fn a_driver_may_fail_at_any_call() {
    every_call::<4, 1024>(4 << 10, PLAIN);
    every_call::<1, 1024>(3 << 10, PLAIN);
    let lazy = Options { lazy: 4, ..PLAIN };
    every_call::<16, 1024>(5 << 10, lazy);
    let copies = KeyCopies::Two;
    every_call::<8, 1024>(5 << 10, Options { copies, ..PLAIN });
    every_call::<32, 2048>(6 << 10, Options { copies, lazy: 3 });
}

/// Of pages that were blank too: an erase that failed may have left anything there.
#[test]
fn a_deletion_that_failed_may_be_made_again_at_once() {
    let mut log = new_log::<4, 1024>(6 << 10);
    run(&mut log, &Call::Append(OwnedChange::HomeDc(2))).unwrap();
    let (result, count) = counted(&mut log.clone(), Log::delete);
    result.unwrap();
    let mut failed = 0;
    for (at, seed) in (0..count).flat_map(|at| (0..16).map(move |seed| (at, seed))) {
        let mut trial = log.clone();
        trial.chip().fail_torn(at, u64::MAX, seed);
        failed += u32::from(trial.delete().is_err());
        trial.chip().heal();
        trial
            .delete()
            .unwrap_or_else(|error| panic!("failures at {at}: {error}"));
        assert_eq!(trial.chip().violations, 0, "failures at {at}");
        assert_eq!(load(&mut mount(pull(trial)).unwrap()).unwrap(), None);
    }
    assert!(failed > 100);
}

/// Regions as they are after every so many calls, and what they hold.
fn regions<const W: usize, const E: usize>(size: usize) -> Vec<(Chip<W, E>, Option<Plain>)> {
    let mut log = new_log::<W, E>(size);
    let mut model = None;
    let mut regions = Vec::new();
    for (n, call) in random_calls(&mut Dice::new(7), 800, TINY)
        .iter()
        .enumerate()
    {
        if !matches!(run(&mut log, call), Err(Error::StoreFull)) {
            call.carry_out(&mut model);
        }
        if n % 23 == 0 || matches!(call, Call::Delete) {
            regions.push((log.chip().clone(), model.clone()));
        }
    }
    regions
}

fn reading<const W: usize, const E: usize>(size: usize) {
    for (n, (chip, model)) in regions::<W, E>(size).into_iter().enumerate() {
        let start = chip.counts.calls;
        let mut probe = mount(chip.clone()).unwrap();
        let count = probe.chip().counts.calls - start;
        for at in 0..count {
            for times in TIMES {
                let context = format!("unit {W}, region {n}, {times} failures at {at}");
                let mut chip = chip.clone();
                chip.fail(at, times);
                let end = u32::try_from(size).unwrap();
                let mut log = Log::new(chip, 0..end);
                match load(&mut log) {
                    Ok(found) => assert_eq!(found, model, "{context}"),
                    Err(error) => assert!(matches!(error, Error::Flash(_)), "{context}: {error}"),
                }
                let (then, now) = (probe.chip().counts, log.chip().counts);
                let unchanged = (then.programs, then.erases) == (now.programs, now.erases);
                assert!(
                    unchanged && log.chip().bytes == probe.chip().bytes,
                    "{context}"
                );
                // A second try works, in the same object too.
                log.chip().heal();
                assert_eq!(load(&mut log).unwrap(), model, "{context}");
                assert_eq!(log.stats().map(|stats| stats.damaged), Ok(0), "{context}");
                assert_eq!(
                    load(&mut mount(pull(log)).unwrap()).unwrap(),
                    model,
                    "{context}"
                );
            }
        }
    }
}

#[test]
fn a_driver_may_fail_while_a_log_is_mounted_and_read() {
    reading::<1, 1024>(3 << 10);
    reading::<4, 1024>(4 << 10);
    reading::<8, 1024>(5 << 10);
    reading::<16, 1024>(5 << 10);
    reading::<32, 2048>(6 << 10);
}

fn formatting<const W: usize, const E: usize>(size: usize) {
    let end = u32::try_from(size).unwrap();
    for (chip, _) in regions::<W, E>(size).into_iter().step_by(5) {
        let mut probe = chip.clone();
        formatted(&mut probe, 0..end).map(drop).unwrap();
        for at in 0..probe.counts.calls - chip.counts.calls {
            for times in TIMES {
                let mut chip = chip.clone();
                chip.fail(at, times);
                let result = formatted(&mut chip, 0..end).map(drop);
                chip.heal();
                if let Err(error) = result {
                    assert!(matches!(error, Error::Flash(_)), "{error}");
                    // Whatever is there now, looking at it and formatting again work.
                    drop(mount(chip.clone()).map(|mut log| load(&mut log).unwrap()));
                    formatted(&mut chip, 0..end).map(drop).unwrap();
                }
                let mut log = mount(chip).unwrap();
                assert_eq!(load(&mut log).unwrap(), None);
            }
        }
    }
}

#[test]
fn a_driver_may_fail_while_a_region_is_formatted() {
    formatting::<1, 1024>(3 << 10);
    formatting::<4, 1024>(4 << 10);
    formatting::<32, 2048>(6 << 10);
}

#[test]
fn release_gives_the_driver_back_when_it_fails() {
    let mut log = new_log::<4, 1024>(4 << 10);
    log.set_durability(Durability::Lazy(100));
    let calls = random_calls(&mut Dice::new(9), 40, TINY);
    let mut model = None;
    for call in &calls {
        run(&mut log, call).unwrap();
        call.carry_out(&mut model);
    }
    for at in 0..3 {
        let mut log = log.clone();
        log.chip().fail(at, u64::MAX);
        let (mut chip, error) = log.release().map(|_| "released").unwrap_err();
        assert!(matches!(error, Error::Flash(_)), "{error}");
        chip.heal();
        mount(chip).unwrap();
    }
    let chip = log.release().map_err(|(_, error)| error).unwrap();
    assert_eq!(load(&mut mount(chip).unwrap()).unwrap(), model);
}
