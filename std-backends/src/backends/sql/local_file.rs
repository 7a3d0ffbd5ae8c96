//! The file of a database as the file system has it: made for its owner alone, under one name, with a
//! log where there can be one.

use core::time::Duration;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Instant;

use rusqlite::ErrorCode;

use super::aside;
use super::copies;
use super::local_error::explain;
use crate::fs::Temp;
use crate::fs::disk::OpenFile as _;
use crate::sqlite_file::open_databases::LockSafeFile;

/// Copies a whole database into a temporary file next to `path`. Only its owner can read it: that is
/// how temporary files are made.
pub(super) fn private_copy(from: &rusqlite::Connection, path: &Path) -> io::Result<Temp> {
    let file = Temp::beside(path)?;
    copies::copy(from, file.path())?;
    file.file().flush_all()?;
    Ok(file)
}

/// Turns write-ahead logging on: readers and a writer do not wait for each other, and a commit is one
/// append. While another program does the same, SQLite says "locked" at once instead of waiting.
pub(super) fn use_wal(
    database: &rusqlite::Connection,
    path: &Path,
    timeout: Duration,
) -> io::Result<()> {
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
pub(super) fn refuse_second_name(path: &Path) -> io::Result<()> {
    if has_second_name(path)? {
        let message = "the file has a second name (a hard link), and a database's log goes by the \
                       name; nothing was changed: remove the other name, or replace it by a copy \
                       (`mtsession backup` makes one)";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}

pub(super) fn has_second_name(path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    return Ok(std::os::unix::fs::MetadataExt::nlink(&fs::metadata(path)?) > 1);
    #[cfg(not(unix))]
    {
        let _ = path;
        Ok(false)
    }
}

/// Makes the file, readable by its owner only. SQLite gives its other files the same mode.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(file) => {
            // Somebody else may have opened it already.
            drop(LockSafeFile::from(file));
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
pub(super) fn make_private(path: &Path) -> io::Result<()> {
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

/// What this process may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights {
    may_read: bool,
    may_write: bool,
}

impl Rights {
    pub(super) fn to(path: &Path) -> Self {
        #[cfg(unix)]
        {
            use rustix::fs::{Access, AtFlags, CWD, accessat};

            let may = |access| accessat(CWD, path, access, AtFlags::EACCESS).is_ok();
            Self {
                may_read: may(Access::READ_OK),
                may_write: may(Access::WRITE_OK),
            }
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            Self {
                may_read: true,
                may_write: true,
            }
        }
    }
}
