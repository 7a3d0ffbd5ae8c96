//! Databases of ours in the hands of the official libSQL client, and back: files, and what a server wrote.

use std::path::Path;
use std::process::Command;

use mtsession::{LibSqlBackend, PersistedSession, SessionBackend, connect};
use mtsession_tests::random::sized;
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores::{self, sqlite};

/// Building that client takes minutes: `INTEROP=1` asks for it.
fn is_asked_for() -> bool {
    let is_asked_for = std::env::var_os("INTEROP").is_some();
    if !is_asked_for {
        eprintln!("skipped: set INTEROP=1 to build the official libSQL client and run it");
    }
    is_asked_for
}

/// The client checks the database, changes one peer of `session` and adds the account "by libsql".
fn let_the_official_client_change(path: &Path, session: &mut PersistedSession) {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop-libsql/Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--manifest-path"])
        .arg(manifest)
        .arg("--")
        .arg(path)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let hashes = session
        .peers
        .iter()
        .map(|peer| peer.access_hash % 1_000_000);
    let expected = format!("{} peers, sum {}\n", hashes.len(), hashes.sum::<i64>());
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    session.peers[3].access_hash = 4711;
}

fn assert_added(account: &dyn SessionBackend) {
    let added = account.load().unwrap().unwrap();
    assert_eq!((added.home_dc_id, added.dcs.len()), (4, 1));
    assert_eq!(added.dcs[0].auth_key, Some([7; 256]));
}

#[test]
fn the_official_client_reads_and_changes_our_files() {
    if !is_asked_for() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let backend = LibSqlBackend::open_local(&path).unwrap();
    let mut session = sized(3, 20, 5, 5);
    backend.save(&session).unwrap();

    let_the_official_client_change(&path, &mut session);
    // The backend was open all the while.
    assert_eq!(backend.load().unwrap(), Some(session));
    assert_added(&connect(sqlite(&path).with_account("by libsql")).unwrap());
}

/// What a real server keeps on its disk: written by us over the network, changed by the official client
/// while the server is down, read by us as a file and through the server again.
#[test]
fn the_official_client_reads_and_changes_what_a_server_stored() {
    if !is_asked_for() || !sqld::is_available() {
        return;
    }
    let mut server = Sqld::start();
    let url = server.url();
    let remote = LibSqlBackend::open_remote(&url, "").unwrap();
    let mut session = sized(3, 20, 5, 5);
    remote.save(&session).unwrap();
    remote.set_home_dc(5).unwrap();
    session.home_dc_id = 5;
    server.kill();

    let data = server.data_file();
    let_the_official_client_change(&data, &mut session);
    let local = LibSqlBackend::open_local(&data).unwrap();
    assert_eq!(local.load().unwrap(), Some(session.clone()));
    local.set_home_dc(1).unwrap();
    session.home_dc_id = 1;
    drop(local);

    server.restart();
    // What was open before does not know of changes without the server's knowledge.
    let remote = LibSqlBackend::open_remote(&url, "").unwrap();
    assert_eq!(remote.load().unwrap(), Some(session.clone()));
    assert_added(&connect(stores::server(&url).with_account("by libsql")).unwrap());
    remote.save(&sized(2, 3, 1, 1)).unwrap();
    assert_eq!(remote.load().unwrap(), Some(sized(2, 3, 1, 1)));
}
