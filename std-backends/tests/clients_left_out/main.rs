//! Sessions of other libraries whose key is whole and something else is not: they are read, and
//! what was left out is named. Where two keys are there, none is picked silently.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod broken;
mod json;
mod odd;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::clients::{FileFormat, ForeignError, Import, read, read_account};
use mtsession::{Fingerprint, StoreError};
use tempfile::TempDir;

const TELETHON: &str = "telethon-1.45.0-s01.session";

const PYROGRAM: &str = "pyrogram-2.0.106-s01.session";

const KURIGRAM: &str = "kurigram-2.2.26-s01.session";

const MTCUTE: &str = "mtcute-0.29.7-s01.session";

const GRAMMERS: &str = "grammers-0.11.0-s01.session";

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/clients")
        .join(name)
}

/// A copy of a database with changes.
fn changed(dir: &TempDir, name: &str, sql: &str) -> PathBuf {
    let path = dir.path().join("changed.session");
    fs::copy(vector(name), &path).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    let sql = format!("PRAGMA journal_mode = DELETE; PRAGMA foreign_keys = OFF; {sql}");
    database.execute_batch(&sql).unwrap();
    path
}

fn home_key(import: &Import) -> Fingerprint {
    let home = import.session.dc_for(import.session.home_dc_id, false);
    Fingerprint::of(home.unwrap().as_dc_ref().auth_key.unwrap())
}

fn cause(error: &io::Error) -> &ForeignError {
    let store: &StoreError = error.get_ref().unwrap().downcast_ref().unwrap();
    let cause = core::error::Error::source(store).unwrap();
    cause.downcast_ref().unwrap()
}

/// Key bytes for JSON: hexadecimal, base64, numbers.
fn written_keys() -> (String, String, String) {
    let bytes: Vec<u8> = (0..=255).collect();
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut base64 = String::new();
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let value = chunk
            .iter()
            .fold(0_usize, |value, byte| value << 8 | usize::from(*byte));
        let value = value << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            base64.push(char::from(alphabet[value >> (18 - 6 * at) & 63]));
        }
    }
    base64 += "==";
    (hex, base64, format!("{bytes:?}"))
}

#[test]
fn a_newer_schema_is_read_by_its_columns_and_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql) in [
        (TELETHON, "UPDATE version SET version = 9"),
        (PYROGRAM, "UPDATE version SET number = 99"),
        (KURIGRAM, "UPDATE version SET number = 8"),
        (MTCUTE, "UPDATE mtcute_migrations SET version = 9"),
        (GRAMMERS, "PRAGMA user_version = 2"),
    ] {
        let import = read(&changed(&dir, name, sql)).unwrap();
        assert_eq!(home_key(&import), home_key(&read(&vector(name)).unwrap()));
        assert!(
            import.notes[0].contains("is newer than"),
            "{:?}",
            import.notes
        );
    }
}

/// A home DC whose row has no address, in production and on the test servers.
#[test]
fn a_home_without_an_address_gets_the_known_one() {
    let dir = tempfile::tempdir().unwrap();
    let addr = |import: &Import| import.session.dc_for(2, false).unwrap().addr.clone();
    let none = "UPDATE dc_option SET ipv4 = '', ipv6 = '' WHERE dc_id = 2";
    let import = read(&changed(&dir, GRAMMERS, none)).unwrap();
    assert_eq!(addr(&import), "149.154.167.51:443");
    let other = "INSERT OR REPLACE INTO dc_option VALUES (1, '149.154.175.10:80', '', NULL)";
    let import = read(&changed(&dir, GRAMMERS, &format!("{none}; {other}"))).unwrap();
    assert_eq!(addr(&import), "149.154.167.40:80");
    let test = "UPDATE sessions SET server_address = NULL, test_mode = 1";
    let import = read(&changed(&dir, KURIGRAM, test)).unwrap();
    assert_eq!(addr(&import), "149.154.167.40:80");
}

#[test]
fn an_address_in_brackets_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let sql = "UPDATE sessions SET server_address = '[2001:67c:4e8:f002::a]'";
    let import = read(&changed(&dir, TELETHON, sql)).unwrap();
    let dc = import.session.dc_for(2, true).unwrap();
    assert_eq!(
        (dc.addr.as_str(), dc.is_ipv6()),
        ("[2001:67c:4e8:f002::a]:443", true)
    );
}

/// A home that is named but has no key, while one other DC has.
#[test]
fn the_only_key_is_taken_although_another_home_is_named() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql) in [
        (MTCUTE, "DELETE FROM auth_keys WHERE dc = 2"),
        (GRAMMERS, "UPDATE dc_home SET dc_id = 5"),
    ] {
        let import = read(&changed(&dir, name, sql)).unwrap();
        home_key(&import);
        assert!(
            import.notes[0].contains("is named as the home"),
            "{:?}",
            import.notes
        );
    }
    // A home whose key is damaged is not replaced by another.
    let sql = "UPDATE auth_keys SET key = x'010203' WHERE dc = 2";
    let error = read(&changed(&dir, MTCUTE, sql)).unwrap_err();
    assert!(
        matches!(cause(&error), ForeignError::KeyLength(3)),
        "{error}"
    );
}

#[test]
fn of_two_keys_none_is_picked_and_both_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql) in [
        (
            TELETHON,
            "INSERT INTO sessions (dc_id, server_address, port, auth_key)
             VALUES (4, '149.154.167.91', 443, randomblob(256))",
        ),
        (
            PYROGRAM,
            "INSERT INTO sessions (dc_id, date, auth_key, user_id) VALUES (4, 0, randomblob(256), 7)",
        ),
        (
            GRAMMERS,
            "DELETE FROM dc_home; INSERT INTO dc_option VALUES (4, '', '', randomblob(256))",
        ),
        (
            MTCUTE,
            "UPDATE auth_keys SET key = randomblob(256) WHERE dc = 4;
             DELETE FROM key_value WHERE key = 'dc_main'",
        ),
        // The tables of two libraries, with a key each.
        (
            TELETHON,
            "CREATE TABLE dc_home (dc_id INTEGER); INSERT INTO dc_home VALUES (4);
             CREATE TABLE dc_option (dc_id INTEGER, ipv4 TEXT, ipv6 TEXT, auth_key BLOB);
             INSERT INTO dc_option VALUES (4, NULL, NULL, randomblob(256));",
        ),
    ] {
        let path = changed(&dir, name, sql);
        let error = read(&path).unwrap_err();
        let ForeignError::SeveralKeys(candidates) = cause(&error) else {
            panic!("{sql}: {error}");
        };
        assert_eq!(candidates.len(), 2, "{sql}");
        for candidate in candidates {
            let print = candidate.fingerprint;
            assert!(error.to_string().contains(&print.to_string()), "{error}");
            let import = read_account(&path, candidate.number).unwrap();
            assert_eq!(home_key(&import), print, "{sql}");
            assert_eq!(import.session.home_dc_id, candidate.dc_id);
            assert_eq!(import.accounts, 2);
        }
        read_account(&path, 3).unwrap_err();
    }
}

#[test]
fn telethon_2_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("two.session");
    let tables = "
        CREATE TABLE version (version integer primary key);
        CREATE TABLE datacenter (id integer primary key, addr text not null, auth blob);
        CREATE TABLE user (id integer primary key, dc integer not null, bot integer not null);
        CREATE TABLE state (pts integer, qts integer, date integer, seq integer);
        CREATE TABLE channelstate (id integer primary key, pts integer not null);
        INSERT INTO version VALUES (10);
        INSERT INTO datacenter VALUES (2, '149.154.167.51:443', randomblob(256));
        INSERT INTO datacenter VALUES (4, '149.154.167.91:443', randomblob(256));
        INSERT INTO user VALUES (777000, 4, 0);
        INSERT INTO state VALUES (1, 2, 3, 4);
        INSERT INTO channelstate VALUES (1500000001, 9), (0, 1);";
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(tables).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.format, FileFormat::Telethon2Sqlite);
    assert_eq!((import.version, import.session.home_dc_id), (Some(10), 4));
    assert_eq!(
        (import.account.user_id, import.account.is_bot),
        (Some(777_000), Some(false))
    );
    assert_eq!(
        import
            .session
            .dcs
            .iter()
            .filter(|dc| dc.auth_key.is_some())
            .count(),
        2
    );
    let state = &import.session.updates_state;
    assert_eq!((state.pts, state.seq), (1, 4));
    assert_eq!(state.channels, [(1_500_000_001, 9)]);
    assert_eq!(import.left_out.len(), 1);
}

/// A generator that is the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
