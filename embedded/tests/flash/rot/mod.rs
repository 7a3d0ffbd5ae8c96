//! Rotten bits: every bit of a region is flipped, one at a time. One record is damaged and nothing is
//! invented; with two copies no DC entry is lost.
//!
//! A slice of the bits is flipped in the run that everyone makes, all of them with `MTSESSION_ROT=all`;
//! see TESTING.md for the whole run.

pub(crate) mod entries;
mod rotten;
mod used;

use mtsession_embedded::Error;
use mtsession_embedded::KeyCopies;
use mtsession_embedded::sim::{Call, Chip, Dice, random_calls, workload};

use crate::common::{LISTS, load, mount, new_log, pull, run};
use entries::differences;
use rotten::Rotten;
use used::Used;

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
            Err(Error::StoreFull) => continue,
            result => result.unwrap(),
        }
        call.carry_out(&mut model);
        let Some(session) = &model else { continue };
        let chip = log.chip();
        for page in 0..8 {
            let mut image = chip.bytes.clone();
            image[page << 10..][128..1024].fill(0);
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
        let head = 3 << 30 | record << 16;
        let parity = (head.count_ones() & 1) << 26;
        image[start..start + 4].copy_from_slice(&(head | parity).to_be_bytes());
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
