//! What is known of a session file, and how it is changed under its lock.

use core::time::Duration;
use std::io;
use std::path::Path;

use mtsession_core::{Change, SessionSource, TailEnd};

use super::content::{Content, Found, read_locked};
use super::fold::{Old, Stored, Written, replaceable, write, write_changed};
use super::last_seen::{CaughtUp, LastSeen, Seen};
use super::lock::{Held, Locked, Settings, with_lock};
use super::paths::Paths;
use super::positioned::write_at;
use super::release_before::remove_left;
use super::snapshot::sync;
use super::tail::{self, Tail};
use crate::backends::unseen::ToldNone;
use crate::event::{self, Event};
use crate::fs::disk::{File, OpenFile as _};
use crate::record::SessionRecord;

/// A tail is folded into the snapshot when it is longer than that, but not before this: short sessions
/// would be rewritten all the time.
const FOLD_AT_LEAST: u64 = 64 * 1024;

/// How long a look-up waits for the lock. Reading the file needs none, so it is not worth more.
const LOOK_UP_WAITS: Duration = Duration::from_millis(2);

/// The open session file, and what is known of it without reading it again.
#[derive(Debug)]
pub(super) struct OpenSession {
    pub(super) paths: Paths,
    pub(super) file: File,
    pub(super) seen: LastSeen,
    /// How long the tail may become before it is folded again, after a fold has failed.
    pub(super) fold_at: u64,
    /// Whether something was appended by this process since the last fold.
    pub(super) has_appended: bool,
}

/// What [`OpenSession::refresh`] did.
pub(super) enum Outcome {
    /// The file can be appended to now.
    Known,
    /// The change was made part of a new snapshot.
    Changed,
}

/// What [`OpenSession::append`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    /// The changes are in the tail.
    Done,
    /// Nothing: something in them does not go into a tail.
    NotTaken,
    /// Nothing: the file is not as it was known.
    NotKnown,
}

/// What [`OpenSession::save_again`] did.
pub(super) enum Saved {
    /// Nothing: the file is not as it was known.
    NotAsKnown,
    /// The session is stored.
    Stored,
    /// The session is stored, but the file must be read again.
    NotKnown,
}

impl OpenSession {
    /// Runs `change` on the current session (or on an empty one) under the lock and stores the
    /// result as a new snapshot. `None` when that was done, but the file must be read again.
    pub(super) fn rewrite(
        paths: Paths,
        settings: Settings,
        mut change: impl FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<Option<Self>> {
        let written = with_lock(&paths, settings, |held| {
            let found = read_locked(held, &paths, settings)?;
            settings.fence.admit(&found, &paths)?;
            let written = write_changed(&paths, held, found, settings, &mut change)?;
            Ok(written.if_not_moved())
        })?;
        Ok(Self::written(paths, written))
    }

    /// Stores what `change` makes of the record that is there as a new snapshot, under the lock. `None`: it
    /// made nothing of it, and nothing is written. `Some(None)`: it is stored, but the file must be read
    /// again.
    #[expect(clippy::option_option, reason = "see above")]
    pub(super) fn replace(
        paths: Paths,
        settings: Settings,
        mut change: impl FnMut(Option<SessionRecord>) -> io::Result<Option<SessionRecord>>,
    ) -> io::Result<Option<Option<Self>>> {
        let written = with_lock(&paths, settings, |held| {
            let found = read_locked(held, &paths, settings)?;
            settings.fence.admit(&found, &paths)?;
            let Found {
                content,
                bytes,
                before,
            } = found;
            let old = Old::of(content.as_ref(), bytes, before);
            match change(content.map(|content| content.stored))? {
                Some(record) => {
                    let written = write(&paths, held, &record, old, settings)?;
                    Ok(written.if_not_moved().map(Some))
                }
                None => Ok(Some(None)),
            }
        })?;
        Ok(written.map(|written| Self::written(paths, written)))
    }

    /// Stores `session` as a new snapshot under the lock. The account stays as it is, and so do the
    /// names of the peers that stay.
    pub(super) fn save(
        paths: Paths,
        settings: Settings,
        session: &impl SessionSource,
        told_none: &ToldNone,
    ) -> io::Result<Option<Self>> {
        let written = with_lock(&paths, settings, |held| {
            let (known, old) = replaceable(&paths, held, settings)?;
            told_none.check(known.home_key(), session)?;
            let kept = known.kept_by(session);
            let written = write(&paths, held, &kept.with(session), old, settings)?;
            Ok(written.if_not_moved())
        })?;
        Ok(Self::written(paths, written))
    }

    fn written(paths: Paths, written: Stored) -> Option<Self> {
        let (file, seen) = *written?;
        Some(Self::new(paths, file, seen))
    }

    fn new(paths: Paths, file: File, seen: LastSeen) -> Self {
        Self {
            paths,
            file,
            fold_at: seen.snapshot_len.max(FOLD_AT_LEAST),
            seen,
            has_appended: false,
        }
    }

    /// [`save`](Self::save) without reading what is known.
    pub(super) fn save_again(
        &mut self,
        path: &Path,
        settings: Settings,
        session: &impl SessionSource,
    ) -> io::Result<Saved> {
        let Self {
            paths, file, seen, ..
        } = self;
        let locked = Locked::exclusive(file, paths, settings.lock_timeout)?;
        let caught_up = seen.catch_up(file, path, paths)?;
        let is_as_known = matches!(caught_up, CaughtUp::Whole) && !seen.extras.is_stale();
        if !is_as_known || !seen.is_snapshot_sound(file)? {
            return Ok(Saved::NotAsKnown);
        }
        let extras = seen.extras.kept_by(session);
        let held = Held {
            file,
            is_writable: true,
            is_new: false,
        };
        let old = Old::of_form(seen.form.clone());
        let written = write(paths, held, &extras.with(session), old, settings)?;
        drop(locked);
        match written {
            Written::Done(Some(stored)) => {
                let (file, seen) = *stored;
                *self = Self::new(paths.clone(), file, seen);
                Ok(Saved::Stored)
            }
            Written::Done(None) => Ok(Saved::NotKnown),
            Written::Moved => Ok(Saved::NotAsKnown),
        }
    }

    /// Finds out where the tail of the current file ends, or makes a new file where nothing can be appended to
    /// the old one. `change` is only called in that case.
    pub(super) fn refresh(
        paths: Paths,
        settings: Settings,
        mut change: impl FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<(Option<Self>, Outcome)> {
        enum Made {
            Known(Box<LastSeen>),
            Written(Stored),
        }
        let mut opened = None;
        let made = with_lock(&paths, settings, |held| {
            let found = read_locked(held, &paths, settings)?;
            settings.fence.admit(&found, &paths)?;
            if let Some(content) = &found.content
                // The token of an owner that is no more goes.
                && content.owner == settings.fence.token()
                && let Some(tail) = appendable(content, held)?
            {
                if content.lost > 0 {
                    // What a crash tore is cut off before anything is written after it.
                    held.file.set_length(tail.end)?;
                    event::emit(|| Event::TornTailCut {
                        path: paths.snapshot.clone(),
                        bytes: content.lost,
                    });
                }
                let Some(header) = content.header else {
                    return Ok(None);
                };
                let known = Seen {
                    header,
                    tail,
                    form: content.form.clone(),
                };
                let mut seen = LastSeen::new(held.file, known, &content.stored);
                // Its writer may have been killed before its name was durable.
                seen.is_durable = false;
                opened = Some(held.file.duplicate()?);
                remove_left(&paths);
                return Ok(Some(Made::Known(Box::new(seen))));
            }
            let written = write_changed(&paths, held, found, settings, &mut change)?;
            Ok(written.if_not_moved().map(Made::Written))
        })?;
        Ok(match made {
            Made::Known(seen) => {
                let known = opened.map(|file| Self::new(paths, file, *seen));
                (known, Outcome::Known)
            }
            Made::Written(written) => (Self::written(paths, written), Outcome::Changed),
        })
    }

    /// Appends one batch to the tail, unless the file is not as it was known, and must be read
    /// again. `path` is what the caller was given: a symbolic link that leads elsewhere now is
    /// noticed.
    pub(super) fn append(
        &mut self,
        path: &Path,
        settings: Settings,
        changes: &[Change<'_>],
        buffers: &mut Buffers,
    ) -> io::Result<Appended> {
        let Self {
            paths, file, seen, ..
        } = self;
        let _locked = Locked::exclusive(file, paths, settings.lock_timeout)?;
        if !matches!(seen.catch_up(file, path, paths)?, CaughtUp::Whole) {
            return Ok(Appended::NotKnown);
        }
        let reduced;
        let changes = if changes.iter().all(|change| seen.form.takes(change)) {
            changes
        } else {
            reduced = seen.reduce(changes);
            if !reduced.iter().all(|change| seen.form.takes(change)) {
                return Ok(Appended::NotTaken);
            }
            if reduced.is_empty() {
                return Ok(Appended::Done);
            }
            &*reduced
        };
        if changes.is_empty() {
            return Ok(Appended::Done);
        }
        let known = seen.tail;
        let Buffers { record, payload } = buffers;
        let after = seen.form.encode(changes, known, record, payload)?;
        if let Err(error) = write_at(file, &buffers.record, known.end) {
            // Half a record would be cut by the next writer as well.
            let _ = file.set_length(known.end);
            return Err(error);
        }
        seen.tail = after;
        seen.note(changes);
        self.has_appended = true;
        Ok(Appended::Done)
    }

    /// Runs `look` on the current record, which is kept in memory from the first time on. `None` when the
    /// file is not as it was known, or when another process has the lock.
    pub(super) fn look_up<R>(
        &mut self,
        path: &Path,
        settings: Settings,
        look: impl FnOnce(&SessionRecord) -> R,
    ) -> io::Result<Option<R>> {
        let Self {
            paths, file, seen, ..
        } = self;
        let Ok(_locked) = Locked::exclusive(file, paths, LOOK_UP_WAITS) else {
            return Ok(None);
        };
        if let CaughtUp::NotKnown = seen.catch_up(file, path, paths)? {
            return Ok(None);
        }
        if seen.held.is_none() {
            let held = Held {
                file,
                is_writable: true,
                is_new: false,
            };
            let found = read_locked(held, paths, settings)?;
            seen.held = found.content.map(|content| Box::new(content.stored));
        }
        Ok(seen.held.as_deref().map(look))
    }

    /// Marks the tail after a failed flush, so that no process appends to it before the session is
    /// stored anew.
    pub(super) fn forbid_appends(paths: &Paths, settings: Settings) -> io::Result<()> {
        with_lock(paths, settings, |held| {
            let found = read_locked(held, paths, settings)?;
            if let Some(content) = &found.content
                && let Some(tail) = appendable(content, held)?
            {
                write_at(held.file, tail::fold_first(tail).as_ref(), tail.end)?;
            }
            Ok(Some(()))
        })
    }

    /// Makes everything that was appended safe against a power cut, and what it continues.
    pub(super) fn flush(&mut self, settings: Settings) -> io::Result<()> {
        if self.seen.is_durable {
            return self.file.flush_data();
        }
        let dir = settings.fsync.directory(&self.paths.dir)?;
        self.file.flush_all()?;
        self.seen.is_durable = sync(dir.as_ref(), Some(&self.file));
        self.confirm_name()
    }

    /// Whether the tail has become longer than the snapshot.
    pub(super) const fn is_due_for_folding(&self) -> bool {
        self.tail_len() > self.fold_at
    }

    /// Bytes of the tail.
    const fn tail_len(&self) -> u64 {
        self.seen.tail.end.saturating_sub(self.seen.snapshot_len)
    }

    /// After a fold has failed: it is tried again when the tail has become twice as long.
    pub(super) const fn postpone_folding(&mut self) {
        self.fold_at = self.tail_len().saturating_mul(2);
    }

    /// Whether a session of at most so many bytes has changes in its tail that this process has appended.
    pub(super) const fn has_appended_to(&self, max_len: u64) -> bool {
        self.has_appended && self.seen.snapshot_len <= max_len
    }

    /// Whether the record is kept in memory.
    #[cfg(all(test, unix))]
    pub(super) const fn holds(&self) -> bool {
        self.seen.held.is_some()
    }

    pub(super) const fn paths(&self) -> &Paths {
        &self.paths
    }
}

/// Where a record can be appended to the file, if one can: not where it has no tail, where a flush of it has
/// failed, where it was damaged, or where it has a second name, which is a copy that somebody keeps.
fn appendable(content: &Content, held: Held<'_>) -> io::Result<Option<Tail>> {
    let is_kept = content.must_fold || content.end == TailEnd::Damaged || !held.is_writable;
    if is_kept || held.file.status()?.links != 1 {
        return Ok(None);
    }
    Ok(content.tail.filter(|_| content.header.is_some()))
}

/// Memory that appends reuse.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    record: Vec<u8>,
    payload: Vec<u8>,
}
