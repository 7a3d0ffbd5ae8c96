//! What is cut: the settings, and scripts that lap a region.

use mtsession_embedded::sim::{Call, Dice, random_calls};
use mtsession_embedded::{Durability, Error, KeyCopies};

use crate::common::{Log, mount, new_log, pull, run};

/// The device starts anew before every so many calls.
pub(super) const STARTS: usize = 61;

/// What is cut.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// Bytes of the region.
    pub(super) size: usize,
    pub(super) lists: [usize; 4],
    /// Whether torn words cannot be read.
    pub(super) corrects: bool,
    pub(super) copies: KeyCopies,
    /// Whether many bytes are programmed in one operation.
    pub(super) page_programs: bool,
    /// Whether what is torn reads differently from time to time.
    pub(super) is_unstable: bool,
    /// Counters are written with every so many changes of them.
    pub(super) lazy: u16,
}

impl Setting {
    pub(super) const fn new(name: &'static str, size: usize, lists: [usize; 4]) -> Self {
        Self {
            name,
            size,
            lists,
            corrects: false,
            page_programs: false,
            is_unstable: false,
            copies: KeyCopies::One,
            lazy: 1,
        }
    }

    pub(super) const fn page_programs(self) -> Self {
        Self {
            page_programs: true,
            ..self
        }
    }

    pub(super) const fn is_unstable(self) -> Self {
        Self {
            is_unstable: true,
            ..self
        }
    }

    pub(super) const fn corrects(self) -> Self {
        Self {
            corrects: true,
            ..self
        }
    }

    pub(super) const fn keys_twice(self) -> Self {
        Self {
            copies: KeyCopies::Two,
            ..self
        }
    }

    pub(super) const fn lazy(self, lazy: u16) -> Self {
        Self { lazy, ..self }
    }

    /// Tells a log of both options.
    pub(super) fn set_up<const W: usize, const E: usize>(&self, log: &mut Log<W, E>) {
        log.set_key_copies(self.copies).unwrap();
        log.set_durability(Durability::Lazy(self.lazy));
    }
}

/// Calls that lap a region at least three times, and how many steps (word programs and page erases)
/// each takes.
pub(super) struct Script {
    pub(super) seed: u64,
    pub(super) calls: Vec<Call>,
    pub(super) steps: Vec<u64>,
}

impl Script {
    pub(super) fn new<const W: usize, const E: usize>(setting: &Setting, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let (mut calls, mut steps) = (Vec::new(), Vec::new());
        let mut log = start::<W, E>(setting);
        while log.chip().erases.iter().any(|erases| *erases < 4) {
            for call in random_calls(&mut dice, 400, setting.lists) {
                let before = log.chip().counts.steps;
                match run(&mut log, &call) {
                    Ok(()) => {}
                    // A small region does not take every batch.
                    Err(Error::StoreFull) if matches!(call, Call::Apply(_)) => continue,
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
    pub(super) fn all(&self) -> Vec<(usize, u64)> {
        let calls = self.steps.iter().enumerate();
        calls
            .flat_map(|(call, steps)| (0..*steps).map(move |step| (call, step)))
            .collect()
    }

    /// Some steps: half of them of any call, so that short calls are met, half of them of any step,
    /// so that the page turns and the saves are.
    pub(super) fn draw(&self, dice: &mut Dice, count: usize) -> Vec<(usize, u64)> {
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

pub(super) fn start<const W: usize, const E: usize>(setting: &Setting) -> Log<W, E> {
    let mut log = new_log::<W, E>(setting.size);
    log.chip().corrects = setting.corrects;
    log.chip().late = true;
    log.chip().page_programs = setting.page_programs;
    log.chip().strict = !setting.page_programs;
    log.chip().is_unstable = setting.is_unstable;
    setting.set_up(&mut log);
    log
}

pub(super) fn restart<const W: usize, const E: usize>(
    setting: &Setting,
    log: Log<W, E>,
) -> Log<W, E> {
    let mut log = mount(pull(log)).unwrap();
    setting.set_up(&mut log);
    log
}
