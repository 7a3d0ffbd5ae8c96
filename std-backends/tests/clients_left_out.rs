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

/// What stands next to the key of each library, and a word of what is said about it.
const ODD: &[(&str, &str, &str)] = &[
    (TELETHON, "DELETE FROM version", "version"),
    (
        TELETHON,
        "INSERT INTO version VALUES (3)",
        "2 version numbers",
    ),
    (TELETHON, "DROP TABLE version", "version"),
    (
        TELETHON,
        "DROP TABLE version; CREATE TABLE version (version); INSERT INTO version VALUES ('8x')",
        "version is text",
    ),
    (
        TELETHON,
        "DROP TABLE entities; DROP TABLE sent_files",
        "entities",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (0, 1)",
        "no peer has",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (-9223372036854775807 - 1, 1)",
        "no peer has",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (7, 'abc')",
        "hash is text",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash) VALUES (7, x'01')",
        "hash is bytes",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash, phone) VALUES (7, 1, '+888 0')",
        "phone is text",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash, name) VALUES (7, 1, CAST(x'c328' AS TEXT))",
        "not UTF-8",
    ),
    (
        TELETHON,
        "INSERT INTO entities (id, hash, username) VALUES (7, 1, x'00')",
        "username is bytes",
    ),
    (
        TELETHON,
        "UPDATE update_state SET date = 'yesterday' WHERE id = 0",
        "date is text",
    ),
    (
        TELETHON,
        "UPDATE update_state SET pts = 1 << 40 WHERE id = 0",
        "pts is a number",
    ),
    (
        TELETHON,
        "INSERT INTO update_state VALUES (-5, 1, 1, 1, 1)",
        "no channel has",
    ),
    (
        TELETHON,
        "UPDATE sessions SET server_address = NULL, port = NULL",
        "no address",
    ),
    (
        TELETHON,
        "UPDATE sessions SET server_address = ''",
        "no address",
    ),
    (
        TELETHON,
        "UPDATE sessions SET server_address = 'two words'",
        "cannot be read",
    ),
    (
        TELETHON,
        "UPDATE sessions SET port = 'https'",
        "port is text",
    ),
    (TELETHON, "UPDATE sessions SET port = 70000", "out of range"),
    (TELETHON, "UPDATE sessions SET dc_id = 0", "no DC has"),
    (TELETHON, "UPDATE sessions SET dc_id = 1 << 40", "no DC has"),
    (
        TELETHON,
        "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (4, '', 443, x'')",
        "empty",
    ),
    (
        TELETHON,
        "INSERT INTO sessions (dc_id, server_address, port, auth_key) VALUES (4, 'a b', 0, x'0102')",
        "2 bytes",
    ),
    (PYROGRAM, "DELETE FROM version", "version"),
    (
        PYROGRAM,
        "INSERT INTO version VALUES (2)",
        "2 version numbers",
    ),
    (PYROGRAM, "DROP TABLE peers", "peers"),
    (
        PYROGRAM,
        "UPDATE peers SET access_hash = 'x' WHERE id = -77001",
        "access_hash is text",
    ),
    (PYROGRAM, "UPDATE peers SET type = 7", "type"),
    (
        PYROGRAM,
        "UPDATE sessions SET user_id = 'me'",
        "user_id is text",
    ),
    (
        PYROGRAM,
        "UPDATE sessions SET api_id = 1 << 40",
        "api_id is a number",
    ),
    (
        PYROGRAM,
        "INSERT INTO sessions (dc_id, date, auth_key) VALUES (4, 0, zeroblob(256))",
        "empty",
    ),
    (
        KURIGRAM,
        "INSERT INTO update_state VALUES (5000000001, 9, NULL, 1, NULL)",
        "no channel",
    ),
    (
        KURIGRAM,
        "INSERT INTO usernames VALUES ('x', 7)",
        "usernames",
    ),
    (
        KURIGRAM,
        "DROP TABLE usernames; CREATE TABLE usernames (other)",
        "usernames",
    ),
    (
        KURIGRAM,
        "UPDATE sessions SET server_address = NULL",
        "no address",
    ),
    (
        MTCUTE,
        "UPDATE key_value SET value = x'01' WHERE key = 'current_user'",
        "current_user",
    ),
    (
        MTCUTE,
        "UPDATE key_value SET value = x'01' WHERE key = 'updates_pts'",
        "update state",
    ),
    (
        MTCUTE,
        "INSERT INTO key_value VALUES ('updates_channel:x', x'01000000')",
        "channel",
    ),
    (
        MTCUTE,
        "INSERT INTO key_value VALUES ('salts:2', x'00')",
        "salts:2",
    ),
    (
        MTCUTE,
        "UPDATE key_value SET value = x'ff' WHERE key = 'dc_media'",
        "dc_media",
    ),
    (
        MTCUTE,
        "UPDATE auth_keys SET key = x'' WHERE dc = 4",
        "empty",
    ),
    (
        MTCUTE,
        "UPDATE auth_keys SET key = x'010203' WHERE dc = 4",
        "3 bytes",
    ),
    (MTCUTE, "DROP TABLE peers", "peers"),
    (MTCUTE, "DROP TABLE mtcute_migrations", "mtcute_migrations"),
    (
        MTCUTE,
        "UPDATE peers SET hash = 'zz' WHERE id = 111000111",
        "hash is not two",
    ),
    (
        MTCUTE,
        "UPDATE peers SET usernames = '[' WHERE id = 111000111",
        "list of names",
    ),
    (
        MTCUTE,
        "UPDATE message_refs SET msg_id = 'x'",
        "msg_id is text",
    ),
    (GRAMMERS, "DELETE FROM dc_home", "0 rows"),
    (GRAMMERS, "INSERT INTO dc_home VALUES (4)", "2 rows"),
    (
        GRAMMERS,
        "INSERT INTO dc_option VALUES (3, '', '', x'')",
        "empty",
    ),
    (
        GRAMMERS,
        "INSERT INTO dc_option VALUES (3, 'somewhere', '', NULL)",
        "ipv4 is no address",
    ),
    (
        GRAMMERS,
        "INSERT INTO dc_option VALUES (3, '', '', x'0102')",
        "2 bytes",
    ),
    (
        GRAMMERS,
        "UPDATE dc_option SET ipv4 = '', ipv6 = ''",
        "no address",
    ),
    (GRAMMERS, "DROP TABLE peer_info", "peer_info"),
    (
        GRAMMERS,
        "INSERT INTO peer_info VALUES (0, 1, 1)",
        "no peer has",
    ),
    (
        GRAMMERS,
        "INSERT INTO update_state VALUES (1, 2, 3, 4)",
        "2 rows",
    ),
    (GRAMMERS, "UPDATE update_state SET pts = 'x'", "pts is text"),
];

#[test]
fn what_is_odd_beside_a_key_is_left_out_and_named() {
    let dir = tempfile::tempdir().unwrap();
    for (name, sql, said) in ODD {
        let whole = read(&vector(name)).unwrap();
        let path = changed(&dir, name, sql);
        let import = read(&path).unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(import.format, whole.format, "{sql}");
        assert_eq!(home_key(&import), home_key(&whole), "{sql}");
        assert_eq!(import.session.home_dc_id, whole.session.home_dc_id, "{sql}");
        let home = import.session.dc_for(import.session.home_dc_id, false);
        home.unwrap().socket_addr().unwrap();
        let named: Vec<_> = import.left_out.iter().map(ToString::to_string).collect();
        assert!(
            named.iter().any(|line| line.contains(said)),
            "{sql}: {named:?}"
        );
    }
}

/// A cache that is in order leaves nothing to be said.
#[test]
fn nothing_is_left_out_of_what_the_libraries_wrote() {
    for entry in fs::read_dir(vector("")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            continue;
        }
        let import = read(&path).unwrap();
        assert_eq!(import.left_out, [], "{}", path.display());
        // There is no DC 4 among the test servers.
        let known = |note: &String| note == "DC 4 has a key but no address, and none is known";
        assert!(import.notes.iter().all(known), "{:?}", import.notes);
    }
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
fn json_of_web_clients_and_old_libraries_is_read() {
    use FileFormat::{MtprotoCoreJson, PyrogramJson, TelethonJson, WebJson};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.json");
    let (hex, base64, numbers) = written_keys();
    let (front, back) = base64.split_at(100);
    let cases = [
        (WebJson, 2, format!(r#"{{"dc2_auth_key":"{hex}","dc":2}}"#)),
        (
            WebJson,
            4,
            format!(
                r#"{{"dc":"2","user_auth":"{{\"dcID\":4,\"id\":777000}}","dc2_auth_key":"\"{}\"",
                "dc4_auth_key":"\"{hex}\"","dc5_auth_key":""}}"#,
                hex.replace("00", "01")
            ),
        ),
        (
            WebJson,
            2,
            format!(
                r#"{{"account1":{{"dcId":2,"userId":777000,"dc2_auth_key":"{hex}"}},
                "account2":"null","dc2_auth_key":"\"{hex}\"","tt":[1]}}"#
            ),
        ),
        (
            TelethonJson,
            2,
            format!(
                r#"{{"port":443,"salt":1,"server_address":"149.154.167.51","entities":[{{}}],
                "auth_key_data":"{base64}"}}"#
            ),
        ),
        (
            PyrogramJson,
            5,
            format!(
                r#"{{"dc_id":5,"test_mode":false,"auth_key":["{front}","{back}"],"user_id":777000,
                "date":0,"peers_by_id":{{"1":2}}}}"#
            ),
        ),
        (
            MtprotoCoreJson,
            3,
            format!(r#"{{"3authKey":{numbers},"3serverSalt":[1],"2timeOffset":0}}"#),
        ),
    ];
    for (format, home, json) in cases {
        for mark in ["", "\u{FEFF}", "\n "] {
            fs::write(&path, format!("{mark}{json}")).unwrap();
            let import = read(&path).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(import.format, format);
            assert_eq!(import.session.home_dc_id, home, "{json}");
            let dc = import.session.dc_for(home, false).unwrap();
            assert_eq!(dc.auth_key.unwrap()[..4], [0, 1, 2, 3]);
            dc.socket_addr().unwrap();
        }
    }
    for json in [
        "{}",
        "[]",
        r#"{"token":"secret"}"#,
        r#"{"dc2_auth_key":"","dc":2}"#,
    ] {
        fs::write(&path, json).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(
            !error.contains("damaged") && !error.contains("secret"),
            "{error}"
        );
    }
    let two = format!(
        r#"{{"account1":{{"dc2_auth_key":"{hex}"}},"account2":{{"dc2_auth_key":"{}"}}}}"#,
        hex.replace("00", "01")
    );
    fs::write(&path, two).unwrap();
    let error = read(&path).unwrap_err();
    assert!(
        matches!(cause(&error), ForeignError::SeveralKeys(_)),
        "{error}"
    );
    assert_eq!(read_account(&path, 2).unwrap().session.home_dc_id, 2);
}

#[test]
fn what_cannot_be_read_is_named_for_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("any name");
    let binlog = |kind: i32| {
        let head = [
            &32_u32.to_le_bytes()[..],
            &1_u64.to_le_bytes(),
            &kind.to_le_bytes(),
        ];
        [&head.concat()[..], &[0; 16]].concat()
    };
    let tgnet = [
        &16_u32.to_le_bytes()[..],
        &5_u32.to_le_bytes(),
        &0xBC79_9737_u32.to_le_bytes(),
        &[0; 8],
    ]
    .concat();
    for (bytes, said) in [
        (binlog(-4), "TDLib"),
        (binlog(-3), "TDLib"),
        (binlog(0x4327), "TDLib"),
        (tgnet, "Android"),
        (
            b"PK\x03\x04 and the rest".to_vec(),
            "an archive: unpack it first",
        ),
        (b"<?php __HALT_COMPILER();".to_vec(), "MadelineProto"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = read(&path).unwrap_err().to_string();
        let words = said.split(": ");
        assert!(
            words.clone().count() > 0 && words.into_iter().all(|word| error.contains(word)),
            "{error}"
        );
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("td.binlog"), binlog(-3)).unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("TDLib"));
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

/// Bytes changed, cut and added: whatever comes out is a session with its key, or an error.
#[test]
fn no_file_is_too_broken_to_be_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken");
    let (hex, base64, numbers) = written_keys();
    let mut whole: Vec<Vec<u8>> = [
        format!(r#"{{"account1":{{"dcId":2,"userId":7,"dc2_auth_key":"\"{hex}\""}}}}"#),
        format!(r#"{{"port":443,"server_address":"149.154.167.51","auth_key_data":"{base64}"}}"#),
        format!(r#"{{"3authKey":{numbers},"defaultDcId":"3"}}"#),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    for name in [
        TELETHON,
        KURIGRAM,
        MTCUTE,
        GRAMMERS,
        "grammers-0.8.0-s01.session",
    ] {
        whole.push(fs::read(vector(name)).unwrap());
    }
    let mut dice = Dice(1);
    for whole in whole {
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }
            if dice.below(3) == 0 {
                bytes.truncate(dice.below(bytes.len()));
            }
            fs::write(&path, &bytes).unwrap();
            if let Ok(import) = read(&path) {
                home_key(&import);
            }
        }
    }
}
