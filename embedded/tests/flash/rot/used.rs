//! A region with a history, and what a flipped bit may do to it.

use std::collections::HashSet;

use mtsession_core::{Counters, UpdateChange};
use mtsession_embedded::sim::{
    Call, Dice, OwnedChange, Plain, fresh_session, random_calls, workload,
};
use mtsession_embedded::{Error, KeyCopies};

use super::entries::{Entry, differences, entries};
use super::rotten::Rotten;
use crate::common::{LISTS, Log, load, new_log, pull, run};

/// Every how many bits one is flipped, unless all are.
const SLICE: usize = 31;

/// A region with a history.
pub(super) struct Used<const W: usize, const E: usize> {
    pub(super) log: Log<W, E>,
    pub(super) session: Plain,
    /// All that its entries ever said.
    said: HashSet<Entry>,
    /// All that its counters ever were: pts, date and seq, and qts.
    boxes: HashSet<(i32, i32, i32)>,
    qts: HashSet<i32>,
    /// What single records changed that are about several entries: commit records, and emptied lists.
    together: Vec<HashSet<String>>,
}

impl<const W: usize, const E: usize> Used<W, E> {
    pub(super) fn saved(size: usize, copies: KeyCopies) -> Self {
        let session = fresh_session(&mut Dice::new(3), 3, 12, 15);
        let mut log = new_log::<W, E>(size);
        log.set_key_copies(copies).unwrap();
        log.save(&session).unwrap();
        let mut used = Self {
            log,
            said: HashSet::new(),
            boxes: HashSet::new(),
            qts: HashSet::new(),
            together: Vec::new(),
            session,
        };
        used.note();
        used
    }

    fn note(&mut self) {
        self.said.extend(entries(&self.session).into_keys());
        let Counters {
            pts,
            qts,
            date,
            seq,
        } = self.session.counters;
        self.boxes.insert((pts, date, seq));
        self.qts.insert(qts);
    }

    fn call(&mut self, call: &Call) {
        match run(&mut self.log, call) {
            Err(Error::StoreFull) => return,
            result => result.unwrap(),
        }
        let before = self.session.clone();
        if let Call::Apply(changes) = call {
            // A part of a batch is never found, but its counters are where hot records went on.
            for change in changes {
                change.apply(&mut self.session);
                self.note();
            }
            self.session = before.clone();
        }
        let mut after = Some(self.session.clone());
        call.carry_out(&mut after);
        self.session = after.unwrap();
        self.note();
        let is_one = match call {
            Call::Append(change) => *change == OwnedChange::Update(UpdateChange::ClearChannels),
            Call::Apply(_) => true,
            _ => false,
        };
        if is_one {
            self.together.push(differences(&before, &self.session));
        }
    }

    /// Goes on with the updates of a device until every page was erased so often.
    pub(super) fn updated(mut self, laps: u32) -> Self {
        let mut dice = Dice::new(4);
        for n in 0.. {
            if self.log.chip().erases.iter().all(|erases| *erases >= laps) {
                break;
            }
            let call = if n % 300 == 299 {
                let mut dc = self.session.dcs[n % 3].clone();
                dc.first_salt = dice.next().cast_signed();
                OwnedChange::Dc(dc)
            } else {
                workload(&mut dice, &mut self.session.clone(), 15)
            };
            self.call(&Call::Append(call));
        }
        self
    }

    /// Goes on with calls of all kinds.
    pub(super) fn mixed(mut self, laps: u32) -> Self {
        let mut dice = Dice::new(5);
        while self.log.chip().erases.iter().any(|erases| *erases < laps) {
            for call in random_calls(&mut dice, 300, LISTS) {
                if !matches!(call, Call::Delete) {
                    self.call(&call);
                }
            }
        }
        self
    }

    /// Flips bits of the region.
    pub(super) fn rot(mut self, what: &str, copies: KeyCopies) {
        assert_eq!(load(&mut self.log).unwrap().as_ref(), Some(&self.session));
        let all = std::env::var("MTSESSION_ROT").is_ok_and(|bits| bits == "all");
        let slice = if all { 1 } else { SLICE };
        let chip = pull(self.log);
        let bits = chip.bytes.len() * 8;
        let (mut flips, mut damaged) = (0, 0);
        for bit in (what.len() % slice..bits).step_by(slice) {
            flips += 1;
            let rotten = Rotten::<W, E> {
                image: &chip.bytes,
                bit,
            };
            let found = rotten.session().expect("a session");
            if found == self.session {
                continue;
            }
            damaged += 1;
            if copies == KeyCopies::Two {
                assert_eq!(found.dcs, self.session.dcs, "{what}, bit {bit}");
            }
            for entry in entries(&found).into_keys() {
                let known = self.said.contains(&entry);
                // Hot records go on from the last qts that is whole.
                let known = known || {
                    let Counters {
                        pts,
                        qts,
                        date,
                        seq,
                    } = found.counters;
                    entry.0 == "counters"
                        && self.boxes.contains(&(pts, date, seq))
                        && self.qts.contains(&qts)
                };
                assert!(known, "{what}, bit {bit}: never said: {entry:?}");
            }
            let wrong = differences(&found, &self.session);
            let is_one = wrong.len() <= 1
                || self
                    .together
                    .iter()
                    .any(|together| wrong.is_subset(together));
            assert!(is_one, "{what}, bit {bit}: {wrong:?}");
        }
        println!("unit {W}, {copies:?}, {what}: {flips} bits flipped, {damaged} seen");
        assert!(damaged > 0, "flips must hit something");
    }
}
