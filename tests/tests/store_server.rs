//! `Store` on a real libSQL server, without and with a local copy to read from.

use std::ops::ControlFlow;
use std::path::Path;

use mtsession::{
    Account, Change, PersistedSession, SessionBackend, SessionBackendExt, Store, StoreErrorKind,
    StoreOptions,
};
use mtsession_tests::random::sized;
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores::{self, account_names, kind, sqlite};

fn options(copy: Option<&Path>) -> StoreOptions {
    match copy {
        Some(path) => StoreOptions::new().replica(path),
        None => StoreOptions::new(),
    }
}

fn load(store: &Store, name: &str) -> Option<PersistedSession> {
    store.backend(name).unwrap().load().unwrap()
}

/// Runs `check` on a server of its own, without and with a local copy.
fn on_a_server(check: impl Fn(&Store, &Path)) {
    if !sqld::is_available() {
        return;
    }
    for has_copy in [false, true] {
        let (server, dir) = (Sqld::start(), tempfile::tempdir().unwrap());
        let copy = dir.path().join("copy.db");
        let options = options(has_copy.then_some(copy.as_path()));
        let store = options.open(stores::server(server.url())).unwrap();
        check(&store, dir.path());
    }
}

#[test]
fn accounts_of_a_server_are_listed_renamed_deleted_and_verified() {
    on_a_server(|store, _| {
        assert!(store.names().unwrap().is_empty());
        for (name, dcs) in [("bob", 1), ("a/b#c?d", 2), ("alice", 3)] {
            store
                .backend(name)
                .unwrap()
                .save(&sized(dcs, 5, 2, 2))
                .unwrap();
        }
        assert_eq!(store.names().unwrap(), ["a/b#c?d", "alice", "bob"]);
        let absent = store.rename("nobody", "x").unwrap_err();
        assert_eq!(kind(&absent), StoreErrorKind::Absent, "{absent}");
        let taken = store.rename("bob", "alice").unwrap_err();
        assert_eq!(kind(&taken), StoreErrorKind::Exists, "{taken}");
        store.rename("bob", "robert").unwrap();
        assert_eq!(load(store, "robert"), Some(sized(1, 5, 2, 2)));
        assert_eq!(load(store, "bob"), None);
        store.delete("alice").unwrap();
        store.delete("alice").unwrap();
        assert_eq!(load(store, "alice"), None);

        let mut seen = Vec::new();
        let mut each = |entry: mtsession::StoreEntry| {
            let head = entry.head.expect("it is there");
            seen.push((entry.name, head.dcs.len(), head.peers, entry.owner));
            ControlFlow::Continue(())
        };
        store.for_each(&mut each).unwrap();
        assert_eq!(
            seen,
            [
                ("a/b#c?d".to_owned(), 2, 5, None),
                ("robert".to_owned(), 1, 5, None)
            ]
        );
        let report = store.verify().unwrap();
        assert_eq!((report.accounts, report.is_good()), (2, true), "{report:?}");
    });
}

#[test]
fn a_server_is_backed_up_into_files_and_restored_from_them() {
    on_a_server(|store, dir| {
        let alice = store.backend("alice").unwrap();
        alice.save(&sized(3, 20, 2, 2)).unwrap();
        alice.set_account(Account::user(7)).unwrap();
        store
            .backend("bob")
            .unwrap()
            .save(&sized(1, 0, 0, 0))
            .unwrap();
        let copies = [
            sqlite(dir.join("backup.db")),
            format!("dir:{}", dir.join("backup").display())
                .parse()
                .unwrap(),
        ];
        for copy in copies {
            store.backup(&copy).unwrap();
            let again = store.backup(&copy).unwrap_err();
            assert_eq!(kind(&again), StoreErrorKind::Exists, "{again}");
            assert_eq!(account_names(copy.clone()).unwrap(), ["alice", "bob"]);

            store.delete("bob").unwrap();
            store
                .backend("late")
                .unwrap()
                .save(&sized(2, 1, 1, 1))
                .unwrap();
            let changed = store.backend("alice").unwrap();
            changed.apply(&[Change::HomeDc(5)]).unwrap();
            store.restore(&copy).unwrap();
            assert_eq!(store.names().unwrap(), ["alice", "bob"], "{copy}");
            assert_eq!(load(store, "alice"), Some(sized(3, 20, 2, 2)));
            assert_eq!(
                store.backend("alice").unwrap().account().unwrap(),
                Account::user(7)
            );
            assert_eq!(load(store, "bob"), Some(sized(1, 0, 0, 0)));
        }
        let absent = store.restore(sqlite(dir.join("none.db"))).unwrap_err();
        assert_eq!(kind(&absent), StoreErrorKind::Absent, "{absent}");
        assert_eq!(store.names().unwrap(), ["alice", "bob"]);
    });
}

#[test]
fn what_may_only_be_read_or_must_be_there_is_asked_of_a_server_too() {
    if !sqld::is_available() {
        return;
    }
    let server = Sqld::start();
    let address = stores::server(server.url());
    let must_be_there = StoreOptions::new().create(false);
    let error = must_be_there.clone().open(&address).unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::Absent, "{error}");
    let store = Store::open(&address).unwrap();
    store
        .backend("alice")
        .unwrap()
        .save(&sized(1, 1, 1, 1))
        .unwrap();
    let there = must_be_there.open(&address).unwrap();
    assert_eq!(load(&there, "alice"), Some(sized(1, 1, 1, 1)));
    assert!(there.backend("bob").is_err());

    let readers = StoreOptions::new().read_only().open(&address).unwrap();
    for error in [
        readers.rename("alice", "bob").unwrap_err(),
        readers.delete("alice").unwrap_err(),
        readers
            .backend("alice")
            .unwrap()
            .set_home_dc(1)
            .unwrap_err(),
    ] {
        assert_eq!(kind(&error), StoreErrorKind::Refused, "{error}");
    }
    assert_eq!(load(&readers, "alice"), Some(sized(1, 1, 1, 1)));
}
