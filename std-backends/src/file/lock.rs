//! The lock over all files of a session.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};

use super::identity::is_named;
use super::journal;
use super::paths::Paths;

/// The lock over all files of a session, which is the journal's. Released when dropped.
#[derive(Debug)]
pub(super) struct Locked<'j>(&'j File);

impl<'j> Locked<'j> {
    pub(super) fn exclusive(journal: &'j File) -> io::Result<Self> {
        journal.lock()?;
        Ok(Self(journal))
    }

    pub(super) fn shared(journal: &'j File) -> io::Result<Self> {
        journal.lock_shared()?;
        Ok(Self(journal))
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing the file releases the lock where this fails.
        let _ = self.0.unlock();
    }
}

/// Opens the journal, which also is the lock; makes it when it is not there.
fn open_journal(paths: &Paths) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&paths.journal)
}

/// Opens the journal and runs `f` under the exclusive lock. Whoever waited for the lock while the
/// session was deleted holds the lock of a file without a name, and starts over.
pub(super) fn with_new_lock<R>(
    paths: &Paths,
    f: impl FnOnce(&File) -> io::Result<R>,
) -> io::Result<(File, R)> {
    loop {
        let file = open_journal(paths)?;
        let locked = Locked::exclusive(&file)?;
        if !is_named(&file, &paths.journal)? {
            continue;
        }
        check_is_journal(&file, paths)?;
        // Best effort: a directory that cannot be listed can still be written to.
        let _ = paths.remove_stale_temps();
        let result = f(&file);
        if result.is_err() && file.metadata().is_ok_and(|journal| journal.len() == 0) {
            // Nothing is left beside what may be somebody else's file. Whoever waits for the lock finds
            // it without a name.
            let _ = fs::remove_file(&paths.journal);
        }
        drop(locked);
        return Ok((file, result?));
    }
}

/// A file that happens to have the journal's name is not written to.
fn check_is_journal(journal: &File, paths: &Paths) -> io::Result<()> {
    let mut head = Vec::new();
    let limit = u64::try_from(journal::MAGIC.len()).unwrap_or(u64::MAX);
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
