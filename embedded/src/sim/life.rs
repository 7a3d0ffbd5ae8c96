//! One life of a device: calls, what goes wrong in them, and starts in which the store must hold what it
//! said it had stored.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Debug;
use core::mem;
use core::panic::AssertUnwindSafe;
use std::format;
use std::panic::catch_unwind;
use std::string::{String, ToString as _};

use super::{Chip, Cut, Dice, Failure, Fault, Flash, Plan, Report, Subject, Tear};

/// Starts in a row that a power cut, or a driver that fails, may end.
const STARTS: u32 = 100;
/// Calls of the driver in one call of the store, beyond which it goes on for ever.
const PATIENCE: u64 = 1_000_000;
/// Calls after a start in which the power is cut more often.
const SOON: u32 = 3;
/// Rotten bits in a life, each on a copy of the chip.
const ROTTEN: usize = 32;
/// What a store may hold after cuts, where all of it stays possible.
const MANY: usize = 64;
/// Characters of a state, or of a call, in a failure.
const SHOWN: usize = 160;

pub(super) struct Life<'a, S: Subject<WRITE, ERASE>, const WRITE: usize, const ERASE: usize> {
    plan: &'a Plan,
    seed: u64,
    subject: &'a S,
    flash: Flash<WRITE, ERASE>,
    /// What the store may hold.
    states: Vec<S::State>,
    dice: Dice,
    /// The call that is made, and its number.
    call: usize,
    made: String,
    /// The last thing that went wrong, and the cut that is to come.
    fault: String,
    coming: String,
    /// Steps of the longest call so far.
    longest: u64,
    soon: u32,
    /// Whether the store came up once.
    has_started: bool,
}

impl<'a, S, const WRITE: usize, const ERASE: usize> Life<'a, S, WRITE, ERASE>
where
    S: Subject<WRITE, ERASE>,
{
    pub(super) fn new(plan: &'a Plan, seed: u64, subject: &'a S, chip: Chip<WRITE, ERASE>) -> Self {
        Self {
            plan,
            seed,
            subject,
            flash: Flash::new(chip),
            states: vec![subject.empty()],
            dice: Dice::new(seed),
            call: 0,
            made: "the first start".to_string(),
            fault: "nothing went wrong yet".to_string(),
            coming: String::new(),
            longest: 1,
            soon: 0,
            has_started: false,
        }
    }

    pub(super) fn live(mut self, report: &mut Report) {
        report.lives += 1;
        let result = catch_unwind(AssertUnwindSafe(|| self.go(report)));
        let result = result.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(format!("panics: {}", text.unwrap_or("for no reason")))
        });
        report.violations += u64::from(self.flash.chip().violations);
        let Err(what) = result else { return };
        report.failures += 1;
        report.first.get_or_insert(Failure {
            seed: self.seed,
            call: self.call,
            fault: self.fault,
            what: format!("{}: {what}", self.made),
        });
    }

    fn go(&mut self, report: &mut Report) -> Result<(), String> {
        self.begin();
        let mut store = self.start(report)?;
        self.has_started = true;
        let sticks = self.dice.below(self.plan.calls.max(1));
        for n in 0..self.plan.calls {
            self.call = n;
            if let Fault::StuckCell(value) = self.plan.fault
                && n == sticks
            {
                self.stick(value);
            }
            self.arm(12);
            store = self.step(store, report)?;
            self.soon = self.soon.saturating_sub(1);
            let look = self.dice.below(16);
            if look == 0 || self.states.len() > 8 && !self.flash.chip().is_unstable {
                drop(store);
                self.made = "a start".to_string();
                store = self.start(report)?;
            } else if look < 3 {
                let found = self.quietly(|life| life.subject.read(&mut store));
                if self.power_up(report)? {
                    drop(store);
                    store = self.start(report)?;
                    continue;
                }
                self.judge(found)?;
            }
        }
        drop(store);
        self.made = "the last start".to_string();
        drop(self.start(report)?);
        if self.plan.fault == Fault::Rot {
            self.rot(report)?;
        }
        Ok(())
    }

    /// What is wrong from the beginning.
    fn begin(&mut self) {
        let mut chip = self.flash.chip();
        // Failed calls that come and go are too many to follow.
        chip.is_unstable &= self.plan.fault == Fault::PowerCuts;
        match self.plan.fault {
            Fault::Driver(busy) => {
                chip.busy = Some(busy);
                chip.leaves_tears = self.dice.chance(50);
                chip.spares_reads = self.dice.chance(30);
                self.fault = format!(
                    "a driver that fails ({busy:?}, torn: {}, reads work: {})",
                    chip.leaves_tears, chip.spares_reads
                );
            }
            Fault::PowerCuts | Fault::StuckCell(_) | Fault::Rot => {}
        }
    }

    /// Lets a cell stick in which nothing is written: else it is a rotten bit.
    fn stick(&mut self, value: bool) {
        let mut chip = self.flash.chip();
        let erased: Vec<_> = (0..chip.bytes.len())
            .filter(|at| chip.is_unwritten(*at))
            .collect();
        let cell = erased[self.dice.below(erased.len())];
        let bit = self.dice.below(8) as u8;
        chip.stuck = Some((cell, bit, value));
        self.fault = format!("bit {bit} of byte {cell} is always {}", u8::from(value));
    }

    /// One call, and the start after it if the power was cut.
    fn step(&mut self, mut store: S::Store, report: &mut Report) -> Result<S::Store, String> {
        let call = self.subject.draw(&self.states[0], &mut self.dice);
        self.made = shown(&call);
        self.be_patient();
        let steps = self.flash.chip().counts.steps;
        let result = self.subject.run(&mut store, &call);
        let steps = self.flash.chip().counts.steps - steps;
        report.calls += 1;
        let cut = self.power_up(report)?;
        if cut {
            // What the store still holds in RAM is gone, its last words too.
            let mut chip = self.flash.chip();
            chip.dead = true;
            drop(chip);
            drop(store);
            self.flash.chip().power_up();
            if result.is_ok() {
                self.carry_out(&call);
            } else {
                self.interrupt(&call);
            }
            self.soon = SOON;
            return self.start(report);
        }
        self.longest = self.longest.max(steps);
        match result {
            Ok(()) => self.carry_out(&call),
            Err(error) if self.subject.is_refusal(&error) => report.refused += 1,
            Err(_) if matches!(self.plan.fault, Fault::Driver(_) | Fault::StuckCell(_)) => {
                report.failed += 1;
                self.interrupt(&call);
                let found = self.quietly(|life| life.subject.read(&mut store));
                self.judge(found)?;
            }
            Err(error) => return Err(format!("fails: {error}")),
        }
        Ok(store)
    }

    fn carry_out(&mut self, call: &S::Call) {
        for state in &mut self.states {
            self.subject.carry_out(state, call);
        }
        self.distinct();
    }

    fn interrupt(&mut self, call: &S::Call) {
        let states = mem::take(&mut self.states);
        let states = states.iter();
        self.states = states
            .flat_map(|state| self.subject.interrupted(state, call))
            .collect();
        self.distinct();
    }

    fn distinct(&mut self) {
        let mut distinct: Vec<S::State> = Vec::new();
        for state in self.states.drain(..) {
            if !distinct.contains(&state) {
                distinct.push(state);
            }
        }
        self.states = distinct;
    }

    /// Starts the store until it comes up, and looks at what is there.
    fn start(&mut self, report: &mut Report) -> Result<S::Store, String> {
        for n in 0..STARTS {
            if self.has_started || n == 0 {
                self.arm(25);
            }
            report.starts += 1;
            self.be_patient();
            let start = |life: &mut Self| life.subject.start(life.flash.clone());
            // A driver that fails does so in starts too, but not for ever.
            let started = if n < STARTS / 2 {
                start(self)
            } else {
                self.quietly(start)
            };
            if self.power_up(report)? {
                continue;
            }
            let mut store = match started {
                Ok(store) => store,
                Err(_) if matches!(self.plan.fault, Fault::Driver(_)) && n + 1 < STARTS => continue,
                Err(error) => return Err(format!("then it does not start: {error}")),
            };
            self.be_patient();
            let found = self.quietly(|life| life.subject.read(&mut store));
            if self.power_up(report)? {
                continue;
            }
            let at = self.judge(found)?;
            if self.flash.chip().is_unstable {
                // The interrupted call may come and go.
                self.states.swap(0, at);
            } else {
                self.states = vec![self.states.swap_remove(at)];
            }
            return Ok(store);
        }
        Err(format!("then it does not start in {STARTS} times"))
    }

    /// Which of the states was found.
    fn judge(&self, found: Result<S::State, S::Error>) -> Result<usize, String> {
        let found = found.map_err(|error| format!("then it cannot be read: {error}"))?;
        let at = self.states.iter().position(|state| *state == found);
        at.ok_or_else(|| {
            let allowed: Vec<_> = self.states.iter().take(3).map(shown).collect();
            format!(
                "then found {}, allowed {}",
                shown(&found),
                allowed.join(" or ")
            )
        })
    }

    /// Lets the power be cut in one of the next operations, in so many of 100 cases.
    fn arm(&mut self, percent: usize) {
        let mut chip = self.flash.chip();
        if self.plan.fault != Fault::PowerCuts || chip.is_to_be_cut() || self.states.len() > MANY {
            return;
        }
        let percent = if self.soon > 0 { 35 } else { percent };
        if !self.dice.chance(percent) {
            return;
        }
        // Half of the cuts hit short calls, half of them any step of long ones.
        let within = if self.dice.chance(50) {
            4
        } else {
            2 * self.longest as usize + 1
        };
        let cut = Cut {
            after: self.dice.below(within) as u64,
            tear: Tear::any(&mut self.dice),
        };
        let step = chip.counts.steps + cut.after;
        self.coming = format!("power cut in step {step}, {:?}", cut.tear);
        chip.cut(cut, self.dice.next());
    }

    /// Whether the power was cut; it is on again.
    fn power_up(&mut self, report: &mut Report) -> Result<bool, String> {
        let mut chip = self.flash.chip();
        if chip.violations > 0 {
            return Err("a word was programmed twice".to_string());
        }
        if !chip.is_dead() {
            return Ok(false);
        }
        chip.power_up();
        report.cuts += 1;
        report.cuts_again += u64::from(self.soon > 0);
        self.soon = SOON;
        self.fault = mem::take(&mut self.coming);
        Ok(true)
    }

    /// With a driver that works.
    fn quietly<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let busy = self.flash.chip().busy.take();
        let result = work(self);
        self.flash.chip().busy = busy;
        result
    }

    fn be_patient(&self) {
        let mut chip = self.flash.chip();
        chip.patience = Some(chip.counts.calls + PATIENCE);
    }

    /// Flips bits, each on a copy of the chip.
    fn rot(&mut self, report: &mut Report) -> Result<(), String> {
        let whole = self.flash.chip().clone();
        let used: Vec<_> = (0..whole.bytes.len())
            .filter(|at| whole.bytes[*at] != 0xFF)
            .collect();
        for n in 0..ROTTEN {
            let any = self.dice.below(whole.bytes.len());
            let byte = if n % 2 == 0 || used.is_empty() {
                any
            } else {
                used[self.dice.below(used.len())]
            };
            let bit = byte * 8 + self.dice.below(8);
            self.fault = format!("bit {} of byte {byte} flipped", bit % 8);
            let mut chip = whole.clone();
            chip.flip(bit);
            let flash = Flash::new(chip);
            let found = self.subject.start(flash.clone());
            let found = found.and_then(|mut store| self.subject.read(&mut store));
            match found {
                Err(_) => report.rot_refused += 1,
                Ok(found) if self.states.contains(&found) => report.rot_harmless += 1,
                Ok(found) if self.subject.may_rot(&self.states[0], &found) => report.rot_seen += 1,
                found => return self.judge(found).map(drop),
            }
        }
        Ok(())
    }
}

/// The beginning of a state or a call, on one line.
fn shown(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}
