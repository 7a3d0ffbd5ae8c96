//! An open connection to a database on this machine.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;

use rusqlite::config::DbConfig;

use super::connection::Durability;
use super::definition::no_session;
use super::guard::{self, Progress};
use super::local_bind::bind;
use super::local_error::explain;
use super::statement::{Statement, Value};

/// Prepared statements that are kept; there are about twenty.
const CACHED_STATEMENTS: usize = 32;

/// An open connection.
pub(super) struct Open {
    pub(super) database: rusqlite::Connection,
    /// No other connection of the process has it.
    id: u64,
    busy_timeout: Duration,
    synchronous: Option<Durability>,
    pub(super) progress: Progress,
}

/// When a connection has read: nobody has committed anything through another connection as long as that is
/// the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) connection: u64,
    /// `PRAGMA data_version`, which changes with every commit of other connections.
    pub(super) version: i64,
}

impl Open {
    /// Sets a connection up.
    pub(super) fn new(
        mut database: rusqlite::Connection,
        busy_timeout: Duration,
    ) -> io::Result<Self> {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

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
            id: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
            busy_timeout,
            synchronous: None,
            progress,
        })
    }

    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// Waits that long for locks of other connections from now on.
    pub(super) fn set_busy_timeout(&mut self, busy_timeout: Duration) -> rusqlite::Result<()> {
        if self.busy_timeout != busy_timeout {
            self.database.busy_timeout(busy_timeout)?;
            self.busy_timeout = busy_timeout;
        }
        Ok(())
    }

    pub(super) fn data_version(&self) -> rusqlite::Result<i64> {
        self.database
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))
    }

    pub(super) fn moment(&self) -> rusqlite::Result<Moment> {
        Ok(Moment {
            connection: self.id,
            version: self.data_version()?,
        })
    }

    pub(super) fn is_empty(&self) -> rusqlite::Result<bool> {
        self.database
            .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
                row.get(0)
            })
    }

    /// When commits are on the disk from now on. Not possible within a transaction.
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

    /// Carries out one statement after the other.
    pub(super) fn execute(&self, statements: &[Statement]) -> rusqlite::Result<()> {
        for alike in statements.chunk_by(|a, b| a.sql == b.sql) {
            self.execute_alike(alike)?;
        }
        Ok(())
    }

    /// Carries out statements of the same SQL.
    fn execute_alike(&self, alike: &[Statement]) -> rusqlite::Result<()> {
        let Some(first) = alike.first() else {
            return Ok(());
        };
        let mut prepared = self.database.prepare_cached(first.sql)?;
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

    /// A statement of one word or two, about transactions.
    pub(super) fn control(&self, sql: &str) -> rusqlite::Result<()> {
        self.database.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// What every change of the account changes.
    pub(super) fn revision_of(&self, account: &str) -> rusqlite::Result<Option<String>> {
        let mut select = self.database.prepare_cached(concat!(
            "SELECT revisions FROM accounts WHERE name = ?1 AND revisions <> ",
            no_session!()
        ))?;
        let mut rows = select.query([account])?;
        rows.next()?.map(|row| row.get(0)).transpose()
    }
}
