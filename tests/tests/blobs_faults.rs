//! Accounts in a store of blobs, over a network that loses, delays and repeats what is sent: what is
//! acknowledged is stored once, and what is not is never believed.

use std::sync::Arc;
use std::time::Duration;

use mtsession::blob::BlobStore;
use mtsession::{Change, Outcome, SessionBackend, Store, StoreError, StoreOptions, UpdateChange};
use mtsession_tests::blobs::{Fault, MemoryBlobs};
use mtsession_tests::random::sized;

fn opened(blobs: &Arc<MemoryBlobs>) -> Store {
    let blobs: Arc<MemoryBlobs> = Arc::clone(blobs);
    Store::on_blobs(blobs, StoreOptions::new()).unwrap()
}

fn push(id: i64) -> Change<'static> {
    Change::Update(UpdateChange::PushChannel { id, pts: 1 })
}

/// How often a channel was appended: an append that is carried out twice is seen twice.
fn count(backend: &dyn SessionBackend, id: i64) -> usize {
    let session = backend.load().unwrap();
    session.map_or(0, |session| {
        let channels = &session.updates_state.channels;
        channels.iter().filter(|(known, _)| *known == id).count()
    })
}

type Operation = fn(&dyn SessionBackend) -> std::io::Result<()>;

/// Each makes channel 7 known once more, or removes everything.
const OPERATIONS: [(&str, Operation); 5] = [
    ("apply", |backend| backend.apply(&[push(7)])),
    ("update", |backend| {
        backend.update(&mut |record| Ok(record.apply_all(&[push(7)])?))
    }),
    ("save", |backend| {
        let mut session = sized(2, 5, 0, 2);
        session.updates_state.channels = vec![(7, 1)];
        backend.save(&session)
    }),
    ("save with many peers", |backend| {
        let mut session = sized(2, 9_000, 0, 2);
        session.updates_state.channels = vec![(7, 1)];
        backend.save(&session)
    }),
    ("delete", |backend| backend.delete()),
];

/// Every fault at every request of every operation, on an account that is there, on one that is not, and on
/// one that another writer changes at the same time: what is acknowledged is stored once, what is said to have
/// changed nothing never arrives.
#[test]
fn every_operation_is_carried_out_once_whatever_the_network_does() {
    for (name, operation) in OPERATIONS {
        for is_there in [false, true] {
            for at in 0..6 {
                for fault in Fault::ALL {
                    let blobs = Arc::new(MemoryBlobs::default());
                    let backend = opened(&blobs).backend("alice").unwrap();
                    if is_there {
                        backend.save(&sized(1, 3, 0, 0)).unwrap();
                        assert!(backend.load().unwrap().is_some());
                    }
                    let faults = (0..at).map(|_| Fault::None).chain([fault]);
                    blobs.meet(faults);
                    let result = operation(&*backend);
                    blobs.meet([]);
                    let case = format!("{name}, there {is_there}, request {at} {fault:?}");
                    check(&blobs, &result, name == "delete", is_there, &case);
                }
            }
        }
    }
}

fn check(
    blobs: &Arc<MemoryBlobs>,
    result: &std::io::Result<()>,
    is_delete: bool,
    was_there: bool,
    case: &str,
) {
    let other = opened(blobs).backend("alice").unwrap();
    let now = (other.load().unwrap().is_some(), count(&*other, 7));
    blobs.deliver();
    let later = (other.load().unwrap().is_some(), count(&*other, 7));
    let done = if is_delete { (false, 0) } else { (true, 1) };
    match result {
        Ok(()) => assert_eq!((now, later), (done, done), "{case}"),
        Err(error) => {
            let outcome = StoreError::of(error).expect("typed").outcome();
            let before = (was_there, 0);
            if outcome == Outcome::Unchanged {
                assert_eq!((now, later), (before, before), "{case}: {error}");
            } else {
                assert!([before, done].contains(&now), "{case}: {error}");
                assert!([before, done].contains(&later), "{case}: {error}");
            }
        }
    }
}

/// Numbers that look random, and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end) as usize
    }
}

/// The random model: three writers append, delete and create, and whatever they send is lost, answered or not,
/// repeated, and late, across each other.
#[test]
fn nothing_is_carried_out_twice_or_believed_wrongly_by_three_writers_on_a_bad_network() {
    let mut random = Random(5);
    let (mut acknowledged, mut unknown) = (0, 0);
    for round in 0..40 {
        let blobs = Arc::new(MemoryBlobs::default());
        let writers: Vec<_> = (0..3)
            .map(|_| opened(&blobs).backend("alice").unwrap())
            .collect();
        // What was acknowledged since the last deletion, and what may or may not be there.
        let (mut there, mut perhaps, mut gone) = (Vec::new(), Vec::new(), Vec::new());
        for step in 0..60_i64 {
            let writer = &writers[random.below(3)];
            let faults: Vec<_> = (0..4)
                .map(|_| match random.below(12) {
                    number @ 0..=4 => Fault::ALL[number],
                    _ => Fault::None,
                })
                .collect();
            blobs.meet(faults);
            let is_delete = random.below(10) == 0;
            let result = if is_delete {
                writer.delete()
            } else {
                writer.apply(&[push(step)])
            };
            blobs.meet([]);
            let outcome = result
                .as_ref()
                .err()
                .map(|error| StoreError::of(error).expect("typed").outcome());
            match (is_delete, outcome) {
                (false, None) => there.push(step),
                (false, Some(Outcome::Unknown)) => perhaps.push(step),
                (true, None) => {
                    gone.append(&mut there);
                    gone.append(&mut perhaps);
                }
                (true, Some(Outcome::Unknown)) => perhaps.append(&mut there),
                _ => {}
            }
            acknowledged += usize::from(outcome.is_none());
            unknown += usize::from(outcome == Some(Outcome::Unknown));
            if random.below(3) == 0 {
                blobs.deliver_some(random.below(3));
            }
            let session = opened(&blobs).backend("alice").unwrap().load().unwrap();
            let found = session.map_or(Vec::new(), |session| session.updates_state.channels);
            for (id, _) in &found {
                let times = found.iter().filter(|(known, _)| known == id).count();
                assert_eq!(times, 1, "round {round}, step {step}: {id} is there twice");
                assert!(
                    there.contains(id) || perhaps.contains(id),
                    "round {round}, step {step}: {id} must not be there; gone {}",
                    gone.contains(id)
                );
            }
            for id in &there {
                let is_found = found.iter().any(|(known, _)| known == id);
                assert!(is_found, "round {round}, step {step}: {id} is lost");
            }
        }
    }
    println!("{acknowledged} acknowledged, {unknown} unknown");
    assert!(acknowledged > 1_000 && unknown < acknowledged / 10);
}

#[test]
fn a_creation_that_arrives_after_its_deletion_brings_nothing_back() {
    let blobs = Arc::new(MemoryBlobs::default());
    let backend = opened(&blobs).backend("alice").unwrap();
    let faults = [Fault::None]
        .into_iter()
        .chain((0..1_000).map(|_| Fault::Late));
    blobs.meet(faults);
    let quick = StoreOptions::new().deadline(Duration::from_millis(200));
    let store = Store::on_blobs(Arc::clone(&blobs) as Arc<dyn BlobStore>, quick).unwrap();
    blobs.meet((0..3).flat_map(|_| [Fault::None, Fault::Late]));
    let late = store.backend("alice").unwrap();
    let result = late.save(&sized(2, 3, 0, 0));
    blobs.meet([]);
    late.delete().unwrap();
    blobs.deliver();
    assert_eq!(late.load().unwrap(), None, "{result:?}");
    assert_eq!(backend.load().unwrap(), None);
}

#[test]
fn a_repeated_deletion_never_removes_a_newer_login() {
    let blobs = Arc::new(MemoryBlobs::default());
    let (one, other) = (opened(&blobs), opened(&blobs));
    one.backend("alice")
        .unwrap()
        .save(&sized(1, 3, 0, 0))
        .unwrap();
    // The tombstone is there twice: once at once, once late.
    blobs.meet([Fault::None, Fault::Twice]);
    one.delete("alice").unwrap();
    let newer = other.backend("alice").unwrap();
    newer.save(&sized(3, 3, 0, 0)).unwrap();
    blobs.deliver();
    assert_eq!(newer.load().unwrap(), Some(sized(3, 3, 0, 0)));
}

#[test]
fn a_writer_that_is_killed_at_any_request_of_a_fold_or_a_renaming_leaves_a_whole_account() {
    let mut session = sized(3, 9_000, 10, 3);
    for at in 0..12 {
        for fault in [Fault::Lost, Fault::Unanswered] {
            let blobs = Arc::new(MemoryBlobs::default());
            let store = opened(&blobs);
            let backend = store.backend("alice").unwrap();
            backend.save(&session).unwrap();
            let before = backend.load().unwrap();
            session.peers.reverse();
            // From there on nothing arrives, or no answer.
            let dead = (0..at).map(|_| Fault::None).chain((0..500).map(|_| fault));
            blobs.meet(dead);
            let hurried = StoreOptions::new().deadline(Duration::from_millis(30));
            let hurried = Store::on_blobs(Arc::clone(&blobs) as Arc<dyn BlobStore>, hurried);
            if let Ok(hurried) = hurried {
                let _ = hurried.backend("alice").unwrap().save(&session);
                let _ = hurried.rename("alice", "bob");
            }
            blobs.meet([]);
            let reader = opened(&blobs);
            let names = reader.names().unwrap();
            assert!(!names.is_empty(), "request {at} {fault:?}");
            for name in names {
                let found = reader.backend(&name).unwrap().load().unwrap();
                let is_whole = found == before || found.as_ref() == Some(&session);
                assert!(is_whole, "request {at} {fault:?}: {name}");
            }
            assert!(reader.verify().unwrap().is_good());
        }
    }
}
