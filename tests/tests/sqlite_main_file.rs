//! What the main file of a database has without its log: every acknowledged login.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mtsession::{
    Change, DcEntry, LibSqlBackend, PersistedSession, SessionBackend, SessionBackendExt,
    SqliteBackend, Store, StoreOptions, UpdateStateChange,
};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores::{self, account_names, before_it_is_there, sqlite};
use rusqlite::Connection;
use tempfile::TempDir;

/// The session in a copy of the main file alone, as a backup or a mount of a single file takes it.
fn main_file_alone(path: &Path) -> Option<PersistedSession> {
    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy.db");
    fs::copy(path, &copy).unwrap();
    SqliteBackend::open(&copy).unwrap().load().unwrap()
}

fn new_database() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    (dir, path)
}

fn with_key(seed: u8) -> DcEntry {
    DcEntry {
        auth_key: Some(key_of(seed)),
        ..sized(1, 0, 0, 0).dcs.remove(0)
    }
}

/// Nothing is closed here: the process could be killed after each call.
#[test]
fn an_acknowledged_login_is_in_the_main_file_alone() {
    let (_dir, path) = new_database();
    let sqlite = SqliteBackend::open(&path).unwrap();
    let (_other_dir, other_path) = new_database();
    let libsql = LibSqlBackend::open_local(&other_path).unwrap();
    let stores: [(&Path, &dyn SessionBackend); 2] = [(&path, &sqlite), (&other_path, &libsql)];
    for (path, backend) in stores {
        backend.update_dc(&with_key(1)).unwrap();
        assert_eq!(main_file_alone(path).unwrap().dcs, [with_key(1)]);
        backend.set_home_dc(1).unwrap();
        assert_eq!(main_file_alone(path).unwrap().home_dc_id, 1);
        backend
            .apply(&[Change::FutureAuthToken(Some(b"token"))])
            .unwrap();
        let token = main_file_alone(path).unwrap().future_auth_token;
        assert_eq!(token.as_deref(), Some(&b"token"[..]));
        let mut session = sized(3, 300, 5, 5);
        session.dcs[0].auth_key = Some(key_of(9));
        backend.save(&session).unwrap();
        assert_eq!(main_file_alone(path), Some(session));
    }
}

/// A connection of another program that reads, and keeps the state that it saw.
fn reader(path: &Path) -> Connection {
    let reader = Connection::open(path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM dc")
        .unwrap();
    reader
}

fn key_in_main_file(path: &Path) -> Option<[u8; 256]> {
    main_file_alone(path).unwrap().dcs[0].auth_key
}

/// Each store on a database of its own, with a session in it.
fn stores() -> Vec<(TempDir, PathBuf, Box<dyn SessionBackend>)> {
    let store = |is_sqlite| {
        let (dir, path) = new_database();
        let backend: Box<dyn SessionBackend> = if is_sqlite {
            Box::new(SqliteBackend::open(&path).unwrap())
        } else {
            Box::new(LibSqlBackend::open_local(&path).unwrap())
        };
        backend.save(&sized(1, 1, 1, 1)).unwrap();
        (dir, path, backend)
    };
    vec![store(true), store(false)]
}

const COUNTER: UpdateStateChange = UpdateStateChange::Secondary { qts: 1 };

#[test]
fn what_a_reader_holds_up_is_in_the_main_file_after_a_later_commit() {
    for (_dir, path, backend) in stores() {
        let reader = reader(&path);
        backend.update_dc(&with_key(7)).unwrap();
        backend.update_dc(&with_key(8)).unwrap();
        assert_ne!(
            key_in_main_file(&path),
            Some(key_of(8)),
            "the reader needs the old pages"
        );
        reader.execute_batch("COMMIT").unwrap();
        backend.apply_update_state(COUNTER).unwrap();
        assert_eq!(key_in_main_file(&path), Some(key_of(8)));
    }
}

/// SQLite copies the log only when the last of all connections is closed.
#[test]
fn what_a_reader_held_up_is_in_the_main_file_when_the_backend_is_closed() {
    for (_dir, path, backend) in stores() {
        let reader = reader(&path);
        backend.update_dc(&with_key(8)).unwrap();
        assert_ne!(key_in_main_file(&path), Some(key_of(8)));
        // It stays connected.
        reader.execute_batch("COMMIT").unwrap();
        drop(backend);
        assert_eq!(key_in_main_file(&path), Some(key_of(8)));
    }
}

/// The reader ends once it sees that the commit is waited with: other writers are kept out.
#[test]
fn a_login_waits_for_a_reader_that_is_about_to_end() {
    for (_dir, path, backend) in stores() {
        let reader = reader(&path);
        let saver = std::thread::spawn(move || {
            backend.update_dc(&with_key(8)).unwrap();
            backend
        });
        let other = Connection::open(&path).unwrap();
        other.busy_timeout(Duration::ZERO).unwrap();
        let is_committed = || {
            let key = other.query_row("SELECT auth_key FROM dc", [], |row| {
                row.get::<_, Vec<u8>>(0)
            });
            key.unwrap() == key_of(8)
        };
        let is_waiting = || other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_err();
        while !(saver.is_finished() || is_committed() && is_waiting()) {}
        reader.execute_batch("COMMIT").unwrap();
        let _open = saver.join().unwrap();
        assert_eq!(key_in_main_file(&path), Some(key_of(8)));
    }
}

/// Readers that come and go, with always one of them in the middle of it, hold nothing back for long.
#[test]
fn readers_that_take_turns_hold_nothing_back() {
    let (_dir, path) = new_database();
    let impatient = StoreOptions::new().deadline(Duration::ZERO);
    let backend = impatient.connect(sqlite(&path)).unwrap();
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    let mut last = reader(&path);
    backend.update_dc(&with_key(8)).unwrap();
    for _ in 0..3 {
        // The one before ends only now.
        last = reader(&path);
        backend.apply_update_state(COUNTER).unwrap();
    }
    assert_eq!(key_in_main_file(&path), Some(key_of(8)));
    drop(last);
}

/// The one that wrote the login is gone, and the other one has not written since.
#[test]
fn a_commit_takes_along_the_login_of_a_program_that_was_killed_meanwhile() {
    let (_dir, path) = new_database();
    let other = SqliteBackend::open(&path).unwrap();
    other.save(&sized(1, 1, 1, 1)).unwrap();
    let reader = reader(&path);
    let impatient = StoreOptions::new().deadline(Duration::ZERO);
    let killed = impatient.connect(sqlite(&path)).unwrap();
    killed.update_dc(&with_key(8)).unwrap();
    core::mem::forget(killed);
    reader.execute_batch("COMMIT").unwrap();
    assert_ne!(key_in_main_file(&path), Some(key_of(8)));
    assert_eq!(other.load().unwrap().unwrap().dcs[0], with_key(8));
    other.apply_update_state(COUNTER).unwrap();
    assert_eq!(key_in_main_file(&path), Some(key_of(8)));
}

/// A program that was killed before it could copy its log owes it as well.
#[test]
fn the_first_commit_takes_along_what_a_killed_program_left_in_the_log() {
    let (_dir, path) = new_database();
    SqliteBackend::open(&path)
        .unwrap()
        .save(&sized(1, 1, 1, 1))
        .unwrap();
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE peer SET access_hash = 4711")
        .unwrap();
    let hash = || main_file_alone(&path).unwrap().peers[0].access_hash;
    assert_ne!(hash(), 4711);
    SqliteBackend::open(&path)
        .unwrap()
        .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
        .unwrap();
    assert_eq!(hash(), 4711);
}

#[test]
fn a_main_file_without_its_log_is_an_error_for_every_call() {
    let (_dir, path) = new_database();
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA journal_mode = WAL")
        .unwrap();
    let before = fs::read(&path).unwrap();
    assert!(!before.is_empty());
    let (backend, libsql_backend) = before_it_is_there(&path, || {
        let libsql = LibSqlBackend::open_local(&path).unwrap();
        (SqliteBackend::open(&path).unwrap(), libsql)
    });
    let errors = [
        SqliteBackend::open(&path).map(|_| ()),
        account_names(sqlite(&path)).map(|_| ()),
        Store::open(sqlite(&path)).and_then(|store| store.rename("default", "other")),
        backend.load().map(|_| ()),
        backend.account().map(|_| ()),
        backend.save(&sized(1, 1, 1, 1)),
        backend.set_home_dc(2),
        backend.delete(),
        libsql_backend.load().map(|_| ()),
        account_names(stores::libsql(&path)).map(|_| ()),
        libsql_backend.delete(),
    ];
    for (call, result) in errors.into_iter().enumerate() {
        let error = result.expect_err(&format!("call {call} was accepted"));
        assert_eq!(error.kind(), ErrorKind::InvalidData, "call {call}");
        let log = format!("{}-wal", path.display());
        assert!(error.to_string().contains(&log), "call {call}: {error}");
    }
    assert!(fs::read(&path).unwrap() == before, "the file changed");
}

/// What is killed between the two leaves tables, not a log that says nothing. Here the log cannot be
/// made, because something else has the name of its index.
#[test]
fn a_new_database_has_its_tables_before_its_log() {
    let (dir, path) = new_database();
    let in_the_way = dir.path().join("bot.db-shm");
    fs::create_dir(&in_the_way).unwrap();
    let refused = SqliteBackend::open(&path).unwrap();
    refused.save(&PersistedSession::default()).ok();
    drop(refused);
    assert_eq!(
        main_file_alone(&path).unwrap_or_default(),
        PersistedSession::default(),
        "the tables are there"
    );
    fs::remove_dir(&in_the_way).unwrap();
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    assert_eq!(main_file_alone(&path), Some(sized(1, 1, 1, 1)));
}

#[test]
fn a_file_of_zero_bytes_is_nothing_yet() {
    let (_dir, path) = new_database();
    fs::write(&path, b"").unwrap();
    let backend = SqliteBackend::open(&path).unwrap();
    assert_eq!(backend.load().unwrap(), None);
    assert!(account_names(sqlite(&path)).unwrap().is_empty());
    assert_eq!(fs::metadata(&path).unwrap().len(), 0, "a reader wrote");
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    assert_eq!(main_file_alone(&path), Some(sized(1, 1, 1, 1)));
}
