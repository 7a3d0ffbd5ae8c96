//! Databases that are complete from their first moment on: each is made under a temporary name, private to
//! its owner, and then moved to its place.

use std::io;
use std::path::Path;

use rusqlite::Connection;

use crate::fs::{Temp, keep_new};

/// Makes a database at `path`, where nothing may be, and fills it in one transaction.
pub(crate) fn create<E>(
    path: &Path,
    fill: impl FnOnce(&Connection) -> Result<(), E>,
) -> Result<(), E>
where
    E: From<io::Error> + From<rusqlite::Error>,
{
    let file = Temp::beside(path)?;
    let mut connection = Connection::open(file.path())?;
    // The file is nobody's yet: a journal alongside it would only be one more file with the key.
    connection.pragma_update(None, "journal_mode", "MEMORY")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    fill(&transaction)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(keep_new(file, path)?)
}

/// The bytes of a new database, filled in one transaction.
#[cfg(feature = "clients")]
pub(crate) fn in_memory<E>(fill: impl FnOnce(&Connection) -> Result<(), E>) -> Result<Vec<u8>, E>
where
    E: From<rusqlite::Error>,
{
    let mut connection = Connection::open_in_memory()?;
    let transaction = connection.transaction()?;
    fill(&transaction)?;
    transaction.commit()?;
    Ok(connection.serialize(rusqlite::MAIN_DB)?.to_vec())
}
