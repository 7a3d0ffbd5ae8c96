//! What was read stays as it was, and saves into a store.

use std::collections::BTreeSet;

use mtsession::clients::read;
use mtsession::{BinaryFileBackend, SessionBackend, SessionBackendExt};

use crate::files::{copy_of, snapshot};
use crate::{folder, import, vectors};

#[test]
fn what_was_read_saves_into_a_store() {
    let dir = tempfile::tempdir().unwrap();
    for vector in vectors() {
        let import = import(&vector);
        let backend = BinaryFileBackend::new(dir.path().join("my.session"));
        backend.save(&import.session).unwrap();
        backend.set_account(import.account).unwrap();
        assert_eq!(
            backend.load().unwrap().unwrap(),
            *import.session,
            "{}",
            vector.id
        );
        assert_eq!(backend.account().unwrap(), import.account);
        let debug = format!("{import:?}");
        let home = import.session.home_dc_id;
        let key = import
            .session
            .dc_for(home, false)
            .unwrap()
            .auth_key
            .unwrap();
        assert!(!debug.contains(&format!("{}, {}, {}", key[9], key[10], key[11])));
    }
}

#[test]
fn reading_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut copies = BTreeSet::new();
    for vector in vectors() {
        let copy = dir.path().join(vector.path.file_name().unwrap());
        copy_of(&vector.path, &copy);
        copies.insert(copy);
    }
    let before = snapshot(dir.path());
    for copy in &copies {
        read(copy).unwrap();
    }
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn what_is_still_in_the_log_is_read_and_the_log_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pyrotgfork.session");
    copy_of(&folder().join("pyrotgfork-2.2.24.1-s01.session"), &path);
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE sessions SET user_id = 42;")
        .unwrap();
    let before = snapshot(dir.path());
    assert!(before.len() > 1, "there is a log");
    assert_eq!(read(&path).unwrap().account.user_id, Some(42));
    assert_eq!(snapshot(dir.path()), before);
    drop(writer);
}
