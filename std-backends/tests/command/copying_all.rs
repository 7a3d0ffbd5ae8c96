//! `convert --all`: every session of a place into one store of many accounts.

use std::fs;

use serde_json::Value;

use super::listing::full;
use super::{Place, ended, error, out};

/// What became of the sessions, as JSON.
fn copied(place: &Place, args: &[&str], code: i32) -> Value {
    let output = place.run([&["convert", "--all", "--json"], args].concat());
    ended(&output, code);
    serde_json::from_str(&out(&output)).unwrap()
}

fn accounts(place: &Place, store: &str) -> Vec<String> {
    let listed = place.run(["accounts", store]);
    ended(&listed, 0);
    out(&listed).lines().map(str::to_owned).collect()
}

/// Facts that `list` gives of an account.
fn row(place: &Place, store: &str) -> Value {
    let listed = place.run(["list", "--json", store]);
    ended(&listed, 0);
    let listed: Value = serde_json::from_str(&out(&listed)).unwrap();
    listed["sessions"][0].clone()
}

#[test]
fn a_folder_becomes_a_database_and_what_fails_keeps_nobody_else_out() {
    let place = full();
    let report = copied(&place, &["all", "sqlite:new.db"], 1);
    assert_eq!(report["copied"], 6, "{report}");
    assert_eq!(
        (&report["already_there"], &report["other_files"]),
        (&0.into(), &2.into())
    );
    assert_eq!(report["failed"].as_array().unwrap().len(), 1);
    assert_eq!(report["failed"][0]["store"], "all/damaged.session");
    assert_eq!(
        accounts(&place, "sqlite:new.db"),
        ["a", "alice", "bob#2", "grammers", "tdata-s04", "telethon"]
    );
    for (account, from) in [("grammers", "all/bots/grammers.session"), ("a", "a")] {
        let (mut made, mut from) = (
            row(&place, &format!("sqlite:new.db#{account}")),
            row(&place, from),
        );
        for row in [&mut made, &mut from] {
            let row = row.as_object_mut().unwrap();
            row.remove("store");
            row.remove("format");
        }
        assert_eq!(made, from);
    }

    // The same again goes on where it stopped, and writes nothing.
    let before = fs::read(place.path("new.db")).unwrap();
    let report = copied(&place, &["all", "sqlite:new.db"], 1);
    assert_eq!(
        (&report["copied"], &report["already_there"]),
        (&0.into(), &6.into())
    );
    assert_eq!(fs::read(place.path("new.db")).unwrap(), before);
    ended(&place.run(["delete", "--yes", "sqlite:new.db#grammers"]), 0);
    let report = copied(&place, &["all", "sqlite:new.db"], 1);
    assert_eq!(
        (&report["copied"], &report["already_there"]),
        (&1.into(), &5.into())
    );
}

#[test]
fn a_person_is_told_how_many_and_which_not() {
    let place = full();
    let output = place.run(["convert", "--all", "all", "dir:files"]);
    ended(&output, 1);
    assert_eq!(
        out(&output),
        "6 sessions copied to dir:files and read back equal; 0 already there, 1 failed, 2 other files \
         passed over\nUse only one copy of each: two clients with one key end each other's login.\n"
    );
    let failed = error(&output);
    assert!(
        failed.contains("all/damaged.session: ") && failed.contains("1 session not copied"),
        "{failed}"
    );
    // And from there into a database: the names stay.
    ended(
        &place.run(["convert", "--all", "dir:files", "sqlite:again.db"]),
        0,
    );
    assert_eq!(
        accounts(&place, "sqlite:again.db"),
        accounts(&place, "dir:files")
    );
}

#[test]
fn names_are_made_of_what_is_known_and_no_two_are_one() {
    let place = full();
    // Telethon does not know its user.
    let report = copied(
        &place,
        &[
            "all/bots",
            "sqlite:ids.db",
            "--name",
            "bot {user_id} of DC {dc}",
        ],
        0,
    );
    assert_eq!(report["copied"], 2, "{report}");
    assert_eq!(
        accounts(&place, "sqlite:ids.db"),
        ["bot 2147483647 of DC 4", "bot 987654321 of DC 1"]
    );
    let report = copied(
        &place,
        &[
            "all/telethon.session",
            "sqlite:ids.db",
            "--name",
            "{user_id}",
        ],
        1,
    );
    assert!(
        report.to_string().contains("has nothing for {user_id}"),
        "{report}"
    );
    // Two accounts of one database, which have one key.
    let report = copied(
        &place,
        &["sqlite:all/own.db", "sqlite:keys.db", "--name", "{key}"],
        1,
    );
    assert_eq!(report["copied"], 1, "{report}");
    assert!(
        report.to_string().contains("would both be the account"),
        "{report}"
    );
}

#[test]
fn another_login_is_replaced_by_force_alone() {
    let place = full();
    ended(
        &place.run(["convert", "all/telethon.session", "sqlite:new.db#a"]),
        0,
    );
    let telethon = row(&place, "sqlite:new.db#a");
    let report = copied(&place, &["a", "sqlite:new.db"], 1);
    assert!(
        report
            .to_string()
            .contains("another login is the account a"),
        "{report}"
    );
    assert_eq!(row(&place, "sqlite:new.db#a"), telethon);
    copied(&place, &["a", "sqlite:new.db", "--force"], 0);
    assert_ne!(row(&place, "sqlite:new.db#a"), telethon);
}

#[test]
fn only_a_store_of_many_accounts_takes_many() {
    let place = full();
    for to in ["new.session", "sqlite:new.db#one", "string:-", "telethon:x"] {
        let said = ended(&place.run(["convert", "--all", "all", to]), 2);
        assert!(said.contains("no store of many accounts"), "{said}");
    }
    ended(&place.run(["convert", "a", "b", "--name", "x"]), 2);
}
