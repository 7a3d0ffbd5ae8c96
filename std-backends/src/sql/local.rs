//! The driver for database files on this machine, and in memory.

use core::time::Duration;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::{OpenFlags, TransactionBehavior};

use super::connection::{Connection, Durability, OnRow, Write, Written};
use super::guard::{self, Progress};
use super::local_error::explain;
use super::main_file::{check_log_of_empty, fold_log};
use super::recognise::refuse_others;
use super::schema::{self, LegacyTables};
use super::statement::{Select, Statement, Value, ValueRef};
use crate::fs::Temp;
use crate::journal_sync::{JournalSync, LastFlush};
use crate::open_databases::{Announced, FileId, PlainFile, opened_before_the_fork};

/// How long a writer waits for others, unless told otherwise.
pub(super) const DEFAULT_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What is added to the name of a database of an older release when it is kept.
const BACKUP_SUFFIX: &str = ".pre-mtsession";

/// Most columns of any query.
const MAX_COLUMNS: usize = 13;

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

struct Open {
    database: rusqlite::Connection,
    /// Which file it is, to notice that it was replaced. `None` is in memory.
    announced: Option<Announced>,
    /// `PRAGMA data_version` at the last read: it changes with every commit of others.
    seen: Option<i64>,
    is_ours: bool,
    /// Prepared for writing: journal mode and file mode.
    is_writable: bool,
    synchronous: Option<Durability>,
    /// The main file may lack what was acknowledged: by us, or by a program that was killed since.
    owes_main_file: bool,
    progress: Progress,
}

impl LocalConnection {
    pub(super) fn file(path: &Path) -> Self {
        Self {
            path: Some(path.to_path_buf()),
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
        if let (Some(path), Some(open)) = (&self.path, &self.open)
            && FileId::of(path)? != open.file()
        {
            self.open = None;
        }
        if self.open.is_none() {
            if let Some(path) = &self.path
                && FileId::of(path)?.is_none()
            {
                return Ok(None);
            }
            self.open = Some(self.connect()?);
        }
        Ok(self.open.as_mut())
    }

    /// A child process must not use what its parent opened; see `open_databases`.
    fn check_process(&self) -> io::Result<()> {
        match &self.open {
            Some(open) if open.is_of_another_process() => Err(opened_before_the_fork()),
            _ => Ok(()),
        }
    }

    fn connect(&self) -> io::Result<Open> {
        guard::check_version()?;
        let Some(path) = &self.path else {
            let database = rusqlite::Connection::open_in_memory();
            return self.configured(database.map_err(|error| explain(&error))?, None);
        };
        refuse_others(path)?;
        // The mutex around every store is enough.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        for _ in 0..OPENINGS {
            let file = FileId::of(path)?.ok_or(io::ErrorKind::NotFound)?;
            let announced = Announced::new(file)?;
            let database = rusqlite::Connection::open_with_flags(path, flags)
                .map_err(|error| explain(&error))?;
            // Otherwise another file took its place in between, and that one was not announced.
            if FileId::of(path)? == Some(file) {
                return self.configured(database, Some(announced));
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
            seen: None,
            is_ours: false,
            is_writable: false,
            synchronous: None,
            owes_main_file: true,
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
        let Some(open) = &mut self.open else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Some(path) = &self.path {
            refuse_second_name(path)?;
        }
        if !open.is_writable {
            if let Some(path) = &self.path {
                make_private(path)?;
                // The tables of a new database come first, and the log with the write after that; see
                // `check_log_of_empty`.
                if open.is_empty().map_err(|error| explain(&error))? {
                    return Ok(open);
                }
                use_wal(&open.database, self.busy_timeout)?;
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

    /// The names that copies of the database of an older release get, one after the other.
    fn backups(&self) -> impl Iterator<Item = PathBuf> + use<> {
        let path = self.path.clone();
        (1_u32..).map_while(move |number| {
            let mut name = path.as_ref()?.as_os_str().to_os_string();
            name.push(BACKUP_SUFFIX);
            if number > 1 {
                name.push(format!("-{number}"));
            }
            Some(PathBuf::from(name))
        })
    }
}

impl Open {
    fn file(&self) -> Option<FileId> {
        self.announced.as_ref().map(Announced::file)
    }

    /// Whether the process was forked since. Databases in memory are copied by that.
    fn is_of_another_process(&self) -> bool {
        let announced = self.announced.as_ref();
        announced.is_some_and(|announced| !announced.is_of_this_process())
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
    }
}

impl Connection for LocalConnection {
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()> {
        let Some(open) = self.existing()? else {
            return Ok(());
        };
        let mut read = |open: &mut Open| -> rusqlite::Result<io::Result<()>> {
            let transaction = open.database.transaction()?;
            let mut result = Ok(());
            'selects: for (index, select) in selects.iter().enumerate() {
                let mut prepared = transaction.prepare_cached(&select.sql())?;
                bind(&mut prepared, &select.params, &[])?;
                let columns = prepared.column_count();
                let is_numbered = select.numbered_columns().is_some();
                let mut rows = prepared.raw_query();
                let mut number = 0_i64..;
                open.progress.is_made();
                while let Some(row) = rows.next()? {
                    open.progress.is_made();
                    let mut values = [ValueRef::Null; MAX_COLUMNS];
                    let (numbers, read) = values.split_at_mut(usize::from(is_numbered));
                    for (value, number) in numbers.iter_mut().zip(&mut number) {
                        *value = ValueRef::Integer(number);
                    }
                    for (column, value) in read.iter_mut().enumerate().take(columns) {
                        *value = value_ref(row.get_ref(column)?);
                    }
                    result = on_row(index, &values);
                    if result.is_err() {
                        break 'selects;
                    }
                }
            }
            let seen = transaction
                .prepare_cached("PRAGMA data_version")?
                .query_row([], |row| row.get(0))?;
            transaction.commit()?;
            open.seen = Some(seen);
            Ok(result)
        };
        let read = read(open);
        open.progress.ends();
        match read {
            Ok(result) => result,
            Err(error) => {
                // Whoever says what the file is instead opens it without SQLite.
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) {
                    self.open = None;
                }
                Err(explain(&error))
            }
        }
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
        if written == Written::Done {
            open.owes_main_file |= write.durability == Durability::Now;
            open.owes_main_file = open.owes_main_file && !fold_log(&open.database);
            if durability == Durability::Now {
                self.last_flush.is_now();
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
        let backups = self.backups();
        let Some(path) = self.path.clone() else {
            return Ok(Vec::new());
        };
        let Some(open) = self.existing()? else {
            return Ok(Vec::new());
        };
        let mut file = private_copy(&open.database, &path)?;
        for backup in backups {
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
        // A copy of the database as it was can hold any account.
        for backup in self.backups() {
            match fs::remove_file(&backup) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                removed => removed?,
            }
        }
        if self.path.is_none() {
            return Ok(());
        }
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
            let message = "the account is deleted, but its bytes stay in the -wal file until other \
                           programs let go of the database: delete again then";
            return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
        }
        Ok(())
    }
}

/// Copies a whole database into a temporary file beside `path`. Only its owner can read it: that is
/// how temporary files are made.
fn private_copy(from: &rusqlite::Connection, path: &Path) -> io::Result<Temp> {
    let file = Temp::beside(path)?;
    copy(from, file.path()).map_err(|error| explain(&error))?;
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

/// Copies with what is still in the write-ahead log.
fn copy(from: &rusqlite::Connection, to: &Path) -> rusqlite::Result<()> {
    const PAGES_AT_ONCE: i32 = 1000;
    let mut to = rusqlite::Connection::open(to)?;
    Backup::new(from, &mut to)?.run_to_completion(PAGES_AT_ONCE, Duration::ZERO, None)?;
    to.close().map_err(|(_, error)| error)
}

fn value_ref(value: rusqlite::types::ValueRef<'_>) -> ValueRef<'_> {
    use rusqlite::types::ValueRef as Sqlite;

    match value {
        Sqlite::Null => ValueRef::Null,
        Sqlite::Integer(value) => ValueRef::Integer(value),
        Sqlite::Real(_) => ValueRef::Real,
        // What is no UTF-8 is no text, whatever its column says.
        Sqlite::Text(bytes) => {
            core::str::from_utf8(bytes).map_or(ValueRef::Blob(bytes), ValueRef::Text)
        }
        Sqlite::Blob(bytes) => ValueRef::Blob(bytes),
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

/// Binds what is not bound already: mostly the account's name, of which SQLite makes a copy.
fn bind(
    prepared: &mut rusqlite::Statement<'_>,
    params: &[Value],
    bound: &[Value],
) -> rusqlite::Result<()> {
    let bound = bound.iter().map(Some).chain(core::iter::repeat(None));
    for ((index, value), bound) in (1..).zip(params).zip(bound) {
        if !bound.is_some_and(|bound| bound.is_same_text(value)) {
            prepared.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ValueRef as Sqlite;

        let value = match self {
            Self::Null => Sqlite::Null,
            Self::Integer(value) => Sqlite::Integer(*value),
            Self::Text(text) => Sqlite::Text(text.as_bytes()),
            Self::Blob(bytes) => Sqlite::Blob(bytes),
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(value))
    }
}

/// Turns write-ahead logging on: readers and a writer do not wait for each other, and a commit is one
/// append. While another program does the same, SQLite says "locked" at once instead of waiting.
fn use_wal(database: &rusqlite::Connection, timeout: Duration) -> io::Result<()> {
    const PAUSE: Duration = Duration::from_millis(2);
    let start = Instant::now();
    loop {
        let mode = database.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        match mode {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && start.elapsed() < timeout =>
            {
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(explain(&error)),
            // File systems without shared memory have no such log; a rollback journal does there.
            Ok(_) => return Ok(()),
        }
    }
}

/// Refuses to write to a file that has another name as well. SQLite finds a log by the name of its
/// database: what was written under one name is missed, or applied to something else, under the other.
fn refuse_second_name(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::nlink(&fs::metadata(path)?) > 1 {
        let message = "the file has a second name (a hard link), and a database's log goes by the \
                       name; nothing was changed: remove the other name, or replace it by a copy \
                       (`mtsession backup` makes one)";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
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
