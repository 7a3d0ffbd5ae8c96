//! The lock of a session, which is that of its file.

use core::time::Duration;
use std::io;
use std::path::Path;

use super::fence::Fence;
use super::identity::is_named;
use super::paths::Paths;
use super::snapshot::Fsync;
use crate::fs::disk::{Disk as _, File, OpenFile, disk};
use crate::fs::{Access, NotLocked, about, holder, lock_in_time, open_owned};

/// What a caller has chosen for all calls.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) fsync: Fsync,
    /// How long a lock of somebody else's is waited for.
    pub(super) lock_timeout: Duration,
    /// Whether a new file is a reason to look for what killed processes have left in the directory.
    pub(super) cleans: bool,
    /// Whether the writer owns the session.
    pub(super) fence: Fence,
}

/// The lock of a session. Released when dropped.
///
/// Where a lock keeps readers out, as on Windows, it is that of an empty file alongside the session: nothing
/// of ours may ever make a session unreadable.
#[derive(Debug)]
pub(super) struct Locked<'f> {
    #[cfg(unix)]
    file: &'f File,
    #[cfg(not(unix))]
    file: File,
    #[cfg(not(unix))]
    of: core::marker::PhantomData<&'f File>,
}

impl<'f> Locked<'f> {
    pub(super) fn exclusive(file: &'f File, paths: &Paths, timeout: Duration) -> io::Result<Self> {
        let locked = Self::of(file, paths)?;
        take(locked.file(), &paths.snapshot, timeout)?;
        Ok(locked)
    }

    /// For reading; `None` where there are no locks, or where somebody held one all the time. Neither
    /// is a reason not to read.
    #[cfg(unix)]
    pub(super) fn shared_of(
        file: &'f File,
        path: &Path,
        timeout: Duration,
    ) -> io::Result<Option<Self>> {
        match lock_in_time(file, timeout, OpenFile::lock_shared_now) {
            Ok(()) => Ok(Some(Self { file })),
            Err(NotLocked::Busy | NotLocked::Unsupported(_)) => Ok(None),
            Err(NotLocked::Failed(error)) => Err(about(error, path)),
        }
    }

    /// [`shared_of`](Self::shared_of) for the session file.
    pub(super) fn shared(
        file: &'f File,
        paths: &Paths,
        timeout: Duration,
    ) -> io::Result<Option<Self>> {
        Self::shared_of(file, &paths.snapshot, timeout)
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "as on unix")]
    pub(super) fn shared_of(_: &'f File, _: &Path, _: Duration) -> io::Result<Option<Self>> {
        Ok(None)
    }

    /// Locks a file until it is closed.
    pub(super) fn keep_exclusive(file: &File, path: &Path, timeout: Duration) -> io::Result<()> {
        take(file, path, timeout)
    }

    #[cfg(unix)]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere a file is opened")]
    fn of(file: &'f File, _: &Paths) -> io::Result<Self> {
        Ok(Self { file })
    }

    #[cfg(not(unix))]
    fn of(_: &'f File, paths: &Paths) -> io::Result<Self> {
        let file = open_owned(&paths.lock, Access::Create, Some(&paths.snapshot))?;
        Ok(Self {
            file,
            of: core::marker::PhantomData,
        })
    }

    #[cfg(unix)]
    const fn file(&self) -> &File {
        self.file
    }

    #[cfg(not(unix))]
    const fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing the file releases the lock where this fails.
        let _ = self.file().release();
    }
}

fn take(file: &File, path: &Path, timeout: Duration) -> io::Result<()> {
    match lock_in_time(file, timeout, OpenFile::lock_now) {
        Ok(()) => Ok(()),
        Err(NotLocked::Busy) => Err(held(file, path, timeout)),
        Err(NotLocked::Unsupported(error)) => Err(no_locks(&error, path)),
        Err(NotLocked::Failed(error)) => Err(about(error, path)),
    }
}

fn held(file: &File, path: &Path, timeout: Duration) -> io::Error {
    let who = match holder(file) {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    };
    let message = format!(
        "{who} has held the lock of {} for {timeout:?}: nothing was changed; try again, or end that \
         process if it hangs",
        path.display()
    );
    io::Error::new(io::ErrorKind::TimedOut, message)
}

fn no_locks(error: &io::Error, path: &Path) -> io::Error {
    let message = format!(
        "the file system of {} has no locks ({error}), without which two writers would overwrite each \
         other: nothing was changed, reading works; keep the session on a local disk, or start the \
         lock service of the network file system",
        path.display()
    );
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// How often a writer starts over because the file was replaced.
const ATTEMPTS: u32 = 1_000;

/// The session file, open and locked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<'f> {
    pub(super) file: &'f File,
    /// Whether it can be written to; a file that only its owner may read is replaced, not appended to.
    pub(super) is_writable: bool,
    /// Whether it was made for this writer, and is empty.
    pub(super) is_new: bool,
}

/// Opens the session file, makes it where there is none, and runs `f` under its exclusive lock. A writer that
/// waited for the lock while the file was replaced or deleted starts over; so does one for which `f` gives
/// nothing, because somebody has replaced the file without the lock.
pub(super) fn with_lock<R>(
    paths: &Paths,
    settings: Settings,
    mut f: impl FnMut(Held<'_>) -> io::Result<Option<R>>,
) -> io::Result<R> {
    for _ in 0..ATTEMPTS {
        let (file, is_writable, is_new) = open(paths)?;
        let held = Held {
            file: &file,
            is_writable,
            is_new,
        };
        let locked = match Locked::exclusive(&file, paths, settings.lock_timeout) {
            Ok(locked) => locked,
            Err(error) => {
                // Where there are no locks, nobody else holds this one.
                if is_new && error.kind() == io::ErrorKind::Unsupported {
                    remove_empty(&file, paths);
                }
                return Err(error);
            }
        };
        if !is_named(&file, &paths.snapshot)? {
            continue;
        }
        let result = f(held);
        if is_new && !matches!(result, Ok(Some(_))) {
            remove_empty(&file, paths);
        }
        drop(locked);
        if let Some(result) = result? {
            return Ok(result);
        }
    }
    let message = format!(
        "{} is replaced again and again while it is being written: nothing was changed; find the program that \
         does it",
        paths.snapshot.display()
    );
    Err(io::Error::new(io::ErrorKind::ResourceBusy, message))
}

/// Leaves no file where there was none, if it is still the one that was made and nothing was stored in it. A
/// writer that waits for the lock finds it without a name.
pub(super) fn remove_empty(file: &File, paths: &Paths) {
    let is_empty = file.status().is_ok_and(|found| found.len == 0);
    if is_empty && is_named(file, &paths.snapshot).unwrap_or_default() {
        let _ = disk().remove_file(&paths.snapshot);
    }
}

/// The file, whether it can be written to, and whether it was made by this.
fn open(paths: &Paths) -> io::Result<(File, bool, bool)> {
    let path = &paths.snapshot;
    loop {
        let error = match open_owned(path, Access::Write, Some(path)) {
            Ok(file) => return Ok((file, true, false)),
            Err(error) => error,
        };
        match error.kind() {
            io::ErrorKind::NotFound => match open_owned(path, Access::New, Some(path)) {
                Ok(file) => return Ok((file, true, true)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            },
            // Its owner may not write to it, but may replace it.
            io::ErrorKind::PermissionDenied => {
                let file = open_owned(path, Access::Read, Some(path));
                return file.map(|file| (file, false, false)).map_err(|_| error);
            }
            _ => return Err(error),
        }
    }
}
