//! Sessions of other libraries.

use std::fs;

use crate::{assert_code, client_vector, error, out, run, temp, vector};

#[test]
fn other_libraries_are_read_and_written() {
    let (dir, _) = temp();
    let telethon = vector("../clients/telethon-1.45.0-s01.session");
    let telethon = telethon.to_str().unwrap();
    let before = fs::read(telethon).unwrap();
    assert!(out(&run(&["inspect", telethon], "")).contains("Telethon database, version 8"));
    let target = format!("pyrogram:{}", dir.path().join("p.session").display());

    // Without the user id Pyrogram would throw the login away.
    let refused = run(&["convert", telethon, &target], "");
    assert_code(&refused, 2);
    for option in ["--user-id", "--bot", "--test"] {
        assert!(error(&refused).contains(option), "{}", error(&refused));
    }
    let known = [
        "--user-id",
        "777",
        "--user",
        "--api-id",
        "12",
        "--production",
    ];
    let args: Vec<_> = ["convert", telethon, &target]
        .into_iter()
        .chain(known)
        .collect();
    let done = run(&args, "");
    assert_code(&done, 0);
    assert!(
        out(&done).contains("no place for it: update counters"),
        "{}",
        out(&done)
    );
    assert!(
        out(&done).contains("9ed6e6ef on both sides"),
        "{}",
        out(&done)
    );

    let text = run(&["export", telethon, "--format", "telethon"], "");
    assert_eq!(out(&text).trim().len(), 353);
    let again = run(&["inspect", "string:-"], &out(&text));
    assert!(out(&again).contains("a Telethon string"), "{}", out(&again));
    assert_eq!(fs::read(telethon).unwrap(), before);
}

#[test]
fn names_of_peers_go_along_or_are_reported() {
    let telethon = client_vector("telethon-1.45.0-s01.session");
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let names_of = |store: &str| {
        let output = run(&["inspect", store], "");
        assert_code(&output, 0);
        let text = out(&output);
        let line = text.lines().find(|line| line.contains("their names"));
        line.unwrap().replace("their names", "").trim().to_owned()
    };
    let expected = names_of(&telethon);
    assert!(
        expected.contains(" usernames, ") && expected.contains("1 phone and "),
        "{expected}"
    );

    // Stores with room keep all of them, also one after the other, and back to Telethon.
    let stores = [
        path("ours.session"),
        format!("sqlite:{}#alice", path("ours.db")),
        format!("libsql:{}", path("libsql.db")),
        format!("string:{}", path("string.txt")),
        format!("telethon:{}", path("back.session")),
    ];
    let mut from = telethon.clone();
    for store in &stores {
        let output = run(&["convert", &from, store], "");
        assert_code(&output, 0);
        assert!(!out(&output).contains("Not kept"), "{}", out(&output));
        store.trim_start_matches("telethon:").clone_into(&mut from);
        assert_eq!(names_of(&from), expected);
    }

    // The others say what they leave out.
    let flash = format!("flash:{}", path("image.bin"));
    let output = run(&["convert", &telethon, &flash], "");
    assert_code(&output, 0);
    let said = format!("Not kept by a flash image: {expected}.");
    assert!(out(&output).contains(&said), "{}", out(&output));
    assert_eq!(names_of(&flash), "none");
    let grammers = format!("grammers:{}", path("grammers.session"));
    let who = ["--user-id", "5", "--user"];
    let output = run(&[&["convert", &telethon, &grammers], &who[..]].concat(), "");
    assert_code(&output, 0);
    let said = format!("Not kept by a grammers database: {expected}.");
    assert!(out(&output).contains(&said), "{}", out(&output));

    // A string on standard output: the report does not go between its lines.
    for (args, is_ours) in [
        (&["convert", &telethon, "telethon:-"][..], false),
        (&["convert", &telethon, "string:-"], true),
        (&["export", &telethon, "--format", "gramjs"], false),
    ] {
        let output = run(args, "");
        assert_code(&output, 0);
        assert_eq!(out(&output).lines().count(), 1);
        let said = error(&output);
        assert_eq!(
            said.contains("Not kept by a string session: "),
            !is_ours,
            "{said}"
        );
    }
}

#[test]
fn what_a_string_leaves_out_is_said() {
    let mtcute = client_vector("mtcute-0.29.7-s01.session");
    let output = run(&["export", &mtcute, "--format", "telethon"], "");
    assert_code(&output, 0);
    let said = "Left out, because the target has no place for it: auth keys of other DCs, user id";
    assert!(error(&output).contains(said), "{}", error(&output));
}

#[test]
fn accounts_of_telegram_desktop_go_by_their_numbers() {
    let tdata = client_vector("tdata-s04");
    let output = run(&["inspect", &tdata, "--account", "1"], "");
    assert_code(&output, 0);
    let output = run(&["inspect", &tdata, "--account", "2"], "");
    assert_code(&output, 2);
    assert!(
        error(&output).contains("there is no account number 2"),
        "{}",
        error(&output)
    );
    let output = run(&["inspect", "sqlite:x.db", "--account", "2"], "");
    assert_code(&output, 2);
}

#[test]
fn the_session_of_another_library_is_no_store_of_ours() {
    for (name, found) in [
        (
            "telethon-1.45.0-s01.session",
            "a Telethon database, version 8",
        ),
        (
            "kurigram-2.2.26-s01.session",
            "a kurigram database, version 7",
        ),
        (
            "grammers-0.8.0-s01.session",
            "a session file of grammers 0.1 to 0.8",
        ),
    ] {
        let path = client_vector(name);
        let before = fs::read(&path).unwrap();
        for kind in ["sqlite", "libsql", "flash", "string"] {
            let output = run(&["inspect", &format!("{kind}:{path}")], "");
            assert_code(&output, 4);
            assert!(error(&output).contains(found), "{kind}: {}", error(&output));
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}
