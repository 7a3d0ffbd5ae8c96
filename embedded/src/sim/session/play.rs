//! Scripts with power cuts that any source of small numbers can write: the same for proptest, which
//! shrinks them, and for the fuzzer.

use alloc::vec;
use alloc::vec::Vec;

use super::{Act, Call, History, OwnedChange, Plain};
use crate::sim::{Chip, Cut, Tear};
use crate::{Durability, Error, KeyCopies, SessionLog};

/// The shape of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Unit1,
    Unit4,
    Unit8,
    Unit16,
    Unit32,
    /// Units of 1 and 4 on chips that program many bytes in one operation.
    Pages1,
    Pages4,
}

/// What is played on which region.
#[derive(Clone, Debug)]
pub struct Play {
    pub shape: Shape,
    /// Pages of the region: 2 to 16.
    pub pages: u8,
    pub keys_twice: bool,
    /// Counters are written with every so many changes of them.
    pub lazy: u8,
    pub steps: Vec<Step>,
}

/// A call, and what goes wrong in it.
#[derive(Clone, Debug)]
pub struct Step {
    pub act: Act,
    pub cut: Option<Trouble>,
}

/// A power cut, and perhaps another one in what the device does next.
#[derive(Clone, Copy, Debug)]
pub struct Trouble {
    /// Which word program or page erase of the call, modulo their number.
    pub step: u16,
    pub tear: Tear,
    /// Which one after the mount, and how.
    pub second: Option<(u8, Tear)>,
}

impl Play {
    /// Plays the script.
    ///
    /// # Panics
    ///
    /// If the log does anything but what the model says.
    pub fn run(&self) {
        match self.shape {
            Shape::Unit1 | Shape::Pages1 => self.run_on::<1, 1024>(false),
            Shape::Unit4 | Shape::Pages4 => self.run_on::<4, 1024>(false),
            Shape::Unit8 => self.run_on::<8, 1024>(true),
            Shape::Unit16 => self.run_on::<16, 1024>(true),
            Shape::Unit32 => self.run_on::<32, 2048>(true),
        }
    }

    fn run_on<const W: usize, const E: usize>(&self, corrects: bool) {
        let pages = usize::from(self.pages.clamp(2, 16));
        let mut chip = Chip::<W, E>::new(pages * E);
        chip.corrects = corrects;
        chip.page_programs = matches!(self.shape, Shape::Pages1 | Shape::Pages4);
        chip.strict = !chip.page_programs;
        let mut log = SessionLog::new(chip, 0..(pages * E) as u32);
        log.mount_or_format().unwrap();
        let mut stage = Stage {
            log,
            model: History::new(self.lazy.into()),
            keys_twice: self.keys_twice && pages > 2,
            lazy: self.lazy,
        };
        stage.set_up();
        for (n, step) in self.steps.iter().enumerate() {
            stage.step(step, n as u64);
        }
        stage.laps(2);
    }
}

/// A log that is being played on, and what it must hold.
struct Stage<const W: usize, const E: usize> {
    log: SessionLog<Chip<W, E>>,
    model: History,
    keys_twice: bool,
    lazy: u8,
}

impl<const W: usize, const E: usize> Stage<W, E> {
    fn set_up(&mut self) {
        self.log.set_durability(Durability::Lazy(self.lazy.into()));
        if self.keys_twice {
            self.log.set_key_copies(KeyCopies::Two).unwrap();
        }
    }

    fn load(&mut self) -> Option<Plain> {
        let mut session = Plain::default();
        self.log.load(&mut session).unwrap().then_some(session)
    }

    /// The device is switched off and on.
    fn mount(&mut self) {
        let chip = core::mem::replace(self.log.chip(), Chip::new(0));
        let end = chip.bytes.len() as u32;
        self.log = SessionLog::new(chip, 0..end);
        self.log.open().unwrap();
        self.set_up();
    }

    /// What is found after a mount is one of these, or where there are none, what was there before.
    fn settle(&mut self, allowed: &[History], call: &str) {
        let found = self.load();
        let allowed = if allowed.is_empty() {
            core::slice::from_ref(&self.model)
        } else {
            allowed
        };
        assert!(
            allowed.iter().any(|history| history.allows(&found)),
            "{call}\nfound {found:#?}\nallowed {allowed:#?}"
        );
        self.model.settle(found);
    }

    fn step(&mut self, step: &Step, seed: u64) {
        let session = self.model.now().clone().unwrap_or_default();
        let Some(call) = step.act.call(&session) else {
            self.mount();
            self.settle(&[], "mount");
            return;
        };
        let mut probe = self.log.clone();
        let before = probe.chip().counts.steps;
        match call.run(&mut probe) {
            Ok(()) => {}
            // A refusal changes nothing; that it writes nothing either is shown elsewhere.
            Err(Error::StoreFull) => {
                assert!(call.run(&mut self.log).is_err());
                assert_eq!(self.load(), *self.model.now());
                return;
            }
            Err(error) => panic!("{call:?}: {error}"),
        }
        let steps = probe.chip().counts.steps - before;
        let Some(cut) = step.cut.filter(|_| steps > 0) else {
            call.run(&mut self.log).unwrap();
            self.model.note(&call);
            if seed.is_multiple_of(4) {
                assert_eq!(self.load(), *self.model.now(), "{call:?}");
            }
            return;
        };
        let after = u64::from(cut.step) % steps;
        self.log.chip().cut(
            Cut {
                after,
                tear: cut.tear,
            },
            seed,
        );
        let done = call.run(&mut self.log).is_ok();
        let dead = self.log.chip().power_up();
        let mut allowed = self.model.interrupted(&call);
        self.model.note(&call);
        if !dead {
            // A weak word made the call take fewer steps than in the trial.
            assert!(done, "{call:?}");
            return;
        }
        if done {
            allowed = vec![self.model.clone()];
        }
        self.mount();
        if let Some((after, tear)) = cut.second {
            let started = self.log.clone();
            self.settle(&allowed, "mounted");
            self.log = started;
            // In what is written first: the mark behind the gap, and a change.
            self.log.chip().cut(
                Cut {
                    after: after.into(),
                    tear,
                },
                seed ^ 1,
            );
            let change = Call::Append(OwnedChange::HomeDc(77));
            let done = change.run(&mut self.log);
            let dead = self.log.chip().power_up();
            match done {
                Ok(()) => {
                    self.model.note(&change);
                    allowed = vec![self.model.clone()];
                }
                // A full region says so, and stays as it is.
                Err(Error::StoreFull) if !dead => allowed = vec![self.model.clone()],
                Err(error) => {
                    assert!(dead, "{error}");
                    allowed = self.model.interrupted(&change);
                }
            }
            self.mount();
        }
        self.settle(&allowed, &alloc::format!("{call:?}"));
    }

    /// Goes on until every page was erased so many times more: damage often shows late.
    fn laps(&mut self, laps: u32) {
        let end: Vec<_> = self
            .log
            .chip()
            .erases
            .iter()
            .map(|erases| erases + laps)
            .collect();
        let mut n = 0_u64;
        while self
            .log
            .chip()
            .erases
            .iter()
            .zip(&end)
            .any(|(now, end)| now < end)
        {
            n += 1;
            let act = match n % 16 {
                0 => Act::Dc { key: n as u8 },
                1..5 => Act::Peer {
                    id: n as u8,
                    hash: (n >> 2) as u8,
                },
                5..8 => Act::Channel {
                    id: n as u8,
                    step: 300,
                },
                _ => Act::Primary {
                    pts: 9,
                    date: 200,
                    seq: 1,
                },
            };
            self.step(&Step { act, cut: None }, n);
            assert!(n < 1 << 20, "the log does not go on");
        }
        assert_eq!(self.log.chip().violations, 0);
        assert_eq!(self.load(), *self.model.now());
        self.mount();
        self.settle(&[], "the end");
    }
}
