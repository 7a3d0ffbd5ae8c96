//! The SQLite backend: databases of older releases, of others, damaged ones, and many accounts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use mtsession::{
    Change, DcFlags, SessionBackend, SessionBackendExt, SqliteBackend, UpdateStateChange, connect,
};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores::{account_names, before_it_is_there, mode, sqlite};
use mtsession_tests::vectors::{self, sorted};
use rusqlite::Connection;
use tempfile::TempDir;

fn copy_of(vector: &Path) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    fs::copy(vector, &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    (dir, path)
}

fn backup_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}.pre-mtsession", path.display()))
}

#[test]
fn every_old_generation_is_read_and_migrated() {
    let vectors = vectors::of_kind("sqlite");
    assert_eq!(vectors.len(), 14, "golden databases");
    for vector in vectors {
        let name = &vector.name;
        let expected = sorted(vector.expect.clone().unwrap());
        let (_dir, path) = copy_of(&vector.path);
        let before = fs::read(&path).unwrap();

        let backend = SqliteBackend::open(&path).unwrap();
        let loaded = backend.load().unwrap().unwrap();
        assert_eq!(sorted(loaded), expected, "{name}: read as it is");
        assert_eq!(account_names(sqlite(&path)).unwrap(), ["default"]);
        assert!(fs::read(&path).unwrap() == before, "{name}: a reader wrote");
        assert!(!backup_of(&path).exists(), "{name}: a reader migrated");

        backend
            .apply_update_state(UpdateStateChange::Secondary { qts: 4711 })
            .unwrap();
        let mut migrated = expected.clone();
        migrated.updates_state.qts = 4711;
        let loaded = SqliteBackend::open(&path).unwrap().load().unwrap();
        assert_eq!(sorted(loaded.unwrap()), migrated, "{name}: migrated");

        let backup = backup_of(&path);
        assert_eq!((mode(&path), mode(&backup)), (0o600, 0o600), "{name}");
        let kept = SqliteBackend::open(&backup).unwrap().load().unwrap();
        assert_eq!(sorted(kept.unwrap()), expected, "{name}: backup");

        backend.delete().unwrap();
        assert!(!backup.exists(), "{name}: a backup outlived its session");
        assert_eq!(backend.load().unwrap(), None);
    }
}

/// Somebody may have removed one of them.
#[test]
fn copies_of_older_releases_go_with_the_account_whatever_numbers_are_missing() {
    let (dir, path) = copy_of(&vectors::dir().join("sqlite/S6_fs066.db"));
    for number in ["-2", "-3", "-41"] {
        let copy = format!("{}{number}", backup_of(&path).display());
        fs::copy(&path, copy).unwrap();
    }
    let others = ["old.db.pre-mtsession-", "old.db.pre-mtsession-a", "old.db2"];
    for name in others {
        fs::write(dir.path().join(name), b"not ours").unwrap();
    }
    SqliteBackend::open(&path).unwrap().delete().unwrap();
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("pre-mtsession") || name == "old.db2")
        .collect();
    names.sort();
    assert_eq!(names, others);
}

#[test]
fn another_account_beside_an_old_session_migrates_it_too() {
    let vector = vectors::dir().join("sqlite/S6_fs066.db");
    let (_dir, path) = copy_of(&vector);
    let old = SqliteBackend::open(&path).unwrap().load().unwrap();
    let other = connect(sqlite(&path).with_account("other")).unwrap();
    assert_eq!(other.load().unwrap(), None);
    other.save(&sized(1, 1, 1, 1)).unwrap();
    assert_eq!(account_names(sqlite(&path)).unwrap(), ["default", "other"]);
    assert_eq!(SqliteBackend::open(&path).unwrap().load().unwrap(), old);
}

/// The last writes of an old program may still be in its write-ahead log.
#[test]
fn what_is_only_in_an_old_write_ahead_log_is_migrated() {
    let (_dir, path) = copy_of(&vectors::dir().join("sqlite/S6_fs066.db"));
    let old = Connection::open(&path).unwrap();
    old.execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE update_state SET pts = 991")
        .unwrap();
    let pts_of = |path: &Path| {
        let session = SqliteBackend::open(path).unwrap().load().unwrap();
        session.unwrap().updates_state.pts
    };
    assert_eq!(pts_of(&path), 991);
    let backend = SqliteBackend::open(&path).unwrap();
    backend.set_home_dc(3).unwrap();
    assert_eq!((pts_of(&path), pts_of(&backup_of(&path))), (991, 991));
    drop(old);
}

#[test]
fn a_database_for_the_old_release_reads_back_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let session = sized(5, 300, 40, 30);
    let path = dir.path().join("downgraded.db");
    let left_out = SqliteBackend::export_ferogram(&session, &path).unwrap();
    assert_eq!(left_out, 0);
    let loaded = SqliteBackend::open(&path).unwrap().load().unwrap();
    assert_eq!(sorted(loaded.unwrap()), sorted(session.clone()));
    assert_eq!(mode(&path), 0o600);

    let mut doubled = session.clone();
    doubled.peers.push(session.peers[0].clone());
    let error = SqliteBackend::export_ferogram(&doubled, &path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    let other = dir.path().join("other.db");
    assert_eq!(SqliteBackend::export_ferogram(&doubled, other).unwrap(), 1);
}

#[test]
fn databases_of_others_are_refused_by_name() {
    let cases: [(&str, &str); 7] = [
        (
            "mtcute",
            "CREATE TABLE mtcute_migrations (repo, version); CREATE TABLE peers (id)",
        ),
        (
            "grammers",
            "CREATE TABLE dc_home (dc_id); CREATE TABLE dc_option (dc_id); PRAGMA user_version = 1",
        ),
        (
            "Telethon",
            "CREATE TABLE version (version); CREATE TABLE sessions (dc_id); CREATE TABLE entities (id)",
        ),
        (
            "Pyrogram",
            "CREATE TABLE version (number); CREATE TABLE sessions (dc_id); CREATE TABLE peers (id)",
        ),
        ("tables: notes", "CREATE TABLE notes (text)"),
        ("schema number 3", "PRAGMA user_version = 3"),
        ("tables: meta", "CREATE TABLE meta (key, value)"),
    ];
    for (name, sql) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("foreign.db");
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        assert_refused(&path, name);
    }
}

#[test]
fn a_newer_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("newer.db");
    SqliteBackend::open(&path)
        .unwrap()
        .save(&sized(1, 1, 1, 1))
        .unwrap();
    let database = Connection::open(&path).unwrap();
    database.execute_batch("PRAGMA user_version = 12").unwrap();
    drop(database);
    assert_refused(&path, "newer release (schema 12");
}

#[test]
fn what_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("text.db");
    fs::write(&path, "no database at all, but long enough to have a header, one would think; so it must be looked at").unwrap();
    assert_refused(&path, "not an SQLite database");
}

/// Every call fails with the store and the cause, and no byte changes.
fn assert_refused(path: &Path, cause: &str) {
    let before = fs::read(path).unwrap();
    let open = SqliteBackend::open(path)
        .err()
        .map(|error| error.to_string());
    let backend = before_it_is_there(path, || SqliteBackend::open(path).unwrap());
    let errors = [
        open,
        backend.load().err().map(|error| error.to_string()),
        backend
            .save(&sized(1, 1, 1, 1))
            .err()
            .map(|error| error.to_string()),
        backend.set_home_dc(1).err().map(|error| error.to_string()),
        backend.account().err().map(|error| error.to_string()),
        account_names(sqlite(path))
            .err()
            .map(|error| error.to_string()),
        backend.delete().err().map(|error| error.to_string()),
    ];
    for (call, error) in errors.into_iter().enumerate() {
        let error = error.unwrap_or_else(|| panic!("{cause}: call {call} was accepted"));
        assert!(error.contains(cause), "call {call}: {error}");
        assert!(error.contains(&path.display().to_string()), "{error}");
    }
    assert!(
        fs::read(path).unwrap() == before,
        "{cause}: the file changed"
    );
}

/// One damaged value each; all of them in a way that only somebody else's program can do.
#[test]
fn damaged_rows_are_named() {
    let cases = [
        (
            "UPDATE dc SET auth_key = x'0102' WHERE position = 1",
            "column auth_key of table dc, row 1, holds 2 bytes",
        ),
        (
            "UPDATE dc SET flags = 256",
            "column flags of table dc, row 0, holds 256",
        ),
        (
            "UPDATE dc SET dc_id = 3000000000 WHERE position = 2",
            "column dc_id of table dc, row 2, holds 3000000000",
        ),
        (
            "UPDATE dc SET addr = CAST(x'ff' AS TEXT) WHERE position = 0",
            "column addr of table dc, row 0, holds bytes, where text belongs",
        ),
        (
            "UPDATE peer SET kind = 3 WHERE position = 2",
            "column kind of table peer, row 2, holds 3",
        ),
        (
            "UPDATE channel SET pts = 1 << 40 WHERE position = 1",
            "column pts of table channel, row 1",
        ),
        (
            "UPDATE min_peer SET msg_id = -1 << 40 WHERE position = 1",
            "column msg_id of table min_peer, row 1",
        ),
        (
            "UPDATE accounts SET home_dc = 1 << 40",
            "column home_dc of table accounts, row \"default\"",
        ),
        (
            "UPDATE accounts SET is_bot = 2",
            "column is_bot of table accounts",
        ),
    ];
    for (sql, cause) in cases {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("damaged.db");
        SqliteBackend::open(&path)
            .unwrap()
            .save(&sized(3, 3, 3, 3))
            .unwrap();
        let database = Connection::open(&path).unwrap();
        let damage = format!("PRAGMA ignore_check_constraints = ON; {sql}");
        database.execute_batch(&damage).unwrap();
        drop(database);
        let before = fs::read(&path).unwrap();
        let backend = SqliteBackend::open(&path).unwrap();
        let error = backend.load().unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        assert!(error.to_string().contains(cause), "{error}");
        assert!(backend.read().is_err());
        assert!(fs::read(&path).unwrap() == before, "{sql}");
        backend.delete().unwrap();
        assert_eq!(
            backend.load().unwrap(),
            None,
            "delete also removes what cannot be read"
        );
    }
}

/// In databases of older releases the column types were no more than hints.
#[test]
fn damaged_rows_of_old_databases_are_named() {
    let cases = [
        (
            "UPDATE dcs SET auth_key = x'00' WHERE dc_id = 2",
            "column auth_key of table dcs, row 2, holds 1 bytes",
        ),
        (
            "UPDATE dcs SET auth_key = 'text' WHERE dc_id = 2",
            "column auth_key of table dcs, row 2, holds text, where bytes belongs",
        ),
        (
            "UPDATE meta SET value = 'two' WHERE key = 'home_dc_id'",
            "column value of table meta, row \"home_dc_id\"",
        ),
        (
            "UPDATE peers SET access_hash = 1.5",
            "column access_hash of table peers, row",
        ),
        (
            "UPDATE update_state SET pts = x'01'",
            "column pts of table update_state, row 1, holds bytes",
        ),
    ];
    for (sql, cause) in cases {
        let (_dir, path) = copy_of(&vectors::dir().join("sqlite/S6_fs066.db"));
        let database = Connection::open(&path).unwrap();
        database.execute_batch(sql).unwrap();
        drop(database);
        let before = fs::read(&path).unwrap();
        let backend = SqliteBackend::open(&path).unwrap();
        for error in [
            backend.load().unwrap_err(),
            backend.set_home_dc(1).unwrap_err(),
        ] {
            assert!(error.to_string().contains(cause), "{error}");
        }
        assert!(fs::read(&path).unwrap() == before, "{sql}");
    }
}

/// The rule of identity is core's; here it is said in SQL once more, for all flags and kinds.
#[test]
fn sql_and_core_agree_on_identities() {
    use mtsession::codec::{AuthKeyRef, DcRef, Peer, PeerKind};

    let sqlite = SqliteBackend::in_memory().unwrap();
    let memory = mtsession::InMemoryBackend::new();
    let key = key_of(1);
    let dc = |flags, first_salt| DcRef {
        dc_id: 2,
        addr: "a:1",
        auth_key: Some(AuthKeyRef::new(&key)),
        first_salt,
        time_offset: 0,
        flags: DcFlags(flags),
    };
    let mut changes: Vec<Change<'_>> = Vec::new();
    changes.extend((0..=255).map(|flags| Change::Dc(dc(flags, flags.into()))));
    for access_hash in 0..2 {
        for kind in [PeerKind::User, PeerKind::Channel, PeerKind::Chat] {
            for is_community in [false, true] {
                changes.push(Change::Peer(Peer {
                    id: 5,
                    access_hash,
                    kind,
                    channel_kind: None,
                    is_community,
                }));
            }
        }
    }
    for backend in [&sqlite as &dyn SessionBackend, &memory] {
        backend.apply(&changes).unwrap();
    }
    assert_eq!(sqlite.load().unwrap(), memory.load().unwrap());
}

#[test]
fn files_are_private_and_made_by_the_first_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.db");
    let backend = SqliteBackend::open(&path).unwrap();
    assert_eq!(backend.load().unwrap(), None);
    backend.delete().unwrap();
    assert_eq!(
        fs::read_dir(dir.path()).unwrap().count(),
        0,
        "a reader made a file"
    );
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    let files: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

/// A file that was removed or replaced is not written to any more.
#[test]
fn a_replaced_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    for name in ["bot.db", "bot.db-wal", "bot.db-shm"] {
        fs::remove_file(dir.path().join(name)).unwrap();
    }
    assert_eq!(backend.load().unwrap(), None);
    backend.set_home_dc(4).unwrap();
    let loaded = SqliteBackend::open(&path).unwrap().load().unwrap();
    assert_eq!(loaded.unwrap().home_dc_id, 4);
}

/// Rows edited by hand are noticed by the next save and load, when the account gets a new revision with them.
#[test]
fn rows_changed_by_another_program_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let backend = SqliteBackend::open(&path).unwrap();
    let mut session = sized(1, 5, 5, 5);
    backend.save(&session).unwrap();
    let database = Connection::open(&path).unwrap();
    let edit = |access_hash: i64| {
        let sql = format!(
            "BEGIN; UPDATE peer SET access_hash = {access_hash} WHERE position = 3;
            UPDATE accounts SET revisions = lower(hex(randomblob(8))); COMMIT"
        );
        database.execute_batch(&sql).unwrap();
    };
    edit(77);
    assert_eq!(backend.load().unwrap().unwrap().peers[3].access_hash, 77);
    edit(78);
    session.peers[3].access_hash = 79;
    backend.save(&session).unwrap();
    assert_eq!(backend.load().unwrap(), Some(session));
}

/// A batch changes rows where they were last seen, so it has to notice that somebody moved them.
#[test]
fn a_batch_on_rows_that_others_moved_changes_the_right_ones() {
    use mtsession::UpdateChange;

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let (one, other) = (
        SqliteBackend::open(&path).unwrap(),
        SqliteBackend::open(&path).unwrap(),
    );
    let memory = mtsession::InMemoryBackend::new();
    let mut session = sized(2, 10, 10, 10);
    for backend in [&one as &dyn SessionBackend, &memory] {
        backend.save(&session).unwrap();
    }
    session.peers.reverse();
    session.min_peers.reverse();
    session.updates_state.channels.reverse();
    session.updates_state.channels.push((77, 7));
    for backend in [&other as &dyn SessionBackend, &memory] {
        backend.save(&session).unwrap();
    }
    let mut peer = session.peers[2].clone();
    peer.access_hash = 5;
    let mut min_peer = session.min_peers[3].clone();
    min_peer.msg_id = 6;
    let channel = |id, pts| Change::Update(UpdateChange::Channel { id, pts });
    let changes = [
        channel(session.updates_state.channels[1].0, 8),
        channel(77, 9),
        channel(78, 1),
        channel(78, 2),
        Change::Peer((&peer).into()),
        Change::MinPeer((&min_peer).into()),
        Change::Update(UpdateChange::Secondary { qts: 3 }),
    ];
    // The first batch meets rows that moved, the second knows where they are.
    for backend in [&one as &dyn SessionBackend, &memory] {
        backend.apply(&changes).unwrap();
    }
    let expected = memory.load().unwrap();
    assert_eq!(one.load().unwrap(), expected);
    for backend in [&one as &dyn SessionBackend, &memory] {
        backend.apply(&changes[..5]).unwrap();
    }
    assert_eq!(other.load().unwrap(), memory.load().unwrap());
}
