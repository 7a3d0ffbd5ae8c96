//! Deleting a session: gone, or nothing was changed.

use std::ffi::OsStr;
use std::io;

use mtsession_core::{PlainFile, SessionBytes};

use super::damaged;
use super::in_place::{empty_in_place, finish};
use super::lock::{Held, Settings, with_lock};
use super::paths::Paths;
use super::release_before::ReleaseBefore;
use super::snapshot::{self, cannot_be_replaced, found, sync};
use crate::event::{self, Event};
use crate::fs::disk::{Disk as _, File, OpenFile as _, disk};
use crate::fs::{Temp, clean, erase};

/// Removes the session and everything that could bring its keys back.
///
/// It gets a temporary name first: from the moment that this is durable, it is gone. Only then is its content
/// overwritten. A power cut before could bring back the name of a file that no longer holds a session.
///
/// # Errors
/// Nothing was changed. What fails after the session is gone is not reported as an error: it could
/// only be that something useless stays.
pub(super) fn delete(paths: &Paths, settings: Settings) -> io::Result<()> {
    let is_there = |path| match disk().link_status(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    };
    if found(&paths.snapshot)?.is_some() || is_there(&paths.pending)? || is_there(&paths.journal)? {
        with_lock(paths, settings, |held| delete_locked(paths, held, settings))?;
    }
    remove_copies(paths);
    Ok(())
}

fn delete_locked(paths: &Paths, held: Held<'_>, settings: Settings) -> io::Result<Option<()>> {
    // What cannot be read may be deleted as well.
    let bytes = snapshot::read_all(held.file, &paths.snapshot).unwrap_or_default();
    let there = PlainFile::parse(&bytes).ok();
    let there = there.and_then(|file| file.snapshot().fencing_token().copied());
    settings.fence.admit_token(there, paths)?;
    // Under its lock, where the release before is at work; what somebody else has put there stays.
    let before = ReleaseBefore::take(paths, settings.lock_timeout).unwrap_or_default();
    let dir = settings.fsync.directory(&paths.dir)?;
    let temp = match Temp::beside(&paths.snapshot) {
        Ok(temp) => temp,
        Err(error) if cannot_be_replaced(&error) => return empty(paths, held, before, settings),
        Err(error) => return Err(error),
    };
    match disk().rename(&paths.snapshot, temp.path()) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if cannot_be_replaced(&error) => {
            return empty(paths, held, before, settings);
        }
        Err(error) => return Err(error),
    }
    // Until it is gone too, the copy of the release before is the session.
    before.remove(paths);
    let mut is_durable = sync(dir.as_ref(), Some(held.file));
    if is_durable {
        erase_if_only_copy(held.file);
    }
    // The temporary name goes with it.
    drop(temp);
    is_durable &= sync(dir.as_ref(), None);
    if !is_durable {
        event::emit(|| Event::DeletionNotFlushed {
            path: paths.snapshot.clone(),
        });
    }
    Ok(Some(()))
}

/// Empties a file that is there to stay.
fn empty(
    paths: &Paths,
    held: Held<'_>,
    before: ReleaseBefore,
    settings: Settings,
) -> io::Result<Option<()>> {
    let mut bytes = snapshot::read_all(held.file, &paths.snapshot)?;
    if finish(held.file, &bytes, settings.fsync)? {
        bytes = snapshot::read_all(held.file, &paths.snapshot)?;
    }
    let parsed = SessionBytes::parse(&bytes).ok();
    let header = parsed.and_then(|file| file.tail_header());
    let salt = header.map_or(0, |header| header.salt);
    empty_in_place(held.file, salt, settings.fsync)?;
    before.remove(paths);
    Ok(Some(()))
}

/// A file with a second name is a copy that somebody made on purpose.
fn erase_if_only_copy(file: &File) {
    if file.status().is_ok_and(|found| found.links <= 1) {
        let _ = erase(file);
    }
}

/// Removes the copies of damaged sessions that were kept, and what killed writers left behind.
fn remove_copies(paths: &Paths) {
    let is_left = |name: &OsStr| paths.is_old_temp(name) || damaged::is_copy_of(paths, name);
    let _ = clean(&paths.dir, Some(&paths.snapshot), is_left);
}
