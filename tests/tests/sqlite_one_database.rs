//! What all handles of a file in a process share: its connections.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use mtsession::{
    LibSqlBackend, SessionBackend, SqliteBackend, Store, StoreOptions, UpdateStateChange,
};
use mtsession_tests::random::sized;
use mtsession_tests::stores::{count, libsql, pts, sqlite};

/// The descriptors of this process that lead into a directory.
#[cfg(target_os = "linux")]
fn descriptors(dir: &Path) -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    targets.filter(|target| target.starts_with(dir)).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_accounts_need_as_many_descriptors_as_one() {
    const ACCOUNTS: i32 = 1_000;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let stores = [
        Store::open(sqlite(&path)).unwrap(),
        Store::open(libsql(&path)).unwrap(),
    ];
    let open = |account: i32| {
        let [one, other] = &stores;
        let store = if account % 2 == 0 { one } else { other };
        store.backend(&format!("account{account}")).unwrap()
    };
    let backends: Vec<_> = (0..ACCOUNTS).map(open).collect();
    for (backend, account) in backends.iter().zip(1..) {
        count(&**backend, account);
    }
    for (backend, account) in backends.iter().zip(1..) {
        assert_eq!(pts(&**backend), account);
    }
    let open = descriptors(dir.path());
    assert!((1..=7).contains(&open), "{open} descriptors");
    drop(backends);
    drop(stores);
    assert_eq!(descriptors(dir.path()), 0);
}

#[test]
fn handles_see_each_others_changes_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let one = SqliteBackend::open(&path).unwrap();
    let other = LibSqlBackend::open_local(&path).unwrap();
    assert!(other.load().unwrap().is_none());
    one.save(&sized(2, 3, 0, 0)).unwrap();
    assert_eq!(other.load().unwrap(), one.load().unwrap());
    for turn in 0..20 {
        count(&one, turn);
        assert_eq!((pts(&one), pts(&other)), (turn, turn));
        count(&other, turn + 100);
        assert_eq!((pts(&one), pts(&other)), (turn + 100, turn + 100));
        other
            .apply_update_state(UpdateStateChange::Secondary { qts: turn })
            .unwrap();
        assert_eq!(one.load().unwrap(), other.load().unwrap());
    }
    let mut larger = sized(3, 9, 2, 0);
    larger.updates_state.pts = 1_000;
    other.save(&larger).unwrap();
    assert_eq!(one.load().unwrap().as_ref(), Some(&larger));
    one.delete().unwrap();
    assert!(other.load().unwrap().is_none());
    other.save(&larger).unwrap();
    assert_eq!(one.load().unwrap(), Some(larger));
}

#[test]
fn many_threads_with_an_account_each_lose_nothing() {
    const THREADS: i32 = 24;
    const CHANGES: i32 = 60;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let store = Store::open(sqlite(&path)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                // Two threads to an account: one counts, the other caches peers.
                let backend = store.backend(&format!("account{}", thread / 2)).unwrap();
                for change in 1..=CHANGES {
                    if thread % 2 == 0 {
                        count(&*backend, change);
                        assert_eq!(pts(&*backend), change);
                    } else {
                        let peer = sized(0, CHANGES.into(), 0, 0)
                            .peers
                            .remove(change as usize - 1);
                        backend.cache_peer(&peer).unwrap();
                    }
                    if change % 20 == 0 {
                        // Is on the disk at once.
                        backend.set_home_dc(change).unwrap();
                    }
                }
            });
        }
    });
    for account in 0..THREADS / 2 {
        let stored = store.backend(&format!("account{account}")).unwrap().load();
        let stored = stored.unwrap().unwrap();
        assert_eq!(stored.updates_state.pts, CHANGES);
        assert_eq!(stored.peers.len(), usize::try_from(CHANGES).unwrap());
    }
    assert!(store.verify().unwrap().problems.is_empty());
}

/// A writer that waits for another program's lock keeps nobody from reading.
#[test]
fn readers_do_not_wait_for_a_writer_that_waits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let patient = StoreOptions::new().deadline(std::time::Duration::from_secs(600));
    let store = patient.open(sqlite(&path)).unwrap();
    let (writer, reader) = (store.backend("a").unwrap(), store.backend("b").unwrap());
    count(&*writer, 1);
    count(&*reader, 1);
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let has_written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            count(&*writer, 2);
            has_written.store(true, Ordering::SeqCst);
        });
        for _ in 0..500 {
            assert_eq!(pts(&*reader), 1);
            assert_eq!(pts(&*store.backend("a").unwrap()), 1);
        }
        assert!(!has_written.load(Ordering::SeqCst));
        other.execute_batch("ROLLBACK").unwrap();
    });
    assert_eq!(pts(&*writer), 2);
}

#[cfg(unix)]
#[test]
fn every_handle_notices_that_the_file_was_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (path, restored) = (dir.path().join("a.db"), dir.path().join("restored.db"));
    let session = sized(2, 3, 0, 0);
    SqliteBackend::open(&restored)
        .unwrap()
        .save(&session)
        .unwrap();
    count(&SqliteBackend::open(&restored).unwrap(), 77);

    let one = SqliteBackend::open(&path).unwrap();
    let other = LibSqlBackend::open_local(&path).unwrap();
    count(&one, 1);
    assert_eq!(pts(&other), 1);
    for ending in ["-wal", "-shm"] {
        let mut log = path.clone().into_os_string();
        log.push(ending);
        let _ = std::fs::remove_file(log);
    }
    std::fs::rename(&restored, &path).unwrap();
    assert_eq!((pts(&one), pts(&other)), (77, 77));
    count(&other, 78);
    assert_eq!((pts(&one), pts(&other)), (78, 78));

    std::fs::remove_file(&path).unwrap();
    for ending in ["-wal", "-shm"] {
        let mut log = path.clone().into_os_string();
        log.push(ending);
        let _ = std::fs::remove_file(log);
    }
    assert!(one.load().unwrap().is_none());
    count(&one, 5);
    assert_eq!(pts(&other), 5);
}
