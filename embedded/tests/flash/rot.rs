//! Rotten bits: every bit of a region is flipped, one at a time. One record is damaged and nothing is
//! invented; with two copies no DC entry is lost.
//!
//! A slice of the bits is flipped in the run that everyone makes, all of them with `MTSESSION_ROT=all`;
//! see TESTING.md for the whole run.

use std::collections::{HashMap, HashSet};

use mtsession_core::{Counters, UpdateChange};
use mtsession_embedded::sim::{
    Call, Chip, ChipError, Dice, OwnedChange, Plain, fresh_session, random_calls, workload,
};
use mtsession_embedded::{Error, KeyCopies, SessionLog};

use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash, check_read};

use crate::common::{LISTS, Log, load, mount, new_log, pull, run};

/// Every how many bits one is flipped, unless all are.
const SLICE: usize = 31;

/// What is asked of an entry: what it is, and what it says.
type Entry = (String, String);

/// Every entry of a session; equal ones as often as they are there.
fn entries(session: &Plain) -> HashMap<Entry, i32> {
    let mut all = vec![
        ("home".into(), session.home_dc_id.to_string()),
        ("counters".into(), format!("{:?}", session.counters)),
    ];
    if !session.account.is_empty() {
        all.push(("account".into(), format!("{:?}", session.account)));
    }
    if let Some(token) = &session.token {
        all.push(("token".into(), format!("{token:?}")));
    }
    all.extend(session.dcs.iter().map(|dc| {
        let said = format!("{dc:?}");
        (format!("dc {}", dc.dc_id), said)
    }));
    all.extend(session.channels.iter().map(|channel| {
        let said = channel.pts.to_string();
        (format!("channel {}", channel.id), said)
    }));
    all.extend(session.peers.iter().map(|peer| {
        let said = format!("{peer:?}");
        (format!("peer {}", peer.id), said)
    }));
    all.extend(session.min_peers.iter().map(|peer| {
        let said = format!("{peer:?}");
        (format!("min peer {}", peer.user_id), said)
    }));
    let mut counts = HashMap::new();
    for entry in all {
        *counts.entry(entry).or_default() += 1;
    }
    counts
}

/// What two sessions say differently.
fn differences(one: &Plain, other: &Plain) -> HashSet<String> {
    let mut counts = entries(one);
    for (entry, count) in entries(other) {
        *counts.entry(entry).or_default() -= count;
    }
    counts.retain(|_, count| *count != 0);
    counts.into_keys().map(|(what, _)| what).collect()
}

/// A region with a history.
struct Used<const W: usize, const E: usize> {
    log: Log<W, E>,
    session: Plain,
    /// All that its entries ever said.
    said: HashSet<Entry>,
    /// All that its counters ever were: pts, date and seq, and qts.
    boxes: HashSet<(i32, i32, i32)>,
    qts: HashSet<i32>,
    /// What single records changed that are about several entries: commit records, and emptied lists.
    together: Vec<HashSet<String>>,
}

impl<const W: usize, const E: usize> Used<W, E> {
    fn saved(size: usize, copies: KeyCopies) -> Self {
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
            Err(Error::BatchTooLarge { .. }) => return,
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
    fn updated(mut self, laps: u32) -> Self {
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
    fn mixed(mut self, laps: u32) -> Self {
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
    fn rot(mut self, what: &str, copies: KeyCopies) {
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

/// An image with a flipped bit. Nothing writes to it.
struct Rotten<'a, const W: usize, const E: usize> {
    image: &'a [u8],
    bit: usize,
}

impl<const W: usize, const E: usize> Rotten<'_, W, E> {
    fn session(self) -> Option<Plain> {
        let bit = self.bit;
        let end = u32::try_from(self.image.len()).unwrap();
        let log = SessionLog::<_>::mount(self, 0..end);
        let mut log = log.unwrap_or_else(|error| panic!("bit {bit}: {error}"));
        let mut session = Plain::default();
        log.load(&mut session).unwrap().then_some(session)
    }
}

impl<const W: usize, const E: usize> ErrorType for Rotten<'_, W, E> {
    type Error = ChipError;
}

impl<const W: usize, const E: usize> ReadNorFlash for Rotten<'_, W, E> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), ChipError> {
        check_read(self, offset, bytes.len()).map_err(ChipError::Rule)?;
        let at = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&self.image[at..at + bytes.len()]);
        if let Some(byte) = (self.bit / 8).checked_sub(at)
            && let Some(byte) = bytes.get_mut(byte)
        {
            *byte ^= 1 << (self.bit % 8);
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.image.len()
    }
}

impl<const W: usize, const E: usize> NorFlash for Rotten<'_, W, E> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;

    fn erase(&mut self, from: u32, _: u32) -> Result<(), ChipError> {
        panic!("bit {}: reading erased {from}", self.bit);
    }

    fn write(&mut self, offset: u32, _: &[u8]) -> Result<(), ChipError> {
        panic!("bit {}: reading wrote to {offset}", self.bit);
    }
}

/// Every state of a region of 16 KiB.
fn every_state<const W: usize, const E: usize>() {
    const SIZE: usize = 16 << 10;
    for copies in [KeyCopies::One, KeyCopies::Two] {
        let saved = || Used::<W, E>::saved(SIZE, copies);
        saved().rot("saved", copies);
        saved().updated(2).rot("updated for two laps", copies);
        saved().updated(4).rot("updated for four laps", copies);
        saved().mixed(3).rot("calls of all kinds", copies);
    }
}

#[test]
fn a_rotten_bit_damages_one_record_unit_1() {
    every_state::<1, 4096>();
}

#[test]
fn a_rotten_bit_damages_one_record_unit_4() {
    every_state::<4, 4096>();
}

#[test]
fn a_rotten_bit_damages_one_record_unit_8() {
    every_state::<8, 2048>();
}

#[test]
fn a_rotten_bit_damages_one_record_unit_16() {
    every_state::<16, 4096>();
}

#[test]
fn a_rotten_bit_damages_one_record_unit_32() {
    every_state::<32, 4096>();
}

/// Whatever was lost, the log goes on with what is left.
#[test]
fn a_log_with_a_rotten_bit_goes_on() {
    let mut used = Used::<4, 1024>::saved(6 << 10, KeyCopies::Two).updated(2);
    let session = used.session.clone();
    let chip = used.log.chip().clone();
    for bit in (0..chip.bytes.len() * 8).step_by(61) {
        let mut chip = chip.clone();
        chip.flip(bit);
        let mut log = mount(chip).unwrap();
        log.set_key_copies(KeyCopies::Two).unwrap();
        log.maintain().unwrap();
        let mut now = load(&mut log).unwrap().unwrap();
        assert_eq!(now.dcs, session.dcs, "bit {bit}");
        let mut dice = Dice::new(6);
        let laps = log.chip().erases[0] + 3;
        while log.chip().erases[0] < laps {
            if now.channels.is_empty() {
                break;
            }
            let change = workload(&mut dice, &mut now, 15);
            log.append(&change.as_ref()).unwrap();
        }
        let mut log = mount(pull(log)).unwrap();
        // An entry that was lost comes back in another place.
        let found = load(&mut log).unwrap().unwrap();
        let wrong = differences(&found, &now);
        assert!(wrong.is_empty(), "bit {bit}: {wrong:?}");
    }
}

/// Two copies are on different pages: all that a page holds may go, only not its header.
#[test]
fn a_rotten_page_loses_no_key_that_is_there_twice() {
    let mut log = new_log::<4, 1024>(8 << 10);
    log.set_key_copies(KeyCopies::Two).unwrap();
    let mut model = None;
    let mut keys = 0;
    for call in random_calls(&mut Dice::new(12), 3000, LISTS) {
        if matches!(call, Call::Delete) {
            // A deletion whose last mark is gone is finished by the next load, which erases.
            continue;
        }
        match run(&mut log, &call) {
            Err(Error::BatchTooLarge { .. }) => continue,
            result => result.unwrap(),
        }
        call.carry_out(&mut model);
        let Some(session) = &model else { continue };
        let chip = log.chip();
        for page in 0..8 {
            let mut image = chip.bytes.clone();
            image[page << 10..][96..1024].fill(0);
            let found = Rotten::<4, 1024> {
                image: &image,
                bit: usize::MAX,
            };
            let found = found.session().unwrap_or_default();
            assert_eq!(found.dcs, session.dcs, "page {page}, {call:?}");
        }
        keys += session.dcs.len();
    }
    assert!(keys > 1000);
}

/// In random bytes, a short record with a right check is found once in 65,536 words: nothing counts that
/// no other record is behind.
#[test]
fn random_bytes_change_nothing() {
    let mut used = Used::<4, 1024>::saved(4 << 10, KeyCopies::One).updated(2);
    let session = used.session.clone();
    let image = used.log.chip().bytes.clone();
    let free = used.log.stats().unwrap().free_in_page;
    let end = used.log.chip().erases.len();
    // The head page's blank end: its last bytes are the free ones.
    let free = usize::try_from(free).unwrap();
    let sequence = |page: usize| {
        let header = &image[page << 10..];
        let bytes = header[12..].first_chunk().unwrap();
        header
            .starts_with(b"MTSL")
            .then(|| u32::from_le_bytes(*bytes))
    };
    let head = (0..end).max_by_key(|page| sequence(*page));
    let start = (head.unwrap() << 10) + 1024 - free;
    assert!(image[start..start + free].iter().all(|byte| *byte == 0xFF));
    let mut dice = Dice::new(15);
    for n in 0..30_000 {
        let mut image = image.clone();
        let len = 300.min(free - 16);
        // A record of that length that is none.
        let record = u32::try_from(len - 8).unwrap();
        image[start..start + 4].copy_from_slice(&(3 << 30 | record << 16).to_be_bytes());
        for byte in &mut image[start + 4..start + len] {
            *byte = u8::try_from(dice.below(256)).unwrap();
        }
        let bit = usize::MAX;
        let found = Rotten::<4, 1024> { image: &image, bit }.session();
        assert_eq!(found.as_ref(), Some(&session), "{n}");
    }
}

#[test]
fn a_lost_key_copy_is_made_again() {
    let mut used = Used::<4, 2048>::saved(5 * 2048, KeyCopies::Two).updated(3);
    let key = used.session.dcs[0].auth_key.unwrap();
    let copies = |chip: &Chip<4, 2048>| {
        let places = chip.bytes.windows(256).enumerate();
        places
            .filter(|(_, bytes)| **bytes == key)
            .map(|(at, _)| at)
            .collect::<Vec<_>>()
    };
    let whole = |mut chip: Chip<4, 2048>, at: usize| {
        chip.flip(at * 8);
        let mut log = mount(chip).unwrap();
        assert_eq!(load(&mut log).unwrap().as_ref(), Some(&used.session));
        log
    };
    let chip = used.log.chip().clone();
    assert!(copies(&chip).len() > 1);
    for at in copies(&chip) {
        let mut log = whole(chip.clone(), at);
        log.set_key_copies(KeyCopies::Two).unwrap();
        log.maintain().unwrap();
        let repaired = pull(log);
        // Any of those that are there now may be lost again.
        for at in copies(&repaired) {
            whole(repaired.clone(), at);
        }
    }
}
