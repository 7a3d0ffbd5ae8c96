//! Drivers that fail often, some for a while: nothing that was acknowledged is lost, and what fails costs
//! no erases.

use mtsession_core::{Change, UpdateChange};
use mtsession_embedded::sim::{
    Busy as Failing, Call, Chip, Dice, History, OwnedChange, fresh_session, random_calls, workload,
};
use mtsession_embedded::{Durability, Error, KeyCopies};

use crate::common::{LISTS, Log, load, mount, new_log, pull, run};

fn primary(pts: i32) -> Change<'static> {
    Change::Update(UpdateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    })
}

/// How a driver fails.
#[derive(Clone, Copy, Debug)]
struct Busy {
    /// One call in so many fails.
    one_in: u64,
    /// Any call, or else every one whose number is a multiple.
    is_random: bool,
    /// Only programs and erases fail.
    spares_reads: bool,
    /// What fails does a part of its work.
    is_torn: bool,
}

impl Busy {
    /// All ways to fail at a rate.
    fn ways(one_in: u64) -> impl Iterator<Item = Self> {
        (0..8).map(move |way| Self {
            one_in,
            is_random: way & 1 != 0,
            spares_reads: way & 2 != 0,
            is_torn: way & 4 != 0,
        })
    }

    fn begin<const W: usize, const E: usize>(self, chip: &mut Chip<W, E>) {
        if self.is_torn {
            chip.fail_torn(0, 0, chip.counts.calls);
        }
        chip.spares_reads = self.spares_reads;
        chip.busy = Some(if self.is_random {
            Failing::OneIn(self.one_in)
        } else {
            Failing::EveryNth(self.one_in)
        });
    }

    fn end<const W: usize, const E: usize>(chip: &mut Chip<W, E>) {
        chip.busy = None;
        chip.heal();
    }
}

/// What updates came to.
#[derive(Debug)]
struct Outcome {
    erases: u64,
    failed_updates: u64,
    failed_programs: u64,
}

/// Updates with a driver that fails.
fn updates<const W: usize>(busy: Option<Busy>) -> Outcome {
    let mut dice = Dice::new(7);
    let mut session = fresh_session(&mut dice, 2, 12, 15);
    let mut log = new_log::<W, 4096>(16 << 10);
    log.save(&session).unwrap();
    let erases = log.chip().counts.erases;
    let mut failed_updates = 0;
    for n in 0..3000 {
        let before = session.clone();
        let change = workload(&mut dice, &mut session, 15);
        if let Some(busy) = busy {
            busy.begin(log.chip());
        }
        let result = log.append(&change.as_ref());
        Busy::end(log.chip());
        if result.is_err() {
            failed_updates += 1;
            let found = load(&mut log).unwrap().unwrap();
            assert!(
                found == before || found == session,
                "unit {W}, {busy:?}, update {n}"
            );
            session = found;
        }
    }
    let erases = log.chip().counts.erases - erases;
    assert_eq!(log.chip().violations, 0);
    let failed_programs = log.stats().unwrap().failed_programs.into();
    let mut log = mount(pull(log)).unwrap();
    assert_eq!(load(&mut log).unwrap(), Some(session), "unit {W}, {busy:?}");
    Outcome {
        erases,
        failed_updates,
        failed_programs,
    }
}

/// Down to every second call.
const RATES: [u64; 8] = [100, 20, 10, 7, 5, 4, 3, 2];

fn rates<const W: usize>() {
    let usual = updates::<W>(None).erases;
    for busy in RATES.into_iter().flat_map(Busy::ways) {
        let outcome = updates::<W>(Some(busy));
        println!("unit {W}, {busy:?}: {outcome:?}, usually {usual} erases");
        let Outcome {
            erases,
            failed_updates,
            failed_programs,
        } = outcome;
        // What fails takes room on the page, and that is all it costs.
        assert!(
            erases <= usual * 2 + failed_programs / 64,
            "unit {W}, {busy:?}: {outcome:?}, usually {usual} erases"
        );
        // A page turn fails if both of its headers do; at regular intervals nothing does.
        let turns = if busy.is_random {
            3 + 4 * erases / busy.one_in.pow(2)
        } else {
            0
        };
        assert!(failed_updates <= turns, "unit {W}, {busy:?}: {outcome:?}");
    }
}

#[test]
fn a_driver_that_fails_often_costs_no_erases() {
    rates::<1>();
    rates::<4>();
    rates::<16>();
}

/// What is unreadable only now and then must never be taken for lost.
#[test]
fn what_a_driver_that_fails_often_reads_is_right() {
    let session = fresh_session(&mut Dice::new(7), 2, 12, 15);
    for busy in [5, 4, 3, 2].into_iter().flat_map(Busy::ways) {
        let mut log = new_log::<4, 4096>(16 << 10);
        log.save(&session).unwrap();
        let mut chip = pull(log);
        let programs = chip.counts.programs;
        busy.begin(&mut chip);
        for n in 0..100 {
            let mut log = mount(chip).unwrap();
            let found = load(&mut log).unwrap();
            assert_eq!(found.as_ref(), Some(&session), "{busy:?}, start {n}");
            chip = pull(log);
        }
        assert_eq!(chip.counts.programs, programs, "reading writes nothing");
    }
}

/// Calls of all kinds with a driver that fails: each is carried out or not, and goes on.
fn every_kind<const W: usize>(busy: Busy, copies: KeyCopies, lazy: u16) {
    let set_up = |log: &mut Log<W, 2048>| {
        log.set_key_copies(copies).unwrap();
        log.set_durability(Durability::Lazy(lazy));
    };
    let mut log = new_log::<W, 2048>(12 << 10);
    set_up(&mut log);
    let mut model = History::new(lazy);
    let mut failed = 0;
    let calls = random_calls(&mut Dice::new(11), 700, LISTS);
    let calls = calls
        .chunks(7)
        .flat_map(|calls| calls.iter().chain([&Call::Maintain]));
    for (n, call) in calls.enumerate() {
        busy.begin(log.chip());
        let result = run(&mut log, call);
        Busy::end(log.chip());
        let context = || format!("unit {W}, {busy:?}, {copies:?}, lazy {lazy}, call {n} {call:?}");
        match result {
            Ok(()) => model.note(call),
            Err(Error::StoreFull) => continue,
            Err(error) => {
                failed += 1;
                assert!(matches!(error, Error::Flash(_)), "{}: {error}", context());
                // What RAM is ahead in reaches the flash with the next call that works.
                log.sync().unwrap();
                let found = load(&mut log).unwrap();
                let mut allowed = model.interrupted(call).into_iter();
                assert!(allowed.any(|model| model.allows(&found)), "{}", context());
                model.settle(found);
            }
        }
        if n % 50 == 0 {
            log = mount(pull(log)).unwrap();
            set_up(&mut log);
            let found = load(&mut log).unwrap();
            assert!(model.allows(&found), "{}", context());
            model.settle(found);
        }
    }
    assert_eq!(log.chip().violations, 0);
    let erases = log.chip().counts.erases;
    println!("unit {W}, {busy:?}, {copies:?}, lazy {lazy}: {failed} calls failed, {erases} erases");
    // Torn records take the room of those that a page has to hold: then the page is turned in vain.
    let limit = if busy.one_in == 2 { 160 } else { 40 };
    assert!(
        failed < limit,
        "unit {W}, {busy:?}: {failed} of 800 calls failed"
    );
}

#[test]
fn calls_of_all_kinds_survive_a_driver_that_fails_often() {
    for busy in [5, 4, 3, 2].into_iter().flat_map(Busy::ways) {
        every_kind::<1>(busy, KeyCopies::One, 8);
        every_kind::<4>(busy, KeyCopies::Two, 1);
        every_kind::<32>(busy, KeyCopies::One, 1);
    }
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
