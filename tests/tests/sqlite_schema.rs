//! The schema of our databases: golden ones of every number, migration, damage, and what is refused.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mtsession::codec::{MinPeer, PeerKind};
use mtsession::{
    Account, Change, DcFlags, LibSqlBackend, PeerNames, PersistedSession, SessionBackend,
    SessionBackendExt, SqliteBackend, UpdateStateChange, connect,
};
use mtsession_tests::bytes::has_window_of;
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores::{account_names, before_it_is_there, sqlite};
use mtsession_tests::vectors::golden;
use rusqlite::Connection;
use tempfile::TempDir;

const ACCOUNTS: [&str; 3] = ["bob", "counters only", "default"];
const SECOND: &str = "default@ferogram-session";

fn copy_of(name: &str) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    fs::copy(golden(name), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (dir, path)
}

fn new_database() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let mut session = sized(3, 3, 3, 3);
    session.future_auth_token = Some(key_of(200)[..40].to_vec());
    SqliteBackend::open(&path).unwrap().save(&session).unwrap();
    (dir, path)
}

fn load(path: &Path, account: &str) -> Option<PersistedSession> {
    connect(sqlite(path).with_account(account))
        .unwrap()
        .load()
        .unwrap()
}

/// What was in a golden database when it was made.
fn expected(account: &str) -> PersistedSession {
    let file = format!("schema10.{}.txt", account.replace(' ', "-"));
    PersistedSession::from_string(&fs::read_to_string(golden(&file)).unwrap()).unwrap()
}

fn assert_golden(path: &Path, names: &[PeerNames]) {
    for account in ACCOUNTS {
        assert_eq!(load(path, account), Some(expected(account)), "{account}");
    }
    let backend = SqliteBackend::open(path).unwrap();
    let account = Account {
        user_id: Some(5_000_000_001),
        is_bot: Some(false),
        api_id: Some(12_345),
        test_mode: Some(false),
    };
    assert_eq!(backend.account().unwrap(), account);
    assert_eq!(backend.peer_names().unwrap(), names);
}

fn golden_names() -> Vec<PeerNames> {
    let peer = |id, kind| PeerNames {
        id,
        kind,
        usernames: vec![format!("name{id}"), "Second".to_owned()],
        phone: Some("15550001".to_owned()),
        title: Some("A \"Title\"".to_owned()),
    };
    vec![
        peer(1_000_000, PeerKind::User),
        peer(1_000_003, PeerKind::User),
        peer(1_000_001, PeerKind::Channel),
        peer(1_000_002, PeerKind::Chat),
    ]
}

fn user_version(path: &Path) -> i64 {
    Connection::open(path)
        .unwrap()
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .unwrap()
}

fn execute(path: &Path, sql: &str) {
    Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

/// Whether a key is in any file next to the database, or in it.
fn is_in_any_file(dir: &TempDir, key: [u8; 256]) -> bool {
    fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .any(|bytes| has_window_of(&bytes, &[key]))
}

#[test]
fn a_golden_database_of_schema_10_is_read_as_it_is_and_migrated_whole() {
    let (_dir, path) = copy_of("schema10.db");
    let before = fs::read(&path).unwrap();
    assert_eq!(account_names(sqlite(&path)).unwrap(), ACCOUNTS);
    assert_golden(&path, &golden_names());
    assert!(fs::read(&path).unwrap() == before, "a reader wrote");

    // A change that changes nothing.
    let backend = SqliteBackend::open(&path).unwrap();
    backend.set_home_dc(expected("default").home_dc_id).unwrap();
    assert_eq!(user_version(&path), 11);
    assert_eq!(account_names(sqlite(&path)).unwrap(), ACCOUNTS);
    assert_golden(&path, &golden_names());

    let copy = PathBuf::from(format!("{}.pre-mtsession", path.display()));
    assert_eq!(
        fs::metadata(&copy).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(user_version(&copy), 10);
    assert_golden(&copy, &golden_names());
}

/// Whatever a later release does to the schema, this file is what the present one wrote.
#[test]
fn a_golden_database_of_schema_11_is_read() {
    let (_dir, path) = copy_of("schema11.db");
    let before = fs::read(&path).unwrap();
    assert_eq!(user_version(&path), 11);
    assert_eq!(account_names(sqlite(&path)).unwrap(), ACCOUNTS);
    assert_golden(&path, &golden_names());
    assert!(fs::read(&path).unwrap() == before, "a reader wrote");
    let unchecked: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM dc WHERE crc IS NULL", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(unchecked, 0, "rows that a new database has are checked");
}

/// Makes `schema11.db`: `cargo test --test sqlite_schema make_ -- --ignored`, once for a schema number.
#[test]
#[ignore = "writes a golden database"]
fn make_a_golden_database() {
    let path = golden("schema11.db");
    assert!(!path.exists(), "golden databases are never made again");
    for account in ACCOUNTS {
        let backend = connect(sqlite(&path).with_account(account)).unwrap();
        backend.save(&expected(account)).unwrap();
    }
    let backend = SqliteBackend::open(&path).unwrap();
    let from = SqliteBackend::open(golden("schema10.db")).unwrap();
    backend.set_account(from.account().unwrap()).unwrap();
    backend.set_peer_names(&golden_names()).unwrap();
    drop(backend);
    execute(&path, "PRAGMA wal_checkpoint(TRUNCATE)");
}

#[test]
fn what_a_server_kept_in_schema_10_is_read_and_migrated() {
    let (_dir, path) = copy_of("schema10-server.db");
    let assert_content = || {
        assert_eq!(account_names(sqlite(&path)).unwrap(), ["bob", "default"]);
        for account in ["bob", "default"] {
            let mut session = expected(account);
            session.updates_state.qts = 8;
            assert_eq!(load(&path, account), Some(session), "{account}");
        }
    };
    assert_content();
    let backend = LibSqlBackend::open_local(&path).unwrap();
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 8 })
        .unwrap();
    assert_eq!(user_version(&path), 11);
    assert_content();
}

#[test]
fn a_running_program_of_the_release_before_fails_after_the_migration() {
    let (_dir, path) = copy_of("schema10.db");
    let old = Connection::open(&path).unwrap();
    let mut counters = old
        .prepare(
            "INSERT INTO account (name, qts) VALUES ('default', ?1)
             ON CONFLICT (name) DO UPDATE SET qts = excluded.qts",
        )
        .unwrap();
    counters.execute([1]).unwrap();
    SqliteBackend::open(&path).unwrap().set_home_dc(2).unwrap();
    let error = counters.execute([2]).unwrap_err().to_string();
    assert!(error.contains("no such table"), "{error}");
    // Through a server its first statement is this one.
    let fence = "INSERT INTO remote_write (account, tag) VALUES ('default', 1)";
    assert!(old.execute(fence, []).is_err());
    assert_eq!(load(&path, "default").unwrap().updates_state.qts, 1);
}

/// A migrated database and a new one are the same to every later release.
#[test]
fn a_migrated_database_has_the_schema_of_a_new_one() {
    let schema = |path: &Path| -> BTreeSet<String> {
        let database = Connection::open(path).unwrap();
        let mut rows = database
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
            .unwrap();
        let rows = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|sql| {
            sql.unwrap()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
    };
    let (_dir, new) = new_database();
    SqliteBackend::open(&new)
        .unwrap()
        .set_peer_names(&golden_names())
        .unwrap();
    for old in [
        "schema10.db",
        "schema10-server.db",
        "schema10-beside-ferogram.db",
    ] {
        let (_dir, path) = copy_of(old);
        SqliteBackend::open(&path).unwrap().set_home_dc(2).unwrap();
        let (migrated, new) = (schema(&path), schema(&new));
        assert!(new.is_subset(&migrated), "{old}: {:#?}", &new - &migrated);
    }
}

/// ferogram-session 0.6.6 opened a database of the release before, and somebody logged in with it.
#[test]
fn a_second_session_that_the_old_crate_made_is_an_account_and_goes_with_the_first() {
    let second_key: [u8; 256] = core::array::from_fn(|i| ((i * 7 + 3) % 256) as u8);
    let assert_second = |path: &Path| {
        let names = account_names(sqlite(path)).unwrap();
        assert!(names.iter().any(|name| name == SECOND), "{names:?}");
        let second = load(path, SECOND).unwrap();
        assert_eq!((second.home_dc_id, second.dcs.len()), (4, 1));
        assert_eq!(second.dcs[0].auth_key, Some(second_key));
        assert_golden(path, &golden_names());
    };
    for migrates_first in [false, true] {
        let (dir, path) = copy_of("schema10-beside-ferogram.db");
        assert_second(&path);
        if migrates_first {
            SqliteBackend::open(&path)
                .unwrap()
                .set_home_dc(expected("default").home_dc_id)
                .unwrap();
            assert_second(&path);
        }
        let bob = connect(sqlite(&path).with_account("bob")).unwrap();
        bob.delete().unwrap();
        assert!(load(&path, SECOND).is_some(), "only bob was deleted");
        SqliteBackend::open(&path).unwrap().delete().unwrap();
        assert_eq!(account_names(sqlite(&path)).unwrap(), ["counters only"]);
        assert!(!is_in_any_file(&dir, second_key), "{migrates_first}");
    }
}

#[test]
fn a_damaged_second_session_is_kept_and_does_not_keep_ours_from_being_used() {
    let (dir, path) = copy_of("schema10-beside-ferogram.db");
    execute(&path, "UPDATE dcs SET time_offset = 'text'");
    let second_key: [u8; 256] = core::array::from_fn(|i| ((i * 7 + 3) % 256) as u8);
    connect(sqlite(&path).with_account("bob"))
        .unwrap()
        .set_home_dc(expected("bob").home_dc_id)
        .unwrap();
    assert_golden(&path, &golden_names());
    assert!(has_window_of(&fs::read(&path).unwrap(), &[second_key]));
    SqliteBackend::open(&path).unwrap().delete().unwrap();
    assert!(!is_in_any_file(&dir, second_key));
}

#[test]
fn an_account_that_is_deleted_in_schema_10_leaves_no_key_in_any_file() {
    for account in ACCOUNTS {
        for migrates_first in [false, true] {
            let (dir, path) = copy_of("schema10.db");
            if migrates_first {
                connect(sqlite(&path).with_account("bob"))
                    .unwrap()
                    .set_home_dc(1)
                    .unwrap();
            }
            connect(sqlite(&path).with_account(account))
                .unwrap()
                .delete()
                .unwrap();
            let left: Vec<_> = ACCOUNTS
                .into_iter()
                .filter(|name| *name != account)
                .collect();
            assert_eq!(account_names(sqlite(&path)).unwrap(), left);
            let keys_of = |account: &str| {
                let dcs = expected(account).dcs.into_iter();
                dcs.filter_map(|dc| dc.auth_key).collect::<Vec<_>>()
            };
            let still_there: Vec<_> = left.iter().flat_map(|name| keys_of(name)).collect();
            for key in keys_of(account) {
                let is_left = is_in_any_file(&dir, key);
                assert_eq!(
                    is_left,
                    still_there.contains(&key),
                    "{account}, {migrates_first}"
                );
            }
        }
    }
}

const REVISION: &str = "SELECT revisions FROM accounts WHERE name = ?1";

/// Every change of an account gives it a new revision, and changes of others do not.
#[test]
fn every_change_of_an_account_gives_it_a_new_revision() {
    let (_dir, path) = new_database();
    let other = connect(sqlite(&path).with_account("other")).unwrap();
    other.save(&sized(1, 0, 0, 0)).unwrap();
    let revision = |name: &str| -> String {
        Connection::open(&path)
            .unwrap()
            .query_row(REVISION, [name], |row| row.get(0))
            .unwrap()
    };
    let of_other = revision("other");
    let mut seen = BTreeSet::from([revision("default")]);
    let peer = sized(0, 9, 0, 0).peers.remove(8);
    let min_peer = MinPeer {
        user_id: 1,
        peer_id: 2,
        msg_id: 3,
    };
    let dc = sized(2, 0, 0, 0).dcs.remove(1);
    type Call<'c> = (&'static str, Box<dyn Fn(&dyn SessionBackend) + 'c>);
    let calls: Vec<Call<'_>> = vec![
        ("home DC", Box::new(|b| b.set_home_dc(3).unwrap())),
        ("DC", Box::new(|b| b.update_dc(&dc).unwrap())),
        (
            "token",
            Box::new(|b| b.apply(&[Change::FutureAuthToken(Some(b"t"))]).unwrap()),
        ),
        (
            "account",
            Box::new(|b| b.set_account(Account::user(5)).unwrap()),
        ),
        ("peer", Box::new(|b| b.cache_peer(&peer).unwrap())),
        (
            "min peer",
            Box::new(|b| b.apply(&[Change::MinPeer(min_peer)]).unwrap()),
        ),
        (
            "qts",
            Box::new(|b| {
                b.apply_update_state(UpdateStateChange::Secondary { qts: 1 })
                    .unwrap();
            }),
        ),
        (
            "pts",
            Box::new(|b| {
                b.apply_update_state(UpdateStateChange::Primary {
                    pts: 1,
                    date: 1,
                    seq: 1,
                })
                .unwrap();
            }),
        ),
        (
            "channel",
            Box::new(|b| {
                b.apply_update_state(UpdateStateChange::Channel { id: 1, pts: 1 })
                    .unwrap();
            }),
        ),
        (
            "batch",
            Box::new(|b| {
                let msg_id = min_peer.msg_id + 1;
                let later = MinPeer { msg_id, ..min_peer };
                b.apply(&[Change::MinPeer(min_peer), Change::MinPeer(later)])
                    .unwrap();
            }),
        ),
        (
            "names",
            Box::new(|b| b.set_peer_names(&golden_names()).unwrap()),
        ),
        ("save", Box::new(|b| b.save(&sized(1, 9, 1, 1)).unwrap())),
        (
            "empty save",
            Box::new(|b| b.save(&PersistedSession::default()).unwrap()),
        ),
    ];
    for is_reopened in [true, false] {
        let open = SqliteBackend::open(&path).unwrap();
        open.load().unwrap();
        for (what, call) in &calls {
            if is_reopened {
                call(&SqliteBackend::open(&path).unwrap());
            } else {
                call(&open);
            }
            let now = revision("default");
            assert!(
                now.len() == 16 && now.chars().all(|c| c.is_ascii_hexdigit()),
                "{now}"
            );
            assert!(seen.insert(now), "{what} left the revision as it was");
        }
    }
    assert_eq!(revision("other"), of_other);
    let last = revision("default");
    SqliteBackend::open(&path).unwrap().delete().unwrap();
    let gone: String = Connection::open(&path)
        .unwrap()
        .query_row(
            "SELECT revisions FROM gone WHERE name = 'default'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(gone, last);
}

/// Flips every bit of a cell, in the database itself, and says which flips were not noticed.
fn unnoticed_flips(path: &Path, needle: &[u8], wanted: &[&str]) -> Vec<usize> {
    let whole = fs::read(path).unwrap();
    let places: Vec<_> = (0..whole.len() - needle.len())
        .filter(|at| whole[*at..].starts_with(needle))
        .collect();
    assert_eq!(places.len(), 1, "the cell is there once");
    let mut unnoticed = Vec::new();
    let mut damaged = whole.clone();
    for bit in 0..needle.len() * 8 {
        let (at, mask) = (places[0] + bit / 8, 1 << (bit % 8));
        damaged[at] ^= mask;
        fs::write(path, &damaged).unwrap();
        damaged[at] ^= mask;
        match SqliteBackend::open(path).unwrap().load() {
            Err(error) => {
                let text = error.to_string();
                assert!(wanted.iter().all(|part| text.contains(part)), "{text}");
            }
            Ok(_) => unnoticed.push(bit),
        }
    }
    fs::write(path, &whole).unwrap();
    SqliteBackend::open(path).unwrap().load().unwrap();
    unnoticed
}

#[test]
fn every_flipped_bit_of_a_key_an_address_and_a_token_is_an_error_that_names_the_row() {
    let (_dir, path) = new_database();
    execute(
        &path,
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE",
    );
    let session = load(&path, "default").unwrap();
    let (dc, token) = (&session.dcs[1], session.future_auth_token.clone().unwrap());
    let of_dc: &[&str] = &["of table dc, row 1"];
    assert_eq!(
        unnoticed_flips(&path, &dc.auth_key.unwrap(), of_dc),
        [0_usize; 0]
    );
    assert_eq!(
        unnoticed_flips(&path, &token, &["of table accounts, row \"default\""]),
        [0_usize; 0]
    );
    // The address and the key are one cell after the other, so that this finds the address of one row.
    let mut address = dc.addr.clone().into_bytes();
    let len = address.len();
    address.extend_from_slice(&dc.auth_key.unwrap()[..8]);
    let unnoticed = unnoticed_flips(&path, &address, of_dc);
    assert_eq!(unnoticed, [0_usize; 0], "{len}");
}

#[test]
fn other_damage_of_a_login_is_an_error_that_names_the_row() {
    for (sql, wanted) in [
        ("UPDATE dc SET dc_id = dc_id ^ 4 WHERE position = 1".replace("dc_id ^ 4", "(dc_id | 4) - (dc_id & 4)"), "table dc, row 1"),
        ("UPDATE dc SET flags = 16 WHERE position = 2".to_owned(), "table dc, row 2"),
        ("UPDATE dc SET auth_key = NULL WHERE position = 0".to_owned(), "table dc, row 0"),
        ("UPDATE dc SET auth_key = (SELECT auth_key FROM dc WHERE position = 0) WHERE position = 1".to_owned(), "table dc, row 1"),
        ("UPDATE dc SET position = 9 WHERE position = 1".to_owned(), "table dc, row 2"),
        ("DELETE FROM dc WHERE position = 0".to_owned(), "table dc, row 1"),
        ("UPDATE accounts SET home_dc = home_dc + 1".to_owned(), "table accounts, row"),
        ("UPDATE accounts SET future_auth_token = NULL".to_owned(), "table accounts, row"),
        ("UPDATE accounts SET id = 77".to_owned(), "table accounts, row"),
        // The rows of one account in another.
        ("UPDATE dc SET account = 2; UPDATE accounts SET id = 2, crc = NULL".to_owned(), "table dc, row 0"),
    ] {
        let (_dir, path) = new_database();
        execute(&path, &sql);
        let error = SqliteBackend::open(&path).unwrap().load().expect_err(&sql);
        assert!(error.to_string().contains(wanted), "{sql}: {error}");
    }
}

/// Checksums stay right through every way of writing, and what an older release wrote has none.
#[test]
fn checksums_are_right_however_a_row_was_written() {
    let (_dir, path) = new_database();
    let count = |condition: &str| -> i64 {
        let sql = format!(
            "SELECT (SELECT count(*) FROM dc WHERE {condition}) + (SELECT count(*) FROM accounts WHERE {condition})"
        );
        Connection::open(&path)
            .unwrap()
            .query_row(&sql, [], |row| row.get(0))
            .unwrap()
    };
    let backend = connect(sqlite(&path).with_account("granular")).unwrap();
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
        .unwrap();
    for home_dc in [2, -5, i32::MAX, i32::MIN, 0] {
        backend.set_home_dc(home_dc).unwrap();
        for token in [Some(&b"token"[..]), None] {
            backend.apply(&[Change::FutureAuthToken(token)]).unwrap();
            let loaded = load(&path, "granular").unwrap();
            assert_eq!(loaded.home_dc_id, home_dc);
            assert_eq!(loaded.future_auth_token.as_deref(), token);
        }
    }
    for dc in &mut sized(5, 0, 0, 0).dcs {
        backend.update_dc(dc).unwrap();
        dc.flags = DcFlags(dc.flags.0 | 16);
        backend.update_dc(dc).unwrap();
        assert!(load(&path, "granular").unwrap().dcs.contains(dc));
    }
    assert_eq!(count("crc IS NULL"), 0);
    execute(
        &path,
        "UPDATE dc SET crc = NULL; UPDATE accounts SET crc = NULL",
    );
    load(&path, "granular").unwrap();
    assert!(count("crc IS NULL") > 0);
}

fn assert_refused(path: &Path, what: &str) {
    let start = Instant::now();
    let (backend, libsql) = before_it_is_there(path, || {
        let libsql = LibSqlBackend::open_local(path).unwrap();
        (SqliteBackend::open(path).unwrap(), libsql)
    });
    let results = [
        SqliteBackend::open(path).map(|_| ()),
        backend.load().map(|_| ()),
        backend.save(&sized(1, 1, 1, 1)),
        backend.set_home_dc(2),
        backend.delete(),
        account_names(sqlite(path)).map(|_| ()),
        libsql.load().map(|_| ()),
    ];
    for (call, result) in results.into_iter().enumerate() {
        let error = result.expect_err(&format!("{what}: call {call} was accepted"));
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
    }
    assert!(start.elapsed() < Duration::from_secs(30), "{what}");
}

#[test]
fn a_schema_that_is_not_exactly_ours_is_refused_by_every_call() {
    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
        SELECT 1 account, i position, i id, 1 access_hash, 0 kind, NULL channel_kind, 0 is_community FROM n";
    let hostile = [
        format!("DROP TABLE peer; CREATE VIEW peer AS {ENDLESS}"),
        format!("DROP TABLE peer; CREATE VIEW PEER AS {ENDLESS} WHERE i < 0"),
        "DROP TABLE channel; CREATE TABLE channel (account, position, id, pts)".to_owned(),
        "ALTER TABLE peer ADD COLUMN more INTEGER GENERATED ALWAYS AS (length(zeroblob(900000000))) VIRTUAL".to_owned(),
        "ALTER TABLE accounts ADD COLUMN more INTEGER".to_owned(),
        "CREATE TABLE loot (k); CREATE TRIGGER t AFTER INSERT ON dc BEGIN INSERT INTO loot VALUES (NEW.auth_key); END".to_owned(),
        "CREATE TRIGGER t BEFORE UPDATE ON accounts BEGIN SELECT RAISE(IGNORE); END".to_owned(),
        "CREATE INDEX more ON dc (length(addr))".to_owned(),
        "CREATE VIEW mine AS SELECT * FROM dc".to_owned(),
        "DROP INDEX peer_id".to_owned(),
        "DROP TABLE min_peer".to_owned(),
        "DROP TABLE meta".to_owned(),
        "DROP TRIGGER meta_refuses_rows".to_owned(),
        "CREATE TABLE names (account, kind, id, what, position, text)".to_owned(),
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'auth_key', 'auth_kez') WHERE name = 'dc'".to_owned(),
        "DROP TABLE accounts; DROP TABLE dc; DROP TABLE channel; DROP TABLE peer; DROP TABLE min_peer".to_owned(),
    ];
    for sql in hostile {
        let (_dir, path) = new_database();
        execute(&path, &sql);
        assert_refused(&path, &sql);
    }
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON dc BEGIN UPDATE dc SET addr = '6.6.6.6:443'; END",
        "DROP TABLE peer; CREATE VIEW peer AS SELECT 1 account",
    ] {
        let (_dir, path) = copy_of("schema10.db");
        execute(&path, sql);
        assert_refused(&path, sql);
    }
}

#[test]
fn a_huge_value_is_refused() {
    let (_dir, path) = new_database();
    execute(
        &path,
        "UPDATE dc SET addr = printf('%.*c', 8000000, 'x') WHERE position = 0",
    );
    let error = SqliteBackend::open(&path).unwrap().load().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("larger"), "{error}");
}

#[test]
fn two_hundred_thousand_accounts_are_readable() {
    let (_dir, path) = new_database();
    execute(
        &path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
         INSERT INTO accounts (name, revisions) SELECT 'a' || i, '0' FROM n",
    );
    assert_eq!(account_names(sqlite(&path)).unwrap().len(), 200_001);
    assert!(load(&path, "a200000").is_some());
}

/// Somebody may keep tables of their own in the same file; they are neither read nor touched.
#[test]
fn tables_of_other_programs_that_do_not_mention_ours_are_left_alone() {
    let (_dir, path) = new_database();
    execute(
        &path,
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, text UNIQUE, dc REFERENCES accounts (id));
         CREATE INDEX notes_text ON notes (text);
         CREATE VIEW short_notes AS SELECT * FROM notes WHERE length(text) < 9;
         CREATE TRIGGER notes_stay BEFORE DELETE ON notes BEGIN SELECT RAISE(IGNORE); END;
         INSERT INTO notes VALUES (1, 'mine', 1)",
    );
    let backend = SqliteBackend::open(&path).unwrap();
    assert!(backend.load().unwrap().is_some());
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    backend.delete().unwrap();
    let text: String = Connection::open(&path)
        .unwrap()
        .query_row("SELECT text FROM short_notes", [], |row| row.get(0))
        .unwrap();
    assert_eq!(text, "mine");
}

/// What ferogram-session 0.6.6 does with a database that it opens, loads from and saves to.
#[test]
fn the_old_crate_fails_on_our_database_and_ours_goes_on() {
    let (_dir, path) = new_database();
    let before = load(&path, "default");
    let old = Connection::open(&path).unwrap();
    let schema = |database: &Connection| -> i64 {
        let version = database.query_row("PRAGMA schema_version", [], |row| row.get(0));
        version.unwrap()
    };
    let unchanged = schema(&old);
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL DEFAULT 0);
         CREATE TABLE IF NOT EXISTS dcs (dc_id INTEGER NOT NULL, PRIMARY KEY (dc_id));
         CREATE TABLE IF NOT EXISTS update_state (id INTEGER PRIMARY KEY, pts INTEGER);
         CREATE TABLE IF NOT EXISTS channel_pts (channel_id INTEGER PRIMARY KEY, pts INTEGER);
         CREATE TABLE IF NOT EXISTS peers (id INTEGER PRIMARY KEY, access_hash INTEGER NOT NULL);
         CREATE TABLE IF NOT EXISTS min_peers (user_id INTEGER PRIMARY KEY)",
    )
    .unwrap();
    // It adds the columns that it misses.
    for column in ["is_chat", "channel_kind", "is_community"] {
        old.prepare(&format!("SELECT {column} FROM peers")).unwrap();
    }
    assert_eq!(schema(&old), unchanged, "it made something in our database");
    let home: i64 = old
        .query_row(
            "SELECT value FROM meta WHERE key = 'home_dc_id'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(home, 0);
    assert!(
        old.prepare("SELECT dc_id, flags, addr, auth_key FROM dcs")
            .is_err()
    );
    assert!(
        old.prepare("SELECT dc_id, addr, auth_key FROM dc_entries")
            .is_err()
    );
    let save = "INSERT INTO meta (key, value) VALUES ('home_dc_id', 4)
        ON CONFLICT(key) DO UPDATE SET value = excluded.value";
    for sql in [
        "INSERT INTO update_state (id, pts, date, seq) VALUES (1, 900, 1, 1)",
        "INSERT INTO channel_pts (channel_id, pts) VALUES (1, 1)",
        "INSERT INTO peers (id, access_hash, is_channel, is_chat) VALUES (1, 1, 0, 0)",
        "INSERT INTO min_peers (user_id, peer_id, msg_id) VALUES (1, 1, 1)",
    ] {
        assert!(old.prepare(sql).is_err(), "{sql}");
    }
    for sql in [save, "DELETE FROM meta"] {
        let error = old.execute(sql, []).unwrap_err().to_string();
        assert!(
            error.contains("an mtsession database: update the client"),
            "{error}"
        );
    }
    let backend = SqliteBackend::open(&path).unwrap();
    assert_eq!(backend.load().unwrap(), before);
    backend.set_home_dc(5).unwrap();
    assert_eq!(account_names(sqlite(&path)).unwrap(), ["default"]);
    backend.delete().unwrap();
    assert_eq!(backend.load().unwrap(), None);
}

#[test]
fn an_old_session_that_is_deleted_is_no_lost_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("old.db");
    let vector = Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/ferogram/sqlite/S6_fs066.db");
    fs::copy(vector, &path).unwrap();
    let backend = SqliteBackend::open(&path).unwrap();
    backend.delete().unwrap();
    assert_eq!(backend.load().unwrap(), None);
    assert!(account_names(sqlite(&path)).unwrap().is_empty());
    backend.save(&sized(1, 1, 1, 1)).unwrap();
    assert_eq!(load(&path, "default"), Some(sized(1, 1, 1, 1)));
}
