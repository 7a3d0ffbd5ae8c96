//! What is refused, and what the error says.

use std::fs;
use std::io;

use mtsession::clients::{FileFormat, ForeignError, Import, LeftOut, read};
use mtsession::codec::clients::TelethonIpv6;

use crate::files::copy_of;
use crate::{Check, cause, changed, folder, import, vectors};

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
