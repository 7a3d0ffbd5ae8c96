//! What libSQL backends share with those of SQLite: whole records, and budgets of memory.

use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex};

use super::budget::Budget;
use super::contended::contended;
use super::database::Database;
use super::libsql::LibSqlBackend;
use super::store::SqlStore;
use super::whole::Whole;
use crate::record::SessionRecord;

impl LibSqlBackend {
    /// The same within a budget of memory.
    pub(crate) fn within(self, budget: Option<Arc<Budget>>) -> Self {
        Self {
            database: self.database.within(budget),
            ..self
        }
    }
}

impl Whole for LibSqlBackend {
    fn turn(&self) -> &Mutex<()> {
        &self.turn
    }

    fn read_whole(&self) -> io::Result<(Option<SessionRecord>, u64)> {
        self.with("load", |database| database.primary().read_record())
    }

    fn store_whole(&self, record: &SessionRecord, stamp: u64) -> io::Result<bool> {
        self.in_turn("update", |database| match database {
            Database::One(store) => store.replace_read(record, stamp),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.replace_read(record, stamp),
        })
    }

    fn with_locks<R>(&self, call: impl FnOnce(&mut SqlStore) -> io::Result<R>) -> io::Result<R> {
        self.with("update", |database| call(database.primary()))
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn give_up(&self) -> io::Error {
        self.error("update")(contended())
    }
}
