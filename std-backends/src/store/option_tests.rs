//! Every option with every kind of store.

use core::time::Duration;
use std::path::Path;

use super::tests::kind;
use super::*;
#[cfg(feature = "libsql-remote")]
use crate::backends::sql::RemoteOptions;
use crate::error::kind::StoreErrorKind;
use crate::flush::FlushPolicy;
use crate::seal::KeySource;
use crate::seal::{Anchor, Generation, Kek, KeySlot, NewSlot, StoreId};

struct Secret;

impl KeySource for Secret {
    fn kek(&self, _: &StoreId, _: &KeySlot<'_>) -> io::Result<Option<Kek>> {
        Ok(None)
    }

    fn new_slot(&self, _: &StoreId) -> io::Result<NewSlot> {
        Ok(NewSlot::new(Kek::new([0xEE; 32]), Vec::new()))
    }
}

impl Anchor for Secret {
    fn read(&self, _: &StoreId) -> io::Result<Option<Generation>> {
        Ok(None)
    }

    fn advance(&self, _: &StoreId, _: Generation) -> io::Result<()> {
        Ok(())
    }
}

type Choose = fn(StoreOptions) -> StoreOptions;

struct Row {
    name: &'static str,
    choose: Choose,
    /// How an address says it, where it can.
    text: Option<&'static str>,
    /// The stores that honour it.
    stores: &'static [&'static str],
}

const FILES: &[&str] = &["file", "dir", "sqlite", "libsql"];
const STORED: &[&str] = &["file", "dir", "sqlite", "libsql", "server", "redis"];
const DATABASE: &[&str] = &["sqlite", "libsql"];
const SERVER: &[&str] = &["server"];
const LOGIN: &[&str] = &["server", "redis"];
const ALL: &[&str] = &[
    "file", "dir", "sqlite", "libsql", "server", "redis", "memory",
];
const OWNED: &[&str] = &["file", "dir", "sqlite", "libsql", "server", "memory"];
const NONE: &[&str] = &[];

const fn row(
    name: &'static str,
    choose: Choose,
    text: Option<&'static str>,
    stores: &'static [&'static str],
) -> Row {
    Row {
        name,
        choose,
        text,
        stores,
    }
}

/// Every option that some store honours.
fn rows() -> Vec<Row> {
    let short = |options: StoreOptions| options.deadline(Duration::from_millis(20));
    vec![
        row("deadline", short, Some("deadline=20ms"), STORED),
        row(
            "flush",
            |o| o.flush(FlushPolicy::Each),
            Some("flush=each"),
            FILES,
        ),
        row(
            "flush",
            |o| o.flush(FlushPolicy::Never),
            Some("flush=never"),
            &["file", "dir"],
        ),
        row("read_only", StoreOptions::read_only, Some("read_only"), ALL),
        row("create", |o| o.create(true), Some("create=1"), ALL),
        row("auth_token", |o| o.auth_token("hush"), None, LOGIN),
        row(
            "replica",
            |o| o.replica("r.db"),
            Some("replica=r.db"),
            SERVER,
        ),
        row("insecure", StoreOptions::insecure, Some("insecure"), LOGIN),
        row("proxy", StoreOptions::proxy, Some("proxy"), SERVER),
        row("tls", |o| o, Some("tls=0"), SERVER),
        row(
            "endpoint",
            |o| o.endpoint("https://h"),
            Some("endpoint=https://h"),
            &["s3"],
        ),
        row("region", |o| o.region("eu"), Some("region=eu"), &["s3"]),
        #[cfg(feature = "libsql-remote")]
        row(
            "requests",
            |o| o.requests(RemoteOptions::default()),
            None,
            SERVER,
        ),
        row(
            "memory_budget",
            |o| o.memory_budget(1),
            Some("memory_budget=64M"),
            DATABASE,
        ),
        row("on_event", |o| o.on_event(|_| ()), None, ALL),
        row("own", |o| o.own(Owner::current()), Some("own"), OWNED),
        row(
            "own",
            |o| o.own(Owner::current().named("b")),
            Some("own=b"),
            OWNED,
        ),
    ]
}

/// Those that no store of this release honours.
fn later() -> Vec<Row> {
    vec![
        row("keyring", |o| o, Some("keyring"), NONE),
        row(
            "limits",
            |o| o.limits(PeerLimits::default()),
            Some("limits=users:5,chats:0"),
            ALL,
        ),
        row(
            "every",
            |o| o.every(Duration::ZERO),
            Some("every=60s"),
            NONE,
        ),
        row("replicas", |o| o.replicas(1), Some("replicas=1"), NONE),
        row(
            "wipe_on_fold",
            StoreOptions::wipe_on_fold,
            Some("wipe_on_fold"),
            NONE,
        ),
    ]
}

/// Those about sealed stores, which need the feature `seal`.
fn of_sealing() -> Vec<Row> {
    const SEALED: &[&str] = if cfg!(feature = "seal") {
        &["file", "dir"]
    } else {
        NONE
    };
    vec![
        row("key", |o| o.key(Secret), None, SEALED),
        row("key_file", |o| o, Some("key_file=hush"), SEALED),
        row("anchor", |o| o.anchor(Secret), None, SEALED),
        row("label", |o| o.label("alice"), Some("label=alice"), SEALED),
        row(
            "accept_rollback",
            StoreOptions::accept_rollback,
            Some("accept_rollback"),
            SEALED,
        ),
    ]
}

/// Every kind of store that this build has, with what an error calls it.
fn stores(dir: &Path) -> Vec<(&'static str, String, &'static str)> {
    let path = |scheme: &str, name: &str| format!("{scheme}:{}", dir.join(name).display());
    let mut stores = vec![
        ("file", path("file", "a.session"), "a session file"),
        ("dir", path("dir", "d"), "a session file"),
        ("memory", "memory:".to_owned(), "memory"),
    ];
    if cfg!(feature = "sqlite") {
        stores.push(("sqlite", path("sqlite", "s.db"), "a database file"));
    }
    if cfg!(feature = "libsql") {
        stores.push(("libsql", path("libsql", "l.db"), "a database file"));
    }
    if cfg!(feature = "libsql-remote") {
        // Nobody listens there.
        stores.push(("server", "libsql:http://127.0.0.1:1".to_owned(), "a server"));
    }
    if cfg!(feature = "redis") {
        let address = "redis://127.0.0.1:1".to_owned();
        stores.push(("redis", address, "Redis or PostgreSQL"));
    }
    stores
}

fn open_and_connect(options: &StoreOptions, address: &str) -> [Option<io::Error>; 2] {
    [
        options.clone().open(address).err(),
        options.clone().connect(address).err(),
    ]
}

#[test]
fn every_store_honours_an_option_or_names_it_in_an_error() {
    let dir = tempfile::tempdir().unwrap();
    for (store, address, called) in stores(dir.path()) {
        let quick = || match store {
            "server" | "redis" => StoreOptions::new().deadline(Duration::from_millis(20)),
            _ => StoreOptions::new(),
        };
        for Row {
            name,
            choose,
            text,
            stores,
        } in rows().into_iter().chain(of_sealing()).chain(later())
        {
            let said = text.map(|text| (quick(), format!("{address}?{text}")));
            // What only an address can say has nothing to choose.
            let chosen = choose(quick());
            let chosen = (chosen.given() != quick().given()).then(|| (chosen, address.clone()));
            for (options, address) in said.into_iter().chain(chosen) {
                for error in open_and_connect(&options, &address) {
                    let is_refused = error
                        .as_ref()
                        .is_some_and(|error| kind(error) == StoreErrorKind::Unsupported);
                    assert_eq!(
                        is_refused,
                        !stores.contains(&store),
                        "{address} {name}: {error:?}"
                    );
                    let Some(error) = error.filter(|_| is_refused) else {
                        continue;
                    };
                    let text = error.to_string();
                    assert!(text.contains(&format!("`{name}`")), "{text}");
                    // Without its feature an option is refused whatever the store is.
                    let is_named = text.contains(called) || text.contains("enable the feature");
                    assert!(is_named, "{text}");
                    assert!(!format!("{options:?}").contains("hush"), "{options:?}");
                    let is_nowhere = text.contains("no other store") || text.contains("feature");
                    assert_eq!(is_nowhere, stores.is_empty(), "{text}");
                }
            }
        }
    }
    // To own an account there, a directory or a database is made.
    let is_expected =
        |name: &str| name == "d" || name.starts_with("s.db") || name.starts_with("l.db");
    let made: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !is_expected(name) || name.contains("owner"))
        .collect();
    std::fs::remove_dir(dir.path().join("d")).unwrap();
    assert!(made.is_empty(), "{made:?}");
}

#[test]
fn what_this_release_cannot_do_with_a_store_is_said() {
    let dir = tempfile::tempdir().unwrap();
    for (kind_of_store, address, _) in stores(dir.path())
        .iter()
        .filter(|(store, ..)| !matches!(*store, "server" | "redis"))
    {
        let store = Store::open(address).unwrap();
        let backend = store.backend(Address::DEFAULT_ACCOUNT).unwrap();
        let is_sealable = cfg!(feature = "seal") && matches!(*kind_of_store, "file" | "dir");
        let of_sealing = [
            store.seal(&[&Secret]).err(),
            store.reseal(&[&Secret]).err(),
            store.unseal().err(),
        ];
        for error in of_sealing.into_iter().flatten().filter(|_| !is_sealable) {
            assert_eq!(kind(&error), StoreErrorKind::Unsupported, "{error}");
            assert!(error.to_string().contains("seal"), "{error}");
        }
        assert!(backend.lease().is_none());
    }
}
