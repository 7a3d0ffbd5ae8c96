use std::path::Path;

use mtsession_core::{Account, Change};

use super::*;
use crate::backend::SessionBackendExt as _;
use crate::drop_in::session::PersistedSession;
use crate::error::kind::StoreErrorKind;

pub(super) fn session(home_dc_id: i32) -> PersistedSession {
    PersistedSession {
        home_dc_id,
        ..PersistedSession::default()
    }
}

pub(super) fn home(store: &Store, name: &str) -> Option<i32> {
    let head = store.backend(name).unwrap().head().unwrap();
    head.map(|head| head.home_dc_id)
}

pub(super) fn kind(error: &io::Error) -> StoreErrorKind {
    StoreError::of(error).expect("an error of a store").kind()
}

/// An address for every kind of store with many accounts that this build has.
fn stores(dir: &Path) -> Vec<String> {
    let mut stores = vec![
        format!("dir:{}", dir.join("d").display()),
        "memory:".to_owned(),
    ];
    if cfg!(feature = "sqlite") {
        stores.push(format!("sqlite:{}", dir.join("s.db").display()));
    }
    if cfg!(feature = "libsql") {
        stores.push(format!("libsql:{}", dir.join("l.db").display()));
    }
    stores
}

#[test]
fn accounts_are_managed_alike_in_every_store() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(dir.path()) {
        let store = Store::open(&address).unwrap();
        assert!(store.names().unwrap().is_empty(), "{address}");
        for (name, home_dc_id) in [("bob", 4), ("a/b#c?d", 2), ("alice", 1)] {
            let backend = store.backend(name).unwrap();
            assert_eq!(backend.address().unwrap().account(), Some(name));
            backend.save(&session(home_dc_id)).unwrap();
        }
        assert_eq!(
            store.names().unwrap(),
            ["a/b#c?d", "alice", "bob"],
            "{address}"
        );

        assert_eq!(
            kind(&store.rename("nobody", "x").unwrap_err()),
            StoreErrorKind::Absent
        );
        assert_eq!(
            kind(&store.rename("bob", "alice").unwrap_err()),
            StoreErrorKind::Exists
        );
        store.rename("bob", "robert").unwrap();
        assert_eq!(
            (home(&store, "bob"), home(&store, "robert")),
            (None, Some(4))
        );
        store.delete("alice").unwrap();
        store.delete("alice").unwrap();

        let mut seen = Vec::new();
        let mut each = |entry: StoreEntry| {
            seen.push((entry.name, entry.head.unwrap().home_dc_id));
            ControlFlow::Continue(())
        };
        store.for_each(&mut each).unwrap();
        assert_eq!(seen, [("a/b#c?d".to_owned(), 2), ("robert".to_owned(), 4)]);
        let report = store.verify().unwrap();
        assert_eq!((report.accounts, report.is_good()), (2, true), "{report:?}");
        assert_eq!(
            kind(&store.backend("").err().unwrap()),
            StoreErrorKind::Invalid
        );
        assert_eq!(home(&store.clone(), "robert"), Some(4));
    }
}

#[test]
fn every_store_is_backed_up_into_every_other_and_restored() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::create_dir(&from).unwrap();
    for address in stores(&from) {
        let store = Store::open(&address).unwrap();
        store
            .backend("alice")
            .unwrap()
            .set_account(Account::user(7))
            .unwrap();
        store.backend("bob").unwrap().save(&session(4)).unwrap();
        std::fs::create_dir(&to).unwrap();
        for copy in stores(&to).into_iter().filter(|copy| copy != "memory:") {
            store.backup(&copy).unwrap();
            let error = store.backup(&copy).unwrap_err();
            assert_eq!(
                kind(&error),
                StoreErrorKind::Exists,
                "{address} {copy}: {error}"
            );
            let copied = Store::open(&copy).unwrap();
            assert_eq!(copied.names().unwrap(), ["alice", "bob"]);
            assert_eq!(
                copied.backend("alice").unwrap().account().unwrap(),
                Account::user(7)
            );

            store.delete("bob").unwrap();
            store.backend("late").unwrap().save(&session(1)).unwrap();
            store.restore(&copy).unwrap();
            assert_eq!(store.names().unwrap(), ["alice", "bob"], "{address} {copy}");
            assert_eq!(home(&store, "bob"), Some(4));
        }
        // A session file has no place for two, and nothing is made of it.
        let one = to.join("one.session");
        if !address.starts_with("sqlite") && !address.starts_with("libsql") {
            assert_eq!(
                kind(&store.backup(one.as_path()).unwrap_err()),
                StoreErrorKind::Invalid
            );
            assert!(!one.exists());
        }
        let absent = format!("dir:{}", to.join("absent").display());
        assert_eq!(
            kind(&store.restore(absent).unwrap_err()),
            StoreErrorKind::Absent
        );
        std::fs::remove_dir_all(&to).unwrap();
    }
}

#[test]
fn a_session_file_is_a_store_with_one_account() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let store = Store::open(&path).unwrap();
    assert!(store.names().unwrap().is_empty());
    store.backend("default").unwrap().save(&session(2)).unwrap();
    assert_eq!(store.names().unwrap(), ["default"]);
    assert_eq!(
        kind(&store.backend("bob").err().unwrap()),
        StoreErrorKind::Invalid
    );
    assert_eq!(
        kind(&store.rename("default", "bob").unwrap_err()),
        StoreErrorKind::Unsupported
    );
    let copy = dir.path().join("copy.session");
    store.backup(&copy).unwrap();
    assert_eq!(
        crate::connect(&copy).unwrap().load().unwrap(),
        Some(session(2))
    );
    store.delete("default").unwrap();
    store.restore(&copy).unwrap();
    assert_eq!(home(&store, "default"), Some(2));
}

#[test]
fn what_was_opened_to_be_read_refuses_every_change() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(dir.path()) {
        if address == "memory:" {
            continue;
        }
        let absent = StoreOptions::new().read_only().open(&address).unwrap();
        assert!(absent.names().unwrap().is_empty());
        assert!(absent.backend("alice").unwrap().save(&session(2)).is_err());
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            0,
            "{address}"
        );

        Store::open(&address)
            .unwrap()
            .backend("alice")
            .unwrap()
            .save(&session(2))
            .unwrap();
        let store = Store::open(format!("{address}?read_only")).unwrap();
        let backend = store.backend("alice").unwrap();
        assert_eq!(backend.load().unwrap(), Some(session(2)));
        for error in [
            backend.save(&session(3)).unwrap_err(),
            backend.delete().unwrap_err(),
            backend.apply(&[Change::HomeDc(1)]).unwrap_err(),
            backend.set_home_dc(1).unwrap_err(),
            backend.update(&mut |_| Ok(())).unwrap_err(),
            store.rename("alice", "bob").unwrap_err(),
            store.delete("alice").unwrap_err(),
            store.restore(&address).unwrap_err(),
        ] {
            assert_eq!(kind(&error), StoreErrorKind::Refused, "{error}");
            assert!(error.to_string().contains("`read_only`"), "{error}");
        }
        assert_eq!(home(&store, "alice"), Some(2));
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
    }
}

#[test]
fn what_may_not_be_made_is_absent() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bot.session").display().to_string();
    for address in stores(dir.path()).into_iter().chain([file]) {
        let must_be_there = || StoreOptions::new().create(false);
        let error = must_be_there().open(&address).unwrap_err();
        assert_eq!(kind(&error), StoreErrorKind::Absent, "{address}: {error}");
        let error = crate::connect(format!("{address}?create=0")).err().unwrap();
        assert_eq!(kind(&error), StoreErrorKind::Absent, "{address}: {error}");
        if address == "memory:" {
            continue;
        }
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            0,
            "{address}"
        );
        crate::connect(&address).unwrap().save(&session(2)).unwrap();
        must_be_there()
            .connect(&address)
            .unwrap()
            .save(&session(3))
            .unwrap();
        let store = must_be_there().open(&address).unwrap();
        assert!(store.backend("bob").is_err());
        for entry in std::fs::read_dir(dir.path()).unwrap() {
            let path = entry.unwrap().path();
            let _ = std::fs::remove_dir_all(&path).or_else(|_| std::fs::remove_file(&path));
        }
    }
}
