//! The power is cut in the middle of programs and erases: what is on flash is the session before or
//! after the interrupted call, and goes on working.
//!
//! Small regions are cut at every step of scripts that lap them, with every kind of damage; of the
//! geometries of real chips a number of cuts is drawn. `MTSESSION_CUTS` sets that number, for each of
//! them; see TESTING.md for the large run.

use core::iter;

use mtsession_embedded::sim::{
    Call, Chip, Cut, Dice, ERASE_TEARS, PROGRAM_TEARS, Plain, Tear, random_calls,
};
use mtsession_embedded::{Error, KeyCopies};

use crate::common::{LISTS, Log, load, mount, new_log, pull, run};

/// Cuts per geometry that are drawn in the run that everyone makes.
const CUTS: u64 = 3000;
/// How many of them are made in one script.
const CUTS_PER_SCRIPT: usize = 1000;
/// The device starts anew before every so many calls.
const STARTS: usize = 61;

/// Lists of a session that just fits small regions.
const TINY: [usize; 4] = [1, 3, 4, 1];
/// Those of a device: as much as the log's type has room for.
const FULL: [usize; 4] = [5, 32, 64, 16];

/// What is cut.
#[derive(Clone, Copy)]
struct Setting {
    name: &'static str,
    /// Bytes of the region.
    size: usize,
    lists: [usize; 4],
    /// Whether torn words cannot be read.
    corrects: bool,
    copies: KeyCopies,
    /// Whether weak words may go bad late.
    late: bool,
}

impl Setting {
    const fn new(name: &'static str, size: usize, lists: [usize; 4]) -> Self {
        Self {
            name,
            size,
            lists,
            corrects: false,
            copies: KeyCopies::One,
            late: false,
        }
    }

    const fn corrects(self) -> Self {
        Self {
            corrects: true,
            ..self
        }
    }

    const fn keys_twice(self) -> Self {
        Self {
            copies: KeyCopies::Two,
            ..self
        }
    }
}

struct Run<const W: usize, const E: usize> {
    setting: Setting,
    done: u64,
    double: u64,
    /// Runs that went on for two laps.
    long: u64,
    /// Programs that the chip had made when the script's device last started.
    started: u64,
    dice: Dice,
}

/// Calls that lap a region at least three times, and how many steps (word programs and page erases)
/// each takes.
struct Script {
    seed: u64,
    calls: Vec<Call>,
    steps: Vec<u64>,
}

impl Script {
    fn new<const W: usize, const E: usize>(setting: &Setting, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (mut calls, mut steps) = (Vec::new(), Vec::new());
        let mut log = start::<W, E>(setting);
        while log.chip().erases.iter().any(|erases| *erases < 4) {
            for call in random_calls(&mut dice, 400, setting.lists) {
                let before = log.chip().counts.steps;
                match run(&mut log, &call) {
                    Ok(()) => {}
                    // Small pages do not take every batch.
                    Err(Error::BatchTooLarge { .. }) => continue,
                    Err(error) => panic!("{}, seed {seed}, {call:?}: {error}", setting.name),
                }
                steps.push(log.chip().counts.steps - before);
                calls.push(call);
                if calls.len().is_multiple_of(STARTS) {
                    log = restart(setting, log);
                }
            }
        }
        Self { seed, calls, steps }
    }

    /// Every step of every call.
    fn all(&self) -> Vec<(usize, u64)> {
        let calls = self.steps.iter().enumerate();
        calls
            .flat_map(|(call, steps)| (0..*steps).map(move |step| (call, step)))
            .collect()
    }

    /// Some steps: half of them of any call, so that short calls are met, half of them of any step,
    /// so that the page turns and the saves are.
    fn draw(&self, dice: &mut Dice, count: usize) -> Vec<(usize, u64)> {
        let all = self.all();
        let mut drawn: Vec<_> = (0..count)
            .map(|n| {
                if n % 2 == 0 {
                    return all[dice.below(all.len())];
                }
                loop {
                    let call = dice.below(self.calls.len());
                    if self.steps[call] > 0 {
                        let steps = usize::try_from(self.steps[call]).unwrap();
                        break (call, dice.below(steps) as u64);
                    }
                }
            })
            .collect();
        drawn.sort_unstable();
        drawn
    }
}

fn start<const W: usize, const E: usize>(setting: &Setting) -> Log<W, E> {
    let mut log = new_log::<W, E>(setting.size);
    log.chip().corrects = setting.corrects;
    log.chip().late = setting.late;
    log.set_key_copies(setting.copies).unwrap();
    log
}

fn restart<const W: usize, const E: usize>(setting: &Setting, log: Log<W, E>) -> Log<W, E> {
    let mut log = mount(pull(log)).unwrap();
    log.set_key_copies(setting.copies).unwrap();
    log
}

/// The session before a call and after it.
fn states(before: &Option<Plain>, call: &Call) -> Vec<Option<Plain>> {
    let mut after = before.clone();
    call.carry_out(&mut after);
    vec![before.clone(), after]
}

impl<const W: usize, const E: usize> Run<W, E> {
    fn new(setting: Setting) -> Self {
        Self {
            setting,
            done: 0,
            double: 0,
            long: 0,
            started: 0,
            dice: Dice::new(42),
        }
    }

    fn tear(&mut self) -> Tear {
        Tear {
            program: u8::try_from(self.dice.below(PROGRAM_TEARS.into())).unwrap(),
            erase: u8::try_from(self.dice.below(ERASE_TEARS.into())).unwrap(),
        }
    }

    /// Every step of a script with every tear.
    fn every(mut self) {
        self.setting.late = true;
        let script = Script::new::<W, E>(&self.setting, 1);
        let tears = (0..PROGRAM_TEARS.max(ERASE_TEARS)).map(|n| Tear {
            program: n % PROGRAM_TEARS,
            erase: n % ERASE_TEARS,
        });
        let cuts = script.all().into_iter();
        let cuts: Vec<_> = cuts
            .flat_map(|(call, step)| tears.clone().map(move |tear| (call, step, tear)))
            .collect();
        self.script(&script, &cuts);
        self.report("every step of a script");
    }

    /// Some steps of some scripts.
    fn some(mut self) {
        let cuts = std::env::var("MTSESSION_CUTS").map_or(CUTS, |cuts| {
            cuts.parse().expect("MTSESSION_CUTS is a number")
        });
        for seed in 1.. {
            let left = usize::try_from(cuts - self.done).unwrap();
            let script = Script::new::<W, E>(&self.setting, seed);
            let drawn = script.draw(&mut self.dice, left.min(CUTS_PER_SCRIPT));
            let cuts_of_script: Vec<_> = drawn
                .into_iter()
                .map(|(call, step)| (call, step, self.tear()))
                .collect();
            self.script(&script, &cuts_of_script);
            if self.done >= cuts {
                break;
            }
        }
        self.report("drawn");
    }

    fn report(&self, what: &str) {
        println!(
            "{}, {what}: {} cuts, {} of them double, {} followed by two laps, 0 failures",
            self.setting.name, self.done, self.double, self.long
        );
        assert!(self.double > 0 && self.long > 0);
    }

    /// Runs a script; `cuts` are in its order.
    fn script(&mut self, script: &Script, cuts: &[(usize, u64, Tear)]) {
        let mut log = start::<W, E>(&self.setting);
        self.started = 0;
        let mut model = None;
        let mut cuts = cuts.iter().peekable();
        for (n, call) in script.calls.iter().enumerate() {
            while let Some((_, step, tear)) = cuts.next_if(|(call, ..)| *call == n) {
                self.cut(script, n, &log, &model, *step, *tear);
            }
            run(&mut log, call).unwrap();
            call.carry_out(&mut model);
            if (n + 1).is_multiple_of(STARTS) {
                log = restart(&self.setting, log);
                self.started = log.chip().counts.programs;
            }
        }
        assert!(cuts.next().is_none());
    }

    /// Cuts call `n` at a step, in a third of the runs once more in what follows, and looks at what
    /// is left.
    fn cut(
        &mut self,
        script: &Script,
        n: usize,
        log: &Log<W, E>,
        before: &Option<Plain>,
        after: u64,
        tear: Tear,
    ) {
        let call = &script.calls[n];
        let double = self.dice.chance(35);
        let mut context = format!(
            "{}, seed {}, call {n} {}, step {after} of {}, {tear:?}",
            self.setting.name,
            script.seed,
            kind(call),
            script.steps[n]
        );
        let mut trial = log.clone();
        let first = trial.chip().counts.programs == self.started;
        trial.chip().cut(Cut { after, tear }, self.dice.next());
        let acknowledged = run(&mut trial, call).is_ok();
        let mut chip = pull(trial);
        assert!(chip.power_up(), "{context}");
        let mut allowed = states(before, call);
        if acknowledged {
            // The power went with the last word, when the call had done its work.
            allowed.remove(0);
        }
        let mut rest = n + 1;
        if double {
            self.double += 1;
            let tear = self.tear();
            // Often right in the first record that is written again.
            let within = if self.dice.chance(50) { 40 } else { 3 };
            let after = self.dice.below(within) as u64;
            chip.cut(Cut { after, tear }, self.dice.next());
            context = format!("{context}, then step {after}, {tear:?}");
            let mut log = mount(chip).unwrap_or_else(|error| panic!("{context}: {error}"));
            log.set_key_copies(self.setting.copies).unwrap();
            let mut complete = true;
            for call in script.calls.iter().skip(rest).take(3) {
                rest += 1;
                let next = allowed.iter().flat_map(|state| states(state, call));
                let next = next.collect();
                if run(&mut log, call).is_ok() && !log.chip().is_dead() {
                    for state in &mut allowed {
                        call.carry_out(state);
                    }
                } else {
                    allowed = next;
                    complete = false;
                    break;
                }
            }
            chip = pull(log);
            let cut = chip.power_up();
            assert_eq!(cut, !complete, "{context}");
        }
        // Goes on in circles: changes hold absolute values.
        let rest = script.calls.iter().cycle().skip(rest);
        let chip = self.check(chip, &allowed, rest, &context);
        // What shows where writing went on may itself be hit.
        assert!(
            double || first || chip.weak_programs == 0,
            "{context}: the word that was hit was programmed"
        );
    }

    fn check<'a>(
        &mut self,
        chip: Chip<W, E>,
        allowed: &[Option<Plain>],
        rest: impl Iterator<Item = &'a Call>,
        context: &str,
    ) -> Chip<W, E> {
        let mut log = mount(chip).unwrap_or_else(|error| panic!("{context}: {error}"));
        log.set_key_copies(self.setting.copies).unwrap();
        let mut model = load(&mut log).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(
            allowed.contains(&model),
            "{context}\nfound {model:#?}\nallowed {allowed:#?}"
        );
        self.done += 1;
        // Damage often shows later: some go on for two laps.
        let long = self.done.is_multiple_of(100);
        self.long += u64::from(long);
        let erases = log.chip().erases.clone();
        let few = 1 + self.dice.below(3);
        for (n, call) in rest.enumerate() {
            let mut lapped = || {
                let now = log.chip().erases.iter();
                iter::zip(now, &erases).all(|(now, then)| *now >= then + 2)
            };
            if n >= few && (!long || lapped()) {
                break;
            }
            run(&mut log, call).unwrap_or_else(|error| panic!("{context}, {n} later: {error}"));
            call.carry_out(&mut model);
        }
        assert_eq!(log.chip().violations, 0, "{context}");
        assert_eq!(load(&mut log).unwrap(), model, "{context}, later");
        let mut log = mount(pull(log)).unwrap();
        assert_eq!(
            load(&mut log).unwrap(),
            model,
            "{context}, later and mounted"
        );
        pull(log)
    }
}

fn kind(call: &Call) -> &'static str {
    match call {
        Call::Append(_) => "append",
        Call::Apply(_) => "apply",
        Call::Save(_) => "save",
        Call::Delete => "delete",
        Call::Maintain => "maintain",
        Call::Sync => "sync",
    }
}

#[test]
fn every_cut_of_small_regions() {
    Run::<1, 1024>::new(Setting::new("unit 1, 3 pages of 1024", 3 << 10, TINY)).every();
    Run::<4, 2048>::new(Setting::new("unit 4, 2 pages of 2048", 4 << 10, TINY)).every();
    Run::<4, 1024>::new(Setting::new("unit 4, 4 pages of 1024", 4 << 10, TINY)).every();
    let twice = Setting::new("unit 4, 4 pages of 1024, keys twice", 4 << 10, TINY).keys_twice();
    Run::<4, 1024>::new(twice).every();
}

#[test]
fn every_cut_of_small_regions_with_error_correction() {
    let setting = |name, size| Setting::new(name, size, TINY).corrects();
    Run::<8, 1024>::new(setting("unit 8, 3 pages of 1024", 3 << 10)).every();
    Run::<16, 2048>::new(setting("unit 16, 2 pages of 2048", 4 << 10)).every();
    Run::<32, 2048>::new(setting("unit 32, 3 pages of 2048", 6 << 10)).every();
}

#[test]
fn rp2040() {
    Run::<1, 4096>::new(Setting::new("RP2040 16K", 16 << 10, LISTS)).some();
    Run::<1, 4096>::new(Setting::new("RP2040 32K", 32 << 10, FULL)).some();
    Run::<1, 4096>::new(Setting::new("RP2040 64K", 64 << 10, FULL)).some();
}

#[test]
fn nrf52840() {
    Run::<4, 4096>::new(Setting::new("nRF52840 8K", 8 << 10, LISTS)).some();
    Run::<4, 4096>::new(Setting::new("nRF52840 16K", 16 << 10, FULL)).some();
    Run::<4, 4096>::new(Setting::new("nRF52840 32K", 32 << 10, FULL)).some();
    Run::<4, 4096>::new(Setting::new("nRF52840 64K", 64 << 10, FULL)).some();
    let twice = Setting::new("nRF52840 16K, keys twice", 16 << 10, LISTS).keys_twice();
    Run::<4, 4096>::new(twice).some();
}

#[test]
fn stm32l4() {
    let setting = |name, size| Setting::new(name, size, FULL).corrects();
    Run::<8, 2048>::new(setting("STM32L4 16K", 16 << 10)).some();
    Run::<8, 2048>::new(setting("STM32L4 32K", 32 << 10)).some();
    Run::<8, 2048>::new(setting("STM32L4 64K", 64 << 10)).some();
    let twice = setting("STM32L4 64K, keys twice", 64 << 10).keys_twice();
    Run::<8, 2048>::new(twice).some();
}

#[test]
fn stm32h7() {
    let setting = Setting::new("STM32H7 256K", 256 << 10, FULL).corrects();
    Run::<32, { 128 << 10 }>::new(setting).some();
}

#[test]
fn sessions_of_several_pages() {
    Run::<4, 1024>::new(Setting::new("unit 4, 8 pages of 1024", 8 << 10, LISTS)).some();
}
