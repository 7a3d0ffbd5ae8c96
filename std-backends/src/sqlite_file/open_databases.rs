//! Which database files are open in this process.
//!
//! On Unix, SQLite's locks belong to the process, and closing *any* descriptor of a file gives up all
//! locks that the process has on it. A look at the first bytes of an open database would let another
//! program take it for unused and remove its log, with acknowledged changes in it. So one who opens a
//! file that may be a database asks here first, and SQLite's own connections are announced here.
//!
//! A child process inherits SQLite's notes about its locks, but not the locks. A database that was open
//! at the fork cannot be used in the child, neither by the old connection nor by a new one.

#![cfg_attr(
    not(all(feature = "clients", feature = "sqlite")),
    allow(dead_code, reason = "a part of it is for each of the features")
)]

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _};
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::secret_bytes::SecretBytes;

/// What tells one file from another, whatever names it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl FileId {
    /// The file that `path` leads to, or `None` where there is none.
    ///
    /// # Errors
    /// `IsADirectory`, and whatever asking the system gives.
    pub(crate) fn of(path: &Path) -> io::Result<Option<Self>> {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) => Ok(Some(Self::of_metadata(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    #[cfg(unix)]
    pub(crate) fn of_metadata(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;

        Self {
            device_and_inode: (metadata.dev(), metadata.ino()),
        }
    }

    // Elsewhere an open file cannot be removed.
    #[cfg(not(unix))]
    pub(crate) fn of_metadata(_: &Metadata) -> Self {
        Self {}
    }
}

/// A file that SQLite has open.
struct Database {
    /// The process that opened it.
    pid: u32,
    /// Connections that take locks.
    connections: usize,
    /// Connections that take none, and whose end gives up those of others.
    unlocked: usize,
    /// Files that somebody else is done with; they stay open as long as the connections, because
    /// closing them would give up SQLite's locks.
    done_with: Vec<File>,
}

type Databases = HashMap<FileId, Database>;

static DATABASES: Mutex<Option<Databases>> = Mutex::new(None);

/// Told when a connection without locks was closed.
static CLOSED: Condvar = Condvar::new();

fn databases() -> MutexGuard<'static, Option<Databases>> {
    DATABASES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    fn new() -> Self {
        Self {
            pid: std::process::id(),
            connections: 0,
            unlocked: 0,
            done_with: Vec::new(),
        }
    }
}

/// Whether file locks belong to the process, so that closing a file matters.
const LOCKS_OF_PROCESS: bool = cfg!(unix);

/// Whether SQLite has the file at `path` open in this process, by whatever name. Where that cannot be
/// found out, it is not open.
pub(crate) fn is_open(path: &Path) -> bool {
    LOCKS_OF_PROCESS
        && std::fs::metadata(path).is_ok_and(|metadata| {
            let file = FileId::of_metadata(&metadata);
            let databases = databases();
            let database = databases.as_ref().and_then(|open| open.get(&file));
            database.is_some_and(|database| database.connections > 0)
        })
}

/// The announcement of a connection, for as long as it is open.
#[derive(Debug)]
pub(crate) struct Announced {
    file: FileId,
    pid: u32,
}

impl Announced {
    /// Announces that SQLite is about to open `file`.
    ///
    /// # Errors
    /// When the file was open before this process was forked.
    pub(crate) fn new(file: FileId) -> io::Result<Self> {
        let pid = std::process::id();
        let is_in_the_way = |open: &mut Option<Databases>| {
            let found = open.as_ref().and_then(|open| open.get(&file));
            found.is_some_and(|found| found.pid == pid && found.unlocked > 0)
        };
        let waited =
            CLOSED.wait_timeout_while(databases(), LONGEST_LOOK, |open| is_in_the_way(open));
        let (mut databases, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(io::Error::new(
                io::ErrorKind::WouldBlock,
                "this program is still reading it as the session of another library",
            ));
        }
        let open = databases.get_or_insert_default();
        let database = open.entry(file).or_insert_with(Database::new);
        if database.pid != pid {
            if LOCKS_OF_PROCESS && database.connections > 0 {
                return Err(opened_before_the_fork());
            }
            *database = Database::new();
        }
        database.connections = database.connections.saturating_add(1);
        Ok(Self { file, pid })
    }

    /// The file that is open.
    pub(crate) fn file(&self) -> FileId {
        self.file
    }

    /// Whether this is still the process that opened it.
    pub(crate) fn is_of_this_process(&self) -> bool {
        self.pid == std::process::id()
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // In a child, SQLite goes on believing that it holds the locks of its parent.
        if !self.is_of_this_process() {
            return;
        }
        let mut databases = databases();
        let Some(open) = databases.as_mut() else {
            return;
        };
        if let Some(database) = open.get_mut(&self.file) {
            database.connections = database.connections.saturating_sub(1);
            if database.connections == 0 {
                // Closes what others were done with, before anybody can open the database again.
                open.remove(&self.file);
            }
        }
    }
}

/// How long a connection waits for one that takes no locks. Those read a session once.
const LONGEST_LOOK: core::time::Duration = core::time::Duration::from_secs(10);

/// The permission to have a connection without locks, such as SQLite's `immutable=1`. While it lasts,
/// no connection with locks is made in this process: it would lose them.
#[derive(Debug)]
pub(crate) struct Unlocked(FileId);

impl Unlocked {
    /// `None` where the file is open with locks.
    pub(crate) fn new(file: FileId) -> Option<Self> {
        let mut databases = databases();
        let open = databases.get_or_insert_default();
        let database = open.entry(file).or_insert_with(Database::new);
        if database.connections > 0 {
            return None;
        }
        if database.pid != std::process::id() {
            *database = Database::new();
        }
        database.unlocked = database.unlocked.saturating_add(1);
        Some(Self(file))
    }
}

impl Drop for Unlocked {
    fn drop(&mut self) {
        let mut databases = databases();
        let Some(open) = databases.as_mut() else {
            return;
        };
        if let Some(database) = open.get_mut(&self.0) {
            database.unlocked = database.unlocked.saturating_sub(1);
            if database.unlocked == 0 && database.connections == 0 {
                open.remove(&self.0);
            }
        }
        CLOSED.notify_all();
    }
}

/// Refuses a database that is open here to a caller that has no use for one.
///
/// # Errors
/// `InvalidData` where `path` leads to an open database.
pub(crate) fn refuse_open(path: &Path) -> io::Result<()> {
    if !is_open(path) {
        return Ok(());
    }
    let message = "it is an SQLite database, which this program has open: use SqliteBackend or \
                   LibSqlBackend for it";
    Err(told(StoreErrorKind::Foreign, message))
}

/// Why a child process is refused.
pub(crate) fn opened_before_the_fork() -> io::Error {
    told(
        StoreErrorKind::Forked,
        "the database was opened before the fork, and its locks stayed with the parent process; nothing \
         was changed: open it only after the fork, or start the child with exec",
    )
}

/// A file that may be a database, opened without SQLite. Closing it takes no locks away.
#[derive(Debug)]
pub(crate) struct LockSafeFile(Option<File>);

impl LockSafeFile {
    /// Opens a file to read it. Of a database that is open, a file that others are done with is used
    /// again, so that no more of them are kept than are read at the same time.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        if let Some(mut file) = kept(path) {
            file.rewind()?;
            return Ok(Self::from(file));
        }
        File::open(path).map(Self::from)
    }

    /// The whole content.
    pub(crate) fn read_all(self) -> io::Result<SecretBytes> {
        let len = self
            .0
            .as_ref()
            .map_or(Ok(0), |file| file.metadata().map(|found| found.len()))?;
        SecretBytes::read_to_end(self, usize::try_from(len).unwrap_or_default())
    }

    /// The first bytes, or fewer where there are no more.
    pub(crate) fn head(self, len: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.take(len).read_to_end(&mut head).map(|_| head)
    }
}

/// A file that others are done with.
fn kept(path: &Path) -> Option<File> {
    let file = FileId::of_metadata(&std::fs::metadata(path).ok()?);
    let mut databases = databases();
    databases.as_mut()?.get_mut(&file)?.done_with.pop()
}

impl From<File> for LockSafeFile {
    fn from(file: File) -> Self {
        Self(Some(file))
    }
}

impl Read for LockSafeFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.as_ref().map_or(Ok(0), |mut file| file.read(buffer))
    }
}

impl Drop for LockSafeFile {
    fn drop(&mut self) {
        let Some(file) = self.0.take() else {
            return;
        };
        if !LOCKS_OF_PROCESS {
            return;
        }
        // Held until the file is closed, so that no connection is made in between.
        let mut databases = databases();
        let Some(open) = databases.as_mut() else {
            drop(file);
            return;
        };
        let id = file.metadata().map(|found| FileId::of_metadata(&found));
        match id.ok().and_then(|id| open.get_mut(&id)) {
            Some(database) if database.connections > 0 => database.done_with.push(file),
            _ => drop(file),
        }
    }
}

#[cfg(all(test, unix, feature = "clients"))]
mod tests {
    use super::*;

    fn waiting(file: FileId) -> Option<usize> {
        let databases = databases();
        let database = databases.as_ref()?.get(&file)?;
        Some(database.done_with.len())
    }

    #[test]
    fn a_file_is_closed_when_the_last_connection_is() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other_name) = (dir.path().join("a.db"), dir.path().join("b.db"));
        std::fs::write(&path, "SQLite").unwrap();
        std::fs::hard_link(&path, &other_name).unwrap();
        let file = FileId::of(&path).unwrap().unwrap();

        let early = LockSafeFile::open(&path).unwrap();
        assert!(!is_open(&path));
        let one = Announced::new(file).unwrap();
        let two = Announced::new(file).unwrap();
        assert!(is_open(&path) && is_open(&other_name));
        assert_eq!(early.head(3).unwrap(), b"SQL");
        assert_eq!(
            *LockSafeFile::open(&other_name).unwrap().read_all().unwrap(),
            *b"SQLite"
        );
        // The first one is used again.
        assert_eq!(waiting(file), Some(1));
        drop(one);
        assert_eq!(waiting(file), Some(1));
        drop(two);
        assert_eq!(waiting(file), None);
        assert!(!is_open(&path));
    }

    /// The end of a connection without locks would give up those of the other.
    #[test]
    fn a_connection_with_locks_waits_for_those_without() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        std::fs::write(&path, "SQLite").unwrap();
        let file = FileId::of(&path).unwrap().unwrap();
        let unlocked = Unlocked::new(file).unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let announced = Announced::new(file).unwrap();
                sender.send(()).unwrap();
                announced
            });
            assert!(receiver.try_recv().is_err(), "it did not wait");
            drop(unlocked);
            receiver.recv().unwrap();
        });
        let announced = Announced::new(file).unwrap();
        assert!(Unlocked::new(file).is_none());
        drop(announced);
        assert!(Unlocked::new(file).is_some());
    }
}
