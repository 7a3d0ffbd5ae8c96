//! Databases where SQLite cannot work as usual: read-only places, file systems without shared memory,
//! and files with a second name.

#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mtsession::{LibSqlBackend, SessionBackend, SqliteBackend};
use mtsession_tests::programs;
use mtsession_tests::random::sized;
use mtsession_tests::stores::count;
use tempfile::TempDir;

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", path.display()))
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A directory with a database that has `pts`, in the main file or only in its log; and a visitor
/// without any rights of root's.
struct Place {
    dir: TempDir,
    path: PathBuf,
    visitor: PathBuf,
}

impl Place {
    fn new(pts: i32, is_in_log: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        set_mode(dir.path(), 0o755);
        let visitor = dir.path().join("visitor");
        programs::copy(env!("CARGO_BIN_EXE_database-visitor"), &visitor).unwrap();
        set_mode(&visitor, 0o755);
        for name in ["made", "there", "tmp"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        set_mode(&dir.path().join("tmp"), 0o777);
        let (made, path) = (dir.path().join("made/a.db"), dir.path().join("there/a.db"));
        let backend = SqliteBackend::open(&made).unwrap();
        backend.save(&sized(1, 3, 0, 0)).unwrap();
        count(&backend, 1);
        if is_in_log {
            // A reader keeps the log from being copied back.
            let reader = rusqlite::Connection::open(&made).unwrap();
            reader.execute_batch("BEGIN").unwrap();
            let rows = reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
            rows.unwrap();
            count(&backend, pts);
            fs::copy(&made, &path).unwrap();
            fs::copy(with_suffix(&made, "-wal"), with_suffix(&path, "-wal")).unwrap();
        } else {
            count(&backend, pts);
            drop(backend);
            fs::copy(&made, &path).unwrap();
        }
        Self { dir, path, visitor }
    }

    fn there(&self) -> PathBuf {
        self.dir.path().join("there")
    }

    fn set_modes(&self, dir: u32, file: u32) {
        for entry in fs::read_dir(self.there()).unwrap() {
            set_mode(&entry.unwrap().path(), file);
        }
        set_mode(&self.there(), dir);
    }

    fn visit(&self, commands: &[&str], preload: Option<&Path>) -> Vec<String> {
        let mut command = Command::new(&self.visitor);
        command.arg(&self.path).args(commands);
        command.env("TMPDIR", self.dir.path().join("tmp"));
        if let Some(preload) = preload {
            command.env("LD_PRELOAD", preload);
        } else if fs::metadata(self.dir.path()).unwrap().uid() == 0 {
            command.uid(65534).gid(65534);
        }
        let output = programs::output(&mut command).unwrap();
        assert!(output.status.success(), "{output:?}");
        let left = fs::read_dir(self.dir.path().join("tmp")).unwrap().count();
        assert_eq!(left, 0, "a copy was left over");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(str::to_owned).collect()
    }

    fn content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(self.there())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::set_permissions(self.there(), Permissions::from_mode(0o755));
    }
}

const LOADED: &str = r#"pts [7, 7, 7], accounts ["default"]"#;

#[test]
fn what_cannot_be_written_can_be_read() {
    for is_in_log in [false, true] {
        for (dir, file) in [(0o555, 0o444), (0o555, 0o666), (0o755, 0o444)] {
            let place = Place::new(7, is_in_log);
            place.set_modes(dir, file);
            let before = place.content();
            let said = place.visit(&["load", "count=8"], None);
            let what = format!("log {is_in_log}, modes {dir:o} {file:o}");
            assert_eq!(said[0], LOADED, "{what}");
            assert!(
                said[1].starts_with("PermissionDenied") && said[1].contains("nothing was changed"),
                "{what}: {said:?}"
            );
            assert!(
                place.content() == before,
                "{what}: a reader changed something"
            );
        }
    }
}

/// Compiles the fault; `None`, and says so, where nothing can.
fn no_shared_memory(dir: &Path) -> Option<PathBuf> {
    let library = dir.join("no_shared_memory.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/faults/no_shared_memory.c");
    let compiled = programs::output(
        Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&library)
            .arg(source)
            .arg("-ldl"),
    );
    if compiled
        .as_ref()
        .is_ok_and(|compiled| compiled.status.success())
    {
        return Some(library);
    }
    eprintln!("skipped: no C compiler for the fault ({compiled:?})");
    None
}

#[cfg(target_os = "linux")]
#[test]
fn without_shared_memory_a_database_goes_on_without_a_log() {
    for is_in_log in [false, true] {
        let place = Place::new(7, is_in_log);
        let Some(fault) = no_shared_memory(place.dir.path()) else {
            return;
        };
        let before = place.content();
        // Made elsewhere, with a log.
        assert_eq!(
            place.visit(&["load"], Some(&fault)),
            [LOADED],
            "log {is_in_log}"
        );
        // SQLite has tried to make a shared memory.
        let mut after = place.content();
        after.retain(|(path, bytes)| !path.ends_with("a.db-shm") && !bytes.is_empty());
        let names = |files: &[(PathBuf, Vec<u8>)]| {
            let names: Vec<_> = files
                .iter()
                .map(|(path, bytes)| (path.clone(), bytes.len()))
                .collect();
            format!("{names:?}")
        };
        assert!(after == before, "{} {}", names(&after), names(&before));
        let said = place.visit(&["count=8", "count=9", "load"], Some(&fault));
        let nine = r#"pts [9, 9, 9], accounts ["default"]"#;
        assert_eq!(said, ["counted", "counted", nine]);
        // Where memory is shared again, so is the database.
        assert_eq!(place.visit(&["load"], None).len(), 1);
        let backend = SqliteBackend::open(&place.path).unwrap();
        assert_eq!(backend.load().unwrap().unwrap().updates_state.pts, 9);
        count(&backend, 10);
    }

    let place = Place::new(7, false);
    let fault = no_shared_memory(place.dir.path()).unwrap();
    fs::remove_file(&place.path).unwrap();
    let said = place.visit(&["count=1", "count=2", "load"], Some(&fault));
    let two = r#"pts [2, 2, 2], accounts ["default"]"#;
    assert_eq!(said, ["counted", "counted", two], "a new database");
    let names: Vec<_> = place.content().into_iter().map(|(path, _)| path).collect();
    assert!(names.iter().eq([&place.path]), "{names:?} were left");
}

#[test]
fn a_second_name_is_read_while_the_first_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let (path, second) = (dir.path().join("a.db"), dir.path().join("b.db"));
    let backend = SqliteBackend::open(&path).unwrap();
    backend.save(&sized(1, 3, 0, 0)).unwrap();
    fs::hard_link(&path, &second).unwrap();
    for _ in 0..2 {
        let other = LibSqlBackend::open_local(&second).unwrap();
        assert!(other.load().unwrap().is_some());
        let again = SqliteBackend::open(&second).unwrap();
        assert!(again.load().unwrap().is_some());
        assert!(backend.load().unwrap().is_some());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    fs::remove_file(&second).unwrap();
    count(&backend, 2);
}
