//! Looking at a store makes nothing.

use std::fs;

use mtsession::{DcEntry, DcFlags, PersistedSession};

use super::{Place, ended, out};

#[test]
fn a_store_that_does_not_exist_is_not_created_by_looking_at_it() {
    let place = Place::new();
    for name in [
        "none",
        "none.db",
        "none.session",
        "sqlite:none.db",
        "sqlite:none.db#bob",
        "libsql:none.db",
        "libsql:file:none.db",
        "flash:none.bin",
        "string:none.txt",
        "ferogram:none.db",
        "telethon:none",
        "gramjs:none",
        "none/",
        "none/deeper",
        "sqlite:none/deeper.db",
        "flash:none.bin?size=4096",
    ] {
        for command in [
            &["inspect", name][..],
            &["inspect", name, "--json"],
            &["verify", name],
            &["accounts", name],
            &["export", name],
            &["delete", name, "--yes"],
            &["backup", name, "copy.db"],
            &["upgrade", name, "--out", "up"],
            &["convert", name, "to"],
        ] {
            let output = place.run(command);
            assert_ne!(output.status.code(), Some(0), "{command:?}");
            assert_ne!(output.status.code(), Some(101), "{command:?}");
            assert_eq!(
                place.names(),
                ["a"],
                "{command:?}: {}",
                ended(&output, output.status.code().unwrap())
            );
        }
    }
}

#[test]
fn a_home_without_an_address_is_shown_as_one() {
    let place = Place::new();
    let mut dc = DcEntry::from_parts(7, "1.2.3.4", 443, DcFlags::NONE);
    dc.addr = String::new();
    dc.auth_key = Some([7; 256]);
    let session = PersistedSession {
        home_dc_id: 7,
        dcs: vec![dc],
        ..Default::default()
    };
    fs::write(place.path("b"), session.to_bytes()).unwrap();
    let shown = place.run(["inspect", "b"]);
    ended(&shown, 0);
    let text = out(&shown);
    assert!(text.contains("7 without an address, key known"), "{text}");
}
