//! Keys that the session no longer has are gone from the chip after `maintain`, whatever the power did.

use mtsession_core::Change;
use mtsession_embedded::sim::{Call, Chip, Cut, Dice, OwnedChange, Plain, Tear, fresh_session};
use mtsession_embedded::{KeyCopies, SessionLog};

use crate::common::{Log, load, mount, new_log, pull, run};

/// Whether any part of a session's keys is on the chip.
fn has_key<const W: usize, const E: usize>(chip: &Chip<W, E>, session: &Plain) -> bool {
    let keys = session.dcs.iter().filter_map(|dc| dc.auth_key);
    keys.flat_map(|key| {
        [
            key[..16].to_vec(),
            key[120..136].to_vec(),
            key[240..].to_vec(),
        ]
    })
    .any(|part| chip.bytes.windows(16).any(|bytes| bytes == part))
}

/// A log that holds `old`, used for a while.
fn used<const W: usize, const E: usize>(
    size: usize,
    copies: KeyCopies,
    old: &Plain,
    dice: &mut Dice,
) -> Log<W, E> {
    let mut log = new_log::<W, E>(size);
    log.set_key_copies(copies).unwrap();
    log.save(old).unwrap();
    for n in 0..60 {
        let change = OwnedChange::Peer(old.peers[n % old.peers.len()]);
        run(&mut log, &Call::Append(change)).unwrap();
        let mut dc = old.dcs[n % old.dcs.len()].clone();
        dc.first_salt = dice.next().cast_signed();
        run(&mut log, &Call::Append(OwnedChange::Dc(dc))).unwrap();
    }
    log
}

/// What makes old keys old.
fn replace<const W: usize, const E: usize>(
    log: &mut Log<W, E>,
    way: u8,
    old: &Plain,
    new: &Plain,
) -> Plain {
    let mut session = load(log).unwrap().unwrap();
    let changed: Vec<_> = (new.dcs.iter().zip(&old.dcs))
        .map(|(new, old)| {
            let mut dc = old.clone();
            dc.auth_key = if way == 3 { None } else { new.auth_key };
            OwnedChange::Dc(dc)
        })
        .collect();
    match way {
        0 => {
            log.save(new).unwrap();
            return new.clone();
        }
        2 if changed.len() < 3 => log
            .apply(&[changed[0].as_ref(), changed[1].as_ref()])
            .unwrap(),
        _ => {
            for change in &changed {
                log.append(&change.as_ref()).unwrap();
            }
        }
    }
    for change in &changed {
        change.apply(&mut session);
    }
    session
}

fn wiped<const W: usize, const E: usize>(size: usize, copies: KeyCopies) {
    let mut dice = Dice::new(5);
    let old = fresh_session(&mut dice, 2, 3, 4);
    let new = fresh_session(&mut dice, 2, 3, 4);
    for way in 0..4 {
        let mut log = used::<W, E>(size, copies, &old, &mut dice);
        let session = replace(&mut log, way, &old, &new);
        assert!(
            has_key(log.chip(), &old),
            "what is to be erased must be there"
        );
        // A start forgets nothing of it.
        let mut log = mount(pull(log)).unwrap();
        log.set_key_copies(copies).unwrap();
        let mut probe = log.clone();
        let before = probe.chip().counts.steps;
        probe.maintain().unwrap();
        let steps = probe.chip().counts.steps - before;
        assert!(
            !has_key(probe.chip(), &old),
            "unit {W}, {copies:?}, way {way}"
        );
        assert_eq!(load(&mut probe).unwrap().as_ref(), Some(&session));
        // Once is enough.
        let counts = probe.chip().counts.erases;
        let mut probe = mount(pull(probe)).unwrap();
        probe.set_key_copies(copies).unwrap();
        probe.maintain().unwrap();
        assert!(probe.chip().counts.erases <= counts + 1);
        for after in (0..steps).step_by(7) {
            let mut trial = log.clone();
            let tear = Tear::new(dice.next() as u8, dice.next() as u8);
            trial.chip().cut(Cut { after, tear }, after);
            let _ = trial.maintain();
            let context = format!("unit {W}, {copies:?}, way {way}, step {after} {tear:?}");
            let mut chip = pull(trial);
            assert!(chip.power_up(), "{context}");
            let mut log = mount(chip).unwrap();
            log.set_key_copies(copies).unwrap();
            assert_eq!(
                load(&mut log).unwrap().as_ref(),
                Some(&session),
                "{context}"
            );
            log.maintain().unwrap();
            assert!(!has_key(log.chip(), &old), "{context}");
            assert_eq!(
                load(&mut log).unwrap().as_ref(),
                Some(&session),
                "{context}"
            );
        }
    }
}

#[test]
fn keys_that_were_replaced_are_erased_by_maintenance() {
    for copies in [KeyCopies::One, KeyCopies::Two] {
        wiped::<1, 4096>(16 << 10, copies);
        wiped::<4, 2048>(10 << 10, copies);
        wiped::<8, 2048>(10 << 10, copies);
        wiped::<16, 2048>(12 << 10, copies);
        wiped::<32, 4096>(16 << 10, copies);
    }
    wiped::<4, 4096>(8 << 10, KeyCopies::One);
}

/// A save of the same keys, and an entry whose salt changed, are no reason to erase anything.
#[test]
fn maintenance_erases_nothing_for_keys_that_stay() {
    let mut dice = Dice::new(6);
    let old = fresh_session(&mut dice, 2, 3, 4);
    let mut log = used::<4, 4096>(32 << 10, KeyCopies::One, &old, &mut dice);
    let session = load(&mut log).unwrap().unwrap();
    log.save(&session).unwrap();
    log.append(&Change::HomeDc(3)).unwrap();
    let erases = log.chip().counts.erases;
    log.maintain().unwrap();
    let mut log: SessionLog<_> = mount(pull(log)).unwrap();
    log.maintain().unwrap();
    assert_eq!(log.chip().counts.erases, erases);
}
