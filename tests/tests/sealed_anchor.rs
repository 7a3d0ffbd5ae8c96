//! Sealed session files with an anchor: an older generation is noticed, and the anchor is never ahead.

use std::fs;

use mtsession::seal::FileAnchor;
use mtsession::{Outcome, SessionBackend as _, StoreError, StoreErrorKind};
use mtsession_tests::random::sized;
use mtsession_tests::sealed::{keyed, session};
use mtsession_tests::session_files::{primary, store};
use mtsession_tests::stores::kind;

#[test]
fn an_older_generation_is_refused_where_there_is_an_anchor() {
    let (dir, path) = store();
    let options = || keyed(7).anchor(FileAnchor::new(dir.path().join("anchor")));
    let backend = options().connect(&path).unwrap();
    backend.save(&sized(1, 2, 2, 2)).unwrap();
    let mut generations = vec![fs::read(&path).unwrap()];
    for dc in 1..4 {
        backend.set_home_dc(dc).unwrap();
        generations.push(fs::read(&path).unwrap());
    }
    // What can be learnt again does not raise it.
    backend.apply_update_state(primary(1)).unwrap();
    let newest = fs::read(&path).unwrap();
    drop(backend);
    for old in &generations[..3] {
        fs::write(&path, old).unwrap();
        let backend = options().connect(&path).unwrap();
        for error in [
            backend.load().unwrap_err(),
            backend.save(&session()).unwrap_err(),
            backend.set_home_dc(9).unwrap_err(),
            backend.apply_update_state(primary(9)).unwrap_err(),
        ] {
            assert_eq!(kind(&error), StoreErrorKind::RolledBack, "{error}");
        }
        assert_eq!(&fs::read(&path).unwrap(), old);
    }
    fs::write(&path, &newest).unwrap();
    assert!(options().connect(&path).unwrap().load().unwrap().is_some());

    // Accepted, it becomes the newest with the next write; the anchor never goes back.
    fs::write(&path, &generations[1]).unwrap();
    let accepting = options().accept_rollback().connect(&path).unwrap();
    assert_eq!(accepting.load().unwrap().unwrap().home_dc_id, 1);
    accepting.set_home_dc(5).unwrap();
    drop(accepting);
    let loaded = options().connect(&path).unwrap().load().unwrap().unwrap();
    assert_eq!(loaded.home_dc_id, 5);
    fs::write(&path, &newest).unwrap();
    assert!(options().connect(&path).unwrap().load().is_err());
}

/// It cannot be written to: the store is written first, so that it is never ahead.
#[test]
fn an_anchor_that_cannot_be_advanced_is_told_and_set_right_by_the_next_opening() {
    let (dir, path) = store();
    let place = dir.path().join("away");
    let options = || keyed(7).anchor(FileAnchor::new(place.join("anchor")));
    let error = options()
        .connect(&path)
        .unwrap()
        .save(&session())
        .unwrap_err();
    let told = StoreError::of(&error).unwrap();
    assert_eq!(told.outcome(), Outcome::Stored, "{error}");
    assert!(error.to_string().contains("anchor"), "{error}");
    assert!(options().connect(&path).unwrap().load().is_err());
    fs::create_dir(&place).unwrap();
    assert_eq!(
        options().connect(&path).unwrap().load().unwrap(),
        Some(session())
    );
    let anchor = fs::read_to_string(place.join("anchor")).unwrap();
    assert!(anchor.ends_with(" 1\n"), "{anchor}");
}
