//! What the main file of a database has without its log.
//!
//! A backup, a container's mount of a single file and `cp` take the main file alone. So a login is
//! copied into it as soon as it is committed, and a main file that says that there was a log, and has
//! no tables, is never taken for an empty database.

use core::time::Duration;
use std::io;
use std::path::Path;
use std::time::Instant;

use super::local_error::explain;
use super::local_open::Open;
use crate::event::{self, Event};

/// How long a commit of a login waits for readers that need the state before it.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long nobody waits again for readers that did not end.
const PAUSE: Duration = Duration::from_secs(10);

/// What the main file may lack of what was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owed {
    Nothing,
    /// Something that another program wrote, which may have been killed before it could copy its log.
    Perhaps,
    /// A key, a token or a home DC of ours.
    Login,
}

/// What is owed to the main file, and when readers that hold it back are waited for next.
///
/// A reader that keeps a transaction open keeps the pages of the main file as they are: SQLite copies
/// the log only as far as that reader has seen it. So every commit tries again, without waiting. Only
/// for a login, and for what has been owed for long, readers are waited for: at most [`PATIENCE`] long,
/// at most once in [`PAUSE`], and never longer than the caller would wait for a lock.
#[derive(Debug)]
pub(super) struct Debt {
    owed: Owed,
    next_wait: Instant,
}

impl Debt {
    /// That of a database which was just opened.
    pub(super) fn of_others() -> Self {
        let now = Instant::now();
        Self {
            owed: Owed::Perhaps,
            next_wait: now.checked_add(PAUSE).unwrap_or(now),
        }
    }

    /// Whether the main file has every login of ours.
    pub(super) fn is_settled(&self) -> bool {
        self.owed != Owed::Login
    }

    /// Another program was seen to have written.
    pub(super) fn may_have_grown(&mut self) {
        if self.owed == Owed::Nothing {
            *self = Self::of_others();
        }
    }

    /// A login was committed here.
    pub(super) fn grows_by_login(&mut self) {
        if self.owed != Owed::Login {
            self.owed = Owed::Login;
            self.next_wait = Instant::now();
        }
    }

    /// Copies the log into the main file after a commit. No reader is waited for longer than `patience`.
    pub(super) fn settle(&mut self, open: &mut Open, patience: Duration) {
        if self.owed == Owed::Nothing {
            return;
        }
        let is_settled = fold_log(&open.database, PASSIVE)
            || (Instant::now() >= self.next_wait && self.wait_for_readers(open, patience));
        if is_settled {
            self.owed = Owed::Nothing;
        }
    }

    /// The same when the connection is about to be closed. SQLite does it itself only where that is the
    /// last connection of all programs.
    pub(super) fn settle_at_the_end(&mut self, open: &mut Open) {
        if self.owed == Owed::Login {
            self.next_wait = Instant::now();
            self.settle(open, PATIENCE);
        }
    }

    fn wait_for_readers(&mut self, open: &mut Open, patience: Duration) -> bool {
        // A full checkpoint keeps other writers waiting as well, so it must be short.
        let is_whole =
            open.set_busy_timeout(PATIENCE.min(patience)).is_ok() && fold_log(&open.database, FULL);
        if !is_whole {
            let now = Instant::now();
            self.next_wait = now.checked_add(PAUSE).unwrap_or(now);
            event::emit(|| Event::CheckpointOwed {
                reason: "a program keeps reading an older state of the database".to_owned(),
            });
        }
        is_whole
    }
}

/// Copies as far as readers let it; nobody waits.
const PASSIVE: &str = "PRAGMA wal_checkpoint(PASSIVE)";

/// Waits for readers that need an older state, as long as the connection waits for locks.
const FULL: &str = "PRAGMA wal_checkpoint(FULL)";

/// Copies the log into the main file; says whether all of it is there. The log stays in use.
fn fold_log(database: &rusqlite::Connection, checkpoint: &str) -> bool {
    let folded = database
        .prepare_cached(checkpoint)
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
            event::emit(|| Event::CheckpointOwed {
                reason: error.to_string(),
            });
            false
        }
    }
}

/// Empties the log, of which every byte is in the main file, or was deleted. Freed bytes are overwritten
/// there (`secure_delete`), so that only the log still has them.
pub(super) fn empty_log(database: &rusqlite::Connection) -> io::Result<()> {
    let is_busy = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, bool>(0)
    });
    if is_busy.map_err(|error| explain(&error))? {
        let message = "other programs have to let go of the database first";
        return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
    }
    Ok(())
}

/// Refuses a database without tables that had a log.
///
/// The tables of a new database are committed before it gets a log. So a main file that names a log and
/// has no tables has lost it, and what the log held was not nothing.
pub(super) fn check_log_of_empty(database: &rusqlite::Connection, path: &Path) -> io::Result<()> {
    let look = |database: &rusqlite::Connection| {
        // In one transaction, because somebody may just be making the tables and then the log.
        let transaction = database.unchecked_transaction()?;
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
