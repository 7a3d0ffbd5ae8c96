//! Who can read the files of a session.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{Place, ended, out, vector};

fn set_mode(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Any file of a session can have a key in it, whatever kind of store it belongs to.
#[test]
fn verify_looks_at_the_mode_of_every_file_of_every_kind_of_store() {
    let place = Place::new();
    for store in ["s", "sqlite:d.db", "string:t", "flash:f"] {
        ended(&place.run(["convert", "a", store]), 0);
    }
    // A session with a journal, a copy that was never finished, and copies of damaged ones.
    for (name, source) in [("s.damaged-1", "s"), ("s.damaged-17", "s")] {
        fs::copy(place.path(source), place.path(name)).unwrap();
    }
    fs::write(place.path("s.journal"), b"").unwrap();
    // Copies of a database of an older release, with gaps between their numbers.
    for name in ["d.db.pre-mtsession", "d.db.pre-mtsession-7"] {
        fs::copy(vector("sqlite/S6_fs066.db"), place.path(name)).unwrap();
    }
    for entry in fs::read_dir(place.path("")).unwrap() {
        fs::set_permissions(entry.unwrap().path(), Permissions::from_mode(0o600)).unwrap();
    }
    for (store, files) in [
        ("s", &["s", "s.journal", "s.damaged-1", "s.damaged-17"][..]),
        (
            "sqlite:d.db",
            &["d.db", "d.db.pre-mtsession", "d.db.pre-mtsession-7"],
        ),
        ("d.db", &["d.db.pre-mtsession-7"]),
        ("libsql:d.db", &["d.db", "d.db.pre-mtsession-7"]),
        ("string:t", &["t"]),
        ("flash:f", &["f"]),
    ] {
        let good = place.run(["verify", store]);
        ended(&good, 0);
        for name in files {
            set_mode(&place, name, 0o640);
            let loose = place.run(["verify", store]);
            ended(&loose, 1);
            let text = out(&loose);
            assert!(text.contains("0640: others may read the keys"), "{text}");
            set_mode(&place, name, 0o600);
        }
    }
}
