//! Sessions of other libraries as bytes, without a file system: the same comes in and goes out as with files.

#![allow(clippy::panic, clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use mtsession::clients::{
    ForeignError, Import, Options, ReadOptions, Target, read, read_bytes, write, write_bytes,
};
use rusqlite::Connection;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients")
}

/// Every session of a real library that is one file.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(vectors()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let is_session = |path: &PathBuf| path.extension().is_some_and(|end| end == "session");
    let mut files: Vec<_> = paths.filter(is_session).collect();
    files.sort();
    assert!(files.len() > 50, "only {} sessions", files.len());
    files
}

fn of_bytes(bytes: &[u8]) -> Import {
    read_bytes(bytes, &ReadOptions::default()).unwrap()
}

/// All that an import says, keys as well: the vectors' are made up.
fn everything(import: &Import) -> String {
    let record = import.record().unwrap().to_bytes().unwrap();
    format!("{import:?}\n{:?}", record.as_slice())
}

#[test]
fn bytes_say_what_the_file_says() {
    for path in files() {
        let bytes = fs::read(&path).unwrap();
        match (read(&path), read_bytes(&bytes, &ReadOptions::default())) {
            (Ok(file), Ok(bytes)) => {
                assert_eq!(everything(&bytes), everything(&file), "{}", path.display());
            }
            (Err(file), Err(bytes)) => {
                let words = |error| ForeignError::of(error).unwrap().to_string();
                assert_eq!(words(&bytes), words(&file), "{}", path.display());
            }
            (file, bytes) => panic!("{}: {file:?}, but {bytes:?}", path.display()),
        }
    }
}

#[test]
fn what_is_written_as_bytes_is_what_is_written_as_a_file() {
    let import = read(&vectors().join("kurigram-2.2.26-s01.session")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let options = Options::default();
    for target in Target::ALL {
        let bytes = write_bytes(target, options, &import.source(), &import.names);
        if matches!(target, Target::GramJsStore | Target::Tdata) {
            let error = bytes.unwrap_err();
            let why = ForeignError::of(&error).unwrap();
            assert!(matches!(why, ForeignError::Unfit(_)), "{why}");
            continue;
        }
        let bytes = bytes.unwrap();
        let path = dir.path().join(target.scheme());
        write(&path, target, options, &import.source(), &import.names).unwrap();
        let file = read(&path).unwrap();
        assert_eq!(
            everything(&of_bytes(&bytes)),
            everything(&file),
            "{target:?}"
        );
        if matches!(target, Target::Text(_)) {
            assert_eq!(*bytes, fs::read(&path).unwrap());
        }
    }
}

#[test]
fn what_a_target_needs_is_asked_for_before_anything_is_made() {
    let import = read(&vectors().join("telethon-1.42.0-s01.session")).unwrap();
    let error = write_bytes(Target::Pyrogram3, Options::default(), &import.source(), &[]);
    let error = error.unwrap_err();
    let missing = ForeignError::of(&error).unwrap();
    assert!(matches!(missing, ForeignError::Missing(_)), "{missing}");
}

#[test]
fn a_database_that_was_used_with_a_log_is_read_without_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("theirs.session");
    fs::copy(vectors().join("telethon-1.42.0-s01.session"), &path).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    drop(connection);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.get(18..20), Some([2, 2].as_slice()));
    assert_eq!(
        everything(&of_bytes(&bytes)),
        everything(&read(&path).unwrap())
    );
}

#[test]
fn bytes_that_are_no_session_or_only_a_part_of_one_are_refused() {
    for len in [16, 18, 19, 20, 99] {
        let mut bytes = b"SQLite format 3\0".to_vec();
        bytes.resize(len, 0);
        assert!(
            read_bytes(&bytes, &ReadOptions::default()).is_err(),
            "{len}"
        );
    }
    for bytes in [b"".as_slice(), b"no session", &[0; 4096], b"TDF$\0\0\0\0"] {
        let error = read_bytes(bytes, &ReadOptions::default()).unwrap_err();
        assert!(ForeignError::of(&error).is_some(), "{error}");
    }
    let large = vec![b'A'; 17 << 20];
    assert!(read_bytes(&large, &ReadOptions::default()).is_err());
}
