//! Processes on one machine, which take turns call by call.

use core::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::dice::Dice;
use super::faults::{Fault, Mistake};
use super::names::Entry;
use super::world::{Image, Nature, Process, World};

#[derive(Debug)]
pub(super) struct Shared {
    world: Mutex<World>,
    turns: Mutex<Turns>,
    turned: Condvar,
}

/// Whose turn it is.
#[derive(Debug, Default)]
struct Turns {
    /// Processes that run in threads of their own; alone, nobody waits.
    running: Vec<usize>,
    expected: usize,
    turn: Option<usize>,
    dice: Option<Dice>,
}

/// A machine with a simulated disk.
#[derive(Clone, Debug)]
pub(crate) struct Machine(pub(super) Arc<Shared>);

thread_local! {
    static HERE: RefCell<Option<(Machine, usize)>> = const { RefCell::new(None) };
}

/// Until it is dropped, this thread is a process on the machine.
#[derive(Debug)]
pub(crate) struct Entered(Option<(Machine, usize)>);

impl Drop for Entered {
    fn drop(&mut self) {
        let before = self.0.take();
        let here = HERE.with(|here| here.replace(before));
        if let Some((machine, process)) = here {
            machine.leave(process);
        }
    }
}

/// The machine and the process that this thread is, if it is one.
pub(super) fn here() -> Option<(Machine, usize)> {
    HERE.with(|here| here.borrow().clone())
}

impl Machine {
    /// A machine that is started with what is on a disk.
    pub(crate) fn start(image: &Image, nature: Nature, seed: u64) -> Self {
        Self(Arc::new(Shared {
            world: Mutex::new(World::new(image, nature, seed)),
            turns: Mutex::default(),
            turned: Condvar::new(),
        }))
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        let world = self.0.world.lock();
        world.unwrap_or_else(PoisonError::into_inner)
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        let turns = self.0.turns.lock();
        turns.unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes this thread a new process.
    pub(crate) fn enter(&self) -> Entered {
        let process = {
            let mut world = self.world();
            world.processes.push(Process {
                is_dead: false,
                dies_in: None,
            });
            world.processes.len() - 1
        };
        self.enter_as(process)
    }

    fn enter_as(&self, process: usize) -> Entered {
        Entered(HERE.with(|here| here.replace(Some((self.clone(), process)))))
    }

    /// Runs each as a process of its own, all at the same time: after each call another one may go on.
    pub(crate) fn run_together(&self, actors: Vec<Box<dyn FnOnce() + Send + '_>>, seed: u64) {
        *self.turns() = Turns {
            expected: actors.len(),
            dice: Some(Dice::new(seed)),
            ..Turns::default()
        };
        std::thread::scope(|scope| {
            for act in actors {
                scope.spawn(move || {
                    let _entered = self.enter();
                    self.join_in();
                    act();
                });
            }
        });
        *self.turns() = Turns::default();
    }

    fn join_in(&self) {
        let Some((_, process)) = here() else {
            return;
        };
        let mut turns = self.turns();
        turns.running.push(process);
        if turns.running.len() == turns.expected {
            // Threads begin in any order, which must not make a difference.
            turns.running.sort_unstable();
            turns.pass_on();
            self.0.turned.notify_all();
        }
        self.wait_for_turn(turns, process);
    }

    fn wait_for_turn(&self, mut turns: MutexGuard<'_, Turns>, process: usize) {
        while turns.turn != Some(process) {
            turns = match self.0.turned.wait(turns) {
                Ok(turns) => turns,
                Err(poisoned) => poisoned.into_inner(),
            };
        }
    }

    /// Lets another process go on, perhaps.
    pub(super) fn take_turns(&self, process: usize) {
        let mut turns = self.turns();
        if turns.expected == 0 || turns.running.len() < 2 {
            return;
        }
        turns.pass_on();
        if turns.turn != Some(process) {
            self.0.turned.notify_all();
            self.wait_for_turn(turns, process);
        }
    }

    fn leave(&self, process: usize) {
        let mut turns = self.turns();
        if turns.expected > 0 {
            turns.running.retain(|running| *running != process);
            turns.expected -= 1;
            turns.pass_on();
            self.0.turned.notify_all();
        }
    }

    /// From now on so many power cuts are tried before each call that changes something.
    pub(crate) fn try_cuts(&self, per_call: usize) {
        self.world().cuts = per_call;
    }

    /// What a cut at this moment could leave.
    pub(crate) fn cut(&self) -> Image {
        self.world().cut()
    }

    /// What those cuts have left, each with what was noted at the time.
    pub(crate) fn take_left(&self) -> Vec<(u64, Image)> {
        core::mem::take(&mut self.world().left)
    }

    /// What the test knows, for the cuts from now on.
    pub(crate) fn note(&self, note: u64) {
        let mut world = self.world();
        world.note = note;
    }

    pub(crate) fn fail(&self, fault: Option<Fault>) {
        self.world().fault = fault;
    }

    /// Lets the disk take so many bytes more than it has.
    pub(crate) fn leave_room(&self, bytes: usize) {
        let mut world = self.world();
        world.room = world.used() + bytes;
    }

    /// How many temporary files were made.
    pub(crate) fn temporary_files(&self) -> usize {
        self.world().temporary_files
    }

    /// Kills the process that this thread is, before its `calls`-th next call.
    pub(crate) fn die_in(&self, calls: usize) {
        if let Some((_, process)) = here() {
            self.world().processes[process].dies_in = Some(calls);
        }
    }

    /// Builds a mistake into every program that runs here.
    pub(crate) fn make(&self, mistake: Option<Mistake>) {
        self.world().mistake = mistake;
    }

    /// Gives a file a second name, as `ln` and `cp -al` do.
    pub(crate) fn link(&self, from: &Path, to: &Path) {
        self.world().link(from, to);
    }

    /// Makes a symbolic link, in the place of one that may be there.
    pub(crate) fn point(&self, link: &Path, to: &Path) {
        self.world().names.add(link, Entry::Link(to.to_owned()));
    }

    /// Moves a file, as `mv` does.
    pub(crate) fn move_file(&self, from: &Path, to: &Path) {
        self.world().rename(from, to);
    }

    /// Kills the process that this thread is.
    pub(crate) fn kill(&self) {
        if let Some((_, process)) = here() {
            self.world().kill(process);
        }
    }

    /// Forks the process that this thread is: the child has the same open files, and makes no call. They stay
    /// open when the parent dies, and so do their locks.
    pub(crate) fn fork(&self) {
        if let Some((_, process)) = here() {
            self.world().fork(process);
        }
    }
}

impl Turns {
    fn pass_on(&mut self) {
        if let Some(dice) = &mut self.dice {
            // Mostly the same goes on: what takes many calls is to be interrupted seldom, too.
            let goes_on = self.turn.filter(|turn| self.running.contains(turn));
            self.turn = match goes_on {
                Some(turn) if !dice.one_in(3) => Some(turn),
                _ if self.running.is_empty() => None,
                _ => Some(*dice.of(&self.running)),
            };
        }
    }
}
