//! The session of another library given to a store of ours as if it were one: every call is an error
//! that names the library and its version, and nothing is changed, not even next to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::clients::{self, FileFormat};
use mtsession::codec::Decoded;
use mtsession::codec::clients::detect;
use mtsession::{
    Account, BinaryFileBackend, CachedPeer, Change, LibSqlBackend, PeerNames, SessionBackend,
    SessionBackendExt, SqliteBackend, StringSessionBackend, UpdateStateChange,
};
use mtsession_tests::stores::{account_names, before_it_is_there, sqlite};
use serde_json::Value;

use files::{copy_of, snapshot};

#[path = "../../std-backends/tests/files/mod.rs"]
mod files;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/clients")
}

fn vectors() -> Vec<Value> {
    let json = fs::read_to_string(folder().join("vectors.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    json["vectors"].as_array().unwrap().clone()
}

/// Everything that can be done to a store but `delete`.
fn calls(backend: &dyn SessionBackend) -> Vec<(&'static str, io::Result<()>)> {
    let session = mtsession_tests::random::sized(2, 3, 1, 1);
    let update = UpdateStateChange::Secondary { qts: 5 };
    let peer = CachedPeer::from(mtsession::codec::Peer::default());
    vec![
        ("load", backend.load().map(drop)),
        ("account", backend.account().map(drop)),
        ("peer_names", backend.peer_names().map(drop)),
        ("save", backend.save(&session)),
        ("update_dc", backend.update_dc(&session.dcs[0])),
        ("set_home_dc", backend.set_home_dc(4)),
        ("apply_update_state", backend.apply_update_state(update)),
        ("cache_peer", backend.cache_peer(&peer)),
        ("apply", backend.apply(&[Change::HomeDc(4)])),
        ("set_account", backend.set_account(Account::default())),
        (
            "set_peer_names",
            backend.set_peer_names(&[PeerNames::default()]),
        ),
    ]
}

/// Every call of every store of ours, by the store and its own name.
fn attempts(path: &Path) -> Vec<(&'static str, &'static str, io::Result<()>)> {
    let sqlite_backend = before_it_is_there(path, || SqliteBackend::open(path).unwrap());
    let libsql_backend = before_it_is_there(path, || LibSqlBackend::open_local(path).unwrap());
    // Its `delete` does as it is told, whatever the file is: see `file_faults`.
    let file = calls(&BinaryFileBackend::new(path));
    let of = |store, calls: Vec<(&'static str, io::Result<()>)>| {
        let calls = calls.into_iter();
        calls.map(move |(call, result)| (store, call, result))
    };
    of("file", file)
        .chain(of("sqlite", calls(&sqlite_backend)))
        .chain(of("libsql", calls(&libsql_backend)))
        .chain([
            ("sqlite", "open", SqliteBackend::open(path).map(drop)),
            ("sqlite", "accounts", account_names(sqlite(path)).map(drop)),
            ("libsql", "open", LibSqlBackend::open_local(path).map(drop)),
        ])
        .collect()
}

#[test]
fn a_file_is_refused_by_name_and_left_alone() {
    let mut checked = 0;
    for vector in vectors() {
        let Some(file) = vector["file"].as_str() else {
            continue;
        };
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("foreign");
        copy_of(&folder().join(file), &path);
        let import = clients::read(&path).unwrap();
        let mut name = import.format.to_string();
        if let Some(version) = import.version {
            name = format!("{name}, version {version}");
        }
        // No version is in these files.
        let has_version = !matches!(
            import.format,
            FileFormat::GrammersTl | FileFormat::GramJsStore
        );
        assert_eq!(import.version.is_some(), has_version, "{file}");
        if let Some(version) = vector["expect"]["schema_version"].as_i64() {
            assert!(
                name.ends_with(&format!("version {version}")),
                "{file}: {name}"
            );
        }
        // The file of a directory that a user would take for the session.
        let inner = match import.format {
            FileFormat::Tdata => path.join("key_datas"),
            _ => path.clone(),
        };
        let before = snapshot(dir.path());
        let results = [&path, &inner].map(|path| attempts(path));
        for (store, call, result) in results.into_iter().flatten() {
            let what = format!("{file}, {store}, {call}");
            let error = result.expect_err(&what);
            let text = error.to_string();
            assert!(text.contains(&format!("(found {name})")), "{what}: {text}");
            assert!(text.contains(path.to_str().unwrap()), "{what}: {text}");
        }
        let after = snapshot(dir.path());
        assert!(after.keys().eq(before.keys()), "{file}: {:?}", after.keys());
        assert!(after == before, "{file} was changed");
        checked += 1;
    }
    assert_eq!(checked, 75);
}

#[test]
fn a_string_is_refused_by_name_and_kept() {
    let mut checked = 0;
    for vector in vectors() {
        let Some(text) = vector["value"].as_str() else {
            continue;
        };
        let backend = StringSessionBackend::new(text);
        let name = match detect(text, &mut vec![0; text.len()]).unwrap() {
            Decoded::Client(format, _) => format.name(),
            _ => panic!("{} is one of ours", vector["id"]),
        };
        let results = calls(&backend);
        assert_eq!(backend.current(), text);
        for (call, result) in results {
            let error = result.expect_err(call).to_string();
            assert!(error.contains(name), "{} {call}: {error}", vector["id"]);
        }
        checked += 1;
    }
    assert_eq!(checked, 117);
}
