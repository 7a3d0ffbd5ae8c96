//! Sealed sessions on the command line: keys are files or typed, never arguments.

use std::fs;

use super::{Place, ended, error, out};

fn with_key(place: &Place) {
    ended(&place.run(["keygen", "k"]), 0);
}

fn is_sealed(place: &Place, name: &str) -> bool {
    fs::read(place.path(name)).unwrap().starts_with(b"MTSE\xFF")
}

#[test]
fn a_key_is_made_once_and_never_overwritten() {
    let place = Place::new();
    with_key(&place);
    let key = fs::read(place.path("k")).unwrap();
    assert!(key.starts_with(b"mtskey1:"));
    let again = place.run(["keygen", "k"]);
    let text = String::from_utf8(key.clone()).unwrap();
    assert!(!again.status.success() && !error(&again).contains(text.trim()));
    assert_eq!(fs::read(place.path("k")).unwrap(), key);
}

#[test]
fn a_session_is_sealed_looked_at_with_its_key_and_unsealed() {
    let place = Place::new();
    with_key(&place);
    let plain = out(&place.run(["inspect", "--json", "a"]));
    ended(&place.run(["seal", "a", "--key-file", "k"]), 0);
    assert!(is_sealed(&place, "a"));

    let said = error(&place.run(["inspect", "a"]));
    assert!(said.contains("sealed") && said.contains("key file"), "{said}");
    ended(&place.run(["keygen", "other"]), 0);
    let wrong = place.run(["inspect", "a", "--key-file", "other"]);
    assert!(error(&wrong).contains("no slot opens"), "{}", error(&wrong));

    ended(&place.run(["inspect", "a", "--key-file", "k"]), 0);
    let said = ended(&place.run(["verify", "a", "--key-file", "k"]), 0);
    assert!(said.contains("seal:"), "{said}");
    ended(&place.run(["list", ".", "--key-file", "k"]), 0);
    ended(&place.run(["accounts", "a", "--key-file", "k"]), 0);

    ended(&place.run(["unseal", "a", "--key-file", "k"]), 0);
    assert!(!is_sealed(&place, "a"));
    let again = out(&place.run(["inspect", "--json", "a"]));
    let counters = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        value["peers"].clone()
    };
    assert_eq!(counters(&again), counters(&plain));
}

#[test]
fn a_passphrase_is_read_and_not_shown_and_reseal_lets_only_the_new_keys_in() {
    let place = Place::new();
    with_key(&place);
    let sealed = place.run_with(["seal", "a", "--passphrase"], b"correct horse\n");
    ended(&sealed, 0);
    let looked = place.run_with(["inspect", "a", "--passphrase"], b"correct horse\n");
    assert!(!ended(&looked, 0).contains("horse"));
    let wrong = place.run_with(["inspect", "a", "--passphrase"], b"battery staple\n");
    assert!(!wrong.status.success() && !error(&wrong).contains("staple"));

    let none = place.run_with(["reseal", "a", "--passphrase"], b"correct horse\n");
    ended(&none, 2);
    let arguments = ["reseal", "a", "--passphrase", "--new-key-file", "k"];
    ended(&place.run_with(arguments, b"correct horse\n"), 0);
    let old = place.run_with(["inspect", "a", "--passphrase"], b"correct horse\n");
    assert!(!old.status.success());
    ended(&place.run(["inspect", "a", "--key-file", "k"]), 0);
}

#[test]
fn what_is_made_of_a_sealed_session_is_sealed_unless_it_is_said() {
    let place = Place::new();
    with_key(&place);
    ended(&place.run(["seal", "a", "--key-file", "k"]), 0);
    ended(&place.run(["convert", "a", "b", "--key-file", "k"]), 0);
    assert!(is_sealed(&place, "b"));
    for arguments in [
        vec!["export", "a", "--key-file", "k"],
        vec!["convert", "a", "string:-", "--key-file", "k"],
        vec!["convert", "a", "sqlite:c.db", "--key-file", "k"],
    ] {
        let said = ended(&place.run(&arguments), 2);
        assert!(said.contains("--plain"), "{said}");
        let plain = [&arguments[..], &["--plain"]].concat();
        ended(&place.run(plain), 0);
    }
    ended(&place.run(["convert", "a", "d", "--key-file", "k", "--plain"]), 0);
    assert!(!is_sealed(&place, "d"));
    ended(&place.run(["seal", "d", "--keyring"]), 2);
    ended(&place.run(["seal", "d"]), 2);
}
