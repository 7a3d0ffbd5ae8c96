//! A directory with a session file, and what tests ask of it.

use std::fs;
use std::path::{Path, PathBuf};

use mtsession::{BinaryFileBackend, PersistedSession, SessionBackend as _, UpdateStateChange};
use tempfile::TempDir;

/// An empty directory, and the path of a session file in it.
#[must_use]
pub fn store() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    (dir, path)
}

/// The counters with this pts.
#[must_use]
pub fn primary(pts: i32) -> UpdateStateChange {
    UpdateStateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    }
}

/// What lies in a directory.
#[must_use]
pub fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The session of a file.
#[must_use]
pub fn load(path: &Path) -> PersistedSession {
    BinaryFileBackend::new(path).load().unwrap().unwrap()
}
