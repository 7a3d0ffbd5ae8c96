//! Deleting a session: gone, or nothing was changed.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;

use super::damaged;
use super::lock::{Settings, with_new_lock};
use super::paths::Paths;
use super::snapshot::{cannot_be_replaced, found, is_pending, sync};
use crate::event::{self, Event};
use crate::fs::{Access, Directory, Temp, clean, erase, open_owned};

/// Removes the session, everything that could bring its keys back, and its lock.
///
/// # Errors
/// Nothing was changed. What fails after the session is gone is not reported as an error: it could
/// only be that something useless stays.
pub(super) fn delete(paths: &Paths, settings: Settings) -> io::Result<()> {
    let mut is_there = found(&paths.snapshot)?.is_some();
    for path in [&paths.pending, &paths.journal] {
        is_there |= fs::symlink_metadata(path)
            .map(|_| true)
            .or_else(none_if_not_found)?;
    }
    if !is_there {
        remove_copies(paths);
        return Ok(());
    }
    with_new_lock(paths, settings, |journal| {
        let dir = settings.fsync.directory(&paths.dir)?;
        let mut is_durable = remove_session(paths, dir.as_ref())?;
        remove_copies(paths);
        // Whoever has it open finds it empty, and whoever waits for its lock finds it without a name.
        let _ = journal.set_len(0);
        let _ = fs::remove_file(&paths.journal);
        is_durable &= sync(dir.as_ref(), None);
        if !is_durable {
            event::emit(|| Event::DeletionNotFlushed {
                path: paths.snapshot.clone(),
            });
        }
        Ok(())
    })
    .map(|_| ())
}

/// Removes the session file and the complete copy of it. Says whether that is durable.
fn remove_session(paths: &Paths, dir: Option<&Directory>) -> io::Result<bool> {
    // Opened before their names are gone: the keys are overwritten through them afterwards.
    let pending = is_pending(paths)?
        .then(|| open_to_erase(&paths.pending, paths))
        .transpose()?;
    let snapshot = found(&paths.snapshot)?
        .map(|_| open_to_erase(&paths.snapshot, paths))
        .transpose()?;
    if snapshot.is_some() {
        match fs::remove_file(&paths.snapshot) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if cannot_be_replaced(&error) => {
                return empty_in_place(paths, dir);
            }
            Err(error) => return Err(error),
        }
    }
    // Until it is gone too, it is the session.
    if pending.is_some() {
        match fs::remove_file(&paths.pending) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let is_durable = sync(dir, None);
    if is_durable {
        // Before, a power cut could bring back the name of a file that no longer holds a session.
        for file in [pending, snapshot].into_iter().flatten().flatten() {
            let _ = erase(&file);
        }
    }
    Ok(is_durable)
}

/// The file, with which its content can be overwritten; `None` where that is not allowed.
fn open_to_erase(path: &std::path::Path, paths: &Paths) -> io::Result<Option<File>> {
    match open_owned(path, Access::Write, Some(&paths.snapshot)) {
        Ok(file) if has_one_name(&file) => Ok(Some(file)),
        Ok(_) => Ok(None),
        // Its name may be ours to remove all the same.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn has_one_name(file: &File) -> bool {
    #[cfg(unix)]
    return file
        .metadata()
        .is_ok_and(|found| std::os::unix::fs::MetadataExt::nlink(&found) == 1);
    #[cfg(not(unix))]
    {
        let _ = file;
        true
    }
}

/// Empties a session file that is there to stay, a mount point. An empty file is no session.
///
/// An empty copy alongside it says so from the first moment on, as a complete one does when such a file
/// is written.
fn empty_in_place(paths: &Paths, dir: Option<&Directory>) -> io::Result<bool> {
    let file = open_owned(&paths.snapshot, Access::Write, Some(&paths.snapshot))?;
    let marked = Temp::beside(&paths.pending)
        .and_then(|empty| empty.replace(&paths.pending).map_err(|(error, _)| error));
    let mut is_durable = true;
    match &marked {
        Ok(empty) => {
            is_durable &= sync(dir, Some(empty));
            let _ = erase(&file);
            let _ = file.set_len(0);
        }
        // Nothing can be put alongside it: then it is gone when it is cut.
        Err(_) => file.set_len(0)?,
    }
    is_durable &= dir.is_none() || file.sync_all().is_ok();
    if is_durable && file.metadata().is_ok_and(|found| found.len() == 0) {
        let _ = fs::remove_file(&paths.pending);
    }
    Ok(is_durable)
}

/// Removes the copies of damaged sessions that were kept, and what killed writers left behind.
fn remove_copies(paths: &Paths) {
    let is_left = |name: &OsStr| paths.is_old_temp(name) || damaged::is_copy_of(paths, name);
    let _ = clean(&paths.dir, Some(&paths.snapshot), is_left);
}

fn none_if_not_found(error: io::Error) -> io::Result<bool> {
    if error.kind() == io::ErrorKind::NotFound {
        return Ok(false);
    }
    Err(error)
}
