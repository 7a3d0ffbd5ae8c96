use std::ffi::OsStr;

use super::*;

fn parse(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|error: std::io::Error| error.to_string())
}

/// Each kind of address, written as it is shown.
fn kinds() -> Vec<(&'static str, Location, Option<&'static str>)> {
    let path = PathBuf::from;
    vec![
        ("my.session", Location::Path(path("my.session")), None),
        ("./a:b", Location::Path(path("./a:b")), None),
        ("file:ab:c", Location::Path(path("ab:c")), None),
        ("a.db#b", Location::Path(path("a.db#b")), None),
        ("dir:accounts", Location::Directory(path("accounts")), None),
        ("dir:a#bob", Location::Directory(path("a")), Some("bob")),
        ("memory:", Location::Memory, None),
        ("memory:#bob", Location::Memory, Some("bob")),
        ("sqlite:x.db", Location::Sqlite(path("x.db")), None),
        (
            "sqlite:a#b.db#default",
            Location::Sqlite(path("a#b.db")),
            Some("default"),
        ),
        (
            "sqlite:y.db#a%23b",
            Location::Sqlite(path("y.db")),
            Some("a#b"),
        ),
        (
            "sqlite:y.db#a%3Fb",
            Location::Sqlite(path("y.db")),
            Some("a?b"),
        ),
        (
            "sqlite:y.db#a@b.com",
            Location::Sqlite(path("y.db")),
            Some("a@b.com"),
        ),
        ("libsql:l.db#m", Location::LibSql(path("l.db")), Some("m")),
        (
            "libsql://x.turso.io",
            Location::Server("libsql://x.turso.io".into()),
            None,
        ),
        (
            "libsql:http://h:1#m",
            Location::Server("http://h:1".into()),
            Some("m"),
        ),
        ("string:-", Location::StringStdio, None),
        ("string:a?b", Location::StringFile(path("a?b")), None),
        ("env:NAME", Location::Environment("NAME".into()), None),
        (
            "flash:i.bin",
            Location::Flash(path("i.bin"), FlashRegion::default()),
            None,
        ),
        ("ferogram:f.db", Location::Ferogram(path("f.db")), None),
        (
            "telethon:-",
            Location::ClientString(ClientLibrary::Telethon),
            None,
        ),
        (
            "mtcute:m",
            Location::Client(ClientLibrary::Mtcute, path("m")),
            None,
        ),
    ]
}

#[test]
fn every_kind_of_address_is_read_and_written_again() {
    for (text, location, account) in kinds() {
        let address = parse(text).unwrap();
        assert_eq!(
            (&address.location, address.account()),
            (&location, account),
            "{text}"
        );
        assert_eq!(address.to_string(), text);
        assert_eq!(parse(&address.to_string()).unwrap(), address);
    }
    for library in ClientLibrary::ALL {
        let address = parse(&format!("{}:x", library.name())).unwrap();
        assert_eq!(address.scheme(), library.name());
    }
}

#[test]
fn options_stand_before_or_after_the_account() {
    for (text, again) in [
        ("sqlite:a.db?read_only#bob", "sqlite:a.db#bob?read_only"),
        (
            "sqlite:a.db#bob?read_only&deadline=5s",
            "sqlite:a.db#bob?read_only&deadline=5s",
        ),
        ("libsql://h?deadline=120#bob", "libsql://h#bob?deadline=120"),
        ("libsql:http://h?insecure", "libsql:http://h?insecure"),
        (
            "libsql://h?replica=a%23b%26c.db",
            "libsql://h?replica=a%23b%26c.db",
        ),
        ("my.session?flush=each", "my.session?flush=each"),
        ("file:what?.session?", "what?.session?"),
        (
            "sqlite:a?b.db?#bob?read_only",
            "sqlite:a?b.db?#bob?read_only",
        ),
        ("memory:?read_only", "memory:?read_only"),
        // Of later releases: opening says so.
        ("my.session?own&key_file=k", "my.session?own&key_file=k"),
    ] {
        let address = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(address.to_string(), again, "{text}");
        assert_eq!(parse(again).unwrap(), address);
    }
    let Meaning::Deadline(deadline) = only("a?deadline=2m") else {
        panic!("not a deadline");
    };
    assert_eq!(deadline.as_secs(), 120);
}

use super::meaning::Meaning;

fn only(text: &str) -> Meaning {
    parse(text).unwrap().options()[0].meaning().unwrap()
}

#[test]
fn a_path_is_taken_as_it_is_and_shown_so_that_it_can_be_given_again() {
    for path in [
        "sqlite:x",
        "a?read_only",
        "a#b",
        "x.db#bob",
        "a:b",
        "what?.session",
    ] {
        let address = Path::new(path).into_address().unwrap();
        assert_eq!(address.location(), &Location::Path(path.into()));
        assert_eq!(parse(&address.to_string()).unwrap(), address, "{address}");
    }
    let of_text = OsStr::new("sqlite:x").into_address().unwrap();
    assert_eq!(of_text.location(), &Location::Sqlite("x".into()));
}

#[test]
fn addresses_of_servers_keep_their_urls() {
    for (text, location, account) in [
        (
            "rediss://bot@h:6380/2#alice?insecure",
            Location::Redis("rediss://bot@h:6380/2".into()),
            Some("alice"),
        ),
        (
            "redis://[::1]",
            Location::Redis("redis://[::1]".into()),
            None,
        ),
        (
            "postgres://u@h/d#a%23b",
            Location::Postgres("postgres://u@h/d".into()),
            Some("a#b"),
        ),
        (
            "s3://bucket/a/b#alice?endpoint=https://h:9000&region=eu",
            Location::S3("s3://bucket/a/b".into()),
            Some("alice"),
        ),
    ] {
        let address = parse(text).unwrap();
        assert_eq!(address.location(), &location);
        assert_eq!(address.account(), account);
        assert_eq!(address.to_string(), text);
        assert_eq!(address.path(), None);
    }
}

#[test]
fn what_is_no_address_says_what_was_expected_and_never_a_secret() {
    for (text, cause) in [
        ("", "an empty name"),
        ("mongodb://:hush@h", "is no kind of store"),
        ("redis://:hush@h", "holds a password"),
        ("postgres://u:hush@h/d#a", "holds a password"),
        ("s3://id:hush@bucket", "holds a password"),
        ("redis:h", "two slashes"),
        ("postgres://u@/d", "names no host"),
        ("s3://", "names no host"),
        ("s3://b?endpoint", "`endpoint` is a URL"),
        ("SQLite:x.db", "small letters"),
        ("https://h", "libsql:https://HOST"),
        ("sqlite:", "a name is expected"),
        ("sqlite:#x", "a file is expected before"),
        ("sqlite:a.db#", "name of an account is expected"),
        ("libsql://h#", "name of an account is expected"),
        ("memory:x", "has no name"),
        ("sqlite:k#b.db", "two ways"),
        ("sqlite:///x", "not a URL"),
        ("file://host/x", "three slashes"),
        ("libsql://u:hush@h", "holds a secret"),
        ("libsql://h?authToken=hush", "holds a secret"),
        ("sqlite:x?key=hush", "holds a secret"),
        ("libsql://h?hush", "none of those of an address"),
        ("my.session?onw", "none of those of an address"),
        ("my.session?deadline=soon", "`deadline` is a time"),
        ("my.session?deadline=0", "`deadline` is a time"),
        ("my.session?read_only=no", "`read_only` is there or not"),
        ("my.session?flush=hush", "flush=each"),
        ("?read_only", "a file is expected before"),
        ("libsql:file:a.db?mode=ro", "a file URL names nothing"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(cause), "{text}: {error}");
        assert!(!error.contains("hush"), "{error}");
    }
}

#[test]
fn a_file_that_is_there_is_meant() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("a?b");
    std::fs::write(&whole, b"").unwrap();
    let text = whole.to_str().unwrap();
    assert_eq!(
        parse(text).unwrap().location(),
        &Location::Path(whole.clone())
    );
    let whole = dir.path().join("a?read_only");
    std::fs::write(&whole, b"").unwrap();
    let text = whole.to_str().unwrap();
    assert!(parse(text).unwrap_err().contains("two ways"));
    std::fs::write(dir.path().join("a"), b"").unwrap();
    assert_eq!(parse(text).unwrap().options().len(), 1);
}
