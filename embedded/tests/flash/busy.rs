//! Drivers that fail often, some for a while: nothing that was acknowledged is lost, and what fails costs
//! no erases.

use mtsession_core::{Change, UpdateChange};
use mtsession_embedded::sim::{Dice, OwnedChange, fresh_session, workload};

use crate::common::{Log, load, mount, new_log, pull};

fn primary(pts: i32) -> Change<'static> {
    Change::Update(UpdateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    })
}

/// Updates with a driver of which one call in `rate` fails; erases, and updates that failed.
fn updates<const W: usize>(rate: Option<(u64, bool)>) -> (u64, u32) {
    let mut dice = Dice::new(7);
    let mut session = fresh_session(&mut dice, 2, 12, 15);
    let mut log = new_log::<W, 4096>(16 << 10);
    log.save(&session).unwrap();
    let erases = log.chip().counts.erases;
    log.chip().busy = rate;
    let mut failed = 0;
    for n in 0..3000 {
        let before = session.clone();
        let change = workload(&mut dice, &mut session, 15);
        if log.append(&change.as_ref()).is_err() {
            failed += 1;
            log.chip().busy = None;
            let found = load(&mut log).unwrap().unwrap();
            assert!(
                found == before || found == session,
                "unit {W}, {rate:?}, update {n}"
            );
            session = found;
            log.chip().busy = rate;
        }
    }
    log.chip().busy = None;
    let erases = log.chip().counts.erases - erases;
    assert_eq!(log.chip().violations, 0);
    let mut log = mount(pull(log)).unwrap();
    assert_eq!(load(&mut log).unwrap(), Some(session), "unit {W}, {rate:?}");
    (erases, failed)
}

fn rates<const W: usize>() {
    let (usual, failed) = updates::<W>(None);
    assert_eq!(failed, 0);
    for n in [100, 20, 10, 7] {
        for random in [false, true] {
            let (erases, failed) = updates::<W>(Some((n, random)));
            println!(
                "unit {W}, 1 in {n}, random {random}: {erases} erases (usually {usual}), {failed} failed"
            );
            assert!(
                erases <= usual * 3 + u64::from(failed) / 4,
                "unit {W}, 1 in {n}, random {random}: {erases} erases, {failed} updates failed"
            );
            assert!(failed < 300, "unit {W}, 1 in {n}: {failed} failed");
        }
    }
}

#[test]
fn a_driver_that_fails_often_costs_no_erases() {
    rates::<1>();
    rates::<4>();
    rates::<16>();
}

/// Every call, or all but the reads, for a while; then everything works at once.
#[test]
fn a_driver_that_fails_for_a_while_costs_no_erase_per_update() {
    for (spares_reads, room) in [(false, 0), (true, 0), (true, 900)] {
        let mut dice = Dice::new(8);
        let session = fresh_session(&mut dice, 2, 12, 15);
        let mut log: Log<4, 4096> = new_log(16 << 10);
        log.save(&session).unwrap();
        for pts in 0..room {
            log.append(&primary(pts)).unwrap();
        }
        let mut last = room - 1;
        for period in 0..5 {
            let erases = log.chip().counts.erases;
            log.chip().spares_reads = spares_reads;
            log.chip().fail(0, u64::MAX);
            for n in 0..300 {
                assert!(log.append(&primary(10_000 * period + n)).is_err());
            }
            assert!(log.chip().counts.erases - erases <= 3);
            log.chip().heal();
            last = 100 + period;
            log.append(&primary(last)).unwrap();
            assert!(log.chip().counts.erases - erases <= 5);
        }
        let mut log = mount(pull(log)).unwrap();
        assert_eq!(load(&mut log).unwrap().unwrap().counters.pts, last);
    }
}

/// Erases work, programs do not: the worst case for a chip.
#[test]
fn a_chip_that_erases_and_does_not_program_is_not_worn_out() {
    let mut log: Log<4, 4096> = new_log(16 << 10);
    let session = fresh_session(&mut Dice::new(9), 2, 12, 15);
    log.save(&session).unwrap();
    log.chip().refuses_programs = true;
    let erases = log.chip().counts.erases;
    for pts in 0..300 {
        assert!(log.append(&primary(pts)).is_err());
    }
    let worn = log.chip().counts.erases - erases;
    assert!(worn <= 5, "{worn} erases for 300 updates that failed");
    log.chip().refuses_programs = false;
    let mut after = session;
    let change = OwnedChange::Update(UpdateChange::Primary {
        pts: 7,
        date: 1,
        seq: 1,
    });
    log.append(&change.as_ref()).unwrap();
    change.apply(&mut after);
    let mut log = mount(pull(log)).unwrap();
    assert_eq!(load(&mut log).unwrap(), Some(after));
}
