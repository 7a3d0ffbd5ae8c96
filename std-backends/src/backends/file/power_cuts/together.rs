//! Several processes at the same file, which take turns call by call.

use core::sync::atomic::{AtomicI64, AtomicUsize, Ordering::SeqCst};
use core::time::Duration;
use std::sync::Mutex;

use mtsession_core::{Change, Peer};

use super::script::{dc, path, session};
use crate::fs::disk::simulated::{Dice, Image, Machine, Mistake, Nature};
use crate::fs::disk::{Disk as _, OpenFile as _, disk};
use crate::fs::{Access, clean, directory_of};
use crate::record::SessionRecord;
use crate::store::StoreOptions;
use crate::{BinaryFileBackend, FlushPolicy, SessionBackend as _};

const WRITERS: usize = 3;

/// How far each writer is. Each has a peer and a DC of its own, whose numbers only grow.
type Numbers = [[i64; 2]; WRITERS];

/// What was asked for, what was acknowledged, and what was acknowledged with a flush.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    asked: Numbers,
    stored: Numbers,
    durable: Numbers,
}

#[derive(Debug, Default)]
struct Seen {
    known: Mutex<Vec<Known>>,
}

impl Seen {
    fn newest(&self) -> Known {
        self.known
            .lock()
            .unwrap()
            .last()
            .copied()
            .unwrap_or_default()
    }

    /// Notes something new, also with the cuts from now on.
    fn change(&self, machine: &Machine, change: impl FnOnce(&mut Known)) {
        let mut known = self.known.lock().unwrap();
        let mut newest = known.last().copied().unwrap_or_default();
        change(&mut newest);
        known.push(newest);
        machine.note(known.len() as u64 - 1);
    }
}

/// Plays one script. Returns how many cuts were tried.
pub(super) fn play(seed: u64, nature: Nature, mistake: Option<Mistake>) -> usize {
    let mut dice = Dice::new(seed);
    let machine = Machine::start(&Image::new(), nature, dice.next());
    let flush = *dice.of(&[FlushPolicy::Each, FlushPolicy::Within(Duration::MAX)]);
    {
        let _entered = machine.enter();
        BinaryFileBackend::new(path()).save(&session(0)).unwrap();
    }
    let seen = Seen::default();
    seen.change(&machine, |_| ());
    machine.make(mistake);
    machine.try_cuts(1);
    let writers = 2 + dice.below(2);
    let dies = dice.one_in(2).then(|| dice.below(120));
    let read = AtomicUsize::new(0);
    let mut actors: Vec<Box<dyn FnOnce() + Send + '_>> = Vec::new();
    for number in 0..writers {
        let (machine, seen, mut dice) = (&machine, &seen, Dice::new(dice.next()));
        actors.push(Box::new(move || {
            if let Some(calls) = dies.filter(|_| number == 0) {
                machine.die_in(calls);
            }
            write(
                &mut dice,
                machine,
                seen,
                number,
                flush,
                seed,
                dies.is_some() && number == 0,
            );
        }));
    }
    let (seen_too, read) = (&seen, &read);
    actors.push(Box::new(move || {
        for _ in 0..6 {
            look(seen_too, seed);
            read.fetch_add(1, SeqCst);
        }
    }));
    actors.push(Box::new(move || {
        copy_in_chunks(seen_too, seed);
        let _ = clean(directory_of(&path()), None, |_| false);
    }));
    machine.run_together(actors, dice.next());
    assert_eq!(read.load(SeqCst), 6, "CUT_SEED={seed}: a reader has failed");

    let left = machine.take_left();
    let tried = left.len();
    let known = seen.known.lock().unwrap().clone();
    for (note, image) in left {
        let known = known[note as usize];
        let again = Machine::start(&image, nature, seed);
        let _entered = again.enter();
        let found = BinaryFileBackend::new(path()).read();
        let found = found.unwrap_or_else(|error| panic!("CUT_SEED={seed}: after a cut: {error}"));
        within(
            &found.expect("there was a session"),
            known.durable,
            known.asked,
            seed,
            "after a cut",
        );
    }
    let _entered = machine.enter();
    let found = BinaryFileBackend::new(path()).read().unwrap().unwrap();
    let known = seen.newest();
    within(&found, known.stored, known.asked, seed, "at the end");
    tried
}

fn write(
    dice: &mut Dice,
    machine: &Machine,
    seen: &Seen,
    writer: usize,
    flush: FlushPolicy,
    seed: u64,
    dies: bool,
) {
    static NUMBER: AtomicI64 = AtomicI64::new(1);

    let open = || BinaryFileBackend::configured(&path(), &StoreOptions::new().flush(flush));
    let mut backend = open();
    for _ in 0..5 {
        let number = NUMBER.fetch_add(1, SeqCst);
        let what = usize::from(dice.one_in(3));
        seen.change(machine, |known| known.asked[writer][what] = number);
        let id = writer as i32 + 1;
        let done = if what == 0 {
            let peer = Peer {
                id: i64::from(id),
                access_hash: number,
                ..Peer::default()
            };
            backend.apply(&[Change::Peer(peer)])
        } else {
            let mut entry = dc(id, number as i32);
            entry.first_salt = number;
            backend.update_dc(&entry)
        };
        match done {
            Ok(()) => seen.change(machine, |known| {
                known.stored[writer][what] = number;
                if what == 1 {
                    // Of what one process has written, nothing is kept without what it wrote before.
                    known.durable[writer] = known.stored[writer];
                } else if flush == FlushPolicy::Each {
                    known.durable[writer][what] = number;
                }
            }),
            Err(_) if dies => return,
            Err(error) => panic!("CUT_SEED={seed}: writer {writer}: {error}"),
        }
        if dice.one_in(4) {
            drop(backend);
            backend = open();
        }
    }
}

/// A reader sees what was acknowledged before it began, or something newer.
fn look(seen: &Seen, seed: u64) {
    let before = seen.newest();
    let found = BinaryFileBackend::new(path()).read();
    let found = found.unwrap_or_else(|error| panic!("CUT_SEED={seed}: a reader: {error}"));
    let found = found.expect("there is a session");
    within(&found, before.stored, seen.newest().asked, seed, "a reader");
}

/// A copy of a live file is a session, whatever was appended meanwhile.
fn copy_in_chunks(seen: &Seen, seed: u64) {
    let before = seen.newest();
    let file = disk().open(&path(), Access::Read).unwrap();
    let (mut copy, mut chunk) = (Vec::new(), [0; 1_500]);
    loop {
        match file.read_some_at(&mut chunk, copy.len() as u64).unwrap() {
            0 => break,
            len => copy.extend_from_slice(&chunk[..len]),
        }
    }
    let found = SessionRecord::from_bytes(&copy);
    let found = found.unwrap_or_else(|error| panic!("CUT_SEED={seed}: a copy: {error}"));
    within(&found, before.stored, seen.newest().asked, seed, "a copy");
}

fn within(found: &SessionRecord, from: Numbers, to: Numbers, seed: u64, who: &str) {
    let session = found.session();
    for writer in 0..WRITERS {
        let id = writer as i32 + 1;
        let peer = session.peers.iter().find(|peer| peer.id == i64::from(id));
        let entry = session
            .dcs
            .iter()
            .find(|dc| dc.dc_id == id && dc.first_salt > 0);
        let numbers = [
            peer.map_or(0, |peer| peer.access_hash),
            entry.map_or(0, |dc| dc.first_salt),
        ];
        for (what, number) in numbers.into_iter().enumerate() {
            let (from, to) = (from[writer][what], to[writer][what]);
            assert!(
                (from..=to).contains(&number),
                "CUT_SEED={seed}: {who}: writer {writer} is at {number}, which is not within {from}..={to}"
            );
        }
        if let Some(entry) = entry {
            let whole = dc(id, entry.first_salt as i32);
            assert!(
                entry.auth_key == whole.auth_key,
                "CUT_SEED={seed}: {who}: a mixture"
            );
        }
    }
}
