//! Every file that the real libraries wrote, read and compared with what it should hold.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::clients::{FileFormat, ForeignError, Import, LeftOut, read, read_account};
use mtsession::codec::ChannelKind::{Broadcast, Gigagroup, Megagroup};
use mtsession::codec::clients::TelethonIpv6;
use mtsession::codec::{ChannelKind, SessionSource};
use mtsession::{BinaryFileBackend, SessionBackend, SessionBackendExt, StoreError};
use serde_json::Value;

use files::{copy_of, snapshot};

mod files;
mod tdata;

struct FileVector {
    id: String,
    format: String,
    path: PathBuf,
    expect: Value,
    meant: Value,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients")
}

fn vectors() -> Vec<FileVector> {
    let json = fs::read_to_string(folder().join("vectors.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    json["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["kind"] != "string")
        .map(|vector| FileVector {
            id: vector["id"].as_str().unwrap().to_owned(),
            format: vector["format"].as_str().unwrap().to_owned(),
            path: folder().join(vector["file"].as_str().unwrap()),
            expect: vector["expect"].clone(),
            meant: vector["meant"].clone(),
        })
        .collect()
}

fn import(vector: &FileVector) -> Import {
    read(&vector.path).unwrap_or_else(|error| panic!("{}: {error}", vector.id))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn format_of(name: &str) -> FileFormat {
    match name {
        _ if name.starts_with("telethon-sqlite") => FileFormat::TelethonSqlite,
        _ if name.starts_with("pyrogram-sqlite") => FileFormat::PyrogramSqlite,
        "pyrofork-sqlite-v4" => FileFormat::PyroforkSqlite,
        "pyrotgfork-sqlite-v6" => FileFormat::PyrotgforkSqlite,
        "kurigram-sqlite-v7" => FileFormat::KurigramSqlite,
        "mtcute-sqlite" => FileFormat::MtcuteSqlite,
        "grammers-sqlite-v1" => FileFormat::GrammersSqlite,
        _ if name.starts_with("grammers-tl") => FileFormat::GrammersTl,
        "gramjs-store-dir" => FileFormat::GramJsStore,
        "tdata" => FileFormat::Tdata,
        other => panic!("unknown format {other}"),
    }
}

#[test]
fn every_file_of_every_library_is_recognised_and_its_login_read() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 75);
    for vector in &vectors {
        let id = &vector.id;
        let import = import(vector);
        assert_eq!(import.format, format_of(&vector.format), "{id}");
        assert!(import.also.is_empty(), "{id}");

        // Files of grammers list every DC; the others say where the account lives.
        let meant = if vector.meant.is_object() {
            &vector.meant
        } else {
            &vector.expect
        };
        let home = import.session.home_dc_id;
        assert_eq!(i64::from(home), meant["dc_id"], "{id}");
        let dc = import.session.dc_for(home, false).unwrap();
        assert_eq!(hex(&dc.auth_key.unwrap()), meant["auth_key"], "{id}");

        let account = import.account;
        let user = meant["user_id"].as_i64();
        if user.is_some() || !vector.format.starts_with("grammers") {
            assert_eq!(account.user_id, user, "{id}");
            assert_eq!(account.is_bot, meant["is_bot"].as_bool(), "{id}");
        }
        if let Some(api_id) = meant["api_id"].as_i64() {
            assert_eq!(account.api_id.map(i64::from), Some(api_id), "{id}");
        }
        if let Some(test_mode) = meant["test_mode"].as_bool() {
            assert_eq!(account.test_mode, Some(test_mode), "{id}");
        }
        if let Some(ip) = vector.expect["ip"].as_str() {
            let addr = dc.socket_addr().unwrap();
            assert_eq!(addr.ip().to_string(), ip, "{id}");
            assert_eq!(u64::from(addr.port()), vector.expect["port"], "{id}");
        }
        if let Some(version) = vector.expect["schema_version"].as_i64() {
            assert_eq!(import.version, Some(version), "{id}");
        }
    }
}

/// Peers as the vectors have them: standard marked id to access hash.
fn peers_of(import: &Import) -> BTreeMap<i64, i64> {
    use mtsession::codec::PeerKind;
    import
        .session
        .peers()
        .map(|peer| {
            let marked = match peer.kind {
                PeerKind::User => peer.id,
                PeerKind::Chat => -peer.id,
                PeerKind::Channel => -1_000_000_000_000 - peer.id,
            };
            (marked, peer.access_hash)
        })
        .collect()
}

fn number(value: &Value) -> i64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_i64().unwrap_or_default(),
    }
}

#[test]
fn peers_have_their_kinds_hashes_and_names() {
    let mut with_peers = 0;
    for vector in vectors() {
        let rows = ["entities", "peers"]
            .iter()
            .find_map(|key| vector.expect[*key].as_array());
        let Some(rows) = rows.filter(|rows| !rows.is_empty()) else {
            continue;
        };
        with_peers += 1;
        let import = import(&vector);
        let found = peers_of(&import);
        let mut expected = BTreeMap::new();
        for row in rows {
            let (id, hash) = match vector.format.as_str() {
                "mtcute-sqlite" => {
                    if row["isMin"] == 1 {
                        continue;
                    }
                    let hash = row["hash"].as_str().unwrap();
                    let hash = hash.split_once('|').map_or(0, |(low, high)| {
                        let low: i64 = low.parse().unwrap();
                        let high: i64 = high.parse().unwrap();
                        (high << 32) | (low & 0xFFFF_FFFF)
                    });
                    (number(&row["id"]), hash)
                }
                "grammers-sqlite-v1" => (number(&row["peer_id"]), number(&row["info"]["hash"])),
                _ => (number(&row[0]), number(&row[1])),
            };
            // Telethon before schema 7 wrote -100 before the digits of a channel.
            let id = match (vector.format.as_str(), id) {
                (
                    "telethon-sqlite-v4" | "telethon-sqlite-v5" | "telethon-sqlite-v6",
                    -100_111_000_111,
                ) => -1_000_111_000_111,
                (_, id) => id,
            };
            expected.insert(id, hash);
        }
        assert_eq!(found, expected, "{}", vector.id);
        assert_eq!(
            import.session.peers.len(),
            expected.len(),
            "{}: a user and a channel share an id",
            vector.id
        );
    }
    assert_eq!(with_peers, 39);
}

#[test]
fn kinds_of_channels_are_kept_where_they_are_known() {
    let kinds = |name: &str| {
        let import = read(&folder().join(name)).unwrap();
        let kinds: BTreeMap<i64, Option<ChannelKind>> = import
            .session
            .peers()
            .filter(|peer| peer.kind == mtsession::codec::PeerKind::Channel)
            .map(|peer| (peer.id, peer.channel_kind))
            .collect();
        kinds
    };
    for name in ["mtcute-0.29.7-s01.session", "grammers-0.11.0-s01.session"] {
        let kinds = kinds(name);
        assert_eq!(kinds[&1_500_000_001], Some(Broadcast), "{name}");
        assert_eq!(kinds[&1_600_000_002], Some(Megagroup), "{name}");
        assert_eq!(kinds[&2_400_000_003], Some(Gigagroup), "{name}");
        assert_eq!(kinds[&3_900_000_004], Some(Megagroup), "{name}");
    }
    let kurigram = kinds("kurigram-2.2.26-s01.session");
    assert_eq!(kurigram[&1_500_000_001], Some(Broadcast));
    assert_eq!(kurigram[&3_900_000_004], Some(Megagroup));
}

#[test]
fn update_states_are_read_with_the_id_convention_of_their_library() {
    let mut with_state = 0;
    for vector in vectors() {
        let import = import(&vector);
        let Some(expected) = state_of(&vector) else {
            continue;
        };
        with_state += 1;
        let state = &import.session.updates_state;
        let found = [state.pts, state.qts, state.date, state.seq];
        assert_eq!(found.map(i64::from), expected.0, "{}", vector.id);
        let channels: BTreeMap<i64, i64> = state
            .channels
            .iter()
            .map(|(id, pts)| (*id, i64::from(*pts)))
            .collect();
        assert_eq!(channels, expected.1, "{}", vector.id);
    }
    assert_eq!(with_state, 37);
}

type State = ([i64; 4], BTreeMap<i64, i64>);

fn state_of(vector: &FileVector) -> Option<State> {
    let expect = &vector.expect;
    if let Some(rows) = expect["update_state"]
        .as_array()
        .filter(|rows| !rows.is_empty())
    {
        let mut counters = [0; 4];
        let mut channels = BTreeMap::new();
        for row in rows {
            match number(&row[0]) {
                0 => counters = [1, 2, 3, 4].map(|index| number(&row[index])),
                id if id < 0 => {
                    channels.insert(-id - 1_000_000_000_000, number(&row[1]));
                }
                id => {
                    channels.insert(id, number(&row[1]));
                }
            }
        }
        return Some((counters, channels));
    }
    let state = [&expect["updates_state"], &expect["state"]]
        .into_iter()
        .find(|state| state.is_object())?;
    let counters = ["pts", "qts", "date", "seq"].map(|key| number(&state[key]));
    let channels = state["channels"].as_array().into_iter().flatten();
    let channels = channels
        .map(|row| (number(&row[0]), number(&row[1])))
        .collect();
    Some((counters, channels))
}

#[test]
fn mtcute_brings_its_state_keys_of_other_dcs_media_dc_and_min_peers() {
    let import = read(&folder().join("mtcute-0.29.7-s01.session")).unwrap();
    let state = &import.session.updates_state;
    assert_eq!(
        (state.pts, state.qts, state.date, state.seq),
        (100_123, 45, 1_759_999_940, 678)
    );
    assert_eq!(
        state.channels,
        [(1_500_000_001, 4321), (1_600_000_002, 8765)]
    );
    assert!(import.session.dc_for(4, false).unwrap().auth_key.is_some());
    let media = import
        .session
        .all_dcs_for(2)
        .find(|dc| !dc.flags.is_main())
        .unwrap();
    assert_eq!(media.addr, "149.154.167.222:443");
    let min_peer = &import.session.min_peers[0];
    let found = (min_peer.user_id, min_peer.peer_id, min_peer.msg_id);
    assert_eq!(found, (444_000_444, 1_600_000_002, 77));
}

#[test]
fn names_and_phones_are_kept() {
    let names = |name: &str, id: i64| {
        let import = read(&folder().join(name)).unwrap();
        let user = mtsession::codec::PeerKind::User;
        import
            .names
            .into_iter()
            .find(|names| names.id == id && names.kind == user)
    };
    for name in [
        "telethon-1.45.0-s01.session",
        "pyrogram-2.0.106-s01.session",
        "pyrofork-2.3.69-s01.session",
        "pyrotgfork-2.2.24.1-s01.session",
        "kurigram-2.2.26-s01.session",
        "mtcute-0.29.7-s01.session",
    ] {
        let alice = names(name, 111_000_111).unwrap();
        assert_eq!(alice.usernames, ["alice_0"], "{name}");
        assert_eq!(alice.phone.as_deref(), Some("15550001000"), "{name}");
    }
    for name in [
        "pyrofork-2.3.69-s01.session",
        "pyrotgfork-2.2.24.1-s01.session",
        "kurigram-2.2.26-s01.session",
        "mtcute-0.29.7-s01.session",
    ] {
        let multi = names(name, 333_000_333).unwrap();
        assert_eq!(multi.usernames, ["multi_one0", "multi_two0"], "{name}");
    }
    let bob = names("telethon-1.45.0-s01.session", 6_000_000_001).unwrap();
    assert_eq!(bob.title.as_deref(), Some("\u{411}\u{43E}\u{431}"));
}

#[test]
fn tdata_brings_the_user_and_every_key() {
    let import = read(&folder().join("tdata-s05")).unwrap();
    assert_eq!(import.account.user_id, Some(4_294_967_295));
    assert_eq!(import.session.home_dc_id, 5);
    // A file of the directory stands for the directory.
    let same = read(&folder().join("tdata-s05/key_datas")).unwrap();
    assert_eq!(*same.session, *import.session);
}

#[test]
fn tdata_with_a_passcode_says_so() {
    use md5::{Digest as _, Md5};

    let dir = tempfile::tempdir().unwrap();
    copy_of(&folder().join("tdata-s04"), dir.path());
    let file = dir.path().join("key_datas");
    let mut bytes = fs::read(&file).unwrap();
    // Another salt is another key, as another passcode would be. The file is sound otherwise.
    bytes[12] ^= 1;
    let end = bytes.len() - 16;
    let mut digest = Md5::new();
    digest.update(&bytes[8..end]);
    digest.update(i32::try_from(end - 8).unwrap().to_le_bytes());
    digest.update(&bytes[4..8]);
    digest.update(&bytes[..4]);
    let digest = digest.finalize();
    bytes[end..].copy_from_slice(&digest);
    fs::write(&file, bytes).unwrap();
    let error = read(dir.path()).unwrap_err();
    assert!(matches!(cause(&error), ForeignError::Passcode), "{error}");
}

#[test]
fn grammers_brings_every_dc() {
    let mut checked = 0;
    for vector in vectors() {
        let Some(dcs) = vector.expect["dcs"].as_array() else {
            continue;
        };
        let import = import(&vector);
        let mut expected = BTreeMap::new();
        for dc in dcs {
            for (family, is_ipv6) in [("ipv4", false), ("ipv6", true)] {
                let Some(addr) = dc[family].as_str() else {
                    continue;
                };
                // The older releases' own reader gives address and port apart.
                let addr = match dc["port"].as_u64() {
                    Some(port) if is_ipv6 => format!("[{addr}]:{port}"),
                    Some(port) => format!("{addr}:{port}"),
                    None => addr.to_owned(),
                };
                let key = dc["auth_key"].as_str().map(str::to_owned);
                expected.insert((number(&dc["id"]), is_ipv6), (addr, key));
            }
        }
        let found: BTreeMap<_, _> = import
            .session
            .dcs
            .iter()
            .map(|dc| {
                let key = dc.auth_key.as_ref().map(|key| hex(key));
                ((i64::from(dc.dc_id), dc.is_ipv6()), (dc.addr.clone(), key))
            })
            .collect();
        if vector.format == "grammers-sqlite-v1" {
            // What the library knows without the file is not in the file.
            expected.retain(|slot, (_, key)| key.is_some() || found.contains_key(slot));
        }
        assert_eq!(found, expected, "{}", vector.id);
        checked += 1;
    }
    assert_eq!(checked, 22);
}

#[test]
fn both_byte_orders_of_grammers_give_telegrams_addresses() {
    for name in ["grammers-0.7.0-s01.session", "grammers-0.8.0-s01.session"] {
        let import = read(&folder().join(name)).unwrap();
        let addr = import
            .session
            .dc_for(2, false)
            .unwrap()
            .socket_addr()
            .unwrap();
        assert_eq!(addr.to_string(), "149.154.167.51:443", "{name}");
    }
}

#[test]
fn what_was_read_saves_into_a_store() {
    let dir = tempfile::tempdir().unwrap();
    for vector in vectors() {
        let import = import(&vector);
        let backend = BinaryFileBackend::new(dir.path().join("my.session"));
        backend.save(&import.session).unwrap();
        backend.set_account(import.account).unwrap();
        assert_eq!(
            backend.load().unwrap().unwrap(),
            *import.session,
            "{}",
            vector.id
        );
        assert_eq!(backend.account().unwrap(), import.account);
        let debug = format!("{import:?}");
        let home = import.session.home_dc_id;
        let key = import
            .session
            .dc_for(home, false)
            .unwrap()
            .auth_key
            .unwrap();
        assert!(!debug.contains(&format!("{}, {}, {}", key[9], key[10], key[11])));
    }
}

#[test]
fn reading_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut copies = BTreeSet::new();
    for vector in vectors() {
        let copy = dir.path().join(vector.path.file_name().unwrap());
        copy_of(&vector.path, &copy);
        copies.insert(copy);
    }
    let before = snapshot(dir.path());
    for copy in &copies {
        read(copy).unwrap();
    }
    assert_eq!(snapshot(dir.path()), before);
}

#[test]
fn what_is_still_in_the_log_is_read_and_the_log_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pyrotgfork.session");
    copy_of(&folder().join("pyrotgfork-2.2.24.1-s01.session"), &path);
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer
        .execute_batch("PRAGMA wal_autocheckpoint = 0; UPDATE sessions SET user_id = 42;")
        .unwrap();
    let before = snapshot(dir.path());
    assert!(before.len() > 1, "there is a log");
    assert_eq!(read(&path).unwrap().account.user_id, Some(42));
    assert_eq!(snapshot(dir.path()), before);
    drop(writer);
}

fn cause(error: &io::Error) -> &ForeignError {
    let store: &StoreError = error.get_ref().unwrap().downcast_ref().unwrap();
    core::error::Error::source(store)
        .unwrap()
        .downcast_ref()
        .unwrap()
}

/// A copy of a database with one change.
fn changed(dir: &Path, name: &str, sql: &str) -> PathBuf {
    let path = dir.join("changed.session");
    fs::copy(folder().join(name), &path).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch("PRAGMA journal_mode = DELETE;")
        .unwrap();
    database.execute_batch(sql).unwrap();
    path
}

#[test]
fn a_user_that_mtcute_does_not_know_is_none() {
    let dir = tempfile::tempdir().unwrap();
    // Version 1, no flags, id 0.
    let sql = "UPDATE key_value SET value = x'01000000000000000000000000000000'
        WHERE key = 'current_user'";
    let account = read(&changed(dir.path(), "mtcute-0.29.7-s01.session", sql))
        .unwrap()
        .account;
    assert_eq!((account.user_id, account.is_bot), (None, None));
}

/// Whether it is the error that it should be.
type Check = fn(&ForeignError) -> bool;

#[test]
fn bad_databases_say_what_is_wrong_and_stay_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let telethon = "telethon-1.45.0-s01.session";
    let kurigram = "kurigram-2.2.26-s01.session";
    let cases: &[(&str, &str, Check)] = &[
        (telethon, "UPDATE sessions SET auth_key = x''", |e| {
            matches!(e, ForeignError::NotLoggedIn)
        }),
        (
            telethon,
            "UPDATE sessions SET auth_key = zeroblob(256)",
            |e| matches!(e, ForeignError::NotLoggedIn),
        ),
        (telethon, "UPDATE sessions SET auth_key = x'0102'", |e| {
            matches!(e, ForeignError::KeyLength(2))
        }),
        (
            telethon,
            "INSERT INTO sessions SELECT 4, server_address, port, auth_key, 0, x'' FROM sessions",
            |e| matches!(e, ForeignError::SeveralKeys(candidates) if candidates.len() == 2),
        ),
        (telethon, "DELETE FROM sessions", |e| {
            matches!(e, ForeignError::NotLoggedIn)
        }),
        (kurigram, "UPDATE sessions SET auth_key = NULL", |e| {
            matches!(e, ForeignError::NotLoggedIn)
        }),
        ("mtcute-0.29.7-s01.session", "DELETE FROM auth_keys", |e| {
            matches!(e, ForeignError::NotLoggedIn)
        }),
        (
            "grammers-0.11.0-s01.session",
            "UPDATE dc_option SET auth_key = NULL",
            |e| matches!(e, ForeignError::NotLoggedIn),
        ),
        (
            "grammers-0.11.0-s01.session",
            "INSERT INTO dc_option VALUES (4, '', '', randomblob(256)); DELETE FROM dc_home",
            |e| matches!(e, ForeignError::SeveralKeys(candidates) if candidates.len() > 1),
        ),
    ];
    for (name, sql, check) in cases {
        let path = changed(dir.path(), name, sql);
        let before = fs::read(&path).unwrap();
        let error = read(&path).unwrap_err();
        assert!(check(cause(&error)), "{sql}: {error}");
        assert!(error.to_string().contains("changed.session"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_missing_column_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let renamed = |name: &str, table: &str, column: &str| {
        let rename = format!("ALTER TABLE {table} RENAME COLUMN {column} TO gone");
        read(&changed(dir.path(), name, &rename))
    };
    for (name, table, column) in [
        ("telethon-1.45.0-s01.session", "sessions", "auth_key"),
        ("pyrogram-2.0.106-s01.session", "sessions", "auth_key"),
        ("mtcute-0.29.7-s01.session", "auth_keys", "key"),
        ("grammers-0.11.0-s01.session", "dc_option", "auth_key"),
    ] {
        let error = renamed(name, table, column).unwrap_err();
        let said = format!("damaged: its table {table} has no column {column}");
        assert!(error.to_string().ends_with(&said), "{name}: {error}");
    }
    // The login is whole without these.
    for (name, table, column) in [
        ("telethon-1.45.0-s01.session", "entities", "hash"),
        ("telethon-1.45.0-s01.session", "entities", "phone"),
        ("telethon-1.45.0-s01.session", "sessions", "server_address"),
        ("telethon-1.5.5-s01.session", "update_state", "pts"),
        ("pyrogram-2.0.106-s01.session", "sessions", "user_id"),
        ("pyrofork-2.3.69-s01.session", "peers", "access_hash"),
        ("pyrotgfork-2.2.24.1-s01.session", "sessions", "is_bot"),
        ("kurigram-2.2.26-s01.session", "sessions", "test_mode"),
        ("mtcute-0.29.7-s01.session", "peers", "hash"),
        ("grammers-0.11.0-s01.session", "peer_info", "subtype"),
    ] {
        let import = renamed(name, table, column).unwrap();
        assert_eq!(
            home_key(&import),
            home_key(&read(&folder().join(name)).unwrap())
        );
        let named =
            |left_out: &LeftOut| left_out.place == table && left_out.reason.contains(column);
        assert!(
            import.left_out.iter().any(named),
            "{name}: {:?}",
            import.left_out
        );
    }
}

/// The key of the home DC.
fn home_key(import: &Import) -> Vec<u8> {
    let session = &import.session;
    let dc = session.dc_for(session.home_dc_id, false).unwrap();
    dc.auth_key.unwrap().to_vec()
}

/// A key of zeros or of another length, and a table of one row with two, in every kind of database.
#[test]
fn every_database_says_what_is_wrong_with_its_login() {
    let dir = tempfile::tempdir().unwrap();
    for (name, table, column) in [
        ("telethon-1.45.0-s01.session", "sessions", "auth_key"),
        ("telethon-1.5.5-s01.session", "sessions", "auth_key"),
        ("pyrogram-2.0.106-s01.session", "sessions", "auth_key"),
        ("pyrofork-2.3.69-s01.session", "sessions", "auth_key"),
        ("pyrotgfork-2.2.24.1-s01.session", "sessions", "auth_key"),
        ("kurigram-2.2.26-s01.session", "sessions", "auth_key"),
        ("mtcute-0.29.7-s01.session", "auth_keys", "key"),
        ("grammers-0.11.0-s01.session", "dc_option", "auth_key"),
    ] {
        let with = |value: &str| {
            let sql = format!("UPDATE {table} SET {column} = {value} WHERE {column} IS NOT NULL");
            read(&changed(dir.path(), name, &sql)).unwrap_err()
        };
        let error = with("zeroblob(256)");
        assert!(
            matches!(cause(&error), ForeignError::NotLoggedIn),
            "{name}: {error}"
        );
        for len in [1, 255, 257] {
            // Not zeros, which would be no key at all.
            let error = with(&format!("CAST('k' || hex(zeroblob({len} / 2)) AS BLOB)"));
            let is_named = matches!(cause(&error), ForeignError::KeyLength(found) if *found < 259);
            assert!(is_named, "{name}: {error}");
        }
        if table == "sessions" {
            // `dc_id` is the key, so a second row has another one.
            let columns = "SELECT * FROM sessions LIMIT 1";
            let second = format!(
                "CREATE TABLE copy AS {columns}; UPDATE copy SET dc_id = 5;
                 INSERT INTO sessions SELECT * FROM copy; DROP TABLE copy;"
            );
            let error = read(&changed(dir.path(), name, &second)).unwrap_err();
            let is_named = matches!(cause(&error), ForeignError::SeveralKeys(_));
            assert!(is_named, "{name}: {error}");
        }
    }
}

#[test]
fn mtcutes_titles_and_salts_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let name = "mtcute-0.29.7-s01.session";
    let import = read(&folder().join(name)).unwrap();
    let title = |id: i64| {
        // The sample has a channel with the id of a user.
        let names = import.names.iter().rfind(|names| names.id == id);
        names.and_then(|names| names.title.as_deref())
    };
    assert_eq!(title(111_000_111), Some("Alice A"));
    assert_eq!(title(77_001), Some("Small group"));
    assert_eq!(title(1_500_000_001), Some("News"));
    assert_eq!(import.session.dcs[0].first_salt, 0);

    // A vector of future_salt: valid since 1, and in the year 2100.
    let salt = |since: i32, salt: i64| {
        let bytes = [
            &0x0949_D9DC_u32.to_le_bytes()[..],
            &since.to_le_bytes(),
            &(since + 1800).to_le_bytes(),
            &salt.to_le_bytes(),
        ];
        hex(&bytes.concat())
    };
    let later = i32::MAX - 1800;
    let value = format!("15c4b51c02000000{}{}", salt(1, -77), salt(later, 88));
    let put = |value: &str| format!("INSERT INTO key_value VALUES ('salts:2', x'{value}')");
    let import = read(&changed(dir.path(), name, &put(&value))).unwrap();
    assert_eq!(import.session.dcs[0].first_salt, -77);
    for damaged in ["15c4b51c", &value[..value.len() - 2], "00000000"] {
        let import = read(&changed(dir.path(), name, &put(damaged))).unwrap();
        assert_eq!(import.session.dcs[0].first_salt, 0);
        assert_eq!(import.left_out[0].reason, "salts:2 is damaged");
    }
}

#[test]
fn every_account_of_telegram_desktop_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = [(0, 777_000, 2), (2, 888_000, 4)];
    tdata::write(dir.path(), &accounts);
    for (number, (_, user_id, dc)) in [1, 2].into_iter().zip(accounts) {
        let import = read_account(dir.path(), number).unwrap();
        assert_eq!(import.accounts, 2);
        assert_eq!(import.account.user_id, Some(user_id));
        assert_eq!(import.session.home_dc_id, dc);
        let key = import.session.dc_for(dc, false).unwrap().auth_key;
        assert_eq!(key, Some(tdata::key(user_id)));
    }
    let error = read(dir.path()).unwrap_err();
    let ForeignError::SeveralKeys(candidates) = cause(&error) else {
        panic!("{error}");
    };
    assert_eq!(candidates[1].user_id, Some(888_000));
    for candidate in candidates {
        assert!(
            error.to_string().contains(&candidate.to_string()),
            "{error}"
        );
    }
    for number in [0, 3] {
        let error = read_account(dir.path(), number).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let said = format!("it holds 2 accounts: there is no account number {number}");
        assert!(error.to_string().ends_with(&said), "{error}");
    }
    let one = folder().join("tdata-s04");
    assert_eq!(read(&one).unwrap().accounts, 1);
    let error = read_account(&one, 2).unwrap_err().to_string();
    assert!(
        error.ends_with("it holds one account: there is no account number 2"),
        "{error}"
    );
    read_account(&folder().join("kurigram-2.2.26-s01.session"), 2).unwrap_err();
}

#[test]
fn a_database_of_two_libraries_is_reported_as_such() {
    let dir = tempfile::tempdir().unwrap();
    let path = changed(
        dir.path(),
        "telethon-1.45.0-s01.session",
        "CREATE TABLE mtcute_migrations (repo text, version integer);
         CREATE TABLE key_value (key text primary key, value blob not null);
         CREATE TABLE auth_keys (dc integer primary key, key blob not null);
         CREATE TABLE dc_home (dc_id INTEGER);
         CREATE TABLE dc_option (dc_id INTEGER, ipv4 TEXT, ipv6 TEXT, auth_key BLOB);
         CREATE TABLE peer_info (peer_id INTEGER, hash INTEGER, subtype INTEGER);
         INSERT INTO dc_home VALUES (2);
         INSERT INTO dc_option SELECT dc_id, '149.154.167.51:443', '', auth_key FROM sessions;",
    );
    let import = read(&path).unwrap();
    assert_eq!(import.format, FileFormat::TelethonSqlite);
    // mtcute's tables are there without a key: nobody lives in them, but they are named.
    assert_eq!(
        import.also,
        [FileFormat::MtcuteSqlite, FileFormat::GrammersSqlite]
    );
}

#[test]
fn damaged_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("damaged");
    for vector in vectors() {
        if vector.path.is_dir() {
            continue;
        }
        let whole = fs::read(&vector.path).unwrap();
        let is_database = whole.starts_with(b"SQLite");
        for len in [0, 1, 3, 4, 15, 16, 17, 90, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..len]).unwrap();
            let read = read(&path);
            // Half a file may still have the whole key; what is missing of the rest is named.
            let Ok(import) = read else {
                continue;
            };
            assert_eq!(
                home_key(&import),
                home_key(&self::import(&vector)),
                "{}",
                vector.id
            );
            assert!(
                is_database && len > 4096 || !import.left_out.is_empty(),
                "{} {len}",
                vector.id
            );
        }
    }
    for entry in ["key_datas", "D877F783D5D3EF8Cs"] {
        copy_of(&folder().join("tdata-s04"), &dir.path().join("tdata"));
        let file = dir.path().join("tdata").join(entry);
        let mut bytes = fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes).unwrap();
        let error = read(&dir.path().join("tdata")).unwrap_err();
        assert!(matches!(cause(&error), ForeignError::Damaged(_)), "{error}");
    }
}

#[test]
fn gotds_json_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.json");
    let key = "AQID".repeat(85) + "BA==";
    let json = |version: u8, key: &str| {
        format!(
            r#"{{"Version":{version},"Data":{{"Config":{{"TestMode":false,"ThisDC":4,"DCOptions":
            [{{"Flags":0,"ID":4,"IPAddress":"149.154.167.91","Port":443}}]}},"DC":4,
            "Addr":"149.154.167.91:443","AuthKey":"{key}","AuthKeyID":"AQIDBAUGBwg=","Salt":-5}}}}"#
        )
    };
    fs::write(&path, json(1, &key)).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.format, FileFormat::GotdJson);
    let dc = import.session.dc_for(4, false).unwrap();
    assert_eq!(
        (dc.addr.as_str(), dc.first_salt),
        ("149.154.167.91:443", -5)
    );
    assert_eq!(dc.auth_key.unwrap()[..4], [1, 2, 3, 1]);
    assert_eq!(import.account.test_mode, Some(false));

    fs::write(&path, json(2, &key)).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.session.home_dc_id, 4);
    assert!(import.notes[0].contains("version 2 is newer"));
    fs::write(&path, json(1, "AQID")).unwrap();
    assert!(matches!(
        cause(&read(&path).unwrap_err()),
        ForeignError::KeyLength(3)
    ));
    fs::write(&path, json(1, "!secret!")).unwrap();
    assert!(!read(&path).unwrap_err().to_string().contains("secret"));
    fs::write(&path, r#"{"Version":1,"Data":{"DC":2,"AuthKey":7}}"#).unwrap();
    assert!(
        read(&path)
            .unwrap_err()
            .to_string()
            .contains("JSON, line 1")
    );
}

#[test]
fn gramjs_entities_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    copy_of(&folder().join("gramjs-store-s01"), &store);
    let row = r#"["111000111","1234567890123456789","alice","15550001000","Alice A",1760000000]"#;
    fs::write(store.join("gramjs-store-s01%3A111000111"), row).unwrap();
    let import = read(&store).unwrap();
    let peer = import.session.peers().next().unwrap();
    assert_eq!(
        (peer.id, peer.access_hash),
        (111_000_111, 1_234_567_890_123_456_789)
    );
    assert_eq!(import.names[0].usernames, ["alice"]);
    assert_eq!(import.names[0].title.as_deref(), Some("Alice A"));
}

#[test]
fn a_string_in_a_file_is_read_too_and_other_things_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.txt");
    let telethon = read(&folder().join("telethon-1.45.0-s01.session")).unwrap();
    let login = mtsession::codec::clients::Login::from_source(&telethon.source()).unwrap();
    let mut text = Vec::new();
    let format = mtsession::codec::clients::StringFormat::Telethon;
    login
        .encode(format, TelethonIpv6::Replace, &mut text)
        .unwrap();
    text.push(b'\n');
    fs::write(&path, text).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.format, FileFormat::Text(format));
    assert_eq!(import.session.home_dc_id, 2);

    fs::write(&path, [0xFF; 64]).unwrap();
    assert!(matches!(
        cause(&read(&path).unwrap_err()),
        ForeignError::Unknown
    ));
    fs::write(&path, "hello, world").unwrap();
    assert!(matches!(
        cause(&read(&path).unwrap_err()),
        ForeignError::Text(_)
    ));
    fs::write(&path, telethon.session.to_bytes()).unwrap();
    assert!(matches!(
        cause(&read(&path).unwrap_err()),
        ForeignError::Own
    ));
    assert_eq!(
        read(&dir.path().join("none")).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert!(matches!(
        cause(&read(dir.path()).unwrap_err()),
        ForeignError::Unknown
    ));
}
