//! `TDLib`'s `td.binlog`: the log of everything that a client must not forget.
//!
//! Its key-value store has the login; peers and messages are in databases next to it, which are not read.
//! `TDLib` always encrypts the log, with a key that everybody knows where the program gave none.

mod binlog;
mod cipher;
mod read;

use std::path::{Path, PathBuf};

pub(super) use binlog::is_binlog;
pub(super) use read::read;

/// What the log of the production servers is called, and that of the test servers.
const NAMES: [&str; 2] = ["td.binlog", "td_test.binlog"];

/// The logs that can be in a folder of `TDLib`'s.
pub(super) fn logs_in(dir: &Path) -> [PathBuf; 2] {
    NAMES.map(|name| dir.join(name))
}

/// Which servers a log is of: only its name says so.
pub(super) fn test_mode_of(log: &Path) -> Option<bool> {
    let name = log.file_name()?;
    let [production, test] = NAMES;
    (name == production || name == test).then(|| name == test)
}
