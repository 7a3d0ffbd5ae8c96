//! Removing what is left of a deleted account in files.

use std::io;
use std::path::Path;

use super::connection::{Connection as _, Durability, Write};
use super::local::LocalConnection;
use super::main_file::empty_log;
use super::{kept, schema};

/// Does what [`scrub`](super::connection::Connection::scrub) does, for the database at `path`.
pub(super) fn scrub(
    connection: &mut LocalConnection,
    path: &Path,
    is_default: bool,
) -> io::Result<()> {
    kept::remove_all(path)?;
    if is_default {
        connection.write(&Write {
            statements: schema::drop_kept().collect(),
            durability: Durability::Now,
            if_unchanged: false,
            known: None,
        })?;
    }
    match connection.existing()? {
        Some(open) => empty_log(&open.database),
        None => Ok(()),
    }
}
