//! The command with sessions of other libraries that are not as they should be.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const TELETHON: &str = "telethon-1.45.0-s01.session";

/// A copy of a real database, with changes.
fn changed(name: &str, sql: &str) -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("theirs.session");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients");
    fs::copy(vectors.join(name), &path).unwrap();
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute_batch(sql).unwrap();
    let text = path.to_str().unwrap().to_owned();
    (dir, text)
}

fn run(args: &[&str]) -> Output {
    let command = env!("CARGO_BIN_EXE_mtsession");
    Command::new(command).args(args).output().unwrap()
}

fn done(args: &[&str]) -> String {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", refused(args));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(args: &[&str]) -> String {
    String::from_utf8(run(args).stderr).unwrap()
}

#[test]
fn what_is_left_out_is_said_by_every_command_that_reads() {
    let sql = "UPDATE version SET version = 9; INSERT INTO entities (id, hash) VALUES (0, 1);
        UPDATE sessions SET server_address = '149.154.167.91'";
    let (dir, path) = changed(TELETHON, sql);
    let said = [
        "entities, row ",
        "id is one that no peer has",
        "version 9 is newer",
        "that of DC 4",
    ];
    let own = dir.path().join("own.session");
    let own = own.to_str().unwrap();
    for args in [
        &["inspect", &path][..],
        &["verify", &path],
        &["convert", &path, own],
    ] {
        // `verify` also minds the mode of the file.
        let text = String::from_utf8(run(args).stdout).unwrap();
        for words in said {
            assert!(text.contains(words), "{args:?}: {text}");
        }
    }
    let exported = run(&["export", &path]);
    let text = String::from_utf8(exported.stderr).unwrap();
    assert!(said.iter().all(|words| text.contains(words)), "{text}");

    let json: Value = serde_json::from_str(&done(&["inspect", &path, "--json"])).unwrap();
    assert_eq!(json["left_out"][0]["place"], "entities");
    assert_eq!(json["left_out"][0]["count"], 1);
    assert!(json["left_out"][0]["row"].is_number());
    let notes = json["notes"].as_array().unwrap();
    assert_eq!(notes.len(), 2);
    // What is ours goes on to be warned about, and lacks nothing.
    let json: Value = serde_json::from_str(&done(&["inspect", own, "--json"])).unwrap();
    assert_eq!(json["left_out"], Value::Array(Vec::new()));
    assert!(json["notes"][0].as_str().unwrap().contains("DC 4"));
    assert!(done(&["verify", own]).contains("that of DC 4"));
}

#[test]
fn of_two_logins_one_is_taken_by_its_number() {
    let sql = "INSERT INTO sessions (dc_id, server_address, port, auth_key)
        VALUES (4, '149.154.167.91', 443, randomblob(256))";
    let (_dir, path) = changed(TELETHON, sql);
    for command in ["inspect", "verify", "export"] {
        let error = refused(&[command, &path]);
        assert!(
            error.contains("1 is key") && error.contains("2 is key"),
            "{error}"
        );
        assert!(error.contains("--account"), "{error}");
    }
    assert!(done(&["inspect", &path, "--account", "2"]).contains("4 at 149.154.167.91:443"));
    assert!(done(&["inspect", &path, "--account", "1"]).contains("another login, with key"));
}

/// By whatever name it is called.
#[test]
fn a_foreign_database_is_neither_replaced_nor_removed() {
    let (dir, path) = changed(TELETHON, "PRAGMA journal_mode = DELETE");
    let before = fs::read(&path).unwrap();
    let other = dir.path().join("other.session");
    let other = other.to_str().unwrap();
    done(&["convert", &path, other]);
    for prefix in ["", "file:", "sqlite:", "libsql:", "string:", "flash:"] {
        let store = format!("{prefix}{path}");
        for args in [
            &["delete", &store, "--yes"][..],
            &["convert", other, &store, "--force"],
        ] {
            let output = run(args);
            assert!(!output.status.success(), "{args:?}");
            assert_eq!(fs::read(&path).unwrap(), before, "{args:?}");
        }
    }
    let lying: Vec<PathBuf> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        lying
            .iter()
            .all(|path| !path.to_str().unwrap().ends_with("-wal")),
        "{lying:?}"
    );
}
