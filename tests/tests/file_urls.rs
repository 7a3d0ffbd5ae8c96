//! `file:` URLs, as other tools write the paths of databases.

use std::path::Path;

use mtsession::{LibSqlBackend, PersistedSession, SessionBackend, SqliteBackend};
use mtsession_tests::random::sized;

fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

type Open = fn(String) -> std::io::Result<Box<dyn SessionBackend>>;

const BACKENDS: [Open; 2] = [
    |path| Ok(Box::new(SqliteBackend::open(path)?)),
    |path| Ok(Box::new(LibSqlBackend::open_local(path)?)),
];

#[test]
fn a_url_is_the_file_that_it_names() {
    for open in BACKENDS {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().display();
        let session: PersistedSession = sized(2, 1, 0, 0);
        open(format!("file://{place}/a%20b.db"))
            .unwrap()
            .save(&session)
            .unwrap();
        assert_eq!(names_in(dir.path()), ["a b.db"]);
        for path in [format!("file:{place}/a b.db"), format!("{place}/a b.db")] {
            let loaded = open(path).unwrap().load().unwrap();
            assert_eq!(loaded.as_ref(), Some(&session));
        }
    }
}

#[test]
fn what_is_no_path_is_refused_and_leaves_nothing() {
    let session = sized(2, 1, 0, 0);
    let before = names_in(Path::new("."));
    for open in BACKENDS {
        for url in [
            "file:x.db?mode=ro",
            "file://host/x.db",
            "file:",
            "file::memory:",
            ":memory:",
        ] {
            let result = open(url.to_owned()).and_then(|backend| {
                assert!(backend.load().is_err(), "{url}");
                backend.save(&session)
            });
            assert_eq!(
                result.unwrap_err().kind(),
                std::io::ErrorKind::InvalidInput,
                "{url}"
            );
        }
    }
    let error = SqliteBackend::export_ferogram(&session, "file:x.db?mode=ro").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(LibSqlBackend::open_replica("file:x.db?mode=ro", "http://127.0.0.1:9", "").is_err());
    assert_eq!(names_in(Path::new(".")), before);
}
