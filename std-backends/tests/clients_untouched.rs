//! Databases of other libraries given to our stores and to our reader, in every state that SQLite leaves
//! them in: nothing of them changes, not a byte, not a time, and nothing appears beside them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use mtsession::clients;
use mtsession::{
    Address, BinaryFileBackend, LibSqlBackend, Location, PersistedSession, SessionBackend,
    SqliteBackend, Store,
};
use rusqlite::Connection;
use tempfile::TempDir;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/clients")
        .join(name)
}

/// Names, contents and times of everything in a directory.
fn everything(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            let content = fs::read(&path).unwrap();
            (path, (content, modified))
        })
        .collect()
}

/// A database as a program that is killed leaves it: `busy` works on it, and what lies there then is
/// copied before its connection is closed.
fn left_behind(name: &str, busy: &str) -> (TempDir, PathBuf) {
    let (alive, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = alive.path().join("theirs.session");
    fs::copy(vector(name), &path).unwrap();
    let writer = Connection::open(&path).unwrap();
    writer.execute_batch(busy).unwrap();
    for entry in fs::read_dir(alive.path()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    drop(writer);
    let path = dir.path().join("theirs.session");
    (dir, path)
}

/// A log whose content is not in the main file.
const LOG: &str = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
    CREATE TABLE more (x); INSERT INTO more VALUES (1);";

/// A journal in the middle of a transaction, a part of which is in the main file already.
const HOT_JOURNAL: &str =
    "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 1; PRAGMA cache_spill = 1;
    CREATE TABLE more (x); BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
    INSERT INTO more SELECT randomblob(500) FROM n;";

type Attempt = (&'static str, fn(&Path) -> io::Result<()>);

fn sqlite(path: &Path) -> Address {
    Location::Sqlite(path.to_owned()).into()
}

/// A handle that meets what is there only when it is used.
fn before_it_is_there(path: &Path) -> io::Result<SqliteBackend> {
    let aside = path.with_extension("aside");
    fs::rename(path, &aside)?;
    let backend = SqliteBackend::open(path);
    fs::rename(aside, path)?;
    backend
}

const ATTEMPTS: [Attempt; 9] = [
    ("open", |path| {
        mtsession::connect(path)
            .and_then(|backend| backend.load())
            .map(drop)
    }),
    ("sqlite open", |path| SqliteBackend::open(path).map(drop)),
    ("sqlite load", |path| {
        before_it_is_there(path)?.load().map(drop)
    }),
    ("sqlite save", |path| {
        before_it_is_there(path)?.save(&PersistedSession::default())
    }),
    ("sqlite delete", |path| before_it_is_there(path)?.delete()),
    ("sqlite names", |path| {
        Store::open(sqlite(path))?.names().map(drop)
    }),
    ("sqlite backup", |path| {
        Store::open(sqlite(path))?.backup(sqlite(&path.with_extension("copy")))
    }),
    ("libsql open", |path| {
        LibSqlBackend::open_local(path).map(drop)
    }),
    ("file load", |path| {
        BinaryFileBackend::new(path).load().map(drop)
    }),
];

#[test]
fn a_foreign_database_stays_as_it_is_in_every_state() {
    for name in [
        "telethon-1.45.0-s01.session",
        "pyrogram-2.0.106-s01.session",
        "kurigram-2.2.26-s01.session",
        "mtcute-0.29.7-s01.session",
        "grammers-0.11.0-s01.session",
    ] {
        for (state, beside) in [
            ("", 1),
            ("PRAGMA journal_mode = WAL", 1),
            (LOG, 3),
            (HOT_JOURNAL, 2),
        ] {
            let (dir, path) = left_behind(name, state);
            let before = everything(dir.path());
            assert!(
                before.len() >= beside,
                "{name}, {state}: {:?}",
                before.keys()
            );
            for (attempt, run) in ATTEMPTS {
                let refused = run(&path).expect_err(attempt).to_string();
                let is_named = refused.contains("theirs.session") && refused.contains("(found a");
                assert!(is_named, "{name}, {attempt}, {state}: {refused}");
                let after = everything(dir.path());
                assert!(
                    after == before,
                    "{name}, {attempt}, {state}: {:?}",
                    after.keys()
                );
            }
            clients::read(&path).unwrap();
            assert!(everything(dir.path()) == before, "{name}, read, {state}");
        }
    }
}

/// The tables themselves are only in the log: the main file alone has nothing to recognise.
#[test]
fn a_database_whose_tables_are_in_its_log_is_recognised_and_left_alone() {
    let (alive, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let source = alive.path().join("theirs.session");
    let writer = Connection::open(&source).unwrap();
    writer
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
            CREATE TABLE version (version integer primary key); INSERT INTO version VALUES (7);
            CREATE TABLE sessions (dc_id integer primary key, server_address text, port integer,
                auth_key blob, takeout_id integer);
            INSERT INTO sessions VALUES (2, '149.154.167.51', 443, randomblob(256), NULL);",
        )
        .unwrap();
    for suffix in ["", "-wal", "-shm"] {
        let name = format!("theirs.session{suffix}");
        fs::copy(alive.path().join(&name), dir.path().join(&name)).unwrap();
    }
    let path = dir.path().join("theirs.session");
    let before = everything(dir.path());
    for (attempt, run) in ATTEMPTS {
        let refused = run(&path).expect_err(attempt).to_string();
        assert!(refused.contains("(found a Telethon database"), "{refused}");
        assert!(everything(dir.path()) == before, "{attempt}");
    }
    assert_eq!(clients::read(&path).unwrap().session.home_dc_id, 2);
    assert!(everything(dir.path()) == before);
    // A link leads to the same log.
    #[cfg(unix)]
    {
        let link = alive.path().join("link.session");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(clients::read(&link).unwrap().session.home_dc_id, 2);
        SqliteBackend::open(&link).map(drop).unwrap_err();
        assert!(everything(dir.path()) == before);
    }
    drop(writer);
}

/// A database of ours whose mark is still in its log is ours.
#[test]
fn our_own_database_with_a_log_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.db");
    let session = PersistedSession {
        home_dc_id: 4,
        ..PersistedSession::default()
    };
    let writer = SqliteBackend::open(&path).unwrap();
    writer.save(&session).unwrap();
    for _ in 0..2 {
        assert_eq!(
            SqliteBackend::open(&path).unwrap().load().unwrap(),
            Some(session.clone())
        );
        assert_eq!(
            LibSqlBackend::open_local(&path).unwrap().load().unwrap(),
            Some(session.clone())
        );
    }
    writer.delete().unwrap();
}
