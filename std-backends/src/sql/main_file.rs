//! What the main file of a database has without its log.
//!
//! A backup, a container's mount of a single file and `cp` take the main file alone. So a login is
//! copied into it as soon as it is committed, and a main file that says that there was a log, and has
//! no tables, is never taken for an empty database.

use std::io;
use std::path::Path;

use super::local_error::explain;

/// Copies the log into the main file, as far as readers let it; says whether all of it is there.
/// Nobody waits for it, and the log stays in use.
pub(super) fn fold_log(database: &rusqlite::Connection) -> bool {
    let folded = database
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")
        .and_then(|mut checkpoint| {
            checkpoint.query_row([], |row| {
                let (is_busy, pages, copied): (bool, i64, i64) =
                    (row.get(0)?, row.get(1)?, row.get(2)?);
                // Without a log, both numbers are -1.
                Ok(!is_busy && pages == copied)
            })
        });
    match folded {
        Ok(is_whole) => is_whole,
        // What was committed is on the disk, in the log. Only the copy has to be tried again.
        Err(error) => {
            #[cfg(feature = "tracing")]
            tracing::warn!(%error, "the log could not be copied into the database yet");
            #[cfg(not(feature = "tracing"))]
            let _ = error;
            false
        }
    }
}

/// Refuses a database without tables that had a log.
///
/// The tables of a new database are committed before it gets a log. So a main file that names a log and
/// has no tables has lost it, and what the log held was not nothing.
pub(super) fn check_log_of_empty(
    database: &mut rusqlite::Connection,
    path: &Path,
) -> io::Result<()> {
    let look = |database: &mut rusqlite::Connection| {
        // In one transaction, because somebody may just be making the tables and then the log.
        let transaction = database.transaction()?;
        let objects: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let mode: String = transaction.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
        Ok(objects == 0 && mode.eq_ignore_ascii_case("wal"))
    };
    if !look(database).map_err(|error: rusqlite::Error| explain(&error))? {
        return Ok(());
    }
    let path = path.display();
    let message = format!(
        "the database has no tables, only the mark of a write-ahead log, so what was stored is in the \
         file {path}-wal, which is missing or belongs to another copy: put back the one that lay beside \
         it, or restore a backup. Remove {path} only if nothing was ever stored in it"
    );
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}
