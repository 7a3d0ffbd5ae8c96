//! Session files with changes at their end, and copies of them.

use std::fs;

use mtsession::{BinaryFileBackend, SessionBackend as _, UpdateStateChange};

use super::{Place, ended, out};

/// A session file whose process was killed, so that its changes are still at its end.
fn with_tail(place: &Place) -> Vec<u8> {
    ended(&place.run(["convert", "a", "s"]), 0);
    let backend = BinaryFileBackend::new(place.path("s"));
    for qts in 1..=3 {
        let update = UpdateStateChange::Secondary { qts };
        backend.apply_update_state(update).unwrap();
    }
    core::mem::forget(backend);
    fs::read(place.path("s")).unwrap()
}

#[test]
fn a_copy_that_ends_after_the_snapshot_is_good_and_one_that_ends_inside_is_damaged() {
    let place = Place::new();
    let bytes = with_tail(&place);
    let said = ended(&place.run(["verify", "s"]), 0);
    assert!(said.contains("changes: 3"), "{said}");
    for (len, code) in [
        (bytes.len() - 1, 1),
        (4096 + 32, 0),
        (4096 + 9, 0),
        (4000, 0),
        (100, 4),
    ] {
        fs::write(place.path("s"), &bytes[..len]).unwrap();
        ended(&place.run(["verify", "s"]), code);
    }
}

#[test]
fn every_command_sees_the_changes_at_the_end() {
    let place = Place::new();
    let bytes = with_tail(&place);
    ended(&place.run(["convert", "s", "sqlite:d.db"]), 0);
    for store in ["s", "sqlite:d.db"] {
        let shown = out(&place.run(["inspect", store]));
        assert!(shown.contains("qts 3"), "{shown}");
    }
    assert!(
        fs::read(place.path("s")).unwrap() == bytes,
        "looked at, and changed"
    );
}

/// Damage in the snapshot is told from an older session without checksum by what follows it.
#[test]
fn what_is_left_of_a_damaged_file_is_recovered_with_its_changes() {
    let place = Place::new();
    let mut bytes = with_tail(&place);
    // Two bits, which no checksum can set right: in the token, after all keys.
    let snapshot = BinaryFileBackend::new(place.path("s")).status().unwrap();
    let end = usize::try_from(snapshot.unwrap().snapshot_len).unwrap();
    for at in [end - 50, end - 47] {
        bytes[at] ^= 1;
    }
    fs::write(place.path("s"), &bytes).unwrap();
    ended(&place.run(["verify", "s"]), 4);
    ended(&place.run(["recover", "s", "--out", "r"]), 0);
    let shown = out(&place.run(["inspect", "r"]));
    assert!(shown.contains("qts 3"), "{shown}");
}
