//! A database that notes what it is asked.

use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use super::super::connection::{Connection, OnRow, Write, Written};
use super::super::local::LocalConnection;
use super::super::schema::LegacyTables;
use super::super::statement::{Select, Statement};

/// What a database was asked.
#[derive(Clone, Default)]
pub(super) struct Seen {
    pub(super) sql: Arc<Mutex<BTreeSet<String>>>,
    pub(super) steps: Arc<AtomicU64>,
}

/// A database file that notes every statement and counts the steps of SQLite's machine.
pub(super) struct Watched {
    pub(super) inner: LocalConnection,
    pub(super) seen: Seen,
}

impl Watched {
    fn watch(&mut self) -> io::Result<()> {
        let steps = Arc::clone(&self.seen.steps);
        self.inner.for_each_connection(|database| {
            let steps = Arc::clone(&steps);
            let count = move || {
                steps.fetch_add(1, Ordering::Relaxed);
                false
            };
            database.progress_handler(1, Some(count)).unwrap();
        })
    }

    fn note_selects(&mut self, selects: &[Select]) -> io::Result<()> {
        for select in selects {
            self.note(select.sql());
            #[cfg(feature = "libsql-remote")]
            if select.is_list {
                self.note(super::super::remote::sql_of_a_page(select));
            }
        }
        self.watch()
    }

    fn note(&self, sql: String) {
        self.seen.sql.lock().unwrap().insert(sql);
    }
}

impl Connection for Watched {
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        self.note_selects(selects)?;
        self.inner.read(selects, on_row)
    }

    fn peek(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        self.note_selects(selects)?;
        self.inner.peek(selects, on_row)
    }

    fn is_unchanged(&mut self) -> io::Result<bool> {
        self.inner.is_unchanged()
    }

    fn write(&mut self, write: Write) -> io::Result<Written> {
        for statement in &write.statements {
            self.note(statement.sql.to_owned());
        }
        self.watch()?;
        self.inner.write(write)
    }

    fn is_ours(&mut self) -> io::Result<bool> {
        self.inner.is_ours()
    }

    fn set_ours(&mut self, is_ours: bool) {
        self.inner.set_ours(is_ours);
    }

    fn mark(&self) -> Option<Statement> {
        self.inner.mark()
    }

    fn keep_old(&mut self, tables: &LegacyTables) -> io::Result<Vec<Statement>> {
        self.inner.keep_old(tables)
    }

    fn scrub(&mut self, with_backups: bool) -> io::Result<()> {
        self.inner.scrub(with_backups)
    }
}
