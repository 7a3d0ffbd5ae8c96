//! What Redis, PostgreSQL and S3 cannot promise is refused or told, and what goes wrong is said without a secret:
//! on real servers, run by `tests/servers.sh`.

use std::io;
use std::sync::{Arc, Mutex};

use mtsession::{
    Address, Event, Outcome, SessionBackend, Store, StoreError, StoreErrorKind, StoreOptions,
};
use mtsession_tests::blob_contract;
use mtsession_tests::proxy::Proxy;
use mtsession_tests::random::sized;
use mtsession_tests::servers::{Server, options, password, started, with_secret};

/// The kind of an error that holds no password.
fn kind(error: &io::Error) -> StoreErrorKind {
    let text = format!("{error} {error:?}");
    assert!(!text.contains("hunter2secret"), "{text}");
    let password = password();
    assert!(password.is_empty() || !text.contains(&password), "{text}");
    let store = StoreError::of(error).expect("typed");
    assert_eq!(store.outcome(), Outcome::Unchanged, "{error}");
    println!("{error}");
    store.kind()
}

fn refused(options: StoreOptions, address: &str) -> io::Error {
    let address: Address = address.parse().unwrap();
    options.open(address).expect_err("it is refused")
}

#[test]
fn a_wrong_password_is_said() {
    for server in Server::all() {
        // The server of S3 that is used here checks none.
        if server == Server::S3 {
            continue;
        }
        let address = server.address();
        for secret in ["hunter2secret", ""] {
            let error = with_secret(&address, secret).open(&address).unwrap_err();
            assert_eq!(kind(&error), StoreErrorKind::Refused, "{error}");
            assert!(error.to_string().contains("password"), "{error}");
        }
    }
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let port = mtsession_tests::sqld::free_port();
    for (address, nowhere) in [
        (format!("redis://127.0.0.1:{port}"), false),
        (format!("postgres://me@127.0.0.1:{port}/db"), false),
        (
            format!("s3://bucket?endpoint=http://127.0.0.1:{port}"),
            false,
        ),
        ("redis://no-such-host.invalid".to_owned(), true),
        ("rediss://no-such-host.invalid".to_owned(), true),
        ("postgres://no-such-host.invalid".to_owned(), true),
        (
            "s3://bucket?endpoint=https://no-such-host.invalid".to_owned(),
            true,
        ),
    ] {
        let options = with_secret(&address.parse().unwrap(), "hunter2secret");
        let error = refused(options, &address);
        assert_eq!(kind(&error), StoreErrorKind::Unreachable, "{error}");
        let words = if nowhere {
            "not known"
        } else {
            "connection refused"
        };
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn a_password_does_not_go_to_other_machines_in_clear_text() {
    for address in ["redis://192.0.2.1", "s3://bucket?endpoint=http://192.0.2.1"] {
        let error = refused(StoreOptions::new(), address);
        assert_eq!(kind(&error), StoreErrorKind::Invalid, "{error}");
        assert!(error.to_string().contains("clear text"), "{error}");
    }
    for address in [
        "redis://u:hunter2secret@host",
        "rediss://:hunter2secret@host#alice",
        "postgres://u:hunter2secret@host/db",
        "s3://id:hunter2secret@bucket",
        "redis://host?password=hunter2secret",
    ] {
        let error = address.parse::<Address>().unwrap_err();
        assert_eq!(kind(&error), StoreErrorKind::Invalid, "{error}");
    }
}

#[test]
fn a_redis_that_would_lose_sessions_is_refused() {
    for (variable, expected, words) in [
        ("SERVERS_REDIS_REPLICA", StoreErrorKind::Refused, "replica"),
        (
            "SERVERS_REDIS_FORGETFUL",
            StoreErrorKind::Unsupported,
            "appendonly",
        ),
        (
            "SERVERS_REDIS_EVICTING",
            StoreErrorKind::Unsupported,
            "noeviction",
        ),
    ] {
        let Some(address) = started(variable) else {
            eprintln!("skipped: no Redis: run tests/servers.sh");
            return;
        };
        let error = options(&address).open(&address).unwrap_err();
        assert_eq!(kind(&error), expected, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        // Who only reads may.
        options(&address).read_only().open(&address).unwrap();
    }
}

#[test]
fn a_server_without_room_or_right_to_write_is_said() {
    let Some(full) = started("SERVERS_REDIS_FULL") else {
        eprintln!("skipped: no Redis: run tests/servers.sh");
        return;
    };
    let backend = options(&full).connect(full).unwrap();
    let error = backend.save(&sized(3, 9_000, 2, 2)).unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::NoSpace, "{error}");

    let postgres = Server::Postgres.address().to_text();
    store(Server::Postgres)
        .backend("somebody")
        .unwrap()
        .save(&sized(1, 1, 1, 1))
        .unwrap();
    let reader = postgres.replace("postgres@", "reader@");
    let error = refused(options(&reader.parse().unwrap()), &reader);
    assert_eq!(kind(&error), StoreErrorKind::Refused, "{error}");
    let address: Address = reader.parse().unwrap();
    let store = options(&address).read_only().open(address).unwrap();
    let read = store.backend("somebody").unwrap().load().unwrap();
    assert_eq!(read, Some(sized(1, 1, 1, 1)));
    let nobody = postgres.replace("postgres@", "nobody@");
    let error = refused(options(&nobody.parse().unwrap()), &nobody);
    assert_eq!(kind(&error), StoreErrorKind::Refused, "{error}");
    let missing = format!("{}missing", postgres.trim_end_matches("postgres"));
    let error = refused(options(&missing.parse().unwrap()), &missing);
    assert_eq!(kind(&error), StoreErrorKind::Absent, "{error}");

    let bucket = Server::S3
        .address()
        .to_text()
        .replace("sessions", "missing");
    let error = refused(options(&bucket.parse().unwrap()), &bucket);
    assert_eq!(kind(&error), StoreErrorKind::Absent, "{error}");
}

fn store(server: Server) -> Store {
    let address = server.address();
    options(&address).open(address).unwrap()
}

#[test]
fn an_s3_that_ignores_conditions_is_refused() {
    if !Server::S3.is_there() {
        return;
    }
    let proxy = Proxy::start(Server::S3.socket(), |bytes| {
        for name in [&b"if-none-match:"[..], b"if-match:"] {
            let at = bytes.windows(name.len()).position(|found| found == name);
            if let Some(at) = at {
                bytes[at] = b'x';
            }
        }
    });
    let address = Server::S3.by_way_of(proxy.address);
    let error = options(&address).open(&address).unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("If-Match"), "{error}");
}

#[test]
fn what_a_server_may_lose_is_told() {
    let Some(full) = started("SERVERS_REDIS_FULL") else {
        eprintln!("skipped: no Redis: run tests/servers.sh");
        return;
    };
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    options(&full)
        .on_event(move |event: &Event| events.lock().unwrap().push(event.to_string()))
        .open(full)
        .unwrap();
    let told = told.lock().unwrap().join("\n");
    assert!(told.contains("appendfsync"), "{told}");
}

#[test]
fn every_server_keeps_to_the_contract_of_blobs() {
    for server in Server::all() {
        let blobs = store(server).blobs().expect("a store of blobs");
        let prefix = format!("contract/{}/", std::process::id());
        blob_contract::keeps_to_the_contract(&blobs, &prefix);
    }
}
