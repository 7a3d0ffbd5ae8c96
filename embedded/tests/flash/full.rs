//! A region that is full: what does not fit is refused as a whole, what is there stays, and the log goes
//! on with it.

use mtsession_core::{SessionMut, UpdateChange};
use mtsession_embedded::sim::{Dice, OwnedChange, OwnedDc, Plain, fresh_session};
use mtsession_embedded::{Error, KeyCopies};

use crate::common::{Log, load, mount, new_log, pull};

/// Counter updates until every page was erased twice more: all of them are taken.
fn counts_on<const W: usize, const E: usize>(
    log: &mut Log<W, E>,
    session: &mut Plain,
    context: &str,
) {
    let erases: Vec<_> = log.chip().erases.iter().map(|erases| erases + 2).collect();
    let mut n = 0;
    while core::iter::zip(&log.chip().erases, &erases).any(|(now, then)| now < then) {
        n += 1;
        let update = UpdateChange::Primary {
            pts: session.counters.pts + if n % 16 == 0 { 100_000 } else { 1 },
            date: session.counters.date + 1,
            seq: session.counters.seq,
        };
        session.apply_update(&update).unwrap();
        let change = OwnedChange::Update(update);
        let result = log.append(&change.as_ref());
        result.unwrap_or_else(|error| panic!("{context}, update {n}: {error}"));
        assert!(n < 100_000, "{context}: no page turns");
    }
    assert_eq!(load(log).unwrap().as_ref(), Some(&*session), "{context}");
    let mut log = mount(log.chip().clone()).unwrap();
    assert_eq!(
        load(&mut log).unwrap().as_ref(),
        Some(&*session),
        "{context}, mounted"
    );
}

/// Whether every key is on two pages: the records of any one of them may go.
fn is_twice<const W: usize, const E: usize>(log: &mut Log<W, E>, session: &Plain) -> bool {
    let chip = log.chip().clone();
    (0..chip.bytes.len() / E).all(|page| {
        let mut chip = chip.clone();
        chip.bytes[page * E..][2 * 64_usize.next_multiple_of(W)..E].fill(0);
        let mut log = mount(chip).unwrap();
        load(&mut log).unwrap().unwrap_or_default().dcs == session.dcs
    })
}

/// Sessions that grow entry by entry, saved over a small one and over the one before.
fn saves<const W: usize, const E: usize>(size: usize, copies: KeyCopies) {
    let small = fresh_session(&mut Dice::new(1), 1, 2, 2);
    let mut last = new_log::<W, E>(size);
    last.set_key_copies(copies).unwrap();
    last.save(&small).unwrap();
    let first = last.clone();
    let (mut held, mut refused) = (small.clone(), 0);
    for entries in 0..6 + 32 + 64 {
        let session = fresh_session(
            &mut Dice::new(2),
            entries.min(6),
            entries.saturating_sub(6).min(32),
            entries.saturating_sub(38).min(64),
        );
        let context = format!("unit {W}, {size} bytes, {copies:?}, {entries} entries");
        for (log, old) in [(&first, &small), (&last.clone(), &held.clone())] {
            let mut log = log.clone();
            let mut now = match log.save(&session) {
                Ok(()) => session.clone(),
                Err(Error::StoreFull) => {
                    refused += 1;
                    old.clone()
                }
                Err(error) => panic!("{context}: {error}"),
            };
            assert_eq!(load(&mut log).unwrap().as_ref(), Some(&now), "{context}");
            let mut cut = mount(log.chip().clone()).unwrap();
            assert_eq!(
                load(&mut cut).unwrap().as_ref(),
                Some(&now),
                "{context}, mounted"
            );
            if copies == KeyCopies::Two {
                assert!(is_twice(&mut log, &now), "{context}: a key is there once");
            }
            if now == session {
                (last, held) = (log.clone(), session.clone());
            }
            counts_on(&mut log, &mut now, &context);
            // There is always room for less.
            log.save(&small)
                .unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(load(&mut log).unwrap().as_ref(), Some(&small), "{context}");
        }
    }
    println!("unit {W}, {size} bytes, {copies:?}: {refused} saves refused");
}

/// Single entries until none fits.
fn appends<const W: usize, const E: usize>(size: usize, copies: KeyCopies) {
    for n in 0..4 {
        let context = format!("unit {W}, {size} bytes, {copies:?}, script {n}");
        let mut dice = Dice::new(n);
        let mut log = new_log::<W, E>(size);
        log.set_key_copies(copies).unwrap();
        let mut session = fresh_session(&mut dice, 0, 1, 1);
        log.save(&session).unwrap();
        let grown = fresh_session(&mut dice, 6, 32, 64);
        let changes = grown.dcs.iter().map(|dc| OwnedDc {
            addr: "x".repeat(63),
            ..dc.clone()
        });
        let changes = changes.map(OwnedChange::Dc);
        let peers = grown.peers.iter().copied().map(OwnedChange::Peer);
        let channels = grown.channels.iter().map(|channel| {
            OwnedChange::Update(UpdateChange::Channel {
                id: channel.id,
                pts: channel.pts,
            })
        });
        let mut changes: Vec<_> = changes.chain(peers).chain(channels).collect();
        if n % 2 == 1 {
            changes.reverse();
        }
        let mut refused = 0;
        for change in &changes {
            let (erases, programs) = (log.chip().counts.erases, log.chip().counts.programs);
            match log.append(&change.as_ref()) {
                Ok(()) => session.apply(&change.as_ref()).unwrap(),
                Err(Error::StoreFull) => {
                    refused += 1;
                    let counts = log.chip().counts;
                    assert_eq!(
                        (erases, programs),
                        (counts.erases, counts.programs),
                        "{context}"
                    );
                }
                Err(error) => panic!("{context}: {error}"),
            }
            assert_eq!(
                load(&mut log).unwrap().as_ref(),
                Some(&session),
                "{context}"
            );
            if copies == KeyCopies::Two {
                assert!(
                    is_twice(&mut log, &session),
                    "{context}: a key is there once"
                );
            }
        }
        println!("{context}: {refused} of {} refused", changes.len());
        counts_on(&mut log, &mut session, &context);
        let mut log = mount(pull(log)).unwrap();
        let small = fresh_session(&mut dice, 1, 1, 1);
        log.save(&small).unwrap();
        assert_eq!(load(&mut log).unwrap(), Some(small), "{context}");
    }
}

#[test]
fn a_save_that_does_not_fit_changes_nothing() {
    for pages in 2..8 {
        saves::<4, 1024>(pages << 10, KeyCopies::One);
        saves::<8, 1024>(pages << 10, KeyCopies::One);
    }
    for pages in 3..9 {
        saves::<4, 1024>(pages << 10, KeyCopies::Two);
        saves::<8, 1024>(pages << 10, KeyCopies::Two);
    }
    saves::<32, 2048>(6 << 10, KeyCopies::One);
}

#[test]
fn an_entry_that_does_not_fit_changes_nothing() {
    for pages in 2..8 {
        appends::<4, 1024>(pages << 10, KeyCopies::One);
    }
    for pages in 3..9 {
        appends::<8, 1024>(pages << 10, KeyCopies::Two);
    }
}

/// Idle time must not wear a region out in which second copies have no room.
#[test]
fn copies_without_room_are_not_tried_for_ever() {
    let mut log = new_log::<4, 1024>(4 << 10);
    let mut session = fresh_session(&mut Dice::new(7), 6, 8, 2);
    while log.save(&session).is_err() {
        session.dcs.pop().expect("an empty session fits");
    }
    log.set_key_copies(KeyCopies::Two).unwrap();
    log.maintain().unwrap();
    let before = log.chip().counts.erases;
    for _ in 0..100 {
        log.maintain().unwrap();
    }
    assert_eq!(log.chip().counts.erases, before);
    assert_eq!(load(&mut log).unwrap().as_ref(), Some(&session));
    counts_on(&mut log, &mut session, "without room for copies");
}
