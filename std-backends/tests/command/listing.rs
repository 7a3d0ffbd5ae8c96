//! `list`, and the other commands for many sessions at once.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Place, ended, error, out};

/// A place with sessions of every kind in a folder: ours, a string, databases of other libraries and our own
/// with two accounts, `tdata`, a damaged one, and what is no session.
pub(super) fn full() -> Place {
    let place = Place::new();
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients");
    let here = |name: &str| place.path(name);
    fs::create_dir_all(here("all/bots/tdata-s04")).unwrap();
    for (from, to) in [
        ("telethon-1.45.0-s01.session", "all/telethon.session"),
        ("grammers-0.11.0-s02.session", "all/bots/grammers.session"),
    ] {
        fs::copy(clients.join(from), here(to)).unwrap();
    }
    copy_folder(&clients.join("tdata-s04"), &here("all/bots/tdata-s04"));
    fs::copy(here("a"), here("all/a.session")).unwrap();
    for account in ["alice", "bob#2"] {
        let to = format!("sqlite:all/own.db#{}", account.replace('#', "%23"));
        ended(&place.run(["convert", "a", &to]), 0);
    }
    ended(&place.run(["convert", "a", "all/damaged.session"]), 0);
    let mut damaged = fs::read(here("all/damaged.session")).unwrap();
    damaged[100] ^= 1;
    fs::write(here("all/damaged.session"), damaged).unwrap();
    fs::write(here("all/notes.txt"), "buy milk\n").unwrap();
    fs::write(here("all/picture.png"), b"\x89PNG\r\n\x1a\n and so on").unwrap();
    place
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let to = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy_folder(&entry, &to);
        } else {
            fs::copy(&entry, to).unwrap();
        }
    }
}

/// The JSON of a command that ends with this code.
fn json(place: &Place, args: &[&str], code: i32) -> Value {
    let output = place.run(args);
    ended(&output, code);
    serde_json::from_str(&out(&output)).unwrap()
}

/// The stores that `list` gives.
fn stores(listed: &Value) -> Vec<String> {
    let sessions = listed["sessions"].as_array().unwrap();
    let names = sessions.iter().map(|row| row["store"].as_str().unwrap());
    names.map(|name| name.replace('\\', "/")).collect()
}

#[test]
fn a_folder_is_listed_once_through_with_what_lies_in_it() {
    let place = full();
    let before = fs::read(place.path("all/own.db")).unwrap();
    let listed = json(&place, &["list", "all", "--json"], 1);
    assert_eq!(
        stores(&listed),
        [
            "all/a.session",
            "all/bots/grammers.session",
            "all/bots/tdata-s04",
            "sqlite:all/own.db#alice",
            "sqlite:all/own.db#bob%232",
            "all/telethon.session",
        ]
    );
    assert_eq!(listed["other_files"], 2);
    let unreadable = listed["unreadable"].as_array().unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0]["store"], "all/damaged.session");
    assert_eq!(fs::read(place.path("all/own.db")).unwrap(), before);

    // Every name is an argument of the other commands.
    for store in stores(&listed) {
        ended(&place.run(["inspect", &store]), 0);
    }
    let bot = &listed["sessions"][1];
    assert_eq!(
        (
            &bot["user_id"],
            &bot["is_bot"],
            &bot["home_dc_id"],
            &bot["state"]
        ),
        (
            &987_654_321.into(),
            &true.into(),
            &1.into(),
            &"active".into()
        )
    );
    let ours = &listed["sessions"][0];
    let inspected = json(&place, &["inspect", "a", "--json"], 0);
    assert_eq!(ours["last_update"], inspected["updates_state"]["date"]);
    assert_eq!(ours["peers"], inspected["peers"]["total"]);
}

#[test]
fn a_person_reads_a_table_with_dates_and_no_secret() {
    let place = full();
    let listed = place.run(["list", "all"]);
    ended(&listed, 1);
    let text = out(&listed);
    for part in [
        "Telethon database",
        "987654321 (bot)",
        "2025-06-15 (",
        " days ago)",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(
        text.ends_with("6 sessions; 2 other files passed over\n"),
        "{text}"
    );
    let failed = error(&listed);
    assert!(
        failed.contains("damaged.session") && failed.contains("1 session cannot be read"),
        "{failed}"
    );
}

#[test]
fn what_is_asked_for_is_listed() {
    let place = full();
    // The two accounts and the file have one key.
    let twice = json(&place, &["list", "all", "--duplicates", "--json"], 1);
    assert_eq!(
        stores(&twice),
        [
            "all/a.session",
            "sqlite:all/own.db#alice",
            "sqlite:all/own.db#bob%232"
        ]
    );
    let none = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/ferogram/binary/v8_fs066_default.session");
    fs::copy(none, place.path("all/nobody.session")).unwrap();
    let empty = json(&place, &["list", "all", "--no-key", "--json"], 1);
    assert_eq!(stores(&empty), ["all/nobody.session"]);
    assert_eq!(empty["sessions"][0]["state"], "no key");
    let old = json(
        &place,
        &["list", "all", "a", "--older-than", "30d", "--json"],
        1,
    );
    assert_eq!(
        stores(&old).len(),
        5,
        "those that know when they were updated: {old}"
    );
    let older = json(&place, &["list", "a", "--older-than", "5000w", "--json"], 0);
    assert_eq!(stores(&older), [""; 0]);
    ended(&place.run(["list", "a", "--older-than", "soon"]), 2);
}

#[test]
fn what_was_named_is_no_guess() {
    let place = full();
    for (name, code) in [
        ("all/notes.txt", 1),
        ("all/nothing.session", 1),
        ("missing/", 1),
    ] {
        let said = ended(&place.run(["list", name]), code);
        assert!(said.contains("cannot be read"), "{said}");
    }
    ended(&place.run(["list"]), 2);
    // A database that was named gives its accounts.
    for store in ["all/own.db", "sqlite:all/own.db", "libsql:all/own.db"] {
        let listed = json(&place, &["list", store, "--json"], 0);
        assert_eq!(stores(&listed).len(), 2, "{listed}");
    }
}

#[test]
fn verify_goes_through_folders_and_databases() {
    let place = full();
    let report = json(&place, &["verify", "all", "--json"], 1);
    assert_eq!(report["sessions"].as_array().unwrap().len(), 7);
    assert_eq!(report["other_files"], 2);
    let checks_of_database = report
        .to_string()
        .matches("every account can be loaded")
        .count();
    assert_eq!(checks_of_database, 1, "a database is looked at once");
    let said = ended(&place.run(["verify", "all"]), 1);
    assert!(
        said.contains("damaged.session") && said.contains("checksum does not match"),
        "{said}"
    );
    assert!(said.contains("7 sessions: "), "{said}");
    let good = ended(&place.run(["verify", "sqlite:all/own.db"]), 0);
    assert!(
        good.contains("2 sessions: 2 good, 0 with problems"),
        "{good}"
    );
}

#[test]
fn of_several_to_delete_none_goes_where_one_is_not_there() {
    let place = full();
    let [alice, bob] = ["sqlite:all/own.db#alice", "sqlite:all/own.db#bob%232"];
    ended(
        &place.run(["delete", "--yes", alice, "sqlite:all/own.db#carol"]),
        3,
    );
    ended(&place.run(["inspect", alice]), 0);
    ended(&place.run(["delete", "--yes", alice, bob]), 0);
    ended(&place.run(["inspect", alice]), 3);
    ended(&place.run(["inspect", bob]), 3);
}

#[test]
fn an_account_is_renamed_and_never_over_another() {
    let place = full();
    ended(
        &place.run(["rename", "sqlite:all/own.db#alice", "bob#2"]),
        5,
    );
    ended(
        &place.run(["rename", "sqlite:all/own.db#alice", "carol"]),
        0,
    );
    ended(&place.run(["inspect", "sqlite:all/own.db#carol"]), 0);
    ended(&place.run(["inspect", "sqlite:all/own.db#alice"]), 3);
    ended(&place.run(["rename", "sqlite:all/own.db#alice", "dave"]), 3);
    ended(&place.run(["rename", "a", "b"]), 2);
}
