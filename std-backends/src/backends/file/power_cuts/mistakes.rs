//! The tests here are shown to notice what they are for: with a mistake built in, they fail.

use core::panic::AssertUnwindSafe;
use core::time::Duration;
use std::panic::catch_unwind;
use std::path::PathBuf;

use mtsession_core::{Change, UpdateChange};

use super::script::{old_crate, path, session};
use super::{failing, life, together};
use crate::fs::Access;
use crate::fs::disk::simulated::{Image, Machine, Mistake, Nature};
use crate::fs::disk::{Disk as _, OpenFile as _, disk};
use crate::store::StoreOptions;
use crate::{BinaryFileBackend, SessionBackend as _};

/// Scripts that are played before a mistake counts as unnoticed. The first thousand notice each today.
const MOST: u64 = 4_000;

fn is_noticed(script: impl Fn(u64) -> usize) -> bool {
    (0..MOST).any(|seed| catch_unwind(AssertUnwindSafe(|| script(seed))).is_err())
}

#[test]
fn each_mistake_of_one_process_is_noticed() {
    for mistake in [
        Mistake::NoFlush,
        Mistake::NoDirectoryFlush,
        Mistake::WipesReplaced,
    ] {
        let image = old_crate();
        let script = |seed| life::play(seed, Nature::USUAL, &image, Some(mistake));
        assert!(is_noticed(script), "{mistake:?}");
    }
}

#[test]
fn each_mistake_among_processes_is_noticed() {
    for mistake in [
        Mistake::NoLocks,
        Mistake::LinksUnseen,
        Mistake::NewFilesUnlocked,
        Mistake::NoDirectoryFlush,
    ] {
        let script = |seed| together::play(seed, Nature::USUAL, Some(mistake));
        assert!(is_noticed(script), "{mistake:?}");
    }
}

#[test]
fn a_flush_whose_error_is_forgotten_is_noticed() {
    let mistake = Some(Mistake::FlushErrorsUnseen);
    let script = |seed| failing::play(seed, Nature::USUAL, &Image::new(), mistake);
    assert!(is_noticed(script));
}

fn qts(backend: &BinaryFileBackend, qts: i32) -> std::io::Result<()> {
    backend.apply(&[Change::Update(UpdateChange::Secondary { qts })])
}

fn other(name: &str) -> PathBuf {
    path().with_file_name(name)
}

/// A backup by `ln` or `cp -al` is of the moment that it was made in.
fn what_a_link_has_after_an_append(mistake: Option<Mistake>) -> i32 {
    let machine = Machine::start(&Image::new(), Nature::USUAL, 1);
    let _entered = machine.enter();
    let backend = BinaryFileBackend::new(path());
    backend.save(&session(1)).unwrap();
    qts(&backend, 1).unwrap();
    machine.make(mistake);
    machine.link(&path(), &other("copy"));
    qts(&backend, 2).unwrap();
    let copy = BinaryFileBackend::new(other("copy")).load().unwrap();
    assert_eq!(backend.load().unwrap().unwrap().updates_state.qts, 2);
    copy.unwrap().updates_state.qts
}

#[test]
fn a_file_with_a_second_name_gets_no_changes() {
    assert_eq!(what_a_link_has_after_an_append(None), 1);
    let with_mistake = what_a_link_has_after_an_append(Some(Mistake::LinksUnseen));
    assert_eq!(with_mistake, 2, "the mistake is not noticed");
}

/// The time that a name is trusted is bounded: a file that was moved away gets nothing after it.
#[test]
fn a_file_that_was_moved_away_gets_no_changes_once_its_name_is_asked_for_again() {
    let machine = Machine::start(&Image::new(), Nature::USUAL, 1);
    let _entered = machine.enter();
    let backend = BinaryFileBackend::new(path());
    backend.save(&session(1)).unwrap();
    qts(&backend, 1).unwrap();
    machine.move_file(&path(), &other("moved"));
    disk().pause(Duration::from_millis(60));
    qts(&backend, 2).unwrap();
    let qts = |name| {
        let found = BinaryFileBackend::new(name).load().unwrap();
        found.unwrap().updates_state.qts
    };
    assert_eq!((qts(path()), qts(other("moved"))), (2, 1));
}

/// A symbolic link that leads elsewhere now is followed at once.
#[test]
fn a_link_that_was_turned_gets_the_next_change_where_it_leads() {
    let machine = Machine::start(&Image::new(), Nature::USUAL, 1);
    let _entered = machine.enter();
    for name in ["one", "two"] {
        BinaryFileBackend::new(other(name))
            .save(&session(1))
            .unwrap();
    }
    machine.point(&path(), &other("one"));
    let backend = BinaryFileBackend::new(path());
    qts(&backend, 1).unwrap();
    machine.point(&path(), &other("two"));
    qts(&backend, 2).unwrap();
    let found = ["one", "two"].map(|name| {
        let found = BinaryFileBackend::new(other(name)).load().unwrap();
        found.unwrap().updates_state.qts
    });
    assert_eq!(found, [1, 2]);
}

/// A holder of the lock that does not go on, stopped or dead with a child that has its files: a writer gives up in
/// time, and a reader does not ask.
#[test]
fn a_lock_that_is_held_for_ever_stops_writers_in_time_and_readers_never() {
    for dies_after_a_fork in [false, true] {
        let machine = Machine::start(&old_crate(), Nature::USUAL, 1);
        let holder = machine.enter();
        let held = disk().open(&path(), Access::Write).unwrap();
        held.lock_now().unwrap();
        if dies_after_a_fork {
            machine.fork();
            machine.kill();
        }
        let entered = machine.enter();
        let options = StoreOptions::new();
        let backend = BinaryFileBackend::configured(&path(), &options);
        let before = disk().now();
        assert!(backend.load().unwrap().is_some());
        assert!(disk().now().duration_since(before) < Duration::from_millis(1));
        let error = qts(&backend, 1).unwrap_err();
        assert!(error.to_string().contains("has held the lock"), "{error}");
        let waited = disk().now().duration_since(before);
        assert!(waited >= Duration::from_secs(5) && waited < Duration::from_secs(6));
        drop((backend, entered, held, holder));
    }
}

/// One that dies without a child leaves no lock.
#[test]
fn a_process_that_dies_in_the_middle_of_a_write_leaves_no_lock() {
    for calls in 0..60 {
        let machine = Machine::start(&old_crate(), Nature::USUAL, calls);
        let dying = machine.enter();
        let backend = BinaryFileBackend::new(path());
        machine.die_in(usize::try_from(calls).unwrap());
        let _ = backend.save(&session(1));
        let entered = machine.enter();
        let next = BinaryFileBackend::new(path());
        qts(&next, 7).unwrap();
        assert_eq!(next.load().unwrap().unwrap().updates_state.qts, 7);
        drop((next, entered, backend, dying));
    }
}

/// What each change wants to make room for, and cannot, is not tried each time.
#[test]
fn a_full_disk_takes_ten_thousand_appends_with_few_attempts_to_fold() {
    let machine = Machine::start(&Image::new(), Nature::USUAL, 1);
    let _entered = machine.enter();
    let backend = BinaryFileBackend::new(path());
    backend.save(&session(1)).unwrap();
    let made = machine.temporary_files();
    for number in 1..=10_000 {
        // Room for what is appended, not for another file.
        machine.leave_room(100);
        qts(&backend, number).unwrap();
    }
    let attempts = machine.temporary_files() - made;
    assert!((1..=15).contains(&attempts), "{attempts}");
    assert_eq!(backend.load().unwrap().unwrap().updates_state.qts, 10_000);
}
