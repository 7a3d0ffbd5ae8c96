//! The lock over all files of a session.

use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, Read};

use super::identity::is_named;
use super::journal;
use super::paths::Paths;
use super::snapshot::Fsync;
use crate::fs::file_len;
use crate::fs::{Access, NotLocked, about, holder, lock_in_time, open_owned};

/// What a caller has chosen for all calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) fsync: Fsync,
    /// How long a lock of somebody else's is waited for.
    pub(super) lock_timeout: Duration,
}

/// The lock over all files of a session, which is the journal's. Released when dropped.
#[derive(Debug)]
pub(super) struct Locked<'j>(&'j File);

impl<'j> Locked<'j> {
    pub(super) fn exclusive(
        journal: &'j File,
        paths: &Paths,
        timeout: Duration,
    ) -> io::Result<Self> {
        match lock_in_time(journal, timeout, File::try_lock) {
            Ok(()) => Ok(Self(journal)),
            Err(NotLocked::Busy) => Err(held(journal, paths, timeout)),
            Err(NotLocked::Unsupported(error)) => Err(no_locks(&error, paths)),
            Err(NotLocked::Failed(error)) => Err(about(error, &paths.journal)),
        }
    }

    /// For reading; `None` where there are no locks, or where somebody held one all the time. Neither
    /// is a reason not to read.
    pub(super) fn shared(
        journal: &'j File,
        paths: &Paths,
        timeout: Duration,
    ) -> io::Result<Option<Self>> {
        match lock_in_time(journal, timeout, File::try_lock_shared) {
            Ok(()) => Ok(Some(Self(journal))),
            Err(NotLocked::Busy | NotLocked::Unsupported(_)) => Ok(None),
            Err(NotLocked::Failed(error)) => Err(about(error, &paths.journal)),
        }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing the file releases the lock where this fails.
        let _ = self.0.unlock();
    }
}

fn held(journal: &File, paths: &Paths, timeout: Duration) -> io::Error {
    let who = match holder(journal) {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    let message = format!(
        "{who} has held the lock of {} for {timeout:?}: nothing was changed; try again, or end that \
         process if it hangs",
        paths.journal.display()
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

fn no_locks(error: &io::Error, paths: &Paths) -> io::Error {
    let message = format!(
        "the file system of {} has no locks ({error}), without which two writers would overwrite each \
         other: nothing was changed, reading works; keep the session on a local disk, or start the \
         lock service of the network file system",
        paths.dir.display()
    );
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// Opens the journal, which also is the lock; makes it when it is not there.
fn open_journal(paths: &Paths) -> io::Result<File> {
    let file = open_owned(&paths.journal, Access::Create, Some(&paths.snapshot))?;
    #[cfg(unix)]
    make_private(&file, paths);
    Ok(file)
}

/// Leaves a journal that root has made to whom the session belongs, and takes it away from everybody
/// else. It holds no keys.
#[cfg(unix)]
fn make_private(file: &File, paths: &Paths) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    const PRIVATE: u32 = 0o600;

    let Ok(found) = file.metadata() else {
        return;
    };
    if found.mode() & 0o077 != 0 {
        let _ = file.set_permissions(fs::Permissions::from_mode(PRIVATE));
    }
    if found.uid() == 0
        && found.len() == 0
        && let Ok(session) = fs::symlink_metadata(&paths.snapshot)
        && session.uid() != 0
    {
        let _ = fchown(file, Some(session.uid()), Some(session.gid()));
    }
}

/// Opens the journal and runs `f` under the exclusive lock. A writer that waited for the lock while the
/// session was deleted holds the lock of a file without a name, and starts over.
pub(super) fn with_new_lock<R>(
    paths: &Paths,
    settings: Settings,
    f: impl FnOnce(&File) -> io::Result<R>,
) -> io::Result<(File, R)> {
    loop {
        let file = open_journal(paths)?;
        let locked = match Locked::exclusive(&file, paths, settings.lock_timeout) {
            Ok(locked) => locked,
            Err(error) => {
                // Where there are no locks, nobody else holds this one.
                if error.kind() == io::ErrorKind::Unsupported {
                    remove_empty(&file, paths);
                }
                return Err(error);
            }
        };
        if !is_named(&file, &paths.journal)? {
            continue;
        }
        check_is_journal(&file, paths)?;
        let result = f(&file);
        if result.is_err() {
            remove_empty(&file, paths);
        }
        drop(locked);
        return Ok((file, result?));
    }
}

/// Leaves nothing alongside what may be somebody else's file. A writer that waits for the lock finds it without
/// a name.
fn remove_empty(journal: &File, paths: &Paths) {
    if journal.metadata().is_ok_and(|journal| journal.len() == 0) {
        let _ = fs::remove_file(&paths.journal);
    }
}

/// A file that happens to have the journal's name is not written to.
fn check_is_journal(journal: &File, paths: &Paths) -> io::Result<()> {
    let mut head = Vec::new();
    let limit = file_len(journal::MAGIC.len());
    io::Seek::rewind(&mut &*journal)?;
    journal.take(limit).read_to_end(&mut head)?;
    if journal::MAGIC.starts_with(&head) {
        return Ok(());
    }
    let message = format!(
        "{} is needed for the journal, but is something else: move it away",
        paths.journal.display()
    );
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}
