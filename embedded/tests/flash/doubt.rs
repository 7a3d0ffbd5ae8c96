//! The record at which the power was lost may read well in one start and not in the next, or the other way
//! round. Its call was not acknowledged and may come and go; what was acknowledged after it may not depend on it.

use std::collections::HashSet;

use mtsession_core::{Account, Peer, UpdateChange};
use mtsession_embedded::sim::{Call, Chip, Dice, OwnedChange, Plain, fresh_session};
use mtsession_embedded::{Durability, KeyCopies};

use crate::common::{Log, load, mount, new_log, pull, run};
use crate::rot::entries::{Entry, entries};

/// Ids of the channels that sessions begin with: see `fresh_session`.
const CHANNEL: i64 = 1_500_000_000;

fn channel(id: i64, pts: i32) -> OwnedChange {
    OwnedChange::Update(UpdateChange::Channel { id, pts })
}

fn primary(pts: i32) -> OwnedChange {
    OwnedChange::Update(UpdateChange::Primary {
        pts,
        date: 1_750_000_000,
        seq: 500,
    })
}

fn peer(id: i64, access_hash: i64) -> OwnedChange {
    OwnedChange::Peer(Peer {
        id,
        access_hash,
        ..Peer::default()
    })
}

fn token(byte: u8) -> OwnedChange {
    OwnedChange::Token(Some(vec![byte; 20]))
}

fn account(id: i64) -> OwnedChange {
    OwnedChange::Account(Account {
        user_id: Some(id),
        ..Account::default()
    })
}

/// The entry of a DC, with a key of one byte.
fn dc(session: &Plain, dc_id: i32, key: u8) -> OwnedChange {
    let mut dc = session.dcs[0].clone();
    dc.dc_id = dc_id;
    dc.auth_key = Some([key; 256]);
    OwnedChange::Dc(dc)
}

/// Changes that the power may have cut, each with others that go to the same place, or build on it.
fn changes(session: &Plain) -> Vec<(OwnedChange, Vec<OwnedChange>)> {
    let pts = session.channels[1].pts;
    let known = CHANNEL + 1013;
    vec![
        (primary(100_002), vec![primary(100_003), primary(100_001)]),
        (primary(900_000), vec![primary(900_001), primary(100_001)]),
        (channel(known, pts + 1), vec![channel(known, pts + 2)]),
        (
            channel(known, pts + 90_000),
            vec![channel(known, pts + 90_001)],
        ),
        (channel(7, 40), vec![channel(7, 41), channel(8, 50)]),
        (peer(7, 1), vec![peer(8, 2), peer(7, 3)]),
        (
            dc(session, 3, 1),
            vec![dc(session, 4, 2), dc(session, 3, 3)],
        ),
        (
            dc(session, 2, 4),
            vec![dc(session, 2, 5), dc(session, 3, 6)],
        ),
        (OwnedChange::HomeDc(4), vec![OwnedChange::HomeDc(5)]),
        (token(1), vec![token(2)]),
        (account(1), vec![account(2)]),
        (
            OwnedChange::Update(UpdateChange::ClearChannels),
            vec![channel(9, 60), channel(known, pts + 1)],
        ),
    ]
}

/// A call that the power cut in its last record.
struct Cut {
    call: Call,
    /// What follows in the next start.
    then: Vec<OwnedChange>,
}

/// Single changes, and batches of each with two more.
fn cuts(session: &Plain) -> Vec<Cut> {
    let mut cuts = Vec::new();
    for (change, then) in changes(session) {
        let batch = vec![peer(70, 1), change.clone(), primary(100_050)];
        let mut after = then.clone();
        after.extend([peer(71, 1), primary(100_051)]);
        cuts.push(Cut {
            call: Call::Apply(batch),
            then: after,
        });
        cuts.push(Cut {
            call: Call::Append(change),
            then,
        });
    }
    cuts
}

/// Bytes of the last record of a cut call: where they are, and how they read, well and not.
struct Record {
    at: usize,
    good: Vec<u8>,
    bad: Vec<u8>,
}

/// The last record that `after` has and `before` has not.
fn last_record<const W: usize>(before: &[u8], after: &[u8]) -> Record {
    let mut changed = (0..before.len()).filter(|at| before[*at] != after[*at]);
    let first = changed.next().unwrap();
    let last = changed.next_back().unwrap_or(first);
    let unit = W.max(4);
    let at = first / unit * unit;
    let good = after[at..=last].to_vec();
    Record {
        at,
        bad: good.clone(),
        good,
    }
}

/// How a record reads while it is not valid.
fn bad(record: &Record, kind: u32, dice: &mut Dice) -> Vec<u8> {
    let mut bad = record.good.clone();
    match kind {
        0 => bad.fill(0xFF),
        // A single bit, which has to be one that was programmed.
        1 => {
            let zeros = (0..bad.len() * 8).filter(|bit| bad[bit / 8] & 1 << (bit % 8) == 0);
            let zeros: Vec<_> = zeros.collect();
            let bit = zeros[dice.below(zeros.len())];
            bad[bit / 8] |= 1 << (bit % 8);
        }
        _ => {
            for byte in &mut bad {
                *byte |= u8::try_from(dice.below(256)).unwrap();
            }
        }
    }
    bad
}

fn set<const W: usize>(chip: &mut Chip<W, 2048>, at: usize, bytes: &[u8]) {
    chip.bytes[at..at + bytes.len()].copy_from_slice(bytes);
}

struct Setting {
    copies: KeyCopies,
    lazy: u16,
}

impl Setting {
    fn start<const W: usize>(&self, chip: Chip<W, 2048>) -> Log<W, 2048> {
        let mut log = mount(chip).unwrap();
        log.set_key_copies(self.copies).unwrap();
        log.set_durability(Durability::Lazy(self.lazy));
        log
    }
}

/// A chip after a cut call, and how the last record of it reads.
struct Torn<'a, const W: usize> {
    setting: &'a Setting,
    before: &'a Option<Plain>,
    cut: &'a Cut,
    chip: &'a Chip<W, 2048>,
    record: &'a Record,
    is_good_first: bool,
}

impl<const W: usize> Torn<'_, W> {
    /// Whether the record may read differently after these calls and so many page turns.
    fn stands(&self, calls: &[Call], turns: u32) -> bool {
        let Record { at, good, bad } = self.record;
        let (first, later) = if self.is_good_first {
            (good, bad)
        } else {
            (bad, good)
        };
        let mut chip = self.chip.clone();
        set(&mut chip, *at, first);
        let mut log = self.setting.start(chip);
        let mut allowed = [self.before.clone(), self.before.clone()];
        self.cut.call.carry_out(&mut allowed[1]);
        let mut carry_out = |log: &mut Log<W, 2048>, call: &Call| {
            run(log, call).unwrap();
            for model in &mut allowed {
                call.carry_out(model);
            }
        };
        for call in calls {
            carry_out(&mut log, call);
        }
        let erases = log.chip().counts.erases;
        for n in 0.. {
            if log.chip().counts.erases - erases >= turns.into() {
                break;
            }
            carry_out(&mut log, &Call::Append(token(n)));
        }
        log.sync().unwrap();
        let mut chip = pull(log);
        if chip.erases[at / 2048] == self.chip.erases[at / 2048] {
            set(&mut chip, *at, later);
        }
        let found = load(&mut self.setting.start(chip)).unwrap();
        if self.is_good_first {
            allowed.contains(&found)
        } else {
            comes_back(&allowed, &found)
        }
    }
}

fn every_record<const W: usize>(setting: &Setting) {
    let session = fresh_session(&mut Dice::new(3), 2, 4, 5);
    let mut log = new_log::<W, 2048>(12 << 10);
    log.set_key_copies(setting.copies).unwrap();
    log.save(&session).unwrap();
    let mut before = Some(session.clone());
    let call = Call::Append(primary(100_001));
    run(&mut log, &call).unwrap();
    call.carry_out(&mut before);
    let start = pull(setting.start(pull(log)));
    let mut dice = Dice::new(17);
    for cut in cuts(&session) {
        let mut log = setting.start(start.clone());
        log.set_durability(Durability::Now);
        run(&mut log, &cut.call).unwrap();
        let chip = pull(log);
        if chip.erases != start.erases {
            // A second copy of a key was made after the record.
            continue;
        }
        let mut record = last_record::<W>(&start.bytes, &chip.bytes);
        for trial in 0..6 {
            record.bad = bad(&record, trial % 3, &mut dice);
            let torn = Torn {
                setting,
                before: &before,
                cut: &cut,
                chip: &chip,
                record: &record,
                is_good_first: trial % 2 == 0,
            };
            for calls in follow_ups(&cut) {
                for turns in [0, 1, 3] {
                    assert!(
                        torn.stands(&calls, turns),
                        "unit {W}, {:?}, trial {trial}, {turns} turns, then {calls:?}",
                        cut.call
                    );
                }
            }
        }
    }
}

/// Whether this is what is left where a cut call that was not there comes back: what it is about may be as
/// it says or not, since places that it wrote to were free, and may have been taken. All else is as it was.
fn comes_back(allowed: &[Option<Plain>; 2], found: &Option<Plain>) -> bool {
    let [without, with] = allowed
        .each_ref()
        .map(|session| entries(session.as_ref().unwrap()));
    let mut found = found.clone().unwrap();
    // One that was added since is before the one that came back, and what is looked for is found first.
    let mut seen = HashSet::new();
    found.peers.retain(|peer| seen.insert(peer.id));
    seen.clear();
    found.channels.retain(|channel| seen.insert(channel.id));
    seen.clear();
    found.dcs.retain(|dc| seen.insert(dc.dc_id.into()));
    let found = entries(&found);
    let is_known = |(entry, count): (&Entry, &i32)| {
        without.get(entry) == Some(count) || with.get(entry) == Some(count)
    };
    let stands = |(entry, count): (&Entry, &i32)| {
        with.get(entry) != Some(count) || found.get(entry) == Some(count)
    };
    found.iter().all(is_known) && without.iter().all(stands)
}

/// The same call again, since it was not acknowledged; each of those that follow; all of them.
fn follow_ups(cut: &Cut) -> Vec<Vec<Call>> {
    let append = |change: &OwnedChange| Call::Append(change.clone());
    let mut all = vec![vec![cut.call.clone()]];
    if let Call::Apply(changes) = &cut.call {
        all.push(changes.iter().map(append).collect());
    }
    all.extend(cut.then.iter().map(|change| vec![append(change)]));
    all.push(cut.then.iter().map(append).collect());
    all.push(vec![Call::Apply(cut.then.clone())]);
    all
}

#[test]
fn nothing_acknowledged_depends_on_the_record_at_which_the_power_was_lost() {
    for (copies, lazy) in [
        (KeyCopies::One, 1),
        (KeyCopies::Two, 1),
        (KeyCopies::One, 8),
    ] {
        let setting = Setting { copies, lazy };
        every_record::<1>(&setting);
        every_record::<8>(&setting);
        every_record::<32>(&setting);
    }
}
