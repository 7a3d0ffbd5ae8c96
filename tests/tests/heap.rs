//! What a store leaves on the heap once everything is dropped or wiped: no piece of a key.
//!
//! The process reads its own memory. SQLite's buffers are its own: what it leaves is bounded here, and
//! that none of it is ours is a test of the crate itself, in which SQLite gets other bytes than the key.
//! The HTTP client's buffers are not looked at.

#![cfg(target_os = "linux")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use mtsession::{
    BinaryFileBackend, DcEntry, DcFlags, InMemoryBackend, LibSqlBackend, PersistedSession,
    SessionBackend, SqliteBackend, StringSessionBackend,
};
use mtsession_tests::heap::{Needles, key};
use zeroize::Zeroize as _;

fn entry(dc_id: i32, seed: u8) -> DcEntry {
    DcEntry {
        auth_key: Some(key(seed)),
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, DcFlags::NONE)
    }
}

/// Everything that a client does with a store.
fn use_store(backend: &dyn SessionBackend) {
    let mut session = PersistedSession {
        home_dc_id: 2,
        dcs: vec![entry(2, 1)],
        ..PersistedSession::default()
    };
    backend.save(&session).unwrap();
    session.zeroize();
    for dc_id in 3..20 {
        let mut entry = entry(dc_id, 1);
        backend.update_dc(&entry).unwrap();
        entry.zeroize();
    }
    backend.set_home_dc(4).unwrap();
    // Another key in the place of the first.
    let mut other = entry(2, 2);
    backend.update_dc(&other).unwrap();
    other.zeroize();
    let mut loaded = backend.load().unwrap().unwrap();
    assert_eq!(loaded.dcs.len(), 18);
    backend.save(&loaded).unwrap();
    loaded.zeroize();
}

#[test]
fn no_piece_of_a_key_is_left_when_a_store_is_dropped() {
    let mut needles = Needles::default();
    for seed in [1, 2] {
        let mut key = key(seed);
        needles.add(&key);
        key.zeroize();
    }
    // The search finds what is there.
    let mut held = Box::new(key(1));
    assert!(needles.on_the_heap() > 0);
    held.zeroize();
    drop(held);
    assert_eq!(needles.on_the_heap(), 0, "before anything was stored");

    let memory = InMemoryBackend::new();
    use_store(&memory);
    drop(memory);
    assert_eq!(needles.on_the_heap(), 0, "memory");

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let file = BinaryFileBackend::new(&path);
    use_store(&file);
    drop(file);
    assert_eq!(needles.on_the_heap(), 0, "file");
    let again = BinaryFileBackend::new(&path);
    again.load().unwrap().unwrap().zeroize();
    assert_eq!(needles.on_the_heap(), 0, "file, loaded again");
    again.delete().unwrap();
    drop(again);
    assert_eq!(needles.on_the_heap(), 0, "file, deleted");

    let string = StringSessionBackend::new("");
    use_store(&string);
    let mut text = string.current();
    needles.add(&text.as_bytes()[100..]);
    let again = StringSessionBackend::new(core::mem::take(&mut text));
    again.load().unwrap().unwrap().zeroize();
    again.set_home_dc(5).unwrap();
    drop((string, again));
    assert_eq!(needles.on_the_heap(), 0, "string");

    // Each store has had the key in 19 rows and in what was written and read of them; what SQLite has
    // freed it uses again, so that this does not grow from one opening to the next.
    const MOST_OF_A_STORE: usize = 800;
    let path = dir.path().join("a.db");
    let sqlite = SqliteBackend::open(&path).unwrap();
    use_store(&sqlite);
    drop(sqlite);
    let libsql = LibSqlBackend::open_local(dir.path().join("b.db")).unwrap();
    use_store(&libsql);
    drop(libsql);
    let left = needles.on_the_heap();
    assert!(left <= 2 * MOST_OF_A_STORE, "SQLite: {left} pieces");
    for _ in 0..10 {
        let again = SqliteBackend::open(&path).unwrap();
        again.load().unwrap().unwrap().zeroize();
    }
    let after = needles.on_the_heap();
    assert!(
        after <= left + MOST_OF_A_STORE / 4,
        "{left} pieces became {after}"
    );
}
