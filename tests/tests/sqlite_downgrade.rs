//! The way back: a database that we write for `ferogram-session` is used by that release itself.

use std::path::Path;
use std::process::{Command, Output};

use mtsession::{PersistedSession, SessionBackend, SqliteBackend};
use mtsession_tests::random::sized;
use mtsession_tests::vectors::sorted;

/// Building the old release with its own SQLite takes a minute: `INTEROP=1` asks for it.
fn is_asked_for() -> bool {
    let is_asked_for = std::env::var_os("INTEROP").is_some();
    if !is_asked_for {
        eprintln!("skipped: set INTEROP=1 to build ferogram-session with its SQLite and run it");
    }
    is_asked_for
}

/// Lets the old release open a database, load from it and save to it.
fn let_the_old_release_load(path: &Path) -> Output {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/peer/Cargo.toml");
    Command::new(env!("CARGO"))
        .args([
            "run",
            "--release",
            "--quiet",
            "--features",
            "sqlite",
            "--bin",
            "peer-sqlite",
            "--manifest-path",
        ])
        .arg(manifest)
        .args(["--", "load"])
        .arg(path)
        .output()
        .unwrap()
}

/// A deployment that was rolled back must not find that nobody is logged in.
#[test]
fn the_old_release_fails_on_a_database_of_ours_and_changes_nothing() {
    if !is_asked_for() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.db");
    let session = sized(3, 5, 5, 5);
    SqliteBackend::open(&path).unwrap().save(&session).unwrap();
    let output = let_the_old_release_load(&path);
    assert!(!output.status.success(), "it loaded something");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("no such column: dc_id"), "{errors}");
    let backend = SqliteBackend::open(&path).unwrap();
    assert_eq!(backend.load().unwrap(), Some(session));
    backend.set_home_dc(4).unwrap();
}

#[test]
fn the_old_release_uses_what_was_exported() {
    if !is_asked_for() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let mut session = sized(4, 300, 20, 10);
    session.future_auth_token = Some(vec![1, 2, 3]);
    SqliteBackend::export_ferogram(&session, &path).unwrap();

    let output = let_the_old_release_load(&path);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let seen = String::from_utf8(output.stdout).unwrap();
    let seen = PersistedSession::from_string(seen.trim()).unwrap();
    assert_eq!(sorted(seen), sorted(session.clone()));

    // And forward again.
    session.updates_state.pts += 1;
    let back = SqliteBackend::open(&path).unwrap().load().unwrap().unwrap();
    assert_eq!(sorted(back), sorted(session));
}
