//! A database that more than one part of a program, or a forked program, has open.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use mtsession::{
    BinaryFileBackend, LibSqlBackend, SessionBackend, SqliteBackend, Store, UpdateStateChange,
};
use mtsession_tests::random::sized;
use mtsession_tests::stores::{account_names, count, sqlite};

/// How many locks this process holds on a file.
#[cfg(target_os = "linux")]
fn locks_of(path: &Path) -> usize {
    let inode = format!(":{}", fs::metadata(path).unwrap().ino());
    let pid = std::process::id().to_string();
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let is_held = |line: &&str| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.contains(&"POSIX")
            && words.contains(&pid.as_str())
            && words.iter().any(|word| word.ends_with(&inode))
    };
    locks.lines().filter(is_held).count()
}

/// Everything in the library that opens, or only looks at, a file by its path.
fn look_at(path: &Path, dir: &Path) {
    let pts = |backend: &dyn SessionBackend| backend.load().unwrap().unwrap().updates_state.pts;
    assert_eq!(pts(&*mtsession::connect(path).unwrap()), 1);
    assert_eq!(pts(&SqliteBackend::open(path).unwrap()), 1);
    assert_eq!(pts(&LibSqlBackend::open_local(path).unwrap()), 1);
    assert_eq!(account_names(sqlite(path)).unwrap(), ["default"]);
    let copy = dir.join("copy.db");
    let _ = fs::remove_file(&copy);
    Store::open(sqlite(path))
        .and_then(|store| store.backup(sqlite(&copy)))
        .unwrap();
    mtsession::clients::read(path).unwrap_err();
    let file = BinaryFileBackend::new(path);
    let refused = file.load().unwrap_err().to_string();
    assert!(refused.contains("use SqliteBackend"), "{refused}");
    file.status().unwrap_err();
    file.save(&sized(2, 1, 0, 0)).unwrap_err();
    file.delete().unwrap_err();
    file.set_home_dc(4).unwrap_err();
    let exported = SqliteBackend::export_ferogram(&sized(1, 1, 0, 0), path).unwrap_err();
    assert_eq!(exported.kind(), std::io::ErrorKind::AlreadyExists);
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_in_the_process_takes_the_locks_of_an_open_database() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 3, 0, 0)).unwrap();
    count(&backend, 1);
    let held = locks_of(&path);
    assert!(held > 0, "SQLite holds no lock: this test shows nothing");

    look_at(&path, dir.path());
    assert_eq!(locks_of(&path), held);
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    look_at(&link, dir.path());
    assert_eq!(locks_of(&path), held, "through a symbolic link");
    let second = dir.path().join("second");
    fs::hard_link(&path, &second).unwrap();
    let _ = mtsession::connect(&second).map(|backend| backend.load());
    let _ = mtsession::clients::read(&second);
    let _ = BinaryFileBackend::new(&second).load();
    assert_eq!(locks_of(&path), held, "through a hard link");
    fs::remove_file(&second).unwrap();

    count(&backend, 2);
    assert_eq!(backend.load().unwrap().unwrap().updates_state.pts, 2);
}

/// Python's SQLite is another version of it, as another program's may be.
#[test]
fn a_visitor_that_comes_and_goes_takes_no_acknowledged_change_along() {
    const VISIT: &str = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); \
                         c.execute('update accounts set qts = 50'); c.close()";
    const READ: &str = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); \
                        print(c.execute('select pts from accounts').fetchone()[0])";
    let python = |script: &str, path: &Path| {
        let output = Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .output();
        output.map(|output| {
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        })
    };
    if let Err(error) = Command::new("python3")
        .args(["-c", "import sqlite3"])
        .output()
    {
        eprintln!("skipped: python3 is not here ({error})");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 3, 0, 0)).unwrap();
    count(&backend, 1);

    look_at(&path, dir.path());
    let again = mtsession::connect(&path).unwrap();
    python(VISIT, &path).unwrap();
    count(&backend, 99);
    assert_eq!(python(READ, &path).unwrap().trim(), "99");
    assert_eq!(again.load().unwrap().unwrap().updates_state.pts, 99);
}

#[test]
fn a_database_with_a_second_name_is_read_but_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let (path, second) = (dir.path().join("a.db"), dir.path().join("b.db"));
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 3, 0, 0)).unwrap();
    fs::hard_link(&path, &second).unwrap();
    let update = UpdateStateChange::Secondary { qts: 5 };
    let error = backend
        .apply_update_state(update.clone())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("second name") && error.contains("mtsession backup"),
        "{error}"
    );
    backend.save(&sized(2, 3, 0, 0)).unwrap_err();
    backend.delete().unwrap_err();
    assert!(backend.load().unwrap().is_some());
    drop(backend);
    let before = fs::read(&second).unwrap();
    let backend = SqliteBackend::open(&second).unwrap();
    backend.apply_update_state(update.clone()).unwrap_err();
    assert!(backend.load().unwrap().is_some());
    drop(backend);
    assert!(fs::read(&second).unwrap() == before);
    fs::remove_file(&second).unwrap();
    SqliteBackend::open(&path)
        .unwrap()
        .apply_update_state(UpdateStateChange::Secondary { qts: 5 })
        .unwrap();
}

#[test]
fn use_after_a_fork_is_an_error_and_the_parent_goes_on() {
    for kind in ["sqlite", "libsql", "open"] {
        let dir = tempfile::tempdir().unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_forked-database"))
            .arg(kind)
            .arg(dir.path())
            .output()
            .unwrap();
        let facts = String::from_utf8(output.stdout.clone()).unwrap();
        assert!(output.status.success(), "{kind}: {output:?}");
        let (refused, done): (Vec<_>, Vec<_>) = facts
            .lines()
            .filter(|line| line.starts_with("child"))
            .partition(|line| line.contains("opened before the fork"));
        assert_eq!(refused.len(), 9, "{kind}: {facts}");
        let worked = [
            "child, another database: done",
            "child, opened in the child: done",
        ];
        assert_eq!(done, worked, "{kind}: {facts}");
        assert_eq!(
            facts.matches("status of the child: 0").count(),
            2,
            "{facts}"
        );

        let stored = SqliteBackend::open(dir.path().join("a.db")).unwrap().load();
        assert_eq!(stored.unwrap().unwrap().updates_state.pts, 1, "{kind}");
        let later = SqliteBackend::open(dir.path().join("later.db"))
            .unwrap()
            .load();
        assert_eq!(later.unwrap().unwrap().updates_state.pts, 7, "{kind}");
    }
}
