//! Copies of whole databases: made, checked and put back.

use std::fs;
use std::path::Path;

use mtsession::{SessionBackend, SqliteBackend, Store, connect};
use mtsession_tests::random::sized;
use mtsession_tests::stores::{account_names, count, problems, pts, sqlite};
use rusqlite::Connection;

/// A database with `pts`, and a copy of it as it was with 1.
fn with_copy(dir: &Path) -> (SqliteBackend, std::path::PathBuf, std::path::PathBuf) {
    let (path, copy) = (dir.join("a.db"), dir.join("copy.db"));
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 30, 2, 2)).unwrap();
    count(&backend, 1);
    Store::open(sqlite(&path))
        .and_then(|store| store.backup(sqlite(&copy)))
        .unwrap();
    connect(sqlite(&path).with_account("later"))
        .unwrap()
        .save(&sized(2, 3, 0, 0))
        .unwrap();
    count(&backend, 7);
    (backend, path, copy)
}

#[test]
fn a_copy_is_put_back_while_others_have_the_database_open_and_whatever_is_in_its_log() {
    let dir = tempfile::tempdir().unwrap();
    let (backend, path, copy) = with_copy(dir.path());
    Store::open(sqlite(&path))
        .and_then(|store| store.restore(sqlite(&copy)))
        .unwrap();
    assert_eq!(pts(&backend), 1, "an open backend");
    assert_eq!(account_names(sqlite(&path)).unwrap(), ["default"]);
    drop(backend);
    assert_eq!(pts(&SqliteBackend::open(&path).unwrap()), 1);
    assert!(problems(sqlite(&path)).unwrap().is_empty());

    let other = dir.path().join("new.db");
    Store::open(sqlite(&other))
        .and_then(|store| store.restore(sqlite(&copy)))
        .unwrap();
    assert_eq!(pts(&SqliteBackend::open(&other).unwrap()), 1);
    count(&SqliteBackend::open(&other).unwrap(), 2);
}

#[test]
fn what_cannot_be_put_back_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (backend, path, copy) = with_copy(dir.path());
    let (damaged, theirs, empty) = (
        dir.path().join("damaged.db"),
        dir.path().join("theirs.db"),
        dir.path().join("empty.db"),
    );
    let mut bytes = fs::read(&copy).unwrap();
    for byte in bytes.iter_mut().skip(4096 * 3).step_by(7) {
        *byte ^= 0x55;
    }
    fs::write(&damaged, bytes).unwrap();
    fs::write(&empty, "").unwrap();
    let other = Connection::open(&theirs).unwrap();
    other.execute_batch("CREATE TABLE notes (text)").unwrap();
    drop(other);
    let missing = dir.path().join("missing.db");
    for from in [&damaged, &theirs, &empty, &missing, &path] {
        Store::open(sqlite(&path))
            .and_then(|store| store.restore(sqlite(from)))
            .unwrap_err();
        assert_eq!(pts(&backend), 7, "{}", from.display());
    }
    let before = fs::read(&theirs).unwrap();
    Store::open(sqlite(&theirs))
        .and_then(|store| store.restore(sqlite(&copy)))
        .unwrap_err();
    assert!(fs::read(&theirs).unwrap() == before);
    assert!(!missing.exists());
}

#[test]
fn a_check_finds_rows_without_account_and_a_damaged_index() {
    let dir = tempfile::tempdir().unwrap();
    let (backend, path, _) = with_copy(dir.path());
    drop(backend);
    assert!(problems(sqlite(&path)).unwrap().is_empty());
    let database = Connection::open(&path).unwrap();
    let orphans = "UPDATE peer SET account = 4711 WHERE position = 29";
    database.execute_batch(orphans).unwrap();
    drop(database);
    let problems = problems(sqlite(&path)).unwrap();
    assert!(
        problems
            .iter()
            .any(|line| line.contains("table peer belong to no account")),
        "{problems:?}"
    );
}
