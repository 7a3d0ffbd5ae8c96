//! An open connection to a database on this machine.

use core::time::Duration;
use std::io;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Transaction, TransactionBehavior};

use super::aside::Aside;
use super::connection::{Durability, Write, Written};
use super::guard::{self, Progress};
use super::local_bind::bind;
use super::local_error::explain;
use super::main_file::Debt;
use super::statement::{Statement, Value};
use crate::sqlite_file::open_databases::{Announced, FileId};

/// Prepared statements that are kept; there are about twenty.
const CACHED_STATEMENTS: usize = 32;

/// What a connection is to.
pub(super) enum Source {
    Memory,
    /// The file itself, which is known by that, to notice that it was replaced.
    File(Announced),
    /// What is read instead of what lies there.
    Aside(Aside),
}

/// An open connection, and what is known of its database.
pub(super) struct Open {
    pub(super) database: rusqlite::Connection,
    source: Source,
    /// The process that opened it.
    pid: u32,
    /// `PRAGMA data_version` at the last read: it changes with every commit of others.
    pub(super) seen: Option<i64>,
    pub(super) is_ours: bool,
    /// Prepared for writing: journal mode and file mode.
    pub(super) is_writable: bool,
    synchronous: Option<Durability>,
    /// The `PRAGMA data_version` at which everything was on the disk.
    pub(super) flushed: Option<i64>,
    /// Whether a transaction is open that keeps other writers out.
    is_locked: bool,
    /// What the main file may lack of what was acknowledged.
    pub(super) debt: Debt,
    pub(super) progress: Progress,
}

impl Open {
    /// Sets a connection up.
    pub(super) fn new(
        mut database: rusqlite::Connection,
        source: Source,
        busy_timeout: Duration,
    ) -> io::Result<Self> {
        let progress = Progress::default();
        let mut configure = || {
            database.busy_timeout(busy_timeout)?;
            database.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
            guard::limit(&mut database, &progress)?;
            // Otherwise SQLite plans a statement anew for every value that it is given.
            database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            // Freed bytes are overwritten, and no temporary file ever holds a key.
            database.execute_batch("PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;")
        };
        configure().map_err(|error| explain(&error))?;
        Ok(Self {
            database,
            source,
            pid: std::process::id(),
            seen: None,
            is_ours: false,
            is_writable: false,
            synchronous: None,
            flushed: None,
            is_locked: false,
            debt: Debt::of_others(busy_timeout),
            progress,
        })
    }

    /// Whether the file at `path` is still the one that was opened, and as it was where that matters.
    pub(super) fn is_current(&self, path: &Path) -> io::Result<bool> {
        let there = FileId::of(path)?;
        match &self.source {
            Source::Memory => Ok(true),
            Source::File(announced) => Ok(there == Some(announced.file())),
            Source::Aside(aside) => Ok(there.is_some() && aside.is_current(path)?),
        }
    }

    /// Whether it is read in another place than where it is written.
    pub(super) fn is_aside(&self) -> bool {
        matches!(self.source, Source::Aside(_))
    }

    /// Whether the file can change while it is read.
    pub(super) fn is_immutable(&self) -> bool {
        matches!(&self.source, Source::Aside(aside) if aside.is_immutable())
    }

    /// Whether the process was forked since. Databases in memory are copied by that.
    pub(super) fn is_of_another_process(&self) -> bool {
        !matches!(self.source, Source::Memory) && self.pid != std::process::id()
    }

    pub(super) fn data_version(&self) -> rusqlite::Result<i64> {
        self.database
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))
    }

    /// Whether the log has reached the disk, and the last login the main file.
    pub(super) fn is_flushed(&self) -> rusqlite::Result<bool> {
        let now = self.data_version()?;
        Ok(self.flushed == Some(now) && self.debt.is_settled())
    }

    pub(super) fn is_empty(&self) -> rusqlite::Result<bool> {
        self.database
            .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
                row.get(0)
            })
    }

    pub(super) fn set_synchronous(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.synchronous != Some(durability) {
            self.database.execute_batch(match durability {
                Durability::Now => "PRAGMA synchronous = FULL",
                Durability::Soon => "PRAGMA synchronous = NORMAL",
            })?;
            self.synchronous = Some(durability);
        }
        Ok(())
    }

    /// Begins the transaction of a write that is not known yet.
    pub(super) fn lock(&mut self) -> rusqlite::Result<()> {
        // Not possible within the transaction.
        self.set_synchronous(Durability::Now)?;
        self.flushed = None;
        self.database.execute_batch("BEGIN IMMEDIATE")?;
        self.is_locked = true;
        Ok(())
    }

    /// Ends it without a write.
    pub(super) fn unlock(&mut self) {
        if core::mem::take(&mut self.is_locked) {
            // It fails where SQLite has ended the transaction itself, after an error.
            let _ = self.database.execute_batch("ROLLBACK");
        }
    }

    /// Ends it with this write.
    fn write_locked(&mut self, write: &Write) -> rusqlite::Result<Written> {
        let written = self.data_version().and_then(|now| {
            let written = self.carry_out(write, now)?;
            if written != Written::Conflict {
                self.database.execute_batch("COMMIT")?;
                self.is_locked = false;
            }
            Ok(written)
        });
        self.unlock();
        written
    }

    pub(super) fn write(
        &mut self,
        write: &Write,
        durability: Durability,
    ) -> rusqlite::Result<Written> {
        if self.is_locked {
            return self.write_locked(write);
        }
        self.set_synchronous(durability)?;
        // What others commit from now on may not be on the disk when this is.
        self.flushed = match durability {
            Durability::Now => Some(self.data_version()?),
            Durability::Soon => None,
        };
        if let (alike @ [_], false) = (write.statements.as_slice(), write.if_unchanged) {
            if write.known.is_none() {
                execute(&self.database, alike)?;
                return Ok(Written::Done);
            }
            if self.seen == Some(self.data_version()?) {
                execute(&self.database, alike)?;
                let is_newest = self.seen == Some(self.data_version()?);
                return Ok(if is_newest {
                    Written::Done
                } else {
                    Written::Overtaken
                });
            }
        }
        let transaction =
            Transaction::new_unchecked(&self.database, TransactionBehavior::Immediate)?;
        let now = self.data_version()?;
        let written = self.carry_out(write, now)?;
        if written != Written::Conflict {
            transaction.commit()?;
        }
        if written == Written::Done && write.known.is_some() {
            self.seen = Some(now);
        }
        Ok(written)
    }

    /// Carries a write out within a transaction.
    fn carry_out(&self, write: &Write, now: i64) -> rusqlite::Result<Written> {
        let is_current = self.seen == Some(now)
            || match &write.known {
                Some(known) => self.revision_of(&known.name)? == known.revision,
                None => false,
            };
        if write.if_unchanged && !is_current {
            return Ok(Written::Conflict);
        }
        for alike in write.statements.chunk_by(|a, b| a.sql == b.sql) {
            execute(&self.database, alike)?;
        }
        Ok(if is_current || write.known.is_none() {
            Written::Done
        } else {
            Written::Overtaken
        })
    }

    /// What every change of the account changes.
    fn revision_of(&self, account: &str) -> rusqlite::Result<Option<String>> {
        let mut select = self
            .database
            .prepare_cached("SELECT revisions FROM accounts WHERE name = ?1")?;
        let mut rows = select.query([account])?;
        rows.next()?.map(|row| row.get(0)).transpose()
    }
}

/// Carries out statements of the same SQL.
fn execute(database: &rusqlite::Connection, alike: &[Statement]) -> rusqlite::Result<()> {
    let Some(first) = alike.first() else {
        return Ok(());
    };
    let mut prepared = database.prepare_cached(first.sql)?;
    let mut bound: &[Value] = &[];
    for statement in alike {
        bind(&mut prepared, &statement.params, bound)?;
        bound = &statement.params;
        // Pragmas answer with rows.
        let mut rows = prepared.raw_query();
        while rows.next()?.is_some() {}
    }
    Ok(())
}
