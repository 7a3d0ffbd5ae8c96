//! The driver for database files on this machine, and in memory.

use core::time::Duration;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::{ErrorCode, OpenFlags, TransactionBehavior};

use super::aside::{self, Aside};
use super::connection::{Connection, Durability, OnRow, Write, Written};
use super::copies;
use super::file_url::local_path;
use super::guard::{self, Progress};
use super::kept;
use super::local_error::{explain, only_readable};
use super::local_read::{Rows, bind, read_all};
use super::locks;
use super::main_file::{Debt, check_log_of_empty};
use super::owners::{refuse_planted, refuse_to_hand_over};
use super::recognise::refuse_others;
use super::schema::{self, LegacyTables};
use super::statement::{Select, Statement, Value};
use crate::fs::Temp;
use crate::journal_sync::{JournalSync, LastFlush};
use crate::open_databases::{Announced, FileId, PlainFile, opened_before_the_fork};

/// How long a writer waits for others, unless told otherwise.
pub(super) const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often is read again what others changed meanwhile, where they cannot be kept from it.
const READS: usize = 10;

/// How often a file is opened again because another one took its place meanwhile.
const OPENINGS: usize = 10;

/// Prepared statements that are kept; there are about twenty.
const CACHED_STATEMENTS: usize = 32;

/// A database file, opened when it is first needed.
pub(super) struct LocalConnection {
    /// `None` is in memory.
    path: Option<PathBuf>,
    open: Option<Open>,
    busy_timeout: Duration,
    journal_sync: JournalSync,
    last_flush: LastFlush,
}

pub(super) struct Open {
    pub(super) database: rusqlite::Connection,
    /// Which file it is, to notice that it was replaced. `None` is in memory, or aside.
    announced: Option<Announced>,
    /// What is read instead of what lies there.
    aside: Option<Aside>,
    /// The process that opened it; `None` is in memory.
    pid: Option<u32>,
    /// `PRAGMA data_version` at the last read: it changes with every commit of others.
    pub(super) seen: Option<i64>,
    is_ours: bool,
    /// Prepared for writing: journal mode and file mode.
    is_writable: bool,
    synchronous: Option<Durability>,
    /// What the main file may lack of what was acknowledged.
    debt: Debt,
    pub(super) progress: Progress,
}

impl LocalConnection {
    pub(super) fn file(path: &Path) -> Self {
        Self {
            path: Some(local_path(path).unwrap_or_else(|_| path.to_path_buf())),
            open: None,
            busy_timeout: DEFAULT_BUSY_TIMEOUT,
            journal_sync: JournalSync::default(),
            last_flush: LastFlush::default(),
        }
    }

    pub(super) fn memory() -> Self {
        let mut memory = Self::file(Path::new(""));
        memory.path = None;
        memory
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn with_journal_sync(mut self, journal_sync: JournalSync) -> Self {
        self.journal_sync = journal_sync;
        self
    }

    /// The connection to what is there, to watch it.
    #[cfg(all(test, feature = "sqlite"))]
    pub(super) fn database(&mut self) -> io::Result<Option<&mut rusqlite::Connection>> {
        Ok(self.existing()?.map(|open| &mut open.database))
    }

    /// Opens what is there; `None` when there is nothing.
    fn existing(&mut self) -> io::Result<Option<&mut Open>> {
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

    /// Opens what is there to read it, in whichever way it can be read.
    fn connect(&self) -> io::Result<Open> {
        guard::check_version()?;
        let Some(path) = &self.path else {
            let database = rusqlite::Connection::open_in_memory();
            return self.configured(database.map_err(|error| explain(&error))?, None, None);
        };
        refuse_planted(path)?;
        refuse_others(path)?;
        if has_second_name(path)? {
            return self.connect_to_copy(path);
        }
        if let Some((database, aside)) = Aside::immutable(path)? {
            return self.configured(database, None, Some(aside));
        }
        let open = self.connect_in_place(path)?;
        match aside::try_to_read(&open.database) {
            Err(error) if aside::helps(&error) || locks::are_missing(&error, path) => {
                drop(open);
                self.connect_to_copy(path)
            }
            // Whatever else is wrong, the read itself says.
            _ => Ok(open),
        }
    }

    fn connect_to_copy(&self, path: &Path) -> io::Result<Open> {
        let (database, aside) = Aside::copy_of(path)?;
        self.configured(database, None, Some(aside))
    }

    /// Opens the file to write to it; one whose log cannot be used here goes on without.
    fn connect_to_write(&self, path: &Path) -> io::Result<Open> {
        let mut open = self.connect_in_place(path)?;
        match aside::try_to_read(&open.database) {
            Err(error) if aside::lacks_shared_memory(&error) => {
                // A connection that has tried to share memory goes on trying.
                drop(open);
                open = self.connect_in_place(path)?;
                aside::leave_wal(&open.database)
            }
            read => read,
        }
        .map_err(|error| match explain(&error) {
            // What was found to be readable is there.
            _ if aside::helps(&error) => only_readable(),
            _ if locks::are_missing(&error, path) => locks::explain_missing(path),
            explained => explained,
        })?;
        Ok(open)
    }

    fn connect_in_place(&self, path: &Path) -> io::Result<Open> {
        // The mutex around every store is enough.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        for _ in 0..OPENINGS {
            let file = FileId::of(path)?.ok_or(io::ErrorKind::NotFound)?;
            let announced = Announced::new(file)?;
            let database = rusqlite::Connection::open_with_flags(path, flags)
                .map_err(|error| explain(&error))?;
            // Otherwise another file took its place in between, and that one was not announced.
            if FileId::of(path)? == Some(file) {
                return self.configured(database, Some(announced), None);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "other programs keep replacing the file",
        ))
    }

    fn configured(
        &self,
        mut database: rusqlite::Connection,
        announced: Option<Announced>,
        aside: Option<Aside>,
    ) -> io::Result<Open> {
        let progress = Progress::default();
        let mut configure = || {
            database.busy_timeout(self.busy_timeout)?;
            database.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
            guard::limit(&mut database, &progress)?;
            // Otherwise SQLite plans a statement anew for every value that it is given.
            database.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            // Freed bytes are overwritten, and no temporary file ever holds a key.
            database.execute_batch("PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;")
        };
        configure().map_err(|error| explain(&error))?;
        Ok(Open {
            database,
            announced,
            aside,
            pid: self.path.as_ref().map(|_| std::process::id()),
            seen: None,
            is_ours: false,
            is_writable: false,
            synchronous: None,
            debt: Debt::of_others(self.busy_timeout),
            progress,
        })
    }

    /// Opens for writing; makes the file when it is not there.
    fn writable(&mut self) -> io::Result<&mut Open> {
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
            if self.open.as_ref().is_some_and(|open| open.aside.is_some()) {
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

impl Open {
    /// Whether the file at `path` is still the one that was opened, and as it was where that matters.
    fn is_current(&self, path: &Path) -> io::Result<bool> {
        let there = FileId::of(path)?;
        match &self.aside {
            Some(aside) => Ok(there.is_some() && aside.is_current(path)?),
            None => Ok(there == self.announced.as_ref().map(Announced::file)),
        }
    }

    /// Whether the process was forked since. Databases in memory are copied by that.
    fn is_of_another_process(&self) -> bool {
        self.pid.is_some_and(|pid| pid != std::process::id())
    }

    fn data_version(&self) -> rusqlite::Result<i64> {
        self.database
            .prepare_cached("PRAGMA data_version")?
            .query_row([], |row| row.get(0))
    }

    fn is_empty(&self) -> rusqlite::Result<bool> {
        self.database
            .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
                row.get(0)
            })
    }

    fn set_synchronous(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.synchronous != Some(durability) {
            self.database.execute_batch(match durability {
                Durability::Now => "PRAGMA synchronous = FULL",
                Durability::Soon => "PRAGMA synchronous = NORMAL",
            })?;
            self.synchronous = Some(durability);
        }
        Ok(())
    }

    fn write(&mut self, write: &Write, durability: Durability) -> rusqlite::Result<Written> {
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
            let is_immutable = open.aside.as_ref().is_some_and(Aside::is_immutable);
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

    fn check_empty(&mut self) -> io::Result<()> {
        let Some(path) = self.path.clone() else {
            return Ok(());
        };
        match self.existing()? {
            Some(open) => check_log_of_empty(&mut open.database, &path),
            None => Ok(()),
        }
    }

    fn found_instead(&self, error: &io::Error) -> Option<String> {
        crate::found::instead(error, self.path.as_deref()?)
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
            Written::Done => {
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
        let Some(path) = self.path.clone() else {
            return Ok(Vec::new());
        };
        let Some(open) = self.existing()? else {
            return Ok(Vec::new());
        };
        let mut file = private_copy(&open.database, &path)?;
        for backup in kept::names(&path) {
            match file.keep_as(&backup) {
                Ok(_) => {
                    #[cfg(feature = "tracing")]
                    tracing::info!(
                        backup = %backup.display(),
                        "database of an older release kept before its migration"
                    );
                    return Ok(Vec::new());
                }
                Err((error, kept)) if error.kind() == io::ErrorKind::AlreadyExists => file = kept,
                Err((error, _)) => return Err(error),
            }
        }
        Ok(Vec::new())
    }

    fn scrub(&mut self, is_default: bool) -> io::Result<()> {
        self.scrub_files(is_default).map_err(|error| {
            let message = format!(
                "the account is deleted, but its bytes may stay in the -wal file or in a copy of an older \
                 release ({error}): delete again"
            );
            io::Error::new(error.kind(), message)
        })
    }
}

impl LocalConnection {
    /// Does what [`scrub`](Connection::scrub) does.
    fn scrub_files(&mut self, is_default: bool) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        kept::remove_all(path)?;
        if is_default {
            let statements = schema::drop_kept().collect();
            self.write(&Write {
                statements,
                durability: Durability::Now,
                if_unchanged: false,
            })?;
        }
        let Some(open) = self.existing()? else {
            return Ok(());
        };
        // Freed bytes are overwritten (secure_delete); only the log still has them.
        let checkpoint = open
            .database
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                row.get::<_, bool>(0)
            });
        let is_busy = checkpoint.map_err(|error| explain(&error))?;
        if is_busy {
            let message = "other programs have to let go of the database first";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
        }
        Ok(())
    }
}

/// Copies a whole database into a temporary file beside `path`. Only its owner can read it: that is
/// how temporary files are made.
fn private_copy(from: &rusqlite::Connection, path: &Path) -> io::Result<Temp> {
    let file = Temp::beside(path)?;
    copies::copy(from, file.path())?;
    file.file().sync_all()?;
    Ok(file)
}

/// Copies the database at `path` into a new file.
#[cfg(feature = "sqlite")]
pub(super) fn back_up_to(path: &Path, to: &Path) -> io::Result<()> {
    let mut connection = LocalConnection::file(path);
    let Some(open) = connection.existing()? else {
        return Err(io::ErrorKind::NotFound.into());
    };
    private_copy(&open.database, to)?
        .keep_as(to)
        .map(|_| ())
        .map_err(|(error, _)| error)
}

/// Puts the copy of a database back into the database at `path`, which is made where there is none.
#[cfg(feature = "sqlite")]
pub(super) fn restore_from(copy: &Path, path: &Path) -> io::Result<()> {
    copies::check_places(copy, path)?;
    let mut from = LocalConnection::file(copy);
    let Some(from) = from.existing()? else {
        return Err(io::ErrorKind::NotFound.into());
    };
    copies::check_integrity(&from.database)?;
    if from.is_empty().map_err(|error| explain(&error))? {
        let message = "the copy has no tables: nothing was changed";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    refuse_to_hand_over(path)?;
    let mut to = LocalConnection::file(path);
    let to = to.writable()?;
    to.set_synchronous(Durability::Now)
        .map_err(|error| explain(&error))?;
    copies::write_into(&from.database, &mut to.database, DEFAULT_BUSY_TIMEOUT)?;
    to.debt.grows_by_login();
    to.debt.settle(&to.database);
    Ok(())
}

/// What is wrong with the file at `path` apart from what is in its rows.
#[cfg(feature = "sqlite")]
pub(super) fn problems_of(path: &Path) -> io::Result<Vec<String>> {
    match LocalConnection::file(path).existing()? {
        None => Ok(Vec::new()),
        Some(open) => {
            let found = [
                copies::problems(&open.database),
                copies::rows_without_account(&open.database),
            ];
            let mut problems = Vec::new();
            for found in found {
                match found.map_err(|error| explain(&error)) {
                    Ok(found) => problems.extend(found),
                    // A check that damage ends is a finding as well.
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                        problems.push(error.to_string());
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(problems)
        }
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

/// Turns write-ahead logging on: readers and a writer do not wait for each other, and a commit is one
/// append. While another program does the same, SQLite says "locked" at once instead of waiting.
fn use_wal(database: &rusqlite::Connection, path: &Path, timeout: Duration) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(2);

    let mode = database.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0));
    if mode.is_ok_and(|mode| mode == "wal") || !aside::can_share_memory(path) {
        return Ok(());
    }
    let start = Instant::now();
    loop {
        let mode = database.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        match mode {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && start.elapsed() < timeout =>
            {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(explain(&error)),
            Ok(_) => return Ok(()),
        }
    }
}

/// Refuses to write to a file that has another name as well. SQLite finds a log by the name of its
/// database: what was written under one name is missed, or applied to something else, under the other.
fn refuse_second_name(path: &Path) -> io::Result<()> {
    if has_second_name(path)? {
        let message = "the file has a second name (a hard link), and a database's log goes by the \
                       name; nothing was changed: remove the other name, or replace it by a copy \
                       (`mtsession backup` makes one)";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

fn has_second_name(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::nlink(&fs::metadata(path)?) > 1);
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(false)
    }
}

/// Makes the file, readable by its owner only. SQLite gives its other files the same mode.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            // Somebody else may have opened it already.
            drop(PlainFile::from(file));
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let dir = path.parent().unwrap_or(path).display();
            let message = format!("directory {dir} does not exist");
            Err(io::Error::new(io::ErrorKind::NotFound, message))
        }
        Err(error) => Err(error),
    }
}

/// Takes the group's and others' rights away from a file that somebody else made.
fn make_private(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        let permissions = fs::metadata(path)?.permissions();
        let private = permissions.mode() & 0o600;
        if permissions.mode() & 0o777 != private {
            fs::set_permissions(path, fs::Permissions::from_mode(private))?;
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
