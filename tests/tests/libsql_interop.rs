//! A database of ours in the hands of the official libSQL client, and back.

use std::path::Path;
use std::process::Command;

use mtsession::{LibSqlBackend, SessionBackend, SqliteBackend};
use mtsession_tests::random::sized;

/// Building that client takes minutes: `INTEROP=1` asks for it.
#[test]
fn the_official_client_reads_and_changes_our_files() {
    if std::env::var_os("INTEROP").is_none() {
        eprintln!("skipped: set INTEROP=1 to build the official libSQL client and run it");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let backend = LibSqlBackend::open_local(&path).unwrap();
    let mut session = sized(3, 20, 5, 5);
    backend.save(&session).unwrap();

    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop-libsql/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--manifest-path"])
        .arg(manifest)
        .arg("--")
        .arg(&path)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let hashes = session
        .peers
        .iter()
        .map(|peer| peer.access_hash % 1_000_000);
    let sum: i64 = hashes.sum();
    let expected = format!("20 peers, sum {sum}\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);

    // The backend was open all the while.
    session.peers[3].access_hash = 4711;
    assert_eq!(backend.load().unwrap(), Some(session));
    let added = SqliteBackend::open_account(&path, "by libsql").unwrap();
    let added = added.load().unwrap().unwrap();
    assert_eq!((added.home_dc_id, added.dcs.len()), (4, 1));
    assert_eq!(added.dcs[0].auth_key, Some([7; 256]));
}
