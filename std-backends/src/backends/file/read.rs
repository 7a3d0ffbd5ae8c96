//! Reading without a lock and without writing anything.
//!
//! A torn tail needs no lock: its last record was not acknowledged when its bytes were read. A snapshot that
//! does not check may be one that is just being written in place, by us or by a program that copies over it;
//! so a file that was changed a moment ago is read again before it is called damaged.

use core::time::Duration;
use std::io;

use mtsession_core::{DecodeError, DecodeErrorKind};

use super::content::{Content, Found, judge};
use super::lock::{Locked, Settings};
use super::paths::Paths;
use super::release_before::ReleaseBefore;
use super::snapshot;
use crate::fs::disk::{Disk as _, File, OpenFile as _, Status, disk};
use crate::fs::{Access, open_owned};
use crate::record::SessionRecord;

/// How long is waited before a file is read again.
const WAITS: [Duration; 4] = [
    Duration::from_millis(1),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
];

/// A file that has not been changed for so long is not being written.
const RECENT: Duration = Duration::from_secs(1);

/// How often a file that its server does not know any more is opened again.
#[cfg(unix)]
const STALE_ATTEMPTS: usize = 3;

/// The session.
pub(super) fn load(paths: &Paths, settings: Settings) -> io::Result<Option<SessionRecord>> {
    Ok(read(paths, settings)?.map(|content| content.stored))
}

/// Everything that is known of the session.
pub(super) fn read(paths: &Paths, settings: Settings) -> io::Result<Option<Content>> {
    let look = |lock| look(paths, settings, lock);
    let mut looked = look(Lock::None)?;
    for wait in WAITS {
        match looked {
            Looked::Found(found) => return Ok(found),
            Looked::Unsettled {
                is_recent: false,
                found,
            } => return found,
            Looked::Unsettled { .. } => disk().pause(wait),
        }
        looked = look(Lock::None)?;
    }
    match looked {
        Looked::Found(found) => Ok(found),
        Looked::Unsettled { .. } => match look(Lock::Shared)? {
            Looked::Found(found) => Ok(found),
            Looked::Unsettled { found, .. } => found,
        },
    }
}

/// What one look at the file has found.
enum Looked {
    /// A session, or certainly none.
    Found(Option<Content>),
    /// An empty file or one that does not check, which may be one that is just being written.
    Unsettled {
        is_recent: bool,
        found: io::Result<Option<Content>>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lock {
    None,
    Shared,
}

fn look(paths: &Paths, settings: Settings, lock: Lock) -> io::Result<Looked> {
    let Some(file) = open(paths)? else {
        // A journal alone is not a session, but a complete copy of the release before is.
        return judge_left(paths, settings).map(Looked::Found);
    };
    let read = || {
        let _locked = match lock {
            Lock::None => None,
            Lock::Shared => Locked::shared(&file, paths, settings.lock_timeout)?,
        };
        snapshot::read_all(&file, &paths.snapshot)
    };
    let bytes = read();
    let found = file.status();
    file.close();
    let (bytes, found) = (bytes?, found?);
    let is_empty = bytes.is_empty();
    let judged = judge(bytes, false, paths, |paths| {
        ReleaseBefore::read(paths, settings.lock_timeout)
    });
    let is_unsettled = match &judged {
        Ok(Found { content: None, .. }) => is_empty,
        Ok(_) => false,
        Err(error) => may_be_unfinished(error),
    };
    let found_content = judged.map(|found| found.content);
    if is_unsettled {
        return Ok(Looked::Unsettled {
            is_recent: is_recent(&found),
            found: found_content,
        });
    }
    found_content.map(Looked::Found)
}

/// The session of the release before, whose file was removed while a complete copy of it was there.
fn judge_left(paths: &Paths, settings: Settings) -> io::Result<Option<Content>> {
    let read = |paths: &Paths| ReleaseBefore::read(paths, settings.lock_timeout);
    let is_there = open_owned(&paths.pending, Access::Read, Some(&paths.snapshot));
    // What somebody else has put there is not a part of a session that is not there.
    if is_there.is_err() {
        return Ok(None);
    }
    judge(Vec::new().into(), true, paths, read).map(|found| found.content)
}

fn open(paths: &Paths) -> io::Result<Option<File>> {
    let open = || open_owned(&paths.snapshot, Access::Read, Some(&paths.snapshot));
    let mut opened = open();
    #[cfg(unix)]
    for _ in 0..STALE_ATTEMPTS {
        if !opened.as_ref().is_err_and(is_stale) {
            break;
        }
        opened = open();
    }
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            opened = open();
            opened.map(Some).map_err(|_| error)
        }
    }
}

#[cfg(unix)]
fn is_stale(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::StaleNetworkFileHandle
}

/// Whether a file that is half written can look like that.
fn may_be_unfinished(error: &io::Error) -> bool {
    let cause = error
        .get_ref()
        .and_then(|error| error.downcast_ref::<DecodeError>());
    cause.is_some_and(|error| {
        matches!(
            error.kind,
            DecodeErrorKind::Empty
                | DecodeErrorKind::Zeroed
                | DecodeErrorKind::Truncated
                | DecodeErrorKind::TrailingBytes
                | DecodeErrorKind::Presence(_)
                | DecodeErrorKind::Utf8
                | DecodeErrorKind::Checksum
                | DecodeErrorKind::Trailer
        )
    })
}

fn is_recent(found: &Status) -> bool {
    // A clock that was set back does not make a file wait for ever.
    let ago = |changed| disk().wall_clock().duration_since(changed).ok();
    found.changed.and_then(ago).is_some_and(|ago| ago < RECENT)
}
