//! What others chose is shown without steering the terminal, and JSON loses nothing of it.

use super::{Place, vector};
use rusqlite::Connection;
use std::fs;

/// ESC, BEL, a carriage return, a backspace, a C1 control, a direction override, an invisible mark.
const EVIL: &str = "a\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31mred\u{202e}gnp.exe\u{9b}31m\rx\u{8}\u{2066}y\u{200f}z\u{7f}";

/// Runs a command and looks at what it prints.
#[track_caller]
fn quiet(place: &Place, args: &[&str], input: &[u8]) -> (Option<i32>, String) {
    let output = place.run_with(args, input);
    for stream in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(stream.clone()).unwrap();
        let bad = text.chars().find(|char| {
            char.is_control() && *char != '\n'
                || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        });
        assert_eq!(bad, None, "{args:?}: {text}");
    }
    (
        output.status.code(),
        String::from_utf8(output.stdout).unwrap(),
    )
}

fn change(path: &std::path::Path, sql: &str) {
    let database = Connection::open(path).unwrap();
    database
        .execute_batch("PRAGMA ignore_check_constraints = ON")
        .unwrap();
    database.execute(sql, [EVIL]).unwrap();
}

#[test]
fn names_and_addresses_in_databases_are_escaped() {
    let place = Place::new();
    quiet(&place, &["convert", "a", "sqlite:a.db"], b"");
    change(&place.path("a.db"), "UPDATE accounts SET name = ?1");
    quiet(&place, &["accounts", "a.db"], b"");
    let (code, json) = quiet(&place, &["accounts", "a.db", "--json"], b"");
    assert_eq!(code, Some(0));
    let names: Vec<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(names, [EVIL]);
    quiet(&place, &["inspect", "sqlite:a.db#other"], b"");
    change(
        &place.path("a.db"),
        "UPDATE accounts SET name = 'x' || substr(?1, 1, 0)",
    );
    change(
        &place.path("a.db"),
        "UPDATE dc SET addr = ?1 WHERE position = 1",
    );
    for command in ["inspect", "verify", "export"] {
        quiet(&place, &[command, "sqlite:a.db#x"], b"");
        quiet(&place, &[command, "libsql:a.db#x"], b"");
    }
    let other = place.path("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch(&format!("CREATE TABLE \"{EVIL}\" (x)"))
        .unwrap();
    for command in ["inspect", "verify", "accounts", "export"] {
        quiet(&place, &[command, "other.db"], b"");
        quiet(&place, &[command, "sqlite:other.db"], b"");
    }
}

#[test]
fn an_address_in_a_file_is_escaped_and_kept_in_json() {
    let place = Place::new();
    let mut bytes = fs::read(vector("binary/v7_fs064.session")).unwrap();
    let known = b"149.154.167.51:443";
    let at = bytes
        .windows(known.len())
        .position(|part| part == known)
        .unwrap();
    let evil = b"1.2\x1b[31m\x07\xe2\x80\xae.4:443";
    bytes[at..at + known.len()].copy_from_slice(&[b"0", &evil[..known.len() - 1]].concat());
    fs::write(place.path("evil"), &bytes).unwrap();
    for args in [
        &["inspect", "evil"][..],
        &["inspect", "evil", "--show-secrets"],
        &["verify", "evil"],
        &["verify", "evil", "--json"],
        &["convert", "evil", "copy"],
        &["upgrade", "evil", "--out", "up"],
        &["export", "evil", "--format", "telethon"],
    ] {
        quiet(&place, args, b"");
    }
    let (_, json) = quiet(&place, &["inspect", "evil", "--json"], b"");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let addresses: Vec<_> = value["dcs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dc| dc["addr"].as_str().unwrap())
        .collect();
    assert!(
        addresses
            .iter()
            .any(|address| address.contains("\u{1b}[31m\u{7}\u{202e}")),
        "{addresses:?}"
    );
}

#[test]
fn arguments_paths_and_strings_are_escaped() {
    let place = Place::new();
    let name = EVIL.replace('/', "");
    let missing = format!("{name}!");
    if cfg!(unix) {
        fs::copy(place.path("a"), place.path(&name)).unwrap();
    }
    let stores = [
        name.clone(),
        missing.clone(),
        format!("sqlite:{missing}#{name}"),
        format!("string:{missing}"),
        format!("{name}:x"),
        format!("sqlite:{name}#b.db"),
        format!("flash:x?{name}"),
        format!("env:{name}"),
        format!("libsql:http://{name}"),
        format!("telethon:{missing}/x"),
        format!("flash:{missing}"),
    ];
    for store in &stores {
        for command in [
            &["inspect", store][..],
            &["inspect", store, "--json"],
            &["verify", store],
            &["accounts", store],
            &["export", store],
            &["delete", store],
            &["backup", store, &missing],
            &["convert", store, "x"],
            &["convert", "nothing", store],
            &["inspect", "a", store],
        ] {
            quiet(&place, command, b"");
        }
    }
    for args in [
        &[name.as_str()][..],
        &["inspect", &format!("--{name}")],
        &["inspect", "a", "--account", &name],
        &["export", "a", "--format", &name],
        &["convert", "a", "b", "--user-id", &name],
        &["upgrade", "a", "--out", &format!("{missing}/x")],
    ] {
        let (code, _) = quiet(&place, args, b"");
        assert_ne!(code, Some(0), "{args:?}");
    }
    for text in [EVIL.as_bytes(), &[EVIL.as_bytes(), b"\xFF"].concat()] {
        quiet(&place, &["inspect", "string:-"], text);
        quiet(&place, &["import", "new"], text);
    }
}

/// Somebody who prints past `output.rs` prints what others chose.
#[test]
fn the_command_writes_in_one_place() {
    fn sources(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.file_name().is_some_and(|name| name != "output.rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    sources(
        &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin/mtsession"),
        &mut found,
    );
    assert!(found.len() > 10);
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        for forbidden in ["println!", "eprint", "io::stderr()", "{:#}\"", "value:#"] {
            assert!(!text.contains(forbidden), "{}: {forbidden}", path.display());
        }
        // A session string is written as it is, and so are scripts and pages of this program's own.
        let raw = text.matches("io::stdout()").count();
        let allowed = if path.ends_with("shell.rs") {
            2
        } else {
            usize::from(path.ends_with("store/write.rs"))
        };
        assert_eq!(raw, allowed, "{}", path.display());
    }
}
