//! Running a script with cuts.

use core::iter;

use mtsession_embedded::sim::{
    Call, Chip, Cut, Dice, ERASE_TEARS, EraseTear, History, PROGRAM_TEARS, ProgramTear, Tear,
    built_on_weak,
};

use super::script::{STARTS, Script, Setting, restart, start};
use crate::common::{Log, load, mount, pull, run};

/// Cuts per geometry that are drawn in the run that everyone makes.
const CUTS: u64 = 3000;
/// How many of them are made in one script.
const CUTS_PER_SCRIPT: usize = 1000;
pub(super) struct Run<const W: usize, const E: usize> {
    setting: Setting,
    done: u64,
    double: u64,
    /// Runs that went on for two laps.
    long: u64,
    /// Programs that the chip had made when the script's device last started.
    started: u64,
    dice: Dice,
}

impl<const W: usize, const E: usize> Run<W, E> {
    pub(super) fn new(setting: Setting) -> Self {
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
            program: ProgramTear::ALL[self.dice.below(PROGRAM_TEARS.into())],
            erase: EraseTear::ALL[self.dice.below(ERASE_TEARS.into())],
        }
    }

    /// Every step of a script with every tear.
    pub(super) fn every(mut self) {
        let script = Script::new::<W, E>(&self.setting, 1);
        let tears = (0..PROGRAM_TEARS.max(ERASE_TEARS)).map(|n| Tear::new(n, n));
        let cuts = script.all().into_iter();
        let cuts: Vec<_> = cuts
            .flat_map(|(call, step)| tears.clone().map(move |tear| (call, step, tear)))
            .collect();
        self.script(&script, &cuts);
        self.report("every step of a script");
    }

    /// Some steps of some scripts.
    pub(super) fn some(mut self) {
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
        let mut model = History::new(self.setting.lazy);
        let mut cuts = cuts.iter().peekable();
        for (n, call) in script.calls.iter().enumerate() {
            while let Some((_, step, tear)) = cuts.next_if(|(call, ..)| *call == n) {
                self.cut(script, n, &log, &model, *step, *tear);
            }
            run(&mut log, call).unwrap();
            model.note(call);
            if (n + 1).is_multiple_of(STARTS) {
                log = restart(&self.setting, log);
                let found = load(&mut log).unwrap();
                assert!(model.allows(&found), "restart after call {n}");
                model.settle(found);
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
        before: &History,
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
        let mut allowed = before.interrupted(call);
        if acknowledged {
            // The power went with the last word, when the call had done its work.
            let mut after = before.clone();
            after.note(call);
            allowed = vec![after];
        }
        let mut rest = n + 1;
        if double {
            (chip, allowed) = self.cut_again(script, &mut rest, chip, &allowed, &mut context);
        }
        // Goes on in circles: changes hold absolute values.
        let rest = script.calls.iter().cycle().skip(rest);
        let chip = self.check(chip, &allowed, rest, &context);
        // What shows where writing went on may itself be hit.
        assert!(
            double || first || built_on_weak(&chip) == 0,
            "{context}: the word that was hit was programmed"
        );
    }

    /// Cuts the start after a cut, or one of the three calls after that.
    fn cut_again(
        &mut self,
        script: &Script,
        rest: &mut usize,
        mut chip: Chip<W, E>,
        allowed: &[History],
        context: &mut String,
    ) -> (Chip<W, E>, Vec<History>) {
        self.double += 1;
        let tear = self.tear();
        // Often right in the first record that is written again.
        let within = if self.dice.chance(50) { 40 } else { 3 };
        let after = self.dice.below(within) as u64;
        chip.cut(Cut { after, tear }, self.dice.next());
        *context = format!("{context}, then step {after}, {tear:?}");
        let end = u32::try_from(chip.bytes.len()).unwrap();
        let mut log = Log::new(chip, 0..end);
        // A start writes where a deletion was cut.
        let mut complete = log.open().is_ok() || !log.chip().is_dead();
        let mut models = allowed.to_vec();
        if complete {
            self.setting.set_up(&mut log);
            models = self.settle(log.clone(), allowed, context);
        }
        let is_started = complete;
        for call in script.calls.iter().skip(*rest).take(3) {
            if !is_started {
                break;
            }
            *rest += 1;
            if run(&mut log, call).is_ok() && !log.chip().is_dead() {
                for model in &mut models {
                    model.note(call);
                }
            } else {
                complete = false;
                break;
            }
        }
        let allowed = if complete || !is_started {
            models
        } else {
            let cut = &script.calls[*rest - 1];
            let models = models.iter();
            models.flat_map(|model| model.interrupted(cut)).collect()
        };
        let mut chip = pull(log);
        let cut = chip.power_up();
        assert_eq!(cut, !complete, "{context}");
        (chip, allowed)
    }

    /// What is found on a chip is one of these, and the one that it is from now on. Where words read
    /// differently from time to time, the interrupted call may come and go.
    fn settle(&self, mut log: Log<W, E>, allowed: &[History], context: &str) -> Vec<History> {
        log.chip().power_up();
        let found = load(&mut log).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(
            allowed.iter().any(|model| model.allows(&found)),
            "{context}\nfound {found:#?}\nallowed {allowed:#?}"
        );
        if self.setting.is_unstable {
            return allowed.iter().flat_map(History::apart).collect();
        }
        let mut model = History::new(self.setting.lazy);
        model.settle(found);
        vec![model]
    }

    fn check<'a>(
        &mut self,
        chip: Chip<W, E>,
        allowed: &[History],
        rest: impl Iterator<Item = &'a Call>,
        context: &str,
    ) -> Chip<W, E> {
        let mut log = mount(chip).unwrap_or_else(|error| panic!("{context}: {error}"));
        self.setting.set_up(&mut log);
        let mut models = self.settle(log.clone(), allowed, context);
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
            for model in &mut models {
                model.note(call);
            }
        }
        assert_eq!(log.chip().violations, 0, "{context}");
        let now = load(&mut log).unwrap();
        let known = models.iter().any(|model| *model.now() == now);
        assert!(
            known,
            "{context}, later\nfound {now:#?}\nallowed {models:#?}"
        );
        let starts = if self.setting.is_unstable { 4 } else { 1 };
        for _ in 0..starts {
            log = mount(pull(log)).unwrap();
            let now = load(&mut log).unwrap();
            let known = models.iter().any(|model| model.allows(&now));
            assert!(
                known,
                "{context}, later and mounted\nfound {now:#?}\nallowed {models:#?}"
            );
        }
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
