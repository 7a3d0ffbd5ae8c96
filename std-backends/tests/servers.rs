//! Accounts that move from one kind of store to the next: run by `tests/servers.sh`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test may panic: that is how it fails"
)]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mtsession::{
    Account, Change, PeerNames, SessionBackendExt as _, SessionRecord, Store, UpdateChange,
};

/// A libSQL server, stopped at the end.
struct Sqld(Child);

impl Sqld {
    fn start(program: &str, dir: &Path) -> (Self, String) {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap().to_string();
        drop(socket);
        let child = Command::new(program)
            .args(["--http-listen-addr", &address, "--db-path"])
            .arg(dir.join("sqld"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let url = format!("libsql:http://{address}");
        (Self(child), url)
    }
}

impl Drop for Sqld {
    fn drop(&mut self) {
        let _ = (self.0.kill(), self.0.wait());
    }
}

fn run(dir: &Path, arguments: &[&str]) -> String {
    let password = std::env::var("SERVERS_PASSWORD").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_mtsession"))
        .args(arguments)
        .current_dir(dir)
        .env("REDISCLI_AUTH", &password)
        .env("PGPASSWORD", &password)
        .env("AWS_ACCESS_KEY_ID", "id")
        .env("AWS_SECRET_ACCESS_KEY", &password)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    assert!(!said.contains(&password), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A session that no other account has, with everything that a record can hold; every tenth has a base.
fn record(number: i64) -> SessionRecord {
    let mut record = SessionRecord::default();
    let key = [u8::try_from(number % 251).unwrap(); 256];
    let mut entry =
        mtsession::DcEntry::from_parts(2, "149.154.167.51", 443, mtsession::DcFlags::NONE);
    entry.auth_key = Some(key);
    let account = Account::user(number + 1);
    record
        .apply_all(&[
            Change::Dc(entry.as_dc_ref()),
            Change::HomeDc(2),
            Change::Account(account),
            Change::Update(UpdateChange::Secondary { qts: 5 }),
        ])
        .unwrap();
    let peers = if number % 10 == 0 { 3_000 } else { 20 };
    for id in 1..=peers {
        let peer = mtsession::codec::Peer::user(id, id * number);
        record.apply_all(&[Change::Peer(peer)]).unwrap();
    }
    let names = PeerNames {
        id: 7,
        usernames: vec![format!("user{number}")],
        ..PeerNames::default()
    };
    record.set_peer_names(&[names]).unwrap();
    record
}

#[test]
fn three_hundred_accounts_go_through_every_kind_of_store_and_come_back_identical() {
    const ACCOUNTS: i64 = 300;

    let variables = [
        "SERVERS_REDIS",
        "SERVERS_POSTGRES",
        "SERVERS_S3",
        "SERVERS_SQLD",
    ];
    let mut values = Vec::new();
    for variable in variables {
        let Ok(value) = std::env::var(variable) else {
            eprintln!("skipped: no {variable}: run tests/servers.sh");
            return;
        };
        values.push(value);
    }
    let dir = tempfile::tempdir().unwrap();
    let (_sqld, sqld) = Sqld::start(&values[3], dir.path());
    let first = Store::open(format!("sqlite:{}", dir.path().join("first.db").display())).unwrap();
    for number in 0..ACCOUNTS {
        let backend = first.backend(&format!("account {number}")).unwrap();
        backend.replace(&record(number)).unwrap();
    }
    // A number of Redis and a prefix of S3 of their own.
    let redis = format!("{}/5", values[0]);
    let s3 = values[2].replacen("/test", "/tour", 1);
    let postgres = format!("{}tour", values[1].trim_end_matches("postgres"));
    let tour = [
        "sqlite:first.db",
        &sqld,
        &redis,
        &postgres,
        &s3,
        "sqlite:last.db",
    ];
    let names = run(dir.path(), &["accounts", tour[0]]);
    assert_eq!(names.lines().count(), 300);
    for pair in tour.windows(2) {
        let said = run(dir.path(), &["convert", "--all", pair[0], pair[1]]);
        assert!(said.starts_with("300 sessions copied"), "{pair:?}: {said}");
        let there = run(dir.path(), &["accounts", pair[1]]);
        assert_eq!(there, names, "{}", pair[1]);
        // The same again has nothing to do.
        if pair[1].contains("redis") {
            let said = run(dir.path(), &["convert", "--all", pair[0], pair[1]]);
            assert!(said.contains("300 already there"), "{said}");
        }
    }
    let last = Store::open(format!("sqlite:{}", dir.path().join("last.db").display())).unwrap();
    for number in 0..ACCOUNTS {
        let backend = last.backend(&format!("account {number}")).unwrap();
        let stored = mtsession::SessionBackend::read(&backend).unwrap();
        assert_eq!(stored, Some(record(number)), "account {number}");
    }
}
