//! An open connection to a database on this machine.

use core::time::Duration;
use std::io;
use std::path::Path;

use rusqlite::TransactionBehavior;
use rusqlite::config::DbConfig;

use super::aside::Aside;
use super::connection::{Durability, Write, Written};
use super::guard::{self, Progress};
use super::local_error::explain;
use super::local_read::bind;
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

    pub(super) fn write(
        &mut self,
        write: &Write,
        durability: Durability,
    ) -> rusqlite::Result<Written> {
        self.set_synchronous(durability)?;
        if let (alike @ [_], false) = (write.statements.as_slice(), write.if_unchanged) {
            execute(&self.database, alike)?;
            return Ok(Written::Done);
        }
        let seen = self.seen;
        let transaction = self
            .database
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if write.if_unchanged {
            let now: i64 = transaction
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))?;
            if Some(now) != seen {
                return Ok(Written::Conflict);
            }
        }
        for alike in write.statements.chunk_by(|a, b| a.sql == b.sql) {
            execute(&transaction, alike)?;
        }
        transaction.commit()?;
        Ok(Written::Done)
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
