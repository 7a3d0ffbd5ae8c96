//! Looking at a session: `inspect`, `verify`, and where strings come from.

use std::fs;

use crate::{assert_code, error, native, out, run, temp, vector};

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
