//! Sealed sessions on the command line: keys are files or typed, never arguments.

use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output};

use super::{Place, ended, error, out};

/// What the files of the vector's session hold in plain: its first DC's address.
const PLAIN: &[u8] = b"149.154.167.51";

pub(super) fn with_keys(names: &[&str]) -> Place {
    let place = Place::new();
    for name in names {
        ended(&place.run(["keygen", name]), 0);
    }
    place
}

/// A place with the key `k`, in which `a` is sealed.
fn sealed() -> Place {
    let place = with_keys(&["k", "other"]);
    ended(&place.run(["seal", "a", "--key-file", "k"]), 0);
    assert!(is_sealed(&place, "a"));
    place
}

pub(super) fn is_sealed(place: &Place, name: &str) -> bool {
    let bytes = fs::read(place.path(name)).unwrap();
    let is_sealed = bytes.starts_with(b"MTSE\xFF");
    let is_plain = bytes.windows(PLAIN.len()).any(|found| found == PLAIN);
    assert_ne!(is_sealed, is_plain, "{name}");
    is_sealed
}

/// Everything about a session but where it is and as what.
fn content(output: &Output) -> serde_json::Value {
    ended(output, 0);
    let mut value: serde_json::Value = serde_json::from_str(&out(output)).unwrap();
    let object = value.as_object_mut().unwrap();
    object.remove("store");
    object.remove("format");
    value
}

fn inspect(place: &Place, name: &str, keys: &[&str]) -> serde_json::Value {
    let arguments = ["inspect", "--json", "--show-secrets", name];
    content(&place.run(arguments.iter().chain(keys)))
}

/// A command that must change nothing where it has no key, or a wrong one.
#[track_caller]
fn refused_without_its_key(arguments: &[&str]) {
    let place = sealed();
    let before = files(&place);
    for (keys, words) in [
        (&[][..], "--key-file FILE or --passphrase"),
        (&["--key-file", "other"], "no slot opens"),
    ] {
        let output = place.run(arguments.iter().chain(keys));
        let said = error(&output);
        // 3 is "no session there", which a sealed one never is.
        let code = output.status.code().unwrap();
        assert!(code == 1 || code == 2 || code == 5, "{code}: {said}");
        let names_it = said.contains("sealed") && said.contains(words);
        assert!(names_it || said.contains("a key is needed"), "{said}");
        assert_eq!(files(&place), before, "{arguments:?}");
    }
}

fn files(place: &Place) -> Vec<(String, Vec<u8>)> {
    let names = place.names().into_iter();
    names
        .map(|name| (name.clone(), fs::read(place.path(&name)).unwrap()))
        .collect()
}

#[test]
fn a_key_is_made_once_and_never_overwritten_or_shown() {
    let place = with_keys(&["k"]);
    let key = fs::read_to_string(place.path("k")).unwrap();
    assert!(key.starts_with("mtskey1:"));
    let said = ended(&place.run(["keygen", "k"]), 5);
    assert!(!said.contains(key.trim()), "{said}");
    assert_eq!(fs::read_to_string(place.path("k")).unwrap(), key);
    for arguments in [
        ["seal", "a", "--key-file", "k"],
        ["inspect", "a", "--key-file", "k"],
        ["unseal", "a", "--key-file", "k"],
    ] {
        let said = ended(&place.run(arguments), 0);
        assert!(!said.contains(key.trim()), "{said}");
    }
}

#[test]
fn a_session_is_sealed_looked_at_with_its_key_and_unsealed() {
    let place = with_keys(&["k"]);
    let plain = inspect(&place, "a", &[]);
    ended(&place.run(["seal", "a", "--key-file", "k"]), 0);
    assert!(is_sealed(&place, "a"));

    let key = &["--key-file", "k"];
    assert_eq!(inspect(&place, "a", key), plain);
    let said = ended(&place.run(["inspect", "a", "--key-file", "k"]), 0);
    assert!(said.contains("sealed, generation 1"), "{said}");
    assert_eq!(inspect(&place, "a?key_file=k", &[]), plain);
    let listed = ended(&place.run(["list", ".", "--key-file", "k"]), 0);
    assert!(listed.contains("sealed session"), "{listed}");
    assert_eq!(
        ended(&place.run(["accounts", "a", "--key-file", "k"]), 0),
        "default\n"
    );

    ended(&place.run(["unseal", "a", "--key-file", "k"]), 0);
    assert!(!is_sealed(&place, "a"));
    assert_eq!(inspect(&place, "a", &[]), plain);
    let said = ended(&place.run(["inspect", "a", "--key-file", "k"]), 2);
    assert!(said.contains("not sealed although a key"), "{said}");
    ended(&place.run(["unseal", "a", "--key-file", "k"]), 2);
}

#[test]
fn the_environment_names_a_key_file_for_all_commands_and_plain_stores_are_read_as_they_are() {
    let place = with_keys(&["k"]);
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mtsession"));
        command.args(arguments.iter().map(OsStr::new));
        command.env("MTSESSION_KEY_FILE", "k");
        command.current_dir(place.path("")).output().unwrap()
    };
    ended(&run(&["inspect", "a"]), 0);
    ended(&run(&["convert", "a", "b"]), 0);
    assert!(is_sealed(&place, "b"));
    ended(&run(&["verify", "b"]), 0);
    ended(&run(&["seal", "a"]), 0);
    assert!(is_sealed(&place, "a"));
    ended(&place.run(["keygen", "other"]), 0);
    // What the command line names is what counts.
    ended(&run(&["inspect", "a", "--key-file", "other"]), 5);
    fs::remove_file(place.path("k")).unwrap();
    let said = ended(&run(&["inspect", "a"]), 2);
    assert!(said.contains("key file k"), "{said}");
    ended(&run(&["man"]), 0);
}

#[test]
fn no_command_does_anything_to_a_sealed_session_without_its_key() {
    for arguments in [
        &["inspect", "a"][..],
        &["list", "a"],
        &["accounts", "a"],
        &["convert", "a", "b"],
        &["convert", "a", "b", "--plain"],
        &["convert", "--move", "a", "b", "--plain"],
        &["convert", "--all", ".", "dir:d", "--plain"],
        &["export", "a", "--plain"],
        &["prune", "a", "--users", "0"],
        &["backup", "a", "b"],
        &["recover", "a", "--out", "b", "--plain"],
        &["upgrade", "a", "--out", "b", "--plain"],
        &["unseal", "a"],
        &["reseal", "a", "--new-key-file", "other"],
    ] {
        refused_without_its_key(arguments);
    }
}

#[test]
fn a_sealed_session_is_not_replaced_without_its_key() {
    let place = sealed();
    let string = out(&place.run(["export", "a", "--key-file", "k", "--plain"]));
    fs::copy(super::vector("binary/v7_fs064.session"), place.path("c")).unwrap();
    let before = files(&place);
    for keys in [&["--plain"][..], &["--key-file", "other"]] {
        let import = ["import", "a", "--force"].iter().chain(keys);
        let said = ended(&place.run_with(import, string.as_bytes()), 5);
        assert!(said.contains("sealed"), "{said}");
        let convert = ["convert", "c", "a", "--force"].iter().chain(keys);
        let said = ended(&place.run(convert), 5);
        assert!(said.contains("sealed"), "{said}");
    }
    assert_eq!(files(&place), before);
    let import = ["import", "a", "--force", "--key-file", "k"];
    ended(&place.run_with(import, string.as_bytes()), 0);
    assert!(is_sealed(&place, "a"));
}

#[test]
fn verify_says_what_it_has_checked_with_the_key_and_without() {
    let place = sealed();
    let said = ended(&place.run(["verify", "a", "--key-file", "k"]), 0);
    assert!(said.contains("it opens with the key"), "{said}");
    let said = ended(&place.run(["verify", "a"]), 0);
    assert!(said.contains("note     seal: no key was given"), "{said}");
    assert!(said.contains("checksum: holds"), "{said}");
    let said = ended(&place.run(["verify", "a", "--key-file", "other"]), 5);
    assert!(said.contains("no slot opens"), "{said}");

    let mut bytes = fs::read(place.path("a")).unwrap();
    // In the box with the session.
    bytes[700] ^= 1;
    fs::write(place.path("a"), bytes).unwrap();
    for keys in [&[][..], &["--key-file", "k"]] {
        let output = place.run(["verify", "a"].iter().chain(keys));
        assert!(!output.status.success(), "{}", out(&output));
    }
}

#[test]
fn a_passphrase_is_read_and_not_shown_and_reseal_lets_only_the_new_keys_in() {
    let place = with_keys(&["k"]);
    let with = |arguments: &[&str], typed: &[u8]| place.run_with(arguments, typed);
    let typed = b"correct horse\n";
    let said = ended(&with(&["seal", "a", "--passphrase"], typed), 0);
    assert!(!said.contains("horse"), "{said}");
    let said = ended(&with(&["inspect", "a", "--passphrase"], typed), 0);
    assert!(!said.contains("horse"), "{said}");
    let wrong = with(&["inspect", "a", "--passphrase"], b"battery staple\n");
    let said = ended(&wrong, 5);
    assert!(
        said.contains("no slot opens") && !said.contains("staple"),
        "{said}"
    );
    ended(&with(&["inspect", "a", "--passphrase"], b""), 2);

    ended(&with(&["reseal", "a", "--passphrase"], typed), 2);
    let reseal = ["reseal", "a", "--passphrase", "--new-key-file", "k"];
    ended(&with(&reseal, typed), 0);
    ended(&with(&["inspect", "a", "--passphrase"], typed), 5);
    ended(&place.run(["inspect", "a", "--key-file", "k"]), 0);
    let reseal = ["reseal", "a", "--key-file", "k", "--new-passphrase"];
    ended(&with(&reseal, typed), 0);
    ended(&with(&["inspect", "a", "--passphrase"], typed), 0);
    ended(&place.run(["inspect", "a", "--key-file", "k"]), 5);
}

#[test]
fn what_is_made_of_a_sealed_session_is_sealed_unless_it_is_said() {
    let place = sealed();
    let key = ["--key-file", "k"];
    let known = inspect(&place, "a", &key);
    for (command, made) in [
        (&["convert", "a", "b"][..], "b"),
        (&["upgrade", "a", "--out", "c"], "c"),
        (&["recover", "a", "--out", "d"], "d"),
        (&["backup", "a", "e"], "e"),
    ] {
        ended(&place.run(command.iter().chain(&key)), 0);
        assert!(is_sealed(&place, made));
        assert_eq!(inspect(&place, made, &key), known, "{command:?}");
    }
    for arguments in [
        &["export", "a"][..],
        &["convert", "a", "string:-"],
        &["convert", "a", "sqlite:c.db"],
        &["convert", "a", "x.db"],
    ] {
        let said = ended(&place.run(arguments.iter().chain(&key)), 2);
        assert!(said.contains("--plain"), "{said}");
        let plain = arguments.iter().chain(&key).chain(&["--plain"]);
        ended(&place.run(plain), 0);
    }
    let said = place.run(["backup", "a", "sqlite.db", "--key-file", "k"]);
    assert!(!said.status.success(), "{}", out(&said));
    let arguments = ["convert", "a", "f", "--key-file", "k", "--plain"];
    ended(&place.run(arguments), 0);
    assert!(!is_sealed(&place, "f"));
    ended(&place.run(["seal", "f", "--keyring"]), 2);
    ended(&place.run(["seal", "f"]), 2);
    ended(&place.run(["seal", "a", "--key-file", "k"]), 2);
}

#[test]
fn a_key_is_never_given_in_vain() {
    let place = with_keys(&["k"]);
    fs::copy(place.path("a"), place.path("b")).unwrap();
    let before = files(&place);
    for arguments in [
        &["convert", "a", "sqlite:x.db"][..],
        &["convert", "a", "string:x"],
        &["convert", "a", "b", "--force"],
        &["upgrade", "a", "--out", "b"],
    ] {
        let said = ended(&place.run(arguments.iter().chain(&["--key-file", "k"])), 2);
        assert!(said.contains("would be plain"), "{said}");
    }
    for arguments in [
        &["export", "a"][..],
        &["accounts", "a"],
        &["backup", "a", "c"],
        &["verify", "a"],
    ] {
        let said = ended(&place.run(arguments.iter().chain(&["--key-file", "k"])), 2);
        assert!(said.contains("not sealed although a key"), "{said}");
    }
    assert_eq!(files(&place), before);
    let said = ended(&place.run(["inspect", "a", "--key-file", "a"]), 2);
    assert!(said.contains("not a key file"), "{said}");
}

#[test]
fn a_backup_opens_with_every_key_of_the_store_and_is_restored_into_a_sealed_one() {
    let place = with_keys(&["k", "spare"]);
    let seal = ["seal", "a", "--key-file", "k", "--key-file", "spare"];
    ended(&place.run(seal), 0);
    let known = inspect(&place, "a", &["--key-file", "k"]);
    ended(&place.run(["backup", "a", "b", "--key-file", "k"]), 0);
    assert_eq!(inspect(&place, "b", &["--key-file", "spare"]), known);
    ended(&place.run(["backup", "a", "b", "--key-file", "k"]), 2);

    let prune = ["prune", "a", "--users", "0", "--key-file", "k"];
    ended(&place.run(prune), 0);
    ended(&place.run(["restore", "b", "a"]), 5);
    ended(&place.run(["restore", "b", "a", "--key-file", "k"]), 0);
    assert!(is_sealed(&place, "a"));
    assert_eq!(inspect(&place, "a", &["--key-file", "k"]), known);

    // A plain copy does not pass for one of a sealed store.
    fs::copy(super::vector("binary/v8_fs066.session"), place.path("c")).unwrap();
    let before = files(&place);
    let said = ended(&place.run(["restore", "c", "a", "--key-file", "k"]), 4);
    assert!(said.contains("not sealed"), "{said}");
    assert_eq!(files(&place), before);
}

#[test]
fn a_login_that_is_moved_stays_sealed_on_both_sides() {
    let place = sealed();
    let known = inspect(&place, "a", &["--key-file", "k"]);
    let refused = ["convert", "--move", "a", "sqlite:x.db", "--key-file", "k"];
    ended(&place.run(refused), 2);
    assert_eq!(inspect(&place, "a", &["--key-file", "k"]), known);
    let moved = ["convert", "--move", "a", "b", "--key-file", "k"];
    ended(&place.run(moved), 0);
    assert!(fs::read(place.path("a")).unwrap().starts_with(b"MTSE\xFF"));
    assert!(is_sealed(&place, "b"));
    assert_eq!(inspect(&place, "b", &["--key-file", "k"]), known);
}

#[test]
fn what_of_a_damaged_sealed_session_opens_is_recovered() {
    let place = sealed();
    let key = ["--key-file", "k"];
    let known = inspect(&place, "a", &key);
    let mut bytes = fs::read(place.path("a")).unwrap();
    let end = bytes.len();
    bytes.extend_from_slice(&[9; 40]);
    fs::write(place.path("a"), &bytes).unwrap();
    let recover = ["recover", "a", "--out", "b"];
    let said = ended(&place.run(recover.iter().chain(&key)), 0);
    assert!(said.contains("40 bytes"), "{said}");
    assert_eq!(inspect(&place, "b", &key), known);

    bytes.truncate(end);
    bytes[end / 4] ^= 1;
    fs::write(place.path("a"), &bytes).unwrap();
    let recover = ["recover", "a", "--out", "c"];
    let output = place.run(recover.iter().chain(&key));
    assert!(!output.status.success());
    assert!(!place.path("c").exists());
}
