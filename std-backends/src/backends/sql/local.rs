//! The driver for database files on this machine, and in memory.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::connection::{Connection, Durability, OnRow, Write, Written};
use super::file_url::local_path;
use super::kept;
use super::line::{Basis, Job};
use super::local_error::explain;
use super::local_file::{create_private, private_copy, refuse_second_name};
use super::local_open::Moment;
use super::local_read::{Rows, read_all};
use super::local_scrub;
use super::main_file::{check_log_of_empty, empty_log};
use super::owners::refuse_to_hand_over;
use super::schema::{self, LegacyTables};
use super::shared::Shared;
use super::statement::{Select, Statement};
use super::writer::Commit;
use super::{local_connect, opened_files};
use crate::error::reworded::stored_unflushed;
use crate::flush::FlushPolicy;
use crate::sqlite_file::open_databases::{FileId, opened_before_the_fork};

/// How long a writer waits for others, unless told otherwise.
pub(super) const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often is read again what others changed meanwhile, where they cannot be kept from it.
const READS: usize = 10;

/// How often a file is opened again because another one took its place meanwhile.
const OPENINGS: usize = 10;

/// A handle on a database, which is opened when it is first needed. Other handles of the process on the same
/// file share it; what one of them has seen is its own.
pub(super) struct LocalConnection {
    /// `None` is in memory.
    pub(super) path: Option<PathBuf>,
    shared: Option<Arc<Shared>>,
    /// When it was read last.
    seen: Option<Moment>,
    /// The last commit of this handle.
    written: Option<Commit>,
    /// Whether it is known to have our tables.
    is_ours: bool,
    /// Whether this handle keeps all other writers out.
    is_locked: bool,
    busy_timeout: Duration,
    journal_sync: FlushPolicy,
}

impl LocalConnection {
    pub(super) fn file(path: &Path) -> Self {
        Self {
            path: Some(local_path(path).unwrap_or_else(|_| path.to_path_buf())),
            shared: None,
            seen: None,
            written: None,
            is_ours: false,
            is_locked: false,
            busy_timeout: DEFAULT_BUSY_TIMEOUT,
            journal_sync: FlushPolicy::default(),
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

    /// Opens what is there; `None` when there is nothing.
    pub(super) fn existing(&mut self) -> io::Result<Option<Arc<Shared>>> {
        self.check_process()?;
        if !self.is_current()? {
            self.let_go();
        }
        if self.shared.is_none() {
            let Some(shared) = self.connect()? else {
                return Ok(None);
            };
            self.shared = Some(shared);
        }
        Ok(self.shared.clone())
    }

    fn connect(&self) -> io::Result<Option<Arc<Shared>>> {
        let Some(path) = &self.path else {
            return Shared::memory(self.busy_timeout).map(|shared| Some(Arc::new(shared)));
        };
        // A name that is not a file's is refused before anything is made.
        let Some(file) = FileId::of(&local_path(path)?)? else {
            return Ok(None);
        };
        if let Some(found) = opened_files::find(file, path)? {
            return Ok(Some(found));
        }
        let opened = local_connect::to_read(path, self.busy_timeout)?;
        opened_files::announce(opened, path).map(Some)
    }

    /// Whether what is open is still what lies there.
    fn is_current(&self) -> io::Result<bool> {
        match (&self.path, &self.shared) {
            (Some(path), Some(shared)) => shared.is_current(path),
            _ => Ok(true),
        }
    }

    /// A child process must not use what its parent opened; see `open_databases`.
    fn check_process(&self) -> io::Result<()> {
        match &self.shared {
            Some(shared) if shared.is_of_another_process() => Err(opened_before_the_fork()),
            _ => Ok(()),
        }
    }

    /// Leaves the database to the other handles; the next call opens what lies there then.
    fn let_go(&mut self) {
        self.unlock();
        self.shared = None;
        self.seen = None;
        self.written = None;
        self.is_ours = false;
    }

    /// Opens for writing; makes the file when it is not there.
    pub(super) fn writable(&mut self) -> io::Result<Arc<Shared>> {
        for _ in 0..OPENINGS {
            let shared = match self.existing()? {
                Some(shared) => shared,
                None => self.create()?,
            };
            let Some(path) = self.path.clone() else {
                return Ok(shared);
            };
            refuse_second_name(&path)?;
            let shared = if shared.is_aside() {
                drop(shared);
                self.let_go();
                let opened = local_connect::in_place_of_aside(&path, self.busy_timeout)?;
                self.shared
                    .insert(opened_files::announce(opened, &path)?)
                    .clone()
            } else {
                shared
            };
            match shared.prepare(&path, self.busy_timeout) {
                // Another file took its place, or it has another place.
                Err(_) if !(shared.is_current(&path)? && shared.is_where_it_was()?) => {
                    self.let_go();
                }
                prepared => return prepared.map(|()| shared),
            }
        }
        Err(keeps_changing())
    }

    fn create(&mut self) -> io::Result<Arc<Shared>> {
        if let Some(path) = &self.path {
            create_private(path)?;
        }
        self.existing()?.ok_or_else(keeps_changing)
    }

    fn job(&self, write: Write, basis: Basis) -> Job {
        Job::new(write, basis, self.written, self.journal_sync)
    }

    /// What the connections are, to watch them.
    #[cfg(all(test, feature = "sqlite"))]
    pub(super) fn for_each_connection(
        &mut self,
        watch: impl FnMut(&mut rusqlite::Connection),
    ) -> io::Result<()> {
        if let Some(shared) = self.existing()? {
            shared.for_each_connection(watch);
        }
        Ok(())
    }
}

impl Drop for LocalConnection {
    fn drop(&mut self) {
        self.let_go();
    }
}

fn keeps_changing() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "another program keeps writing to it while it is read: try again",
    )
}

impl Connection for LocalConnection {
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        for _ in 0..READS {
            let Some(shared) = self.existing()? else {
                return Ok(());
            };
            let is_immutable = shared.is_immutable();
            let mut kept = Rows::default();
            let read = shared.read(self.busy_timeout, |open| {
                if is_immutable {
                    read_all(open, selects, &mut |index, row| kept.keep(index, row))
                } else {
                    read_all(open, selects, on_row)
                }
            })?;
            match read {
                Ok((read, moment)) => {
                    self.seen = Some(moment);
                    if !is_immutable {
                        return read;
                    }
                    // Nobody was kept from writing meanwhile.
                    if self.is_current()? {
                        return kept.give(on_row);
                    }
                }
                Err(error) => {
                    if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
                        // Whoever says what the file is instead opens it without SQLite.
                        drop(shared);
                        self.let_go();
                    }
                    return Err(explain(&error));
                }
            }
        }
        Err(keeps_changing())
    }

    fn peek(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        if self.existing()?.is_none() {
            return Ok(());
        }
        let before = (self.is_ours, self.seen);
        let read = self.read(selects, on_row);
        // Another file that took the place of this one is not known to be ours.
        if (self.is_ours, self.seen) != before {
            self.seen = None;
        }
        read
    }

    fn check_empty(&mut self) -> io::Result<()> {
        match (self.path.clone(), self.existing()?) {
            (Some(path), Some(shared)) => {
                let checked = shared.read(self.busy_timeout, |open| {
                    Ok(check_log_of_empty(&open.database, &path))
                })?;
                checked.map_err(|error| explain(&error))?
            }
            _ => Ok(()),
        }
    }

    fn found_instead(&self, error: &io::Error) -> Option<String> {
        crate::found::describe_found(error, self.path.as_deref()?)
    }

    fn is_unchanged(&mut self) -> io::Result<bool> {
        let exists = self.path.is_none() || self.shared.is_some();
        match self.existing()? {
            // Nothing was there, and still is not.
            None => Ok(!exists),
            Some(shared) => match self.seen {
                None => Ok(false),
                Some(seen) => {
                    let now = shared.read(self.busy_timeout, |open| open.moment())?;
                    Ok(now.map_err(|error| explain(&error))? == seen)
                }
            },
        }
    }

    fn is_flushed(&mut self) -> io::Result<bool> {
        match self.existing()? {
            // What was not opened to be written to was written by others.
            Some(shared) if shared.is_prepared() => shared.alone(self.busy_timeout, |writer| {
                writer.is_flushed().map_err(|error| explain(&error))
            }),
            _ => Ok(false),
        }
    }

    fn write(&mut self, write: Write) -> io::Result<Written> {
        if let (Some(path), Durability::Now) = (&self.path, write.durability) {
            refuse_to_hand_over(path)?;
        }
        let before = self.shared.clone();
        let shared = self.writable()?;
        let is_another = |before: &Arc<Shared>| !Arc::ptr_eq(before, &shared);
        if write.if_unchanged && before.as_ref().is_some_and(is_another) {
            return Ok(Written::Conflict);
        }
        let basis = match self.seen {
            Some(seen) => Basis::Read(seen),
            None if before.is_some() => Basis::Unknown,
            // Nothing was there to be read, unless somebody made it since.
            None => Basis::Nothing,
        };
        let job = self.job(write, basis);
        let done = if core::mem::take(&mut self.is_locked) {
            shared.write_locked(&job, self.busy_timeout)?
        } else {
            shared.write(job, self.busy_timeout)?
        };
        if done.at.is_some() {
            self.written = done.at;
        }
        Ok(done.written)
    }

    fn lock(&mut self) -> io::Result<bool> {
        if self.existing()?.is_none() {
            return Ok(false);
        }
        self.writable()?.lock(self.busy_timeout)?;
        self.is_locked = true;
        Ok(true)
    }

    fn unlock(&mut self) {
        if core::mem::take(&mut self.is_locked)
            && let Some(shared) = &self.shared
        {
            shared.unlock();
        }
    }

    fn is_ours(&mut self) -> io::Result<bool> {
        Ok(self.existing()?.is_some() && self.is_ours)
    }

    fn set_ours(&mut self, is_ours: bool) {
        self.is_ours = is_ours && self.shared.is_some();
    }

    fn mark(&self) -> Option<Statement> {
        Some(schema::set_application_id())
    }

    fn keep_old(&mut self, _: &LegacyTables) -> io::Result<Vec<Statement>> {
        if let (Some(path), Some(shared)) = (self.path.clone(), self.existing()?) {
            let copied = shared.read(self.busy_timeout, |open| {
                Ok(private_copy(&open.database, &path))
            })?;
            kept::keep(copied.map_err(|error| explain(&error))??, &path)?;
        }
        Ok(Vec::new())
    }

    fn scrub(&mut self, is_default: bool) -> io::Result<()> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        let scrubbed = local_scrub::remove_copies(self, &path, is_default).and_then(|()| {
            if self.existing()?.is_none() {
                return Ok(());
            }
            let shared = self.writable()?;
            shared.alone(self.busy_timeout, |writer| empty_log(&writer.open.database))
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
