//! Addresses of databases and servers, as tests open them.

#![allow(
    clippy::missing_errors_doc,
    reason = "tests look at the errors of stores"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mtsession::{
    Address, FlushPolicy, Location, SessionBackend, Store, StoreError, StoreErrorKind,
    StoreOptions, UpdateStateChange,
};

/// An SQLite database.
pub fn sqlite(path: impl Into<PathBuf>) -> Address {
    Location::Sqlite(path.into()).into()
}

/// A file of libSQL.
pub fn libsql(path: impl Into<PathBuf>) -> Address {
    Location::LibSql(path.into()).into()
}

/// A libSQL server.
pub fn server(url: impl Into<String>) -> Address {
    Location::Server(url.into()).into()
}

/// The names of a store's accounts.
pub fn account_names(address: Address) -> io::Result<Vec<String>> {
    Store::open(address)?.names()
}

/// What is wrong with a store.
pub fn problems(address: Address) -> io::Result<Vec<String>> {
    Ok(Store::open(address)?.verify()?.problems)
}

/// What `open` gives while nothing is at `path` yet: a handle that meets what is there only when it is used.
pub fn before_it_is_there<B>(path: &Path, open: impl FnOnce() -> B) -> B {
    let aside = path.with_extension("aside");
    let is_there = path.exists();
    if is_there {
        fs::rename(path, &aside).unwrap();
    }
    let opened = open();
    if is_there {
        fs::rename(aside, path).unwrap();
    }
    opened
}

/// A session file, or whatever is at a path, that is never flushed to the disk.
pub fn unflushed(path: impl AsRef<Path>) -> Arc<dyn SessionBackend> {
    let options = StoreOptions::new().flush(FlushPolicy::Never);
    options.connect(path.as_ref()).unwrap()
}

/// Who may do what with a file.
#[cfg(unix)]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;

    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What kind of error it is.
#[must_use]
pub fn kind(error: &io::Error) -> StoreErrorKind {
    StoreError::of(error)
        .unwrap_or_else(|| panic!("not typed: {error}"))
        .kind()
}

/// Counts one update, as a client does.
pub fn count(backend: &dyn SessionBackend, pts: i32) {
    let state = UpdateStateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    };
    backend.apply_update_state(state).unwrap();
}

/// The counter of a session that is there.
pub fn pts(backend: &dyn SessionBackend) -> i32 {
    backend.load().unwrap().unwrap().updates_state.pts
}
