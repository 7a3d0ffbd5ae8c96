//! What the command refuses, how it says so, and how it ends.

use std::fs;
use std::process::Command;

use crate::{assert_code, error, native, out, run, temp, vector};

#[test]
fn what_is_refused_is_named_and_explained() {
    let (dir, file) = temp();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    assert_code(&run(&["import", &file], &native()), 0);
    let database = at("accounts.db");
    let alice = format!("sqlite:{database}#alice");
    assert_code(&run(&["convert", &file, &alice], ""), 0);
    let telethon = format!("telethon:{}", at("t.session"));
    assert_code(&run(&["convert", &file, &telethon], ""), 0);
    let ferogram = format!("ferogram:{}", at("f.db"));
    assert_code(&run(&["convert", &file, &ferogram], ""), 0);
    let below = at("accounts.db/x");

    let nobody = vector("binary/v8_fs066_default.session");
    let nobody = nobody.to_str().unwrap();

    let refused: [(&[&str], i32, &str); 14] = [
        (
            &["export", nobody, "--format", "telethon"],
            2,
            "cannot write a Telethon string: ",
        ),
        (&["inspect", ""], 2, "an empty name"),
        (&["convert", &file, &below], 5, &below),
        (&["inspect", &database], 3, "`mtsession accounts` lists"),
        (
            &["inspect", &alice.replace("alice", "bob")],
            3,
            "mtsession accounts",
        ),
        (
            &["accounts", &format!("libsql:{}", at("none"))],
            3,
            "no session",
        ),
        (
            &["inspect", &file, "--account", "2"],
            2,
            "no numbered accounts",
        ),
        (&["inspect", &at("none"), "--account", "2"], 3, "no session"),
        (&["convert", &file, &telethon], 2, "move it away"),
        (&["convert", &file, &telethon, "--force"], 2, "move it away"),
        (&["convert", &file, &ferogram, "--force"], 2, "move it away"),
        (&["backup", &database, &file], 2, "exists already"),
        (&["convert", &file, &at("new"), "--user-id", "0"], 2, "1..="),
        (&["convert", &file, &at("new"), "--api-id", "0"], 2, "1.."),
    ];
    for (args, code, part) in refused {
        let output = run(args, "");
        assert_code(&output, code);
        let text = error(&output);
        assert!(text.contains(part), "{args:?}: {text}");
    }
    assert!(!dir.path().join("none").exists());
}

/// A pipe can be read only once, and from its start: not what a store is.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_no_store() {
    for command in ["inspect", "verify"] {
        let output = run(&[command, "/dev/null"], "");
        assert_code(&output, 2);
        let text = error(&output);
        assert!(text.contains("string:/dev/null"), "{command}: {text}");
    }
}

/// As in front of `| head`.
#[test]
fn a_reader_that_left_is_no_panic() {
    let (dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let copy = dir.path().join("copy").to_str().unwrap().to_owned();
    for args in [
        &["convert", &file, &copy][..],
        &["upgrade", &file, "--out", &copy],
        &["inspect", &file],
        &["verify", &file],
        &["delete", &copy, "--yes"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_mtsession"))
            .args(args)
            .stdout(writer)
            .output()
            .unwrap();
        assert!(!error(&output).contains("panicked"), "{}", error(&output));
    }
}

#[test]
fn exit_codes_are_the_documented_ones() {
    let (dir, file) = temp();
    assert_code(&run(&["inspect", &file], ""), 3);
    assert_code(&run(&["inspect"], ""), 2);
    assert_code(&run(&["inspect", "sqlite:"], ""), 2);
    assert_code(&run(&["inspect", "sqlite:/no/such/x.db"], ""), 3);
    assert_code(&run(&["inspect", "string:-"], "not a session"), 4);
    fs::write(&file, "hello, world\n").unwrap();
    assert_code(&run(&["inspect", &file], ""), 4);
    let text = error(&run(&["inspect", &file], ""));
    assert!(text.contains("input is text, not a session"), "{text}");
    assert_code(&run(&["inspect", dir.path().to_str().unwrap()], ""), 5);
}

#[test]
fn a_secret_in_a_url_is_refused_and_not_repeated() {
    let output = run(
        &["inspect", "libsql://user:hush@db.turso.io?authToken=hush"],
        "",
    );
    assert_code(&output, 2);
    assert!(!error(&output).contains("hush") && !out(&output).contains("hush"));
}
