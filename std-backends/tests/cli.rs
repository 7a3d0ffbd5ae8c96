//! The `mtsession` command, run as a shell would.

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/ferogram")
        .join(name)
}

/// Runs the command with `input` on its standard input.
fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mtsession"))
        .args(args)
        .env("MTSESSION_TEST_STRING", native())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn error(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn assert_code(output: &Output, code: i32) {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        out(output),
        error(output)
    );
}

fn native() -> String {
    fs::read_to_string(vector("string/native_v8_fs066.txt")).unwrap()
}

fn temp() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new.session").to_str().unwrap().to_owned();
    (dir, path)
}

#[test]
fn an_old_file_is_upgraded_and_proved_equal() {
    let (_dir, new) = temp();
    let old = vector("binary/v1_lc022_home2.session");
    let before = fs::read(&old).unwrap();
    let output = run(&["upgrade", old.to_str().unwrap(), "--out", &new], "");
    assert_code(&output, 0);
    let text = out(&output);
    assert!(text.contains("version 1, 697 bytes, no checksum"), "{text}");
    assert!(
        text.contains("version 8, 746 bytes, checksum holds"),
        "{text}"
    );
    assert_eq!(text.matches(" equal").count(), 4, "{text}");
    assert_eq!(fs::read(&old).unwrap(), before);
    assert_code(&run(&["verify", &new], ""), 0);

    // Again is fine; over another session is not.
    assert_code(
        &run(&["upgrade", old.to_str().unwrap(), "--out", &new], ""),
        0,
    );
    let other = vector("binary/v8_fs066.session");
    let refused = run(&["upgrade", other.to_str().unwrap(), "--out", &new], "");
    assert_code(&refused, 2);
    assert!(
        error(&refused).contains("holds another session"),
        "{}",
        error(&refused)
    );
}

#[test]
fn inspect_shows_content_but_no_secret() {
    let path = vector("binary/v8_fs066.session");
    let path = path.to_str().unwrap();
    let shown = out(&run(&["inspect", path], ""));
    for part in [
        "149.154.167.51:443",
        "pts 4211",
        "8 bytes [redacted]",
        "99292174",
        "1 user, 3 channels, 1 chat, 1 community",
    ] {
        assert!(shown.contains(part), "{part} is missing:\n{shown}");
    }
    let json = run(&["inspect", path, "--json"], "");
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["home_dc_id"], 2);
    assert_eq!(value["peers"]["communities"], 1);
    assert_eq!(value["dcs"][1]["auth_key_fingerprint"], "99292174");
    let secret = "a1b2c3d4e5f60718";
    assert!(!out(&json).contains(secret) && !shown.contains(secret));
    for args in [
        &["inspect", path, "--show-secrets"][..],
        &["inspect", path, "--show-secrets", "--json"],
    ] {
        assert!(out(&run(args, "")).contains(secret));
    }
}

#[test]
fn strings_come_from_stdin_files_and_the_environment() {
    let path = vector("string/native_v8_fs066.txt");
    let from_file = format!("string:{}", path.display());
    for (store, input) in [
        ("string:-", native()),
        (from_file.as_str(), String::new()),
        ("env:MTSESSION_TEST_STRING", String::new()),
    ] {
        let output = run(&["inspect", store], &input);
        assert_code(&output, 0);
        assert!(
            out(&output).contains("native string, version 8"),
            "{}",
            out(&output)
        );
    }
}

#[test]
fn a_session_goes_through_every_store_and_back() {
    let (dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let text = dir.path().join("session.txt");
    let text = format!("string:{}", text.display());
    assert_code(&run(&["convert", &file, &text], ""), 0);
    let exported = run(&["export", &file], "");
    assert_code(&exported, 0);
    let again = run(&["inspect", "string:-", "--json"], &out(&exported));
    let first = run(&["inspect", &file, "--json"], "");
    let strip = |output: &Output| {
        let mut value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        value.as_object_mut().unwrap().remove("format");
        value.as_object_mut().unwrap().remove("store");
        value
    };
    assert_eq!(strip(&again), strip(&first));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(dir.path().join("session.txt"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_compact_string_needs_a_user_id_and_keeps_it() {
    let (_dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let refused = run(&["export", &file, "--format", "compact"], "");
    assert_code(&refused, 2);
    assert!(error(&refused).contains("--user-id"), "{}", error(&refused));
    let compact = run(
        &[
            "export",
            &file,
            "--format",
            "compact",
            "--user-id",
            "777000",
        ],
        "",
    );
    assert_code(&compact, 0);
    assert_eq!(out(&compact).trim().len(), 364);
    let shown = run(&["inspect", "string:-"], &out(&compact));
    assert!(out(&shown).contains("user id 777000"), "{}", out(&shown));
}

#[test]
fn nothing_is_replaced_or_deleted_without_being_asked_to() {
    let (_dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let before = fs::read(&file).unwrap();
    let refused = run(&["import", &file], &native());
    assert_code(&refused, 2);
    assert!(error(&refused).contains("--force"));
    assert_code(&run(&["delete", &file], ""), 2);
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_code(&run(&["import", &file, "--force"], &native()), 0);
    assert_code(&run(&["delete", &file, "--yes"], ""), 0);
    assert!(!Path::new(&file).exists());
    assert_code(&run(&["delete", &file, "--yes"], ""), 3);
}

/// What was written in place could be lost half-way, and stayed readable by others.
#[cfg(unix)]
#[test]
fn a_string_or_image_is_replaced_whole_and_private() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let (dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    for kind in ["string", "flash"] {
        let path = dir.path().join(kind);
        let (link, old) = (dir.path().join("link"), dir.path().join("old"));
        fs::write(&path, "precious").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        fs::hard_link(&path, &old).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let store = format!("{kind}:{}", link.display());
        assert_code(&run(&["convert", &file, &store, "--force"], ""), 0);
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&old).unwrap(), b"precious", "the old file itself");
        fs::remove_file(&link).unwrap();
        fs::remove_file(&old).unwrap();
    }
    // The session, the string and the image.
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);

    let socket = dir.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let store = format!("string:{}", socket.display());
    assert_code(&run(&["convert", &file, &store, "--force"], ""), 2);
    assert!(!fs::metadata(&socket).unwrap().is_file());
}

#[test]
fn the_source_is_known_under_another_name() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (old, again) = (at("old.session"), at("./././old.session"));
    fs::copy(vector("binary/v1_lc022_home2.session"), &old).unwrap();
    let before = fs::read(&old).unwrap();
    assert_code(&run(&["upgrade", &again, "--out", &old], ""), 2);
    assert_code(&run(&["convert", &again, &old, "--force"], ""), 2);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&old, at("link")).unwrap();
        assert_code(&run(&["upgrade", &at("link"), "--out", &old], ""), 2);
    }
    assert_eq!(fs::read(&old).unwrap(), before);
}

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
fn verify_reports_what_is_wrong() {
    let (_dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let good = run(&["verify", &file], "");
    assert_code(&good, 0);
    assert!(!out(&good).contains("problem"), "{}", out(&good));

    // A torn record.
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(&[9, 9, 9]);
    fs::write(&file, &bytes).unwrap();
    let torn = run(&["verify", &file, "--json"], "");
    assert_code(&torn, 1);
    assert!(
        out(&torn).contains("3 trailing bytes belong to none"),
        "{}",
        out(&torn)
    );

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let loose = run(&["verify", &file], "");
        assert_code(&loose, 1);
        assert!(out(&loose).contains("chmod 600"), "{}", out(&loose));
    }

    // One flipped bit.
    let mut bytes = fs::read(&file).unwrap();
    bytes[100] ^= 1;
    fs::write(&file, bytes).unwrap();
    let damaged = run(&["verify", &file], "");
    assert_code(&damaged, 4);
    assert!(
        error(&damaged).contains("checksum does not match"),
        "{}",
        error(&damaged)
    );
}

#[test]
fn a_flash_image_is_made_and_read() {
    let (dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let image = dir.path().join("flash.bin");
    let store = format!("flash:{}?write=4&erase=4096&size=32768", image.display());
    assert_code(&run(&["convert", &file, &store], ""), 0);
    assert_eq!(fs::metadata(&image).unwrap().len(), 32_768);
    assert!(out(&run(&["inspect", &store], "")).contains("pts 4211"));
    assert_code(&run(&["verify", &store], ""), 0);
    let wrong = format!("flash:{}?write=4&erase=2048", image.display());
    assert_code(&run(&["inspect", &wrong], ""), 4);
    assert_code(&run(&["inspect", "flash:x?write=four"], ""), 2);
}

#[test]
fn other_libraries_are_read_and_written() {
    let (dir, _) = temp();
    let telethon = vector("../clients/telethon-1.45.0-s01.session");
    let telethon = telethon.to_str().unwrap();
    let before = fs::read(telethon).unwrap();
    assert!(out(&run(&["inspect", telethon], "")).contains("Telethon database, version 8"));
    let target = format!("pyrogram:{}", dir.path().join("p.session").display());

    // Without the user id Pyrogram would throw the login away.
    let refused = run(&["convert", telethon, &target], "");
    assert_code(&refused, 2);
    for option in ["--user-id", "--bot", "--test"] {
        assert!(error(&refused).contains(option), "{}", error(&refused));
    }
    let known = [
        "--user-id",
        "777",
        "--user",
        "--api-id",
        "12",
        "--production",
    ];
    let args: Vec<_> = ["convert", telethon, &target]
        .into_iter()
        .chain(known)
        .collect();
    let done = run(&args, "");
    assert_code(&done, 0);
    assert!(
        out(&done).contains("no place for it: update counters"),
        "{}",
        out(&done)
    );
    assert!(
        out(&done).contains("9ed6e6ef on both sides"),
        "{}",
        out(&done)
    );

    let text = run(&["export", telethon, "--format", "telethon"], "");
    assert_eq!(out(&text).trim().len(), 353);
    let again = run(&["inspect", "string:-"], &out(&text));
    assert!(out(&again).contains("a Telethon string"), "{}", out(&again));
    assert_eq!(fs::read(telethon).unwrap(), before);
}

#[test]
fn accounts_move_between_databases_and_back_to_the_old_crate() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let source = vector("binary/v8_fs066.session")
        .to_str()
        .unwrap()
        .to_owned();
    let database = at("accounts.db");
    let (alice, bob) = (
        format!("sqlite:{database}#alice"),
        format!("sqlite:{database}"),
    );
    for store in [&alice, &bob] {
        assert_code(&run(&["convert", &source, store], ""), 0);
        assert_code(&run(&["convert", &source, store], ""), 2);
        assert_code(&run(&["verify", store], ""), 0);
    }
    let names = run(&["accounts", &bob], "");
    assert_eq!(out(&names), "alice\ndefault\n");
    let names = run(&["accounts", &database, "--json"], "");
    assert_eq!(out(&names), "[\n  \"alice\",\n  \"default\"\n]\n");
    assert_eq!(
        out(&run(&["inspect", &database], "")).lines().count(),
        out(&run(&["inspect", &bob], "")).lines().count()
    );

    let copy = at("copy.db");
    assert_code(&run(&["backup", &bob, &copy], ""), 0);
    assert_code(&run(&["backup", &bob, &copy], ""), 2);
    let libsql = format!("libsql:{copy}#alice");
    assert_code(&run(&["inspect", &libsql], ""), 0);

    let old = format!("ferogram:{}", at("old.db"));
    assert_code(&run(&["convert", &alice, &old], ""), 0);
    assert_code(&run(&["inspect", &old], ""), 0);

    assert_code(&run(&["delete", &alice, "--yes"], ""), 0);
    assert_code(&run(&["delete", &alice, "--yes"], ""), 3);
    assert_eq!(out(&run(&["accounts", &bob], "")), "default\n");
    assert_code(&run(&["inspect", &alice], ""), 3);
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

fn client_vector(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients");
    path.join(name).to_str().unwrap().to_owned()
}

#[test]
fn names_of_peers_go_along_or_are_reported() {
    let telethon = client_vector("telethon-1.45.0-s01.session");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let names_of = |store: &str| {
        let output = run(&["inspect", store], "");
        assert_code(&output, 0);
        let text = out(&output);
        let line = text.lines().find(|line| line.contains("their names"));
        line.unwrap().replace("their names", "").trim().to_owned()
    };
    let expected = names_of(&telethon);
    assert!(
        expected.contains(" usernames, ") && expected.contains("1 phone and "),
        "{expected}"
    );

    // Stores with room keep all of them, also one after the other, and back to Telethon.
    let stores = [
        path("ours.session"),
        format!("sqlite:{}#alice", path("ours.db")),
        format!("libsql:{}", path("libsql.db")),
        format!("string:{}", path("string.txt")),
        format!("telethon:{}", path("back.session")),
    ];
    let mut from = telethon.clone();
    for store in &stores {
        let output = run(&["convert", &from, store], "");
        assert_code(&output, 0);
        assert!(!out(&output).contains("Not kept"), "{}", out(&output));
        store.trim_start_matches("telethon:").clone_into(&mut from);
        assert_eq!(names_of(&from), expected);
    }

    // The others say what they leave out.
    let flash = format!("flash:{}", path("image.bin"));
    let output = run(&["convert", &telethon, &flash], "");
    assert_code(&output, 0);
    let said = format!("Not kept by a flash image: {expected}.");
    assert!(out(&output).contains(&said), "{}", out(&output));
    assert_eq!(names_of(&flash), "none");
    let grammers = format!("grammers:{}", path("grammers.session"));
    let who = ["--user-id", "5", "--user"];
    let output = run(&[&["convert", &telethon, &grammers], &who[..]].concat(), "");
    assert_code(&output, 0);
    let said = format!("Not kept by a grammers database: {expected}.");
    assert!(out(&output).contains(&said), "{}", out(&output));

    // A string on standard output: the report does not go between its lines.
    for (args, is_ours) in [
        (&["convert", &telethon, "telethon:-"][..], false),
        (&["convert", &telethon, "string:-"], true),
        (&["export", &telethon, "--format", "gramjs"], false),
    ] {
        let output = run(args, "");
        assert_code(&output, 0);
        assert_eq!(out(&output).lines().count(), 1);
        let said = error(&output);
        assert_eq!(
            said.contains("Not kept by a string session: "),
            !is_ours,
            "{said}"
        );
    }
}

#[test]
fn what_a_string_leaves_out_is_said() {
    let mtcute = client_vector("mtcute-0.29.7-s01.session");
    let output = run(&["export", &mtcute, "--format", "telethon"], "");
    assert_code(&output, 0);
    let said = "Left out, because the target has no place for it: auth keys of other DCs, user id";
    assert!(error(&output).contains(said), "{}", error(&output));
}

#[test]
fn accounts_of_telegram_desktop_go_by_their_numbers() {
    let tdata = client_vector("tdata-s04");
    let output = run(&["inspect", &tdata, "--account", "1"], "");
    assert_code(&output, 0);
    let output = run(&["inspect", &tdata, "--account", "2"], "");
    assert_code(&output, 2);
    assert!(
        error(&output).contains("there is no account number 2"),
        "{}",
        error(&output)
    );
    let output = run(&["inspect", "sqlite:x.db", "--account", "2"], "");
    assert_code(&output, 2);
}

#[test]
fn the_session_of_another_library_is_no_store_of_ours() {
    for (name, found) in [
        (
            "telethon-1.45.0-s01.session",
            "a Telethon database, version 8",
        ),
        (
            "kurigram-2.2.26-s01.session",
            "a kurigram database, version 7",
        ),
        (
            "grammers-0.8.0-s01.session",
            "a session file of grammers 0.1 to 0.8",
        ),
    ] {
        let path = client_vector(name);
        let before = fs::read(&path).unwrap();
        for kind in ["sqlite", "libsql", "flash", "string"] {
            let output = run(&["inspect", &format!("{kind}:{path}")], "");
            assert_code(&output, 4);
            assert!(error(&output).contains(found), "{kind}: {}", error(&output));
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn what_is_replaced_leaves_nothing_of_its_account_behind() {
    let kurigram = client_vector("kurigram-2.2.26-s01.session");
    let telethon = client_vector("telethon-1.45.0-s01.session");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    for store in [path("a.session"), format!("sqlite:{}#a", path("a.db"))] {
        assert_code(&run(&["convert", &kurigram, &store], ""), 0);
        let before = out(&run(&["inspect", &store], ""));
        assert!(before.contains("user id "), "{before}");
        let output = run(&["convert", &telethon, &store, "--force"], "");
        assert_code(&output, 0);
        let after = out(&run(&["inspect", &store], ""));
        assert!(!after.contains("user id "), "{after}");
    }
}
