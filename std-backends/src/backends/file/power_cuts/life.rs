//! One process after another on the same file, each until the power is cut.

use core::time::Duration;
use std::io;

use super::script::{Op, path};
use crate::fs::disk::simulated::{Dice, Image, Machine, Mistake, Nature};
use crate::record::SessionRecord;
use crate::store::StoreOptions;
use crate::{BinaryFileBackend, FlushPolicy, SessionBackend as _};

/// How many processes follow each other.
const LIVES: usize = 3;

/// Plays one script, and tries what every cut in it leaves. Returns how many cuts that were.
pub(super) fn play(seed: u64, nature: Nature, image: &Image, mistake: Option<Mistake>) -> usize {
    let mut dice = Dice::new(seed);
    let first = read(image, nature, seed);
    let first =
        first.unwrap_or_else(|error| panic!("CUT_SEED={seed}: not read at the start: {error}"));
    let mut story = Story {
        seed: seed & ((1 << 48) - 1),
        nature,
        mistake,
        tried: 0,
        ops: Vec::new(),
    };
    story.live(&mut dice, image, first, 0);
    story.tried
}

/// What a process finds that is started with this disk.
fn read(image: &Image, nature: Nature, seed: u64) -> io::Result<Option<SessionRecord>> {
    let machine = Machine::start(image, nature, seed);
    let _entered = machine.enter();
    BinaryFileBackend::new(path()).read()
}

/// Whether `mtsession recover` gives back a state that may be found.
fn is_recovered(
    image: &Image,
    nature: Nature,
    states: &[Option<SessionRecord>],
    note: u64,
) -> bool {
    let machine = Machine::start(image, nature, note);
    let _entered = machine.enter();
    let Ok(recovered) = crate::recover(path()) else {
        return false;
    };
    println!("only recovered");
    let may_be_found = &states[(note >> 32) as usize..=(note & 0xFFFF_FFFF) as usize];
    may_be_found
        .iter()
        .flatten()
        .any(|state| *state.session() == *recovered.session)
}

struct Story {
    seed: u64,
    nature: Nature,
    mistake: Option<Mistake>,
    tried: usize,
    ops: Vec<Op>,
}

impl Story {
    fn live(&mut self, dice: &mut Dice, image: &Image, found: Option<SessionRecord>, depth: usize) {
        let machine = Machine::start(image, self.nature, dice.next());
        machine.make(self.mistake);
        machine.try_cuts(if depth == 0 { 2 } else { 1 });
        let flush = *dice.of(&[FlushPolicy::Each, FlushPolicy::Within(Duration::MAX)]);
        let mut states = vec![found];
        let told = self.ops.len();
        {
            let _entered = machine.enter();
            self.act(dice, &machine, flush, &mut states, 4 + dice_len(depth));
        }
        let left = machine.take_left();
        let mut next = Vec::new();
        for (note, image) in left {
            let found = self.check(note, &image, &states, flush, dice.next());
            if let Ok(found) = found
                && depth + 1 < LIVES
                && dice.one_in(80 << depth)
            {
                next.push((image, found));
            }
        }
        for (image, found) in next {
            self.live(dice, &image, found, depth + 1);
        }
        self.ops.truncate(told);
    }

    /// Runs some operations, and notes with each cut what it may leave.
    fn act(
        &mut self,
        dice: &mut Dice,
        machine: &Machine,
        flush: FlushPolicy,
        states: &mut Vec<Option<SessionRecord>>,
        ops: usize,
    ) {
        let open = || BinaryFileBackend::configured(&path(), &StoreOptions::new().flush(flush));
        let mut backend = open();
        let mut durable = 0;
        for _ in 0..ops {
            let number = 1 + dice.below(1_000) as i32;
            let op = Op::random(dice, number);
            self.ops.push(op);
            states.push(op.made_of(states.last().unwrap().as_ref()));
            let newest = states.len() - 1;
            machine.note(note(durable, newest));
            if op == Op::Reopen {
                drop(backend);
                backend = open();
            } else if let Err(error) = op.run(&backend) {
                panic!("CUT_SEED={}: {:?}: {error}", self.seed, self.ops);
            }
            if op.is_flushed() || flush == FlushPolicy::Each {
                durable = newest;
                machine.note(note(durable, newest));
            }
            let read = BinaryFileBackend::new(path()).read();
            let read = read.unwrap_or_else(|error| {
                panic!("CUT_SEED={}: {:?}: not read: {error}", self.seed, self.ops)
            });
            assert!(
                read == states[newest],
                "CUT_SEED={}: {:?}: another session was read",
                self.seed,
                self.ops
            );
        }
    }

    /// Reads what a cut has left.
    fn check(
        &mut self,
        note: u64,
        image: &Image,
        states: &[Option<SessionRecord>],
        flush: FlushPolicy,
        seed: u64,
    ) -> io::Result<Option<SessionRecord>> {
        self.tried += 1;
        let (durable, newest) = ((note >> 32) as usize, (note & 0xFFFF_FFFF) as usize);
        let told = || {
            let files: Vec<_> = image
                .iter()
                .map(|(path, bytes)| (path, bytes.len()))
                .collect();
            format!(
                "CUT_SEED={}, {flush:?}: {:?}, cut in step {newest}, durable {durable}, left {files:?}",
                self.seed, self.ops
            )
        };
        let found = read(image, self.nature, seed);
        if !self.nature.can_replace && states[durable].is_none() {
            // The first write into an empty file has no place of its own. What a cut leaves of it is whatever the
            // disk had there: nobody was told of a session, and none is lost.
            return match found {
                Ok(found) if !states[durable..=newest].contains(&found) => {
                    Err(io::ErrorKind::InvalidData.into())
                }
                found => found,
            };
        }
        if found.is_err()
            && !self.nature.can_replace
            && is_recovered(image, self.nature, states, note)
        {
            return found;
        }
        let found = found.unwrap_or_else(|error| panic!("{}: {error}", told()));
        let known = states.iter().rposition(|state| *state == found);
        assert!(
            states[durable..=newest].contains(&found),
            "{}: found state {known:?}",
            told()
        );
        Ok(found)
    }
}

const fn dice_len(depth: usize) -> usize {
    8 - 2 * depth
}

/// The states that may be found, as a number: from the last durable one to the newest.
const fn note(durable: usize, newest: usize) -> u64 {
    ((durable as u64) << 32) | newest as u64
}
