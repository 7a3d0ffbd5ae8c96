//! Many accounts in one SQLite database.

use std::path::Path;

use mtsession::{
    Account, LibSqlBackend, PersistedSession, SessionBackend, SessionBackendExt, SqliteBackend,
    Store, UpdateStateChange, connect,
};
use mtsession_tests::bytes::{bytes_in, has_window_of};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores::{account_names, libsql, mode, sqlite};
use rusqlite::Connection;

/// A file with the accounts `account-0000` to `account-0999`; the first is `template`.
fn a_thousand_accounts(path: &Path, template: &PersistedSession) {
    // Filled by one statement after the other, without a disk flush each: a copy of one account.
    connect(sqlite(path).with_account("account-0000"))
        .unwrap()
        .save(template)
        .unwrap();
    let database = Connection::open(path).unwrap();
    database
        .execute_batch("BEGIN; PRAGMA secure_delete = ON")
        .unwrap();
    for n in 1..1000_i64 {
        let name = format!("account-{n:04}");
        database
            .execute(
                "INSERT INTO accounts (name, revisions) VALUES (?1, '')",
                [&name],
            )
            .unwrap();
        let id = database.last_insert_rowid();
        for position in 0..5_i64 {
            let mut key = key_of(0);
            key[..8].copy_from_slice(&n.to_le_bytes());
            for chunk in key.chunks_mut(16) {
                chunk[..8].copy_from_slice(&n.to_le_bytes());
                chunk[8] = position as u8;
            }
            database
                .execute(
                    "INSERT INTO dc VALUES (?1, ?2, ?2 + 1, 0, '149.154.167.51:443', ?3, 0, 0, NULL)",
                    rusqlite::params![id, position, key],
                )
                .unwrap();
        }
    }
    database.execute_batch("COMMIT").unwrap();
    drop(database);
    assert_eq!(account_names(sqlite(path)).unwrap().len(), 1000);
}

#[test]
fn a_thousand_accounts_live_in_one_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let template = sized(5, 20, 5, 5);
    a_thousand_accounts(&path, &template);
    let victim = connect(sqlite(&path).with_account("account-0500")).unwrap();
    let keys: Vec<_> = victim
        .load()
        .unwrap()
        .unwrap()
        .dcs
        .iter()
        .map(|dc| dc.auth_key.unwrap())
        .collect();
    assert_eq!(keys.len(), 5);
    // Makes pages split and rows move.
    for n in (490..510).chain([500; 30]) {
        let backend = connect(sqlite(&path).with_account(&format!("account-{n:04}"))).unwrap();
        let mut session = backend.load().unwrap().unwrap();
        for dc in &mut session.dcs {
            dc.addr.push_str("00");
        }
        backend.save(&session).unwrap();
    }
    assert!(has_window_of(&bytes_in(dir.path()), &keys));
    Store::open(sqlite(&path))
        .and_then(|store| store.delete("account-0500"))
        .unwrap();
    let left = has_window_of(&bytes_in(dir.path()), &keys);
    assert!(!left, "key bytes are left");

    // The libSQL backend on the same file.
    let keys = [connect(sqlite(&path).with_account("account-0600"))].map(|victim| {
        victim.unwrap().load().unwrap().unwrap().dcs[0]
            .auth_key
            .unwrap()
    });
    assert!(has_window_of(&bytes_in(dir.path()), &keys));
    let libsql = connect(libsql(&path).with_account("account-0600")).unwrap();
    libsql
        .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
        .unwrap();
    libsql.delete().unwrap();
    let left = has_window_of(&bytes_in(dir.path()), &keys);
    assert!(!left, "key bytes are left");
    libsql.save(&template).unwrap();

    assert_eq!(account_names(sqlite(&path)).unwrap().len(), 999);
    Store::open(sqlite(&path))
        .and_then(|store| store.rename("account-0001", "renamed"))
        .unwrap();
    let renamed = connect(sqlite(&path).with_account("renamed")).unwrap();
    assert_eq!(renamed.load().unwrap().unwrap().dcs.len(), 5);
    let taken = Store::open(sqlite(&path))
        .and_then(|store| store.rename("renamed", "account-0002"))
        .unwrap_err();
    assert_eq!(taken.kind(), std::io::ErrorKind::AlreadyExists);
    let missing = Store::open(sqlite(&path))
        .and_then(|store| store.rename("account-0500", "x"))
        .unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    let first = connect(sqlite(&path).with_account("account-0000")).unwrap();
    assert_eq!(first.load().unwrap(), Some(template));
}

#[test]
fn a_backup_is_a_copy_of_all_accounts_while_others_write() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("bots.db"), dir.path().join("copy.db"));
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(5, 2_000, 5, 5)).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for pts in 1..200 {
                backend
                    .apply_update_state(UpdateStateChange::Channel { id: 1, pts })
                    .unwrap();
            }
        });
        Store::open(sqlite(&path))
            .and_then(|store| store.backup(sqlite(&copy)))
            .unwrap();
        writer.join().unwrap();
    });
    assert_eq!(mode(&copy), 0o600);
    let copied = SqliteBackend::open(&copy).unwrap().load().unwrap().unwrap();
    assert_eq!(copied.peers, sized(5, 2_000, 5, 5).peers);
    let again = Store::open(sqlite(&path))
        .and_then(|store| store.backup(sqlite(&copy)))
        .unwrap_err();
    assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
}

#[test]
fn account_data_and_names_are_kept_apart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bots.db");
    let account = Account {
        user_id: Some(5),
        ..Account::default()
    };
    let (one, two) = (
        connect(sqlite(&path).with_account("one")).unwrap(),
        connect(sqlite(&path).with_account("two")).unwrap(),
    );
    one.set_account(account).unwrap();
    assert_eq!(two.load().unwrap(), None);
    assert_eq!(
        (one.account().unwrap(), two.account().unwrap()),
        (account, Account::default())
    );
    assert_eq!(one.name(), format!("{}#one", path.display()));
    assert_eq!(
        SqliteBackend::open(&path).unwrap().name(),
        path.display().to_string()
    );
    for bad in ["", "line\nbreak"] {
        assert!(connect(sqlite(&path).with_account(bad)).is_err());
    }
}

#[test]
fn two_hundred_thousand_peers_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let (sqlite, libsql) = (dir.path().join("sqlite.db"), dir.path().join("libsql.db"));
    let session = Some(sized(5, 200_000, 1_000, 1_000));
    let saved = session.as_ref().unwrap();
    SqliteBackend::open(&sqlite).unwrap().save(saved).unwrap();
    assert!(SqliteBackend::open(&sqlite).unwrap().load().unwrap() == session);
    let backend = LibSqlBackend::open_local(&libsql).unwrap();
    backend.save(saved).unwrap();
    assert!(LibSqlBackend::open_local(&libsql).unwrap().load().unwrap() == session);
    let backend = SqliteBackend::in_memory().unwrap();
    backend.save(saved).unwrap();
    assert!(backend.load().unwrap() == session);
    let backend = LibSqlBackend::in_memory().unwrap();
    backend.save(saved).unwrap();
    assert!(backend.load().unwrap() == session);
}
