//! `TDLib`'s `td.binlog`: the log of everything that a client must not forget.
//!
//! Its key-value store has the login; peers and messages are in databases next to it, which are not read.
//! `TDLib` always encrypts the log, with a key that everybody knows where the program gave none.

mod binlog;
mod cipher;
mod read;

pub(super) use binlog::is_binlog;
pub(super) use read::read;

/// What the log is called: of the production servers, and of the test servers.
pub(super) const NAMES: [&str; 2] = ["td.binlog", TEST_NAME];
pub(super) const TEST_NAME: &str = "td_test.binlog";
