//! The way back: a database that we write for `ferogram-session` is used by that release itself.

use std::path::Path;
use std::process::Command;

use mtsession::{PersistedSession, SessionBackend, SqliteBackend};
use mtsession_tests::random::sized;
use mtsession_tests::vectors::sorted;

/// Building the old release with its own SQLite takes a minute: `INTEROP=1` asks for it.
#[test]
fn the_old_release_uses_what_was_exported() {
    if std::env::var_os("INTEROP").is_none() {
        eprintln!("skipped: set INTEROP=1 to build ferogram-session with its SQLite and run it");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let mut session = sized(4, 300, 20, 10);
    session.future_auth_token = Some(vec![1, 2, 3]);
    SqliteBackend::export_ferogram(&session, &path).unwrap();

    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../benches/peer/Cargo.toml");
    let output = Command::new(env!("CARGO"))
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
        .arg(&path)
        .output()
        .unwrap();
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
