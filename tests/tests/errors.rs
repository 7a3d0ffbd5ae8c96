//! Every error that a backend returns says by its type what is wrong, and by its words where.

use std::fs;
use std::io;
use std::path::Path;

use mtsession::codec::{EntryKey, LoginState, PeerKey, PeerKind};
use mtsession::{
    Account, BinaryFileBackend, CachedPeer, Change, DcEntry, DcFlags, InMemoryBackend,
    LibSqlBackend, Outcome, PeerQuery, PersistedSession, SessionBackend, SqliteBackend, Store,
    StoreError, StoreErrorKind, StoreOptions, StringSessionBackend, UpdateStateChange,
};
use mtsession_tests::random::sized;
use mtsession_tests::stores::{account_names, before_it_is_there, sqlite};

/// All calls of a backend.
fn calls(backend: &dyn SessionBackend) -> Vec<(&'static str, io::Error)> {
    let peer: CachedPeer = mtsession::codec::Peer::user(5, 6).into();
    let dc = DcEntry::from_parts(3, "149.154.175.100", 443, DcFlags::NONE);
    let key = PeerKey::new(PeerKind::User, false, 5);
    let account = Change::Account(Account::user(7));
    let revoked = Change::LoginState(LoginState::Revoked { at: 1, error: "X" });
    let found = [
        ("read", backend.read().map(drop)),
        ("load", backend.load().map(drop)),
        ("head", backend.head().map(drop)),
        (
            "find_peer",
            backend.find_peer(PeerQuery::Key(key)).map(drop),
        ),
        ("peers_after", backend.peers_after(None, 3).map(drop)),
        ("apply", backend.apply(&[account, revoked])),
        (
            "forget",
            backend.apply(&[Change::Forget(EntryKey::Peer(key))]),
        ),
        ("update_dc", backend.update_dc(&dc)),
        ("set_home_dc", backend.set_home_dc(4)),
        (
            "apply_update_state",
            backend.apply_update_state(UpdateStateChange::Secondary { qts: 6 }),
        ),
        ("cache_peer", backend.cache_peer(&peer)),
        ("retain_peers", backend.retain_peers(&mut |_| false)),
        (
            "update",
            backend.update(&mut |record| {
                record.set_session(sized(1, 2, 3, 4));
                Ok(())
            }),
        ),
        ("save", backend.save(&sized(1, 2, 3, 4))),
    ];
    let errors = found.into_iter();
    errors
        .filter_map(|(call, result)| Some((call, result.err()?)))
        .collect()
}

#[track_caller]
fn is_typed(what: &str, error: &io::Error, kind: StoreErrorKind) {
    let store = StoreError::of(error).unwrap_or_else(|| panic!("{what}: {error:?}"));
    assert_eq!(store.kind(), kind, "{what}: {error}");
    assert_eq!(store.outcome(), Outcome::Unchanged, "{what}: {error}");
    assert!(
        !store.backend().is_empty() && !store.action().is_empty(),
        "{what}: {store:?}"
    );
    let text = error.to_string();
    assert!(!text.chars().any(char::is_control), "{what}: {text}");
}

/// Every call on a store in this condition fails, in this way.
#[track_caller]
fn all_fail(what: &str, backend: &dyn SessionBackend, kind: StoreErrorKind, at_least: usize) {
    let errors = calls(backend);
    assert!(errors.len() >= at_least, "{what}: only {errors:?}");
    for (call, error) in errors {
        is_typed(&format!("{what}, {call}"), &error, kind);
    }
}

fn garbage(path: &Path) {
    fs::write(path, b"\x09garbage, and not a session of anybody's at all").unwrap();
}

#[test]
fn of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    all_fail(
        "no directory",
        &BinaryFileBackend::new(at("none/s")),
        StoreErrorKind::Absent,
        8,
    );
    fs::create_dir(at("directory")).unwrap();
    all_fail(
        "a directory",
        &BinaryFileBackend::new(at("directory")),
        StoreErrorKind::Foreign,
        9,
    );
    all_fail(
        "below a file",
        &{
            garbage(&at("file"));
            BinaryFileBackend::new(at("file/s"))
        },
        StoreErrorKind::Foreign,
        1,
    );

    let whole = at("whole");
    BinaryFileBackend::new(&whole)
        .save(&sized(1, 2, 3, 4))
        .unwrap();
    let mut bytes = fs::read(&whole).unwrap();
    bytes[40] ^= 1;
    fs::write(at("rotten"), &bytes).unwrap();
    all_fail(
        "a flipped bit",
        &BinaryFileBackend::new(at("rotten")),
        StoreErrorKind::Damaged,
        9,
    );
    bytes.truncate(60);
    fs::write(at("short"), &bytes).unwrap();
    all_fail(
        "a short file",
        &BinaryFileBackend::new(at("short")),
        StoreErrorKind::Damaged,
        9,
    );
    bytes[0] = 9;
    fs::write(at("newer"), &bytes).unwrap();
    all_fail(
        "version 9",
        &BinaryFileBackend::new(at("newer")),
        StoreErrorKind::Newer,
        9,
    );
    let error = mtsession::recover(at("none")).unwrap_err();
    is_typed("recover", &error, StoreErrorKind::Absent);
    garbage(&at("garbage"));
    let error = mtsession::recover(at("garbage")).unwrap_err();
    assert!(StoreError::of(&error).is_some(), "{error:?}");
}

#[test]
fn of_a_database() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let both = |name: &str| -> [Box<dyn SessionBackend>; 2] {
        [
            before_it_is_there(&at(name), || {
                Box::new(SqliteBackend::open(at(name)).unwrap())
            }),
            before_it_is_there(&at(name), || {
                Box::new(LibSqlBackend::open_local(at(name)).unwrap())
            }),
        ]
    };
    garbage(&at("garbage.db"));
    for (name, schema) in [
        (
            "other.db",
            "CREATE TABLE sessions (dc_id, auth_key); CREATE TABLE entities (id)",
        ),
        (
            "newer.db",
            "CREATE TABLE accounts (a); CREATE TABLE dc (b); CREATE TABLE min_peer (c);
            PRAGMA user_version = 99",
        ),
    ] {
        let database = rusqlite::Connection::open(at(name)).unwrap();
        database.execute_batch(schema).unwrap();
    }
    let all = [
        ("garbage.db", StoreErrorKind::Foreign),
        ("other.db", StoreErrorKind::Foreign),
        ("newer.db", StoreErrorKind::Newer),
    ];
    for (name, kind) in all {
        for backend in both(name) {
            all_fail(name, &*backend, kind, 14);
        }
        is_typed(name, &account_names(sqlite(at(name))).unwrap_err(), kind);
    }
    for backend in both("none/s.db") {
        all_fail("no directory", &*backend, StoreErrorKind::Absent, 1);
    }
    SqliteBackend::open(at("mine.db"))
        .unwrap()
        .save(&sized(1, 2, 3, 4))
        .unwrap();
    let exported = SqliteBackend::export_ferogram(&sized(1, 2, 3, 4), at("mine.db"));
    is_typed("export", &exported.unwrap_err(), StoreErrorKind::Exists);
    let restored = Store::open(sqlite(at("mine.db")))
        .and_then(|store| store.restore(sqlite(at("none.db"))))
        .unwrap_err();
    is_typed("restore", &restored, StoreErrorKind::Absent);
}

/// A database that the system lets nobody write to for longer than is waited is not "offline".
#[test]
fn of_a_database_that_somebody_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s.db");
    let impatient = StoreOptions::new().deadline(std::time::Duration::from_millis(1));
    let backend = impatient.connect(sqlite(&path)).unwrap();
    backend.save(&sized(1, 2, 3, 4)).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = backend.set_home_dc(3).unwrap_err();
    is_typed("held", &error, StoreErrorKind::Contended);
    assert!(StoreError::of(&error).unwrap().is_retryable());
}

#[test]
fn of_a_string() {
    for (text, kind) in [
        ("not a session string", StoreErrorKind::Damaged),
        ("1BQANOTEuMTA4LjU2LjE5MwG7", StoreErrorKind::Damaged),
    ] {
        let errors = calls(&StringSessionBackend::new(text));
        assert!(errors.len() >= 9, "{errors:?}");
        for (call, error) in errors {
            is_typed(&format!("{text}, {call}"), &error, kind);
        }
    }
}

/// What no session can hold is refused by every store in the same way.
#[test]
fn of_a_session_that_is_too_long() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let dc = DcEntry::from_parts(2, "149.154.167.51", 443, DcFlags::NONE);
    let session = PersistedSession {
        dcs: vec![dc; 256],
        ..PersistedSession::default()
    };
    let backends: [Box<dyn SessionBackend>; 5] = [
        Box::new(BinaryFileBackend::new(at("s"))),
        Box::new(InMemoryBackend::new()),
        Box::new(StringSessionBackend::new("")),
        Box::new(SqliteBackend::open(at("s.db")).unwrap()),
        Box::new(LibSqlBackend::open_local(at("l.db")).unwrap()),
    ];
    for backend in backends {
        let name = backend.name().to_owned();
        is_typed(
            &name,
            &backend.save(&session).unwrap_err(),
            StoreErrorKind::Invalid,
        );
        let updated = backend.update(&mut |record| {
            record.set_session(session.clone());
            Ok(())
        });
        is_typed(&name, &updated.unwrap_err(), StoreErrorKind::Invalid);
        let address = "a".repeat(256);
        let long = DcEntry {
            addr: address,
            ..DcEntry::from_parts(2, "149.154.167.51", 443, DcFlags::NONE)
        };
        is_typed(
            &name,
            &backend.update_dc(&long).unwrap_err(),
            StoreErrorKind::Invalid,
        );
        assert!(backend.read().unwrap().is_none(), "{name}");
    }
}

#[cfg(feature = "full")]
#[test]
fn of_a_server_that_is_not_there() {
    use std::net::TcpListener;

    // A port on which nobody listens any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    for url in [
        format!("http://127.0.0.1:{port}"),
        "http://no-such-host.invalid".to_owned(),
    ] {
        let error = LibSqlBackend::open_remote(&url, "").expect_err("nobody is there");
        is_typed(&url, &error, StoreErrorKind::Unreachable);
        assert!(StoreError::of(&error).unwrap().is_retryable(), "{error}");
    }
}

#[cfg(feature = "full")]
#[test]
fn of_a_session_of_another_library() {
    use mtsession::clients;

    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    garbage(&at("garbage"));
    for (name, kind) in [
        ("garbage", StoreErrorKind::Foreign),
        ("none", StoreErrorKind::Absent),
    ] {
        is_typed(name, &clients::read(&at(name)).unwrap_err(), kind);
    }
}

/// A store of one's own is asked the same two questions.
#[test]
fn of_a_store_of_ones_own() {
    let source = io::Error::other("HTTP 507");
    let error = StoreError::new(StoreErrorKind::NoSpace, source).with_outcome(Outcome::Unknown);
    let error = io::Error::from(error);
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    let store = StoreError::of(&error).unwrap();
    assert_eq!(
        (store.kind(), store.outcome()),
        (StoreErrorKind::NoSpace, Outcome::Unknown)
    );
    assert!(!store.is_retryable());
    assert_eq!(error.to_string(), "HTTP 507");
}
