//! The power is cut in the middle of every program and every erase: what is on flash is the session
//! before or after the interrupted call, and goes on working.
//!
//! `MTSESSION_CUTS` sets the number of cuts; see TESTING.md for the large run.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::ref_option,
    clippy::tests_outside_test_module,
    clippy::too_many_arguments,
    clippy::too_many_lines,
    clippy::trivially_copy_pass_by_ref,
    clippy::unwrap_used,
    missing_docs,
    unreachable_pub,
    reason = "a panic is a failed test"
)]

mod common;

use common::{LISTS, Log, load, mount, new_log, pull, run};
use mtsession_embedded::KeyCopies;
use mtsession_embedded::sim::{
    Call, Cut, Dice, ERASE_TEARS, PROGRAM_TEARS, Plain, Tear, random_calls,
};

/// Cuts per geometry in the run that everyone makes.
const CUTS: u64 = 8_000;

struct Run {
    name: &'static str,
    corrects: bool,
    copies: KeyCopies,
    cuts: u64,
    done: u64,
    double: u64,
    dice: Dice,
}

fn states(before: &Option<Plain>, call: &Call) -> Vec<Option<Plain>> {
    let mut after = before.clone();
    call.carry_out(&mut after);
    // A call that writes nothing, or an absent session that gained an empty record.
    vec![before.clone(), after]
}

impl Run {
    fn tear(&mut self) -> Tear {
        Tear {
            program: u8::try_from(self.dice.below(PROGRAM_TEARS.into())).unwrap(),
            erase: u8::try_from(self.dice.below(ERASE_TEARS.into())).unwrap(),
        }
    }

    /// Runs scripts until enough cuts are done.
    fn scripts<const W: usize, const E: usize>(&mut self, size: usize) {
        let mut seed = 0;
        while self.done < self.cuts {
            seed += 1;
            let calls = random_calls(&mut Dice::new(seed), 2500, LISTS);
            let mut log = new_log::<W, E>(size);
            log.chip().corrects = self.corrects;
            log.set_key_copies(self.copies).unwrap();
            let mut model = None;
            // Small budgets are spread over the script, so that they see laps too.
            let every = 1 + 100_000 / self.cuts;
            for (n, call) in calls.iter().enumerate() {
                if (n as u64 + seed).is_multiple_of(every) {
                    self.cut_call(&log, call, &model, &calls[n + 1..], seed, n);
                }
                run(&mut log, call).unwrap();
                call.carry_out(&mut model);
                if self.done >= self.cuts {
                    break;
                }
            }
        }
    }

    /// Cuts one call at its steps: all of them if they are few.
    fn cut_call<const W: usize, const E: usize>(
        &mut self,
        log: &Log<W, E>,
        call: &Call,
        before: &Option<Plain>,
        rest: &[Call],
        seed: u64,
        n: usize,
    ) {
        let mut probe = log.clone();
        let start = probe.chip().counts.steps;
        run(&mut probe, call).unwrap();
        let steps = probe.chip().counts.steps - start;
        let tries = steps.min(12);
        for try_ in 0..tries {
            let after = if steps <= 12 {
                try_
            } else {
                self.dice.below(usize::try_from(steps).unwrap()) as u64
            };
            let tear = self.tear();
            let double = self.dice.chance(35);
            let context = format!(
                "{}, seed {seed}, call {n} {}, step {after} of {steps}, {tear:?}, double {double}",
                self.name,
                kind(call)
            );
            let mut trial = log.clone();
            let dice = self.dice.next();
            trial.chip().cut(Cut { after, tear }, dice);
            let acknowledged = run(&mut trial, call).is_ok();
            let mut chip = pull(trial);
            assert!(chip.power_up(), "{context}");
            let mut allowed = states(before, call);
            if acknowledged {
                // The power went with the last word, when the call had done its work.
                allowed.remove(0);
            }
            let mut rest = rest;
            if double {
                self.double += 1;
                let (tear, dice) = (self.tear(), self.dice.next());
                let after = self.dice.below(40) as u64;
                chip.cut(Cut { after, tear }, dice);
                let mut log = mount(chip).unwrap_or_else(|error| panic!("{context}: {error}"));
                log.set_key_copies(self.copies).unwrap();
                let mut complete = true;
                for call in rest.iter().take(3) {
                    rest = &rest[1..];
                    let next = allowed
                        .iter()
                        .flat_map(|state| states(state, call))
                        .collect();
                    let done = run(&mut log, call);
                    if done.is_ok() && !log.chip().is_dead() {
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
            self.check(chip, &allowed, rest, &context);
        }
    }

    fn check<const W: usize, const E: usize>(
        &mut self,
        chip: mtsession_embedded::sim::Chip<W, E>,
        allowed: &[Option<Plain>],
        rest: &[Call],
        context: &str,
    ) {
        let mut log = mount(chip).unwrap_or_else(|error| panic!("{context}: {error}"));
        log.set_key_copies(self.copies).unwrap();
        let mut model = load(&mut log).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(
            allowed.contains(&model),
            "{context}\nfound {model:#?}\nallowed {allowed:#?}"
        );
        // Damage often shows later: some go on for laps.
        self.done += 1;
        let further = if self.done.is_multiple_of(40) { 700 } else { 3 };
        for (n, call) in rest.iter().take(further).enumerate() {
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

fn cut<const W: usize, const E: usize>(name: &'static str, size: usize, corrects: bool) {
    cut_with::<W, E>(name, size, corrects, KeyCopies::One);
}

fn cut_with<const W: usize, const E: usize>(
    name: &'static str,
    size: usize,
    corrects: bool,
    copies: KeyCopies,
) {
    let cuts = std::env::var("MTSESSION_CUTS").map_or(CUTS, |cuts| {
        cuts.parse().expect("MTSESSION_CUTS is a number")
    });
    let mut run = Run {
        name,
        corrects,
        copies,
        cuts,
        done: 0,
        double: 0,
        dice: Dice::new(42),
    };
    run.scripts::<W, E>(size);
    println!(
        "{name}: {} cuts, {} of them double, 0 failures",
        run.done, run.double
    );
}

#[test]
fn unit_1_rp2040() {
    cut::<1, 4096>("unit 1, 4 pages of 4096", 4 * 4096, false);
}

#[test]
fn unit_4_two_pages() {
    cut::<4, 4096>("unit 4, 2 pages of 4096", 2 * 4096, false);
}

#[test]
fn unit_4_small_pages() {
    cut::<4, 2048>("unit 4, 5 pages of 2048", 5 * 2048, false);
}

#[test]
fn unit_8_with_error_correction() {
    cut::<8, 2048>("unit 8, 8 pages of 2048, error correction", 8 * 2048, true);
}

#[test]
fn unit_32_with_error_correction() {
    cut::<32, 8192>("unit 32, 3 pages of 8192, error correction", 3 * 8192, true);
}

#[test]
fn unit_4_sessions_of_several_pages() {
    cut::<4, 1024>("unit 4, 8 pages of 1024", 8 * 1024, false);
}

#[test]
fn unit_4_with_two_copies_of_keys() {
    cut_with::<4, 2048>(
        "unit 4, 5 pages of 2048, keys twice",
        5 * 2048,
        false,
        KeyCopies::Two,
    );
}
