//! Removing what is left of a deleted account in files.

use std::io;
use std::path::Path;

use super::connection::{Connection, Durability, Write};
use super::{kept, schema};

/// Removes the copies that migrations of the database at `path` kept, and those in it of the account `default`.
pub(super) fn remove_copies(
    connection: &mut impl Connection,
    path: &Path,
    is_default: bool,
) -> io::Result<()> {
    kept::remove_all(path)?;
    if is_default {
        connection.write(Write {
            statements: schema::drop_kept().collect(),
            durability: Durability::Now,
            if_unchanged: false,
            known: None,
        })?;
    }
    Ok(())
}
