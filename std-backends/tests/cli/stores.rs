//! From one of our stores to another.

use std::fs;
use std::process::Output;

use mtsession::codec::SessionSource as _;
use mtsession::{BinaryFileBackend, Change, LoginState, SessionBackend as _};

use crate::{assert_code, error, native, out, run, temp, vector};

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
fn a_flash_image_keeps_that_a_login_was_ended() {
    let (dir, file) = temp();
    assert_code(&run(&["import", &file], &native()), 0);
    let ended = LoginState::Revoked {
        at: 1_750_000_000,
        error: "AUTH_KEY_UNREGISTERED",
    };
    let backend = BinaryFileBackend::new(&file);
    backend.apply(&[Change::LoginState(ended)]).unwrap();
    let image = format!("flash:{}", dir.path().join("flash.bin").display());
    assert_code(&run(&["convert", &file, &image], ""), 0);
    let back = dir.path().join("back.session");
    assert_code(&run(&["convert", &image, back.to_str().unwrap()], ""), 0);
    let found = BinaryFileBackend::new(&back).read().unwrap();
    assert_eq!(found.unwrap().login_state(), ended);
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
    // From any store into any other, and back.
    let (directory, again) = (format!("dir:{}", at("copies")), at("again.db"));
    assert_code(&run(&["backup", &bob, &directory], ""), 0);
    assert_code(&run(&["restore", &directory, &again], ""), 0);
    let names = run(&["accounts", &again], "");
    assert_eq!(out(&names), "alice\ndefault\n");
    assert_code(&run(&["backup", &bob, "string:-"], ""), 2);
    assert_code(&run(&["restore", &at("nothing.db"), &again], ""), 3);
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
