//! A directory for one run of the command: the source, the target, and where temporary files go.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use mtsession::{BinaryFileBackend, SessionBackend as _, SessionRecord};
use tempfile::TempDir;

pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for dir in [place.source(), place.target(), place.temporary()] {
            fs::create_dir(&dir).unwrap();
            // Open to all, so that what is in it has to be private itself.
            fs::set_permissions(&dir, Permissions::from_mode(0o755)).unwrap();
        }
        place
    }

    pub(crate) fn root(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn source(&self) -> PathBuf {
        self.root().join("source")
    }

    pub(crate) fn target(&self) -> PathBuf {
        self.root().join("target")
    }

    /// What `TMPDIR` names.
    pub(crate) fn temporary(&self) -> PathBuf {
        self.root().join("temporary")
    }
}

pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mtsession"))
}

/// What the command reads at an address, as one value; `None` where it finds no session.
pub(crate) fn state(address: &str) -> Option<SessionRecord> {
    const NO_SESSION: i32 = 3;

    let dir = tempfile::tempdir().unwrap();
    let copy = dir.path().join("copy");
    let args = ["convert", address, copy.to_str().unwrap()];
    let output = command().args(args).output().unwrap();
    match output.status.code() {
        Some(0) => BinaryFileBackend::new(copy).read().unwrap(),
        Some(NO_SESSION) => None,
        _ => panic!("{address}: {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Contents of everything under `dir`, by their names in it.
pub(crate) fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for path in files(dir) {
        let name = path.strip_prefix(dir).unwrap().to_path_buf();
        found.insert(name, fs::read(&path).unwrap());
    }
    found
}

/// Every file under `dir`, and every directory that is empty.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Files under `dir` that others may read, where no directory keeps them out.
pub(crate) fn readable_by_others(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let is_open = fs::metadata(&path).unwrap().permissions().mode() & 0o077 != 0;
        match (path.is_dir(), is_open) {
            (true, true) => found.extend(readable_by_others(&path)),
            (false, true) => found.push(path),
            (_, false) => {}
        }
    }
    found
}

/// Files in which some of `key` stands.
pub(crate) fn with_key(dir: &Path, key: &[u8; 256]) -> Vec<PathBuf> {
    let window = &key[64..96];
    let contents = contents(dir).into_iter();
    contents
        .filter(|(_, bytes)| bytes.windows(window.len()).any(|found| found == window))
        .map(|(name, _)| name)
        .collect()
}

/// Copies everything in a directory into another one.
pub(crate) fn copy_of(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_of(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
