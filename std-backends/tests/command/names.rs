//! How the name of a store is read: kinds, accounts, and paths of every sort.

use super::{Place, ended, error, out};
use std::fs;

#[test]
fn an_unknown_kind_of_store_is_an_error_that_lists_the_known_ones() {
    let place = Place::new();
    for name in [
        "tdesktop:out",
        "telegram:x",
        "mongodb://localhost/0",
        "mysql://u:hush@h/d",
        "gs://bucket/key",
        "libSQL:x.db",
        "LIBSQL://db.turso.io",
        "SQLite:x.db",
        "String:-",
        "mysql:x",
        "https://db.turso.io",
        "2024-01-01T12:00",
        "my store:x",
        "Файл:x",
        ":x",
        "file2:x",
        "tg://login",
    ] {
        for args in [
            vec!["inspect", name],
            vec!["convert", "a", name],
            vec!["convert", name, "b"],
            vec!["import", name],
            vec!["delete", name, "--yes"],
        ] {
            let output = place.run(&args);
            ended(&output, 2);
            let said = error(&output);
            assert!(
                said.contains("is no kind of store") && said.contains("libsql:"),
                "{args:?}: {said}"
            );
            assert!(!said.contains("hush"), "{said}");
        }
    }
    assert_eq!(place.names(), ["a"]);
}

#[test]
fn a_path_with_a_colon_and_a_drive_are_files() {
    let place = Place::new();
    fs::create_dir(place.path("dir")).unwrap();
    let mut names = vec!["./a:b", "dir/c:d", "file:e:f"];
    if cfg!(unix) {
        names.push("C:\\x");
        names.push("D:y");
    }
    for name in names {
        ended(&place.run(["convert", "a", name]), 0);
        assert!(
            place.path(name.trim_start_matches("file:")).exists(),
            "{name}"
        );
        ended(&place.run(["verify", name]), 0);
    }
    let url = format!("file://{}", place.path("a").display());
    ended(&place.run(["inspect", &url]), 0);
    for name in [
        "file://host/a",
        "sqlite:///x.db",
        "string://x",
        "flash://x",
        "sqlite:",
        "flash:?size=9",
        "sqlite:#x",
        "libsql:file:",
        "libsql:file:a.db?mode=ro",
        "libsql:file:a%20b.db",
        "libsql:file://host/a.db",
    ] {
        ended(&place.run(["inspect", name]), 2);
    }
}

#[test]
fn the_account_is_what_follows_the_last_number_sign() {
    let place = Place::new();
    for (name, file, account) in [
        ("sqlite:x.db", "x.db", "default"),
        ("sqlite:x.db#bob", "x.db", "bob"),
        ("sqlite:a#b.db#default", "a#b.db", "default"),
        ("sqlite:a#b.db#bob", "a#b.db", "bob"),
        ("sqlite:y.db#a%23b", "y.db", "a#b"),
        ("sqlite:y.db#50%", "y.db", "50%"),
        ("sqlite:y.db#a%2523", "y.db", "a%23"),
        ("sqlite:y%20z.db#c", "y%20z.db", "c"),
        ("libsql:l#m.db#default", "l#m.db", "default"),
        ("libsql:file:n.db#bob", "n.db", "bob"),
        ("libsql:file:n.db#a%23b", "n.db", "a#b"),
    ] {
        let said = ended(&place.run(["convert", "a", name]), 0);
        assert!(place.path(file).exists(), "{name}");
        let listed = out(&place.run(["accounts", &format!("./{file}")]));
        assert!(
            listed.lines().any(|line| line == account),
            "{name}: {listed}"
        );
        // What is printed can be given back.
        let printed = said.lines().find(|line| line.contains(file)).unwrap();
        let printed = printed.rsplit_once(": ").unwrap().0;
        ended(&place.run(["inspect", printed]), 0);
        ended(&place.run(["delete", printed, "--yes"]), 0);
    }
    ended(&place.run(["convert", "a", "sqlite:x.db#bob"]), 0);
    for (name, advice) in [
        ("sqlite:k#b.db", "sqlite:k#b.db#default"),
        ("libsql:k#b.SQLITE3", "k#b.SQLITE3#default"),
        ("sqlite:k#dir/b", "%2F"),
    ] {
        let output = place.run(["convert", "a", name]);
        ended(&output, 2);
        let said = error(&output);
        assert!(
            said.contains(advice.trim_start_matches("sqlite:")),
            "{name}: {said}"
        );
        assert!(!place.path("k").exists());
    }
    // A script whose variable is empty does not mean the account `default`.
    for name in ["sqlite:x.db#", "libsql:x.db#", "libsql://localhost#"] {
        let output = place.run(["convert", "a", name]);
        ended(&output, 2);
        assert!(error(&output).contains("is expected after `#`"), "{name}");
    }
    // A file that is there is meant, whatever it is called.
    fs::copy(place.path("x.db"), place.path("z#1")).unwrap();
    ended(&place.run(["inspect", "sqlite:z#1"]), 2);
    ended(&place.run(["inspect", "sqlite:z#1#bob"]), 0);
    assert!(!place.path("z").exists());
}

#[test]
fn options_follow_a_question_mark_and_none_is_ignored() {
    let place = Place::new();
    for name in [
        "b.session?flush=each",
        "sqlite:x.db?deadline=9s#bob",
        "sqlite:x.db#carol?deadline=9",
        "dir:many#bob?flush=never",
        "file:what?.session?",
    ] {
        ended(&place.run(["convert", "a", name]), 0);
        ended(&place.run(["inspect", name]), 0);
    }
    assert!(place.path("what?.session").exists() && place.path("many/bob.session").exists());
    assert_eq!(out(&place.run(["accounts", "dir:many"])), "bob\n");
    assert_eq!(out(&place.run(["accounts", "sqlite:x.db"])), "bob\ncarol\n");
    for (name, cause) in [
        ("b.session?own", "`own`"),
        ("sqlite:x.db#bob?key_file=k", "`key_file`"),
        ("sqlite:x.db#bob?proxy", "`proxy`"),
        ("sqlite:x.db#bob?limits=users:many", "limits=users:5000"),
        ("b.session?onw", "none of those of an address"),
        ("sqlite:x.db#bob?token=hush", "holds a secret"),
    ] {
        let output = place.run(["inspect", name]);
        ended(&output, 2);
        let said = error(&output);
        assert!(
            said.contains(cause) && !said.contains("hush"),
            "{name}: {said}"
        );
    }
    let refused = place.run(["delete", "sqlite:x.db#bob?read_only", "--yes"]);
    ended(&refused, 5);
    assert!(error(&refused).contains("`read_only`"));
}

#[cfg(unix)]
#[test]
fn paths_that_are_not_unicode_are_paths() {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStrExt as _;

    let place = Place::new();
    let name = |kind: &str, rest: &str| -> OsString {
        OsStr::from_bytes(&[kind.as_bytes(), b"b\xFF\xFE", rest.as_bytes()].concat()).to_owned()
    };
    let convert = OsStr::new("convert");
    for (target, source) in [
        (name("", ""), name("", "")),
        (name("string:", ".txt"), name("string:", ".txt")),
        (name("sqlite:", ".db#bob"), name("sqlite:", ".db#bob")),
        (
            name("flash:", ".bin"),
            name("flash:", ".bin?write=4&erase=4096"),
        ),
        (name("telethon:", ".tel"), name("", ".tel")),
    ] {
        ended(&place.run([convert, OsStr::new("a"), &target]), 0);
        for command in ["inspect", "verify"] {
            ended(&place.run([OsStr::new(command), &source]), 0);
        }
        let json = place.run([OsStr::new("inspect"), &source, OsStr::new("--json")]);
        serde_json::from_slice::<serde_json::Value>(&json.stdout).unwrap();
    }
    let account = OsStr::from_bytes(b"sqlite:x.db#\xFF");
    for args in [
        [convert, OsStr::new("a"), &name("libsql:", ".db")],
        [convert, OsStr::new("a"), account],
        [convert, OsStr::new("a"), &name("nosuch:", "")],
    ] {
        let output = place.run(args);
        ended(&output, 2);
        assert!(error(&output).contains("mtsession: "), "{}", error(&output));
    }
    assert!(!place.path("x.db").exists());
}
