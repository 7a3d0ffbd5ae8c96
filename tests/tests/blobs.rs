//! Accounts in a store of blobs: the conformance suite, and every fault of a network.

use std::sync::Arc;
use std::time::Duration;

use mtsession::blob::BlobStore;
use mtsession::{
    Change, Event, Outcome, SessionBackend, Store, StoreError, StoreErrorKind, StoreOptions,
    UpdateStateChange,
};
use mtsession_tests::blob_contract;
use mtsession_tests::blobs::MemoryBlobs;
use mtsession_tests::conformance;
use mtsession_tests::conformance::through_writer::Queued;
use mtsession_tests::conformance::{Fixture, OneStore};
use mtsession_tests::random::sized;

/// One account of a store that each handle opens anew, as processes do.
struct Blobs(Arc<MemoryBlobs>);

impl Blobs {
    fn new() -> Self {
        Self(Arc::default())
    }
}

fn opened(blobs: &Arc<MemoryBlobs>) -> Store {
    let blobs: Arc<MemoryBlobs> = Arc::clone(blobs);
    Store::on_blobs(blobs, StoreOptions::new()).unwrap()
}

impl Fixture for Blobs {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(opened(&self.0).backend("bot#1 of 'many'").unwrap())
    }

    fn damage(&self) -> bool {
        let backend = self.open();
        backend.save(&sized(2, 5, 2, 2)).unwrap();
        let name = self.0.names().remove(0);
        let mut bytes = self.0.bytes().split_off(name.len());
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        self.0.overwrite(&name, &bytes);
        true
    }

    fn stored_bytes(&self) -> Vec<u8> {
        self.0.bytes()
    }
}

conformance!(each_handle_by_itself, Blobs::new());
conformance!(behind_a_writer, Queued(Blobs::new()));

conformance!(
    handles_of_one_store,
    OneStore {
        store: opened(&Arc::default()),
        is_told_apart: false,
    }
);

#[test]
fn the_store_of_these_tests_keeps_to_the_contract() {
    let store: Arc<dyn BlobStore> = Arc::new(MemoryBlobs::default());
    blob_contract::keeps_to_the_contract(&store, "");
}

#[test]
fn a_change_of_a_long_session_writes_a_short_root_and_a_base_is_swept_once_nobody_names_it() {
    let blobs = Arc::new(MemoryBlobs::default());
    let store = opened(&blobs);
    let backend = store.backend("alice").unwrap();
    backend.save(&sized(5, 60_000, 100, 100)).unwrap();
    let whole = blobs.bytes().len();
    assert_eq!(blobs.names().len(), 2, "{:?}", blobs.names());
    for change in [
        Change::Update(mtsession::UpdateChange::Secondary { qts: 5 }),
        Change::Peer(mtsession::codec::Peer::user(3, 4)),
    ] {
        let before = blobs.cost();
        backend.apply(&[change]).unwrap();
        let after = blobs.cost();
        assert_eq!(after.0 - before.0, 1, "one request");
        assert!(after.1 - before.1 < 8_000, "{} bytes", after.1 - before.1);
    }
    // Another handle reads root and base once, and then the root alone.
    let reader = opened(&blobs).backend("alice").unwrap();
    let expected = backend.load().unwrap();
    assert_eq!(reader.load().unwrap(), expected);
    let before = blobs.cost().0;
    backend.set_home_dc(9).unwrap();
    assert_eq!(reader.load().unwrap().unwrap().home_dc_id, 9);
    assert_eq!(blobs.cost().0 - before, 2, "a put and a get");
    let head = opened(&blobs).backend("alice").unwrap();
    let before = blobs.cost().0;
    assert_eq!(head.head().unwrap().unwrap().peers, 60_001);
    assert_eq!(blobs.cost().0 - before, 1, "the base is not read");

    // Enough peers for a fold: the old base is gone, and what others have left an hour ago.
    blobs.overwrite("base/alice/00000000000000000000000000000001", b"left");
    blobs.pass(Duration::from_secs(3_601));
    blobs.overwrite("base/alice/00000000000000000000000000000002", b"young");
    let old: Vec<_> = blobs.names();
    for id in 0..3_000 {
        let peer = mtsession::codec::Peer::user(5_000_000_000 + id, id);
        backend.apply(&[Change::Peer(peer)]).unwrap();
    }
    let names = blobs.names();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.iter().any(|name| name.ends_with('2')), "{names:?}");
    assert!(old.iter().filter(|name| names.contains(name)).count() <= 2);
    assert_eq!(reader.load().unwrap(), backend.load().unwrap());
    assert!(blobs.bytes().len() < whole * 2);
    backend.delete().unwrap();
    let names = blobs.names();
    assert_eq!(names.len(), 2, "a tombstone and the young one: {names:?}");
}

#[test]
fn a_base_that_is_gone_or_changed_is_damage_and_stays_as_it_is() {
    let blobs = Arc::new(MemoryBlobs::default());
    opened(&blobs)
        .backend("alice")
        .unwrap()
        .save(&sized(3, 9_000, 10, 3))
        .unwrap();
    let base = blobs.names().remove(1);
    assert!(base.starts_with("base/alice/"), "{base}");
    blobs.overwrite(&base, b"other");
    let before = blobs.bytes();
    for is_gone in [false, true] {
        if is_gone {
            blobs.remove(&base, std::time::Instant::now()).unwrap();
        }
        let backend = opened(&blobs).backend("alice").unwrap();
        for error in [
            backend.load().unwrap_err(),
            backend.set_home_dc(4).unwrap_err(),
        ] {
            let store = StoreError::of(&error).unwrap();
            assert_eq!(store.kind(), StoreErrorKind::Damaged, "{error}");
            assert_eq!(store.outcome(), Outcome::Unchanged);
        }
        assert!(!opened(&blobs).verify().unwrap().is_good());
    }
    assert!(before.starts_with(&blobs.bytes()), "nothing was changed");
}

#[test]
fn a_store_that_was_set_back_is_told_of_and_its_state_is_taken() {
    let blobs = Arc::new(MemoryBlobs::default());
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let options = StoreOptions::new()
        .on_event(move |event: &Event| events.lock().unwrap().push(event.to_string()));
    let store = Store::on_blobs(Arc::clone(&blobs) as Arc<dyn BlobStore>, options).unwrap();
    let backend = store.backend("alice").unwrap();
    backend.save(&sized(2, 3, 0, 0)).unwrap();
    let copy = blobs.copy();
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 3 })
        .unwrap();
    copy(&blobs);
    assert_eq!(backend.load().unwrap(), Some(sized(2, 3, 0, 0)));
    assert_eq!(backend.load().unwrap(), Some(sized(2, 3, 0, 0)));
    backend.set_home_dc(3).unwrap();
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("lost a stored change"), "{told:?}");
}

#[test]
fn accounts_are_listed_renamed_deleted_and_verified() {
    let blobs = Arc::new(MemoryBlobs::default());
    let store = opened(&blobs);
    assert!(store.names().unwrap().is_empty());
    for (name, dcs) in [
        ("bob", 1),
        ("a/b#c?d", 2),
        ("alice", 3),
        ("..", 1),
        ("Алиса", 1),
    ] {
        store
            .backend(name)
            .unwrap()
            .save(&sized(dcs, 9_000, 2, 2))
            .unwrap();
    }
    assert_eq!(
        store.names().unwrap(),
        ["..", "a/b#c?d", "alice", "bob", "Алиса"]
    );
    let kind = |error: std::io::Error| StoreError::of(&error).expect("typed").kind();
    let absent = store.rename("nobody", "x").unwrap_err();
    assert_eq!(kind(absent), StoreErrorKind::Absent);
    let taken = store.rename("bob", "alice").unwrap_err();
    assert_eq!(kind(taken), StoreErrorKind::Exists);
    store.rename("bob", "robert").unwrap();
    let renamed = store.backend("robert").unwrap().load().unwrap();
    assert_eq!(renamed, Some(sized(1, 9_000, 2, 2)));
    store.delete("alice").unwrap();
    store.delete("alice").unwrap();
    store.rename("robert", "alice").unwrap();
    assert_eq!(store.names().unwrap(), ["..", "a/b#c?d", "alice", "Алиса"]);
    let report = store.verify().unwrap();
    assert_eq!((report.accounts, report.is_good()), (4, true), "{report:?}");

    blobs.overwrite("account/mallory", b"not an account of this library, but long enough to be one: \
        its bytes are not read before somebody asks for it, and then it is an error that says so, and it \
        stays as it is, and nobody removes it");
    let report = store.verify().unwrap();
    assert_eq!(report.problems.len(), 1, "{report:?}");
    store.delete("mallory").unwrap();
    assert!(store.verify().unwrap().is_good());
    assert!(
        Store::on_blobs(
            Arc::new(MemoryBlobs::default()),
            StoreOptions::new().create(false)
        )
        .is_err()
    );
    assert!(Store::on_blobs(blobs, StoreOptions::new().insecure()).is_err());
}
