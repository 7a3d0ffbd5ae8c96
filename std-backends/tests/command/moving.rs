//! Logins that are moved from one store to another.

use std::fs;

use mtsession::codec::LoginState;
use mtsession::{BinaryFileBackend, SessionBackend as _, SessionBackendExt as _};

use super::{Place, ended, out};

const TARGETS: [&str; 3] = ["b.session", "sqlite:b.db#bob", "dir:many#bob"];

/// The session file `s`, with a login.
fn source(place: &Place) -> BinaryFileBackend {
    ended(&place.run(["convert", "a", "s"]), 0);
    BinaryFileBackend::new(place.path("s"))
}

fn fingerprint(place: &Place, store: &str) -> Option<String> {
    let json = out(&place.run(["list", "--json", store]));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let key = &json["sessions"][0]["auth_key_fingerprint"];
    key.as_str().map(str::to_owned)
}

#[test]
fn a_login_that_was_moved_is_in_one_place() {
    for to in TARGETS {
        let place = Place::new();
        let from = source(&place);
        let key = fingerprint(&place, "s");
        assert!(key.is_some());
        let said = ended(&place.run(["convert", "--move", "s", to]), 0);
        assert!(said.contains("has no login any more"), "{said}");
        assert!(!said.contains("on both sides"), "{said}");
        assert_eq!(fingerprint(&place, to), key, "{to}");
        assert!(
            from.load()
                .unwrap()
                .unwrap()
                .dcs
                .iter()
                .all(|dc| dc.auth_key.is_none())
        );
        let state = from.head().unwrap().unwrap().login_state.clone();
        assert!(matches!(state.as_state(), LoginState::Moved { to: at, .. } if at == to));
        for command in ["inspect", "list", "verify"] {
            let shown = ended(&place.run([command, "s"]), 0);
            assert!(shown.contains("moved"), "{command}: {shown}");
        }
        // The bytes of the key are gone.
        let before = fs::read(place.path("a")).unwrap();
        let bytes = fs::read(place.path("s")).unwrap();
        let key = before
            .windows(256)
            .find(|key| key.iter().filter(|byte| **byte != 0).count() > 200);
        let key = key.unwrap();
        assert!(!bytes.windows(256).any(|at| at == key));
        let said = ended(&place.run(["convert", "--move", "s", to]), 2);
        assert!(said.contains("moved to"), "{said}");
        ended(&place.run(["convert", "--move", "--undo", "s", to]), 2);
    }
}

#[test]
fn a_move_that_was_interrupted_is_ended_by_the_same_command() {
    for to in TARGETS {
        // Before the target was written, and after it.
        for is_written in [false, true] {
            let place = Place::new();
            let from = source(&place);
            let key = fingerprint(&place, "s");
            if is_written {
                ended(&place.run(["convert", "s", to]), 0);
            }
            from.set_login_state(LoginState::Moving { at: 1, to })
                .unwrap();
            let said = ended(&place.run(["convert", "--move", "s", "elsewhere"]), 2);
            assert!(said.contains("being moved to"), "{said}");
            assert!(!place.path("elsewhere").exists());
            ended(&place.run(["convert", "--move", "s", to]), 0);
            assert_eq!(fingerprint(&place, to), key, "{to}");
            assert_eq!(fingerprint(&place, "s"), None);
            let shown = out(&place.run(["inspect", to]));
            assert!(shown.contains("in use, as far as is known"), "{shown}");
        }
    }
}

#[test]
fn a_move_is_undone_as_long_as_the_target_has_nothing_of_it() {
    let place = Place::new();
    let from = source(&place);
    let to = "b.session";
    ended(&place.run(["convert", "--move", "--undo", "s", to]), 2);
    from.set_login_state(LoginState::Moving { at: 1, to })
        .unwrap();
    ended(&place.run(["convert", "--move", "--undo", "s", to]), 0);
    assert!(
        from.head()
            .unwrap()
            .unwrap()
            .login_state
            .as_state()
            .is_active()
    );

    ended(&place.run(["convert", "s", to]), 0);
    from.set_login_state(LoginState::Moving { at: 1, to })
        .unwrap();
    let said = ended(&place.run(["convert", "--move", "--undo", "s", to]), 2);
    assert!(said.contains("has the login already"), "{said}");
}

#[test]
fn what_cannot_be_retired_or_read_back_is_not_moved() {
    let place = Place::new();
    source(&place);
    let string = out(&place.run(["export", "s"]));
    fs::write(place.path("string"), string).unwrap();
    for (from, to) in [("string:string", "b"), ("s", "string:-"), ("nothing", "b")] {
        let output = place.run(["convert", "--move", from, to]);
        assert_ne!(output.status.code(), Some(0), "{from} {to}");
        assert!(!place.path("b").exists() && !place.path("nothing").exists());
    }
    // Another login is there.
    ended(&place.run(["convert", "a", "b"]), 0);
    let other = BinaryFileBackend::new(place.path("b"));
    let mut session = other.load().unwrap().unwrap();
    for dc in &mut session.dcs {
        dc.auth_key = dc.auth_key.map(|_| [7; 256]);
    }
    other.save(&session).unwrap();
    ended(&place.run(["convert", "--move", "s", "b"]), 2);
    assert_eq!(other.load().unwrap().unwrap(), session);
    assert!(fingerprint(&place, "s").is_some());
    let shown = out(&place.run(["inspect", "s"]));
    assert!(shown.contains("in use, as far as is known"), "{shown}");
}
