//! The driver for database files on this machine, and in memory.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::connection::{Connection, Durability, OnRow, Write, Written};
use super::file_url::local_path;
use super::kept;
use super::local_error::explain;
use super::local_file::{create_private, make_private, private_copy, refuse_second_name, use_wal};
use super::local_open::Open;
use super::local_read::{Rows, read_all};
use super::local_scrub;
use super::main_file::{check_log_of_empty, empty_log};
use super::owners::{refuse_planted, refuse_to_hand_over};
use super::schema::{self, LegacyTables};
use super::statement::{Select, Statement};
use crate::error::reworded::stored_unflushed;
use crate::flush::{FlushPolicy, LastFlush};
use crate::sqlite_file::open_databases::{FileId, opened_before_the_fork};

/// How long a writer waits for others, unless told otherwise.
pub(super) const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often is read again what others changed meanwhile, where they cannot be kept from it.
const READS: usize = 10;

/// A database file, opened when it is first needed.
pub(super) struct LocalConnection {
    /// `None` is in memory.
    pub(super) path: Option<PathBuf>,
    open: Option<Open>,
    pub(super) busy_timeout: Duration,
    journal_sync: FlushPolicy,
    last_flush: LastFlush,
}

impl LocalConnection {
    pub(super) fn file(path: &Path) -> Self {
        Self {
            path: Some(local_path(path).unwrap_or_else(|_| path.to_path_buf())),
            open: None,
            busy_timeout: DEFAULT_BUSY_TIMEOUT,
            journal_sync: FlushPolicy::default(),
            last_flush: LastFlush::default(),
        }
    }

    pub(super) fn memory() -> Self {
        let mut memory = Self::file(Path::new(""));
        memory.path = None;
        memory
    }

    pub(super) fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    pub(super) fn with_journal_sync(mut self, journal_sync: FlushPolicy) -> Self {
        self.journal_sync = journal_sync;
        self
    }

    /// The connection to what is there, to watch it.
    #[cfg(all(test, feature = "sqlite"))]
    pub(super) fn database(&mut self) -> io::Result<Option<&mut rusqlite::Connection>> {
        Ok(self.existing()?.map(|open| &mut open.database))
    }

    /// Opens what is there; `None` when there is nothing.
    pub(super) fn existing(&mut self) -> io::Result<Option<&mut Open>> {
        self.check_process()?;
        if !self.is_current()? {
            self.open = None;
        }
        if self.open.is_none() {
            if let Some(path) = &self.path
                // A name that is not a file's is refused before anything is made.
                && FileId::of(&local_path(path)?)?.is_none()
            {
                return Ok(None);
            }
            self.open = Some(self.connect()?);
        }
        Ok(self.open.as_mut())
    }

    /// Whether what is open is still what lies there.
    fn is_current(&self) -> io::Result<bool> {
        match (&self.path, &self.open) {
            (Some(path), Some(open)) => open.is_current(path),
            _ => Ok(true),
        }
    }

    /// A child process must not use what its parent opened; see `open_databases`.
    fn check_process(&self) -> io::Result<()> {
        match &self.open {
            Some(open) if open.is_of_another_process() => Err(opened_before_the_fork()),
            _ => Ok(()),
        }
    }

    /// Opens for writing; makes the file when it is not there.
    pub(super) fn writable(&mut self) -> io::Result<&mut Open> {
        self.check_process()?;
        // `is_ours` came before and has noticed if the file was replaced.
        if self.open.is_none() && self.existing()?.is_none() {
            if let Some(path) = &self.path {
                create_private(path)?;
            }
            self.existing()?;
        }
        if let Some(path) = &self.path {
            refuse_second_name(path)?;
            if self.open.as_ref().is_some_and(Open::is_aside) {
                self.open = None;
                self.open = Some(self.connect_to_write(path)?);
            }
        }
        let Some(open) = &mut self.open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if !open.is_writable {
            if let Some(path) = &self.path {
                refuse_planted(path)?;
                make_private(path)?;
                // The tables of a new database come first, and the log with the write after that; see
                // `check_log_of_empty`.
                if open.is_empty().map_err(|error| explain(&error))? {
                    return Ok(open);
                }
                use_wal(&open.database, path, self.busy_timeout)?;
            }
            open.is_writable = true;
        }
        Ok(open)
    }

    fn durability(&mut self, wanted: Durability) -> Durability {
        if wanted == Durability::Now || self.last_flush.is_due(self.journal_sync) {
            return Durability::Now;
        }
        Durability::Soon
    }
}

impl Drop for LocalConnection {
    /// In a child process, closing the connection would close the parent's log and give up what is
    /// not the child's: it is left as it is.
    fn drop(&mut self) {
        if self.open.as_ref().is_some_and(Open::is_of_another_process) {
            core::mem::forget(self.open.take());
        }
        if let Some(open) = &mut self.open {
            open.debt.settle_at_the_end(&open.database);
        }
    }
}

impl Connection for LocalConnection {
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        for _ in 0..READS {
            let Some(open) = self.existing()? else {
                return Ok(());
            };
            let is_immutable = open.is_immutable();
            let seen = open.seen;
            let mut kept = Rows::default();
            let read = if is_immutable {
                read_all(open, selects, &mut |index, row| kept.keep(index, row))
            } else {
                read_all(open, selects, on_row)
            };
            open.progress.ends();
            if seen.is_some() && open.seen != seen {
                open.debt.may_have_grown();
            }
            match read {
                Ok(read) if !is_immutable => return read,
                // Nobody was kept from writing meanwhile.
                Ok(_) => {
                    if self.is_current()? {
                        return kept.give(on_row);
                    }
                }
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                    // Whoever says what the file is instead opens it without SQLite.
                    self.open = None;
                    return Err(explain(&error));
                }
                Err(error) => return Err(explain(&error)),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "another program keeps writing to it while it is read: try again",
        ))
    }

    fn peek(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        let before = match self.existing()? {
            Some(open) => (open.is_ours, open.seen),
            None => return Ok(()),
        };
        let read = self.read(selects, on_row);
        if let Some(open) = &mut self.open
            // Another file that took the place of this one is not known to be ours.
            && (open.is_ours, open.seen) != before
        {
            open.seen = None;
        }
        read
    }

    fn check_empty(&mut self) -> io::Result<()> {
        match (self.path.clone(), self.existing()?) {
            (Some(path), Some(open)) => check_log_of_empty(&mut open.database, &path),
            _ => Ok(()),
        }
    }

    fn found_instead(&self, error: &io::Error) -> Option<String> {
        crate::found::describe_found(error, self.path.as_deref()?)
    }

    fn is_unchanged(&mut self) -> io::Result<bool> {
        let exists = self.path.is_none() || self.open.is_some();
        match self.existing()? {
            // Nothing was there, and still is not.
            None => Ok(!exists),
            Some(open) => match open.seen {
                None => Ok(false),
                Some(seen) => {
                    let now = open.data_version().map_err(|error| explain(&error))?;
                    Ok(now == seen)
                }
            },
        }
    }

    fn is_flushed(&mut self) -> io::Result<bool> {
        match self.existing()? {
            Some(open) => open.is_flushed().map_err(|error| explain(&error)),
            None => Ok(false),
        }
    }

    fn write(&mut self, write: &Write) -> io::Result<Written> {
        if let (Some(path), Durability::Now) = (&self.path, write.durability) {
            refuse_to_hand_over(path)?;
        }
        let durability = self.durability(write.durability);
        let was_there = self.open.is_some();
        let open = self.writable()?;
        if write.if_unchanged && open.seen.is_none() {
            // Nothing was there to be read, unless somebody made it since.
            open.seen = Some(open.data_version().map_err(|error| explain(&error))?);
            if was_there || !open.is_empty().map_err(|error| explain(&error))? {
                return Ok(Written::Conflict);
            }
        }
        let written = open
            .write(write, durability)
            .map_err(|error| explain(&error))?;
        match written {
            Written::Conflict => open.debt.may_have_grown(),
            Written::Done | Written::Overtaken => {
                if write.durability == Durability::Now {
                    open.debt.grows_by_login();
                }
                open.debt.settle(&open.database);
                if durability == Durability::Now {
                    self.last_flush.is_now();
                }
            }
        }
        Ok(written)
    }

    fn lock(&mut self) -> io::Result<bool> {
        if self.existing()?.is_none() {
            return Ok(false);
        }
        let open = self.writable()?;
        open.lock().map_err(|error| explain(&error))?;
        Ok(true)
    }

    fn unlock(&mut self) {
        if let Some(open) = &mut self.open {
            open.unlock();
        }
    }

    fn is_ours(&mut self) -> io::Result<bool> {
        Ok(self.existing()?.is_some_and(|open| open.is_ours))
    }

    fn set_ours(&mut self, is_ours: bool) {
        if let Some(open) = &mut self.open {
            open.is_ours = is_ours;
        }
    }

    fn mark(&self) -> Option<Statement> {
        Some(schema::set_application_id())
    }

    fn keep_old(&mut self, _: &LegacyTables) -> io::Result<Vec<Statement>> {
        if let (Some(path), Some(open)) = (self.path.clone(), self.existing()?) {
            kept::keep(private_copy(&open.database, &path)?, &path)?;
        }
        Ok(Vec::new())
    }

    fn scrub(&mut self, is_default: bool) -> io::Result<()> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        let scrubbed = local_scrub::remove_copies(self, &path, is_default).and_then(|()| {
            let open = self.existing()?;
            open.map_or(Ok(()), |open| empty_log(&open.database))
        });
        scrubbed.map_err(|error| {
            let message = format!(
                "the account is deleted, but its bytes may stay in the -wal file or in a copy of an older \
                 release ({error}): delete again"
            );
            stored_unflushed(&error, message)
        })
    }
}
