//! Sessions that a program owns, and what is not done to them.

use std::fs;
use std::sync::Arc;

use mtsession::{Owner, SessionBackend, StoreError, StoreErrorKind, connect};
use serde_json::Value;

use super::{Place, ended, out};

/// The stores that have owners, each with a login.
fn stores(place: &Place) -> Vec<&'static str> {
    ended(&place.run(["convert", "a", "s.session"]), 0);
    ended(&place.run(["convert", "a", "dir:many#bob"]), 0);
    vec!["s.session", "dir:many#bob"]
}

fn backend(place: &Place, store: &str) -> Arc<dyn SessionBackend> {
    let inside = |name: &str| place.path(name).display().to_string();
    match store.split_once(':') {
        Some((scheme, name)) => connect(format!("{scheme}:{}", inside(name))).unwrap(),
        None => connect(place.path(store)).unwrap(),
    }
}

#[test]
fn an_owned_session_is_copied_and_removed_only_when_that_is_said() {
    let place = Place::new();
    for store in stores(&place) {
        let owner = backend(&place, store);
        let _ownership = owner.own(Owner::current().named("bot")).unwrap();
        let (exports, converts) = (["export", store], ["convert", store, "copy.session"]);
        let deletes = ["delete", "--yes", store];
        for args in [&exports[..], &converts, &deletes] {
            let said = ended(&place.run(args), 2);
            assert!(said.contains("in use by bot (process "), "{said}");
            assert!(said.contains("--in-use"), "{said}");
        }
        assert!(!place.path("copy.session").exists());
        owner.set_home_dc(2).unwrap();

        for args in [&exports[..], &converts] {
            ended(&place.run(args.iter().chain(&["--in-use"])), 0);
        }
        fs::remove_file(place.path("copy.session")).unwrap();
        owner.set_home_dc(2).unwrap();
        // Nobody overwrites it.
        for args in [
            &["convert", "--force", "a", store][..],
            &["convert", "--move", store, "b"],
        ] {
            let said = ended(&place.run(args), 5);
            assert!(said.contains("bot (process "), "{said}");
        }

        ended(&place.run(deletes.iter().chain(&["--in-use"])), 0);
        let error = owner.set_home_dc(2).unwrap_err();
        let kind = StoreError::of(&error).unwrap().kind();
        assert_eq!(kind, StoreErrorKind::NotOwner, "{error}");
        assert!(backend(&place, store).load().unwrap().is_none());
    }
}

#[test]
fn the_owner_of_a_session_is_shown() {
    let place = Place::new();
    for store in stores(&place) {
        let shown = out(&place.run(["inspect", store]));
        assert!(shown.contains("nobody"), "{shown}");
        let owner = backend(&place, store);
        let _ownership = owner.own(Owner::current().named("b\u{1b}ot")).unwrap();
        let told = format!("b ot (process {} on ", std::process::id());
        for command in ["inspect", "list", "verify"] {
            let shown = ended(&place.run([command, store]), 0);
            assert!(shown.contains(&told), "{command} {store}: {shown}");
        }
        let json = out(&place.run(["inspect", "--json", store]));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["owner"]["pid"], std::process::id());
        assert_eq!(json["state"], "active");
        let json = out(&place.run(["list", "--json", store]));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["sessions"][0]["owner"]["program"], "b ot");
    }
}
