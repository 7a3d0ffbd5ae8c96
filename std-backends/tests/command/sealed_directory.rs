//! Sealing a directory of sessions, which may be interrupted between two of them.

use std::fs;

use super::ended;
use super::sealed::{is_sealed, with_keys};

#[test]
fn a_directory_is_sealed_listed_resealed_and_unsealed_file_by_file() {
    let place = with_keys(&["k", "new"]);
    fs::create_dir(place.path("d")).unwrap();
    for name in ["d/alice.session", "d/bob.session"] {
        fs::copy(place.path("a"), place.path(name)).unwrap();
    }
    // One of them was sealed before a run that was interrupted.
    ended(
        &place.run(["seal", "d/alice.session", "--key-file", "k"]),
        0,
    );
    ended(&place.run(["seal", "dir:d", "--key-file", "k"]), 0);
    assert!(is_sealed(&place, "d/bob.session"));
    let key = ["--key-file", "k"];
    let accounts = ended(&place.run(["accounts", "dir:d"].iter().chain(&key)), 0);
    assert_eq!(accounts, "alice\nbob\n");
    let listed = ended(&place.run(["list", "dir:d"].iter().chain(&key)), 0);
    assert!(listed.contains("2 sessions"), "{listed}");
    ended(&place.run(["verify", "dir:d"].iter().chain(&key)), 0);
    ended(&place.run(["list", "dir:d"]), 1);
    ended(
        &place.run(["convert", "--all", "dir:d", "dir:e"].iter().chain(&key)),
        0,
    );
    assert!(is_sealed(&place, "e/bob.session"));

    // As after a run that was interrupted: of the two, one has the new key.
    let reseal = ["reseal", "d/alice.session", "--new-key-file", "new"];
    ended(&place.run(reseal.iter().chain(&key)), 0);
    let reseal = ["reseal", "dir:d", "--new-key-file", "new"];
    let said = ended(&place.run(reseal.iter().chain(&key)), 5);
    assert!(said.contains("no slot opens"), "{said}");
    let both = ["--key-file", "k", "--key-file", "new"];
    ended(&place.run(reseal.iter().chain(&both)), 0);
    ended(&place.run(["list", "dir:d", "--key-file", "new"]), 0);
    ended(&place.run(["unseal", "dir:d", "--key-file", "new"]), 0);
    assert!(!is_sealed(&place, "d/alice.session") && !is_sealed(&place, "d/bob.session"));
}
