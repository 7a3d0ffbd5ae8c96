//! One database per file and process.
//!
//! A handle on a file that another one of this process has open gets the same database, whatever backend
//! and whatever name of the file it uses. All of them write through one [`Writer`] and read through a few
//! connections of their own, so that nobody waits for a writer to read: a thousand accounts of a file need as
//! many descriptors, and as much of a page cache, as one.

mod writing;

use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::aside::Aside;
use super::line::Line;
use super::local::DEFAULT_BUSY_TIMEOUT;
use super::local_error::{bug, explain};
use super::local_file::Rights;
use super::local_open::{Moment, Open};
use super::writer::Writer;
use super::{local_connect, opened_files};
use crate::sqlite_file::open_databases::{Announced, FileId};
use crate::sync::lock;

/// Connections that read: a long read does not keep another one waiting. With the writer they need seven
/// descriptors.
const READERS: usize = 2;

/// What a database is read from.
pub(super) enum Source {
    Memory,
    /// The file itself, which is known by that, to notice that it was replaced.
    File(Announced),
    /// What is read instead of what lies there.
    Aside(Aside),
}

/// A database that is open.
pub(super) struct Shared {
    // Closed before the announcement ends.
    readers: [Mutex<Option<Open>>; READERS],
    /// In memory there is no other connection than this one.
    writer: Mutex<Option<Writer>>,
    /// Whether the writer is open and the file prepared for it.
    is_prepared: AtomicBool,
    line: Line,
    source: Source,
    /// The file, by a name that holds wherever the process goes.
    path: PathBuf,
    /// What the process might do with it then.
    rights: Rights,
    /// The process that opened it.
    pid: u32,
    /// The file by which other handles find it.
    pub(super) file: Option<FileId>,
}

impl Shared {
    pub(super) fn memory(busy_timeout: Duration) -> io::Result<Self> {
        super::guard::check_version()?;
        let database = rusqlite::Connection::open_in_memory().map_err(|error| explain(&error))?;
        let shared = Self::new(Source::Memory, Path::new(""));
        *lock(&shared.writer) = Some(Writer::new(Open::new(database, busy_timeout)?));
        shared.is_prepared.store(true, Ordering::Release);
        Ok(shared)
    }

    /// One that was opened to read it.
    pub(super) fn reading_from(source: Source, path: &Path, open: Open) -> Self {
        let mut shared = Self::new(source, path);
        shared.readers = [Mutex::new(Some(open)), Mutex::default()];
        shared
    }

    /// One that was opened to write to it.
    pub(super) fn writing_to(announced: Announced, path: &Path, open: Open) -> Self {
        let shared = Self::new(Source::File(announced), path);
        *lock(&shared.writer) = Some(Writer::new(open));
        shared
    }

    fn new(source: Source, path: &Path) -> Self {
        Self {
            readers: Default::default(),
            writer: Mutex::default(),
            is_prepared: AtomicBool::new(false),
            line: Line::default(),
            source,
            path: lasting(path),
            rights: Rights::to(path),
            pid: std::process::id(),
            file: None,
        }
    }

    /// Whether the file at `path` is still the one that was opened, and as it was where that matters.
    pub(super) fn is_current(&self, path: &Path) -> io::Result<bool> {
        match &self.source {
            Source::Memory => Ok(true),
            Source::File(announced) => Ok(FileId::of(path)? == Some(announced.file())),
            Source::Aside(aside) => Ok(FileId::of(path)?.is_some() && aside.is_current(path)?),
        }
    }

    /// The same for the name under which it was opened, by which SQLite knows its log.
    pub(super) fn is_where_it_was(&self) -> io::Result<bool> {
        self.is_current(&self.path)
    }

    /// Whether the process may do with the file at `path` what it might when it opened it. Connections keep what
    /// they might; a new handle is not to have more than it would without them.
    pub(super) fn has_rights_to(&self, path: &Path) -> bool {
        Rights::to(path) == self.rights
    }

    /// Whether it is read in another place than where it is written.
    pub(super) fn is_aside(&self) -> bool {
        matches!(self.source, Source::Aside(_))
    }

    /// Whether the file can change while it is read.
    pub(super) fn is_immutable(&self) -> bool {
        matches!(&self.source, Source::Aside(aside) if aside.is_immutable())
    }

    /// Whether it was opened and prepared to be written to.
    pub(super) fn is_prepared(&self) -> bool {
        self.is_prepared.load(Ordering::Acquire)
    }

    /// Whether the process was forked since. Databases in memory are copied by that.
    pub(super) fn is_of_another_process(&self) -> bool {
        !matches!(self.source, Source::Memory) && self.pid != std::process::id()
    }

    /// Lends a connection to read, the one that has read at this moment if it is free.
    pub(super) fn read<R>(
        &self,
        busy_timeout: Duration,
        read: impl FnOnce(&mut Open) -> rusqlite::Result<R>,
    ) -> io::Result<rusqlite::Result<R>> {
        let read = |open: &mut Open| {
            open.set_busy_timeout(busy_timeout)?;
            let read = read(open);
            open.progress.ends();
            read
        };
        if let Source::Memory = self.source {
            return self.with_writer(|writer| Ok(read(&mut writer.open)));
        }
        let mut reader = self.reader(busy_timeout)?;
        match reader.as_mut() {
            Some(open) => Ok(read(open)),
            None => Err(bug("a reader that was opened is there")),
        }
    }

    /// The same for what has errors of its own.
    pub(super) fn look<R>(&self, look: impl FnOnce(&Open) -> io::Result<R>) -> io::Result<R> {
        let looked = self.read(DEFAULT_BUSY_TIMEOUT, |open| Ok(look(open)))?;
        looked.map_err(|error| explain(&error))?
    }

    /// A connection that is free, or the first one that will be.
    fn reader(&self, busy_timeout: Duration) -> io::Result<MutexGuard<'_, Option<Open>>> {
        let mut unused = None;
        for reader in &self.readers {
            match try_lock(reader) {
                Some(open) if open.is_some() => return Ok(open),
                Some(open) => unused = unused.or(Some(open)),
                None => {}
            }
        }
        let Some(mut unused) = unused.filter(|_| !self.is_aside()) else {
            return Ok(lock(&self.readers[0]));
        };
        match self.connect_again(busy_timeout) {
            Ok(open) => *unused = Some(open),
            // Without another one, that of others is waited for.
            Err(error) => {
                drop(unused);
                let first = lock(&self.readers[0]);
                return if first.is_some() {
                    Ok(first)
                } else {
                    Err(error)
                };
            }
        }
        Ok(unused)
    }

    /// Another connection to the file that is open.
    fn connect_again(&self, busy_timeout: Duration) -> io::Result<Open> {
        match &self.source {
            Source::File(announced) => {
                let database = local_connect::in_place(&self.path, announced.file())?;
                let database = database.ok_or_else(replaced)?;
                Open::new(database, busy_timeout)
            }
            Source::Memory | Source::Aside(_) => Err(bug("only files are opened twice")),
        }
    }

    fn with_writer<R>(&self, call: impl FnOnce(&mut Writer) -> io::Result<R>) -> io::Result<R> {
        match lock(&self.writer).as_mut() {
            Some(writer) => call(writer),
            None => Err(bug("the writer is opened before it is used")),
        }
    }

    /// How many writes wait for their turn.
    #[cfg(all(test, feature = "sqlite"))]
    pub(super) fn waiting(&self) -> usize {
        self.line.together()
    }

    /// Gives every connection.
    #[cfg(all(test, feature = "sqlite"))]
    pub(super) fn for_each_connection(&self, mut watch: impl FnMut(&mut rusqlite::Connection)) {
        for reader in &self.readers {
            lock(reader)
                .iter_mut()
                .for_each(|open| watch(&mut open.database));
        }
        let mut writer = lock(&self.writer);
        writer
            .iter_mut()
            .for_each(|writer| watch(&mut writer.open.database));
    }

    /// Whether nothing was committed since a connection has read.
    fn is_unchanged(&self, since: Moment) -> rusqlite::Result<bool> {
        for reader in &self.readers {
            if let Some(open) = lock(reader).as_ref()
                && open.id() == since.connection
            {
                return Ok(open.moment()? == since);
            }
        }
        Ok(false)
    }
}

impl Drop for Shared {
    /// In a child process, closing a connection would close the parent's log and give up what is not the
    /// child's: they are left as they are.
    fn drop(&mut self) {
        let is_of_another_process = self.is_of_another_process();
        let writer = get_mut(&mut self.writer).take();
        if is_of_another_process {
            core::mem::forget(writer);
            for reader in &mut self.readers {
                core::mem::forget(get_mut(reader).take());
            }
            return;
        }
        if let Some(mut writer) = writer {
            writer.debt.settle_at_the_end(&mut writer.open);
        }
        if let Some(file) = self.file {
            opened_files::forget(file, &self.path);
        }
    }
}

fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    mutex.get_mut().unwrap_or_else(PoisonError::into_inner)
}

fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// The same file, wherever the process goes.
fn lasting(path: &Path) -> PathBuf {
    if cfg!(unix) {
        std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
    } else {
        std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
    }
}

fn replaced() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "another file took the place of the database just now; nothing was changed: try again",
    )
}
