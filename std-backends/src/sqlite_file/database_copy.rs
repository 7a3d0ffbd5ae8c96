//! Databases that cannot be read where they lie: in a private copy, or as immutable. And what lies
//! alongside them.

use core::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::fs::{Access, TempDirectory, erase, open_owned, refuse_strangers};
use crate::sqlite_file::open_databases::LockSafeFile;

/// What SQLite keeps next to a database, and what of it holds content.
const LOGS: [&str; 2] = ["-wal", "-journal"];

/// The same with the index of the log, which has no content of its own.
const ALONGSIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The names of the files that SQLite keeps alongside a database.
pub(crate) fn alongside(database: &Path) -> impl Iterator<Item = PathBuf> {
    ALONGSIDE
        .into_iter()
        .map(|suffix| with_suffix(database, suffix))
}

/// Refuses a log or a journal that a stranger put alongside a database: it would be taken for a part of
/// it. `database` is the file itself, not a link to it.
///
/// # Errors
/// `PermissionDenied`, naming the file.
pub(crate) fn refuse_planted_logs(database: &Path) -> io::Result<()> {
    alongside(database).try_for_each(|file| refuse_strangers(&file, Some(database)))
}

/// How often a copy is made that was overtaken by a writer.
const COPIES: usize = 20;

/// How a database and its logs look from outside. Every write changes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    files: Vec<Option<FileStamp>>,
    /// The database's own count of its changes, and that of its log.
    heads: Vec<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FileStamp {
    len: u64,
    modified: Option<std::time::SystemTime>,
    /// Device, inode, and when it was changed.
    #[cfg(unix)]
    unix: (u64, u64, i64, i64),
}

impl FileStamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;

        Self {
            len: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            unix: (
                metadata.dev(),
                metadata.ino(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ),
        }
    }
}

impl Stamp {
    /// How the database at `path` looks now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        const HEAD: u64 = 100;

        // Logs go by the name of the file itself, wherever links lead.
        let path = &fs::canonicalize(path)?;
        let mut stamp = Self {
            files: Vec::new(),
            heads: Vec::new(),
        };
        for file in files_of(path) {
            let found = match fs::metadata(&file) {
                Ok(metadata) => Some(FileStamp::of(&metadata)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error),
            };
            if found.is_some() {
                match LockSafeFile::open(&file) {
                    Ok(file) => stamp.heads.push(file.head(HEAD)?),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            stamp.files.push(found);
        }
        Ok(stamp)
    }

    /// Whether there is a log with something in it.
    pub(crate) fn has_log(&self) -> bool {
        let logs = self.files.iter().skip(1).flatten();
        logs.into_iter().any(|log| log.len > 0)
    }
}

/// The database and its logs.
fn files_of(path: &Path) -> impl Iterator<Item = PathBuf> {
    let logs = LOGS.map(|suffix| with_suffix(path, suffix));
    core::iter::once(path.to_path_buf()).chain(logs)
}

pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A private copy of a database and its logs, as they were at one moment. Wiped and removed on drop.
#[derive(Debug)]
pub(crate) struct DatabaseCopy {
    dir: TempDirectory,
    database: PathBuf,
}

impl DatabaseCopy {
    /// Copies what lies at `path`, and says how it looked.
    ///
    /// # Errors
    /// `WouldBlock` while somebody keeps writing to it.
    pub(crate) fn of(path: &Path) -> io::Result<(Self, Stamp)> {
        // Logs go by the name of the file itself, wherever links lead.
        let path = &fs::canonicalize(path)?;
        for _ in 0..COPIES {
            let before = Stamp::of(path)?;
            let copy = match Self::once(path) {
                // A log that was removed meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound && path.exists() => continue,
                copied => copied?,
            };
            if Stamp::of(path)? == before {
                return Ok((copy, before));
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "another program keeps writing to it while it is copied: try again",
        ))
    }

    fn once(path: &Path) -> io::Result<Self> {
        let parent = std::env::temp_dir();
        let dir = TempDirectory::within(&parent).map_err(|error| {
            let parent = parent.display();
            let message = format!(
                "the database has to be copied to be read here, and {parent} takes no copy ({error}): \
                 set TMPDIR to a directory that can be written"
            );
            io::Error::new(error.kind(), message)
        })?;
        let database = dir.path().join("copy");
        let copy = Self { dir, database };
        copy_content(path, &copy.database)?;
        for suffix in LOGS {
            let log = with_suffix(path, suffix);
            if log.try_exists()? {
                copy_content(&log, &with_suffix(&copy.database, suffix))?;
            }
        }
        Ok(copy)
    }

    #[cfg(all(test, unix))]
    fn path(&self) -> &Path {
        &self.database
    }

    /// Opens the copy. Nobody else has it, so it needs no shared memory, and no locks, which the file
    /// system of temporary files may lack too.
    pub(crate) fn open(&self) -> rusqlite::Result<rusqlite::Connection> {
        use rusqlite::{Connection, OpenFlags};

        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        #[cfg(unix)]
        let database = Connection::open_with_flags_and_vfs(&self.database, flags, "unix-none")?;
        #[cfg(not(unix))]
        let database = Connection::open_with_flags(&self.database, flags)?;
        database.execute_batch("PRAGMA locking_mode = EXCLUSIVE")?;
        Ok(database)
    }
}

/// Copies a file without its permissions: SQLite has to write to the copy, and so has the one who wipes it.
fn copy_content(from: &Path, to: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::copy(&mut LockSafeFile::open(from)?, &mut options.open(to)?)?;
    Ok(())
}

impl Drop for DatabaseCopy {
    fn drop(&mut self) {
        // Best effort: the directory is removed in any case.
        let Ok(entries) = fs::read_dir(self.dir.path()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let file = open_owned(&path, Access::Write, None);
            let _ = file.and_then(|file| erase(&file));
        }
    }
}

/// The address under which SQLite opens a file without locks, and without looking for a log.
pub(crate) fn immutable_uri(path: &Path) -> io::Result<String> {
    let path = std::path::absolute(path)?;
    let mut uri = String::from(if cfg!(windows) { "file:/" } else { "file:" });
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(*byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            b':' if cfg!(windows) => uri.push(':'),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    Ok(uri)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// SQLite has to write to the copy, and it has to be wiped.
    #[test]
    fn the_copy_of_a_read_only_database_can_be_written_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("theirs");
        let wal = with_suffix(&path, "-wal");
        for file in [&path, &wal] {
            fs::write(file, "theirs").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o444)).unwrap();
        }
        let (copy, stamp) = DatabaseCopy::of(&path).unwrap();
        assert!(stamp.has_log());
        for file in [copy.path(), &with_suffix(copy.path(), "-wal")] {
            assert_eq!(fs::read(file).unwrap(), b"theirs");
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{}", file.display());
        }
        let place = copy.path().to_path_buf();
        let mode = fs::metadata(place.parent().unwrap())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(copy);
        assert!(!place.exists());
    }

    #[test]
    fn a_change_is_seen_from_outside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, "one").unwrap();
        let stamp = Stamp::of(&path).unwrap();
        assert_eq!(Stamp::of(&path).unwrap(), stamp);
        fs::write(&path, "two").unwrap();
        assert_ne!(Stamp::of(&path).unwrap(), stamp);
        fs::write(&path, "one").unwrap();
        fs::write(with_suffix(&path, "-wal"), "log").unwrap();
        assert!(Stamp::of(&path).unwrap().has_log() && !stamp.has_log());
    }
}
