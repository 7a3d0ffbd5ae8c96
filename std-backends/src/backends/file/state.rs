//! What is known of the files of a session, and how they are changed under their lock.

use core::time::Duration;
use std::fs::File;
use std::io;
use std::path::Path;

use mtsession_core::{Change, SessionSource};

use super::content::{Content, read};
use super::identity::Watched;
use super::journal;
use super::lock::{Locked, Settings, with_new_lock};
use super::paths::Paths;
use super::positioned::write_at;
use super::seen::{CaughtUp, Seen};
use super::snapshot::sync;
use super::write::{Old, replaceable, restart_journal, write, write_changed};
use crate::record::SessionRecord;

/// A journal is folded into the snapshot when it is longer than that, but not before this: short
/// sessions would be rewritten all the time.
const FOLD_AT_LEAST: u64 = 64 * 1024;

/// How long a look-up waits for the lock. Reading the files needs none, so it is not worth more.
const LOOK_UP_WAITS: Duration = Duration::from_millis(2);

/// What is known of the files without reading them again, and the open journal.
#[derive(Debug)]
pub(super) struct Known {
    paths: Paths,
    journal: File,
    seen: Seen,
}

/// What [`Known::refresh`] did.
pub(super) enum Refreshed {
    /// The journal can be appended to now.
    Journal,
    /// The change was made part of a new snapshot.
    Changed,
}

/// What [`Known::append`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Appended {
    /// The changes are in the journal.
    Done,
    /// Nothing: something in them does not go into a journal.
    NotTaken,
    /// Nothing: the files are not as they were known.
    NotKnown,
}

/// What [`Known::save_again`] did.
pub(super) enum Saved {
    /// Nothing: the files are not as they were known.
    NotAsKnown,
    /// The session is stored.
    Stored,
    /// The session is stored, but the files must be read again.
    NotKnown,
}

impl Known {
    /// Runs `change` on the current session (or on an empty one) under the lock and stores the
    /// result as a new snapshot. `None` when that was done, but the files must be read again.
    pub(super) fn rewrite(
        paths: Paths,
        settings: Settings,
        change: impl FnOnce(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<Option<Self>> {
        let (journal, seen) = with_new_lock(&paths, settings, |journal| {
            let content = read(&paths, Some(journal))?;
            write_changed(&paths, journal, content, settings, change)
        })?;
        Ok(Self::new(paths, journal, seen))
    }

    /// Stores what `change` makes of the record that is there as a new snapshot, under the lock. `None`: it
    /// made nothing of it, and nothing is written. `Some(None)`: it is stored, but the files must be read
    /// again.
    #[expect(clippy::option_option, reason = "see above")]
    pub(super) fn replace(
        paths: Paths,
        settings: Settings,
        change: impl FnOnce(Option<SessionRecord>) -> io::Result<Option<SessionRecord>>,
    ) -> io::Result<Option<Option<Self>>> {
        let (journal, seen) = with_new_lock(&paths, settings, |journal| {
            let content = read(&paths, Some(journal))?;
            let old = Old::of(content.as_ref());
            match change(content.map(|content| content.stored))? {
                Some(record) => write(&paths, journal, &record, old, settings).map(Some),
                None => Ok(None),
            }
        })?;
        Ok(seen.map(|seen| Self::new(paths, journal, seen)))
    }

    /// Stores `session` as a new snapshot under the lock. The account stays as it is, and so do the
    /// names of the peers that stay.
    pub(super) fn save(
        paths: Paths,
        settings: Settings,
        session: &impl SessionSource,
    ) -> io::Result<Option<Self>> {
        let (journal, seen) = with_new_lock(&paths, settings, |journal| {
            let (known, old) = replaceable(&paths, journal)?;
            let kept = known.kept_by(session);
            write(&paths, journal, &kept.with(session), old, settings)
        })?;
        Ok(Self::new(paths, journal, seen))
    }

    fn new(paths: Paths, journal: File, seen: Option<Seen>) -> Option<Self> {
        Some(Self {
            paths,
            journal,
            seen: seen?,
        })
    }

    /// [`save`](Self::save) without reading what is known.
    pub(super) fn save_again(
        &mut self,
        path: &Path,
        settings: Settings,
        session: &impl SessionSource,
    ) -> io::Result<Saved> {
        let Self {
            paths,
            journal,
            seen,
        } = self;
        let _locked = Locked::exclusive(journal, paths, settings.lock_timeout)?;
        if seen.current_tail(journal, path, paths)?.is_none() || seen.beside.is_stale() {
            return Ok(Saved::NotAsKnown);
        }
        let beside = seen.beside.kept_by(session);
        let old = Old::with_checksum(seen.crc);
        let Some(written) = write(paths, journal, &beside.with(session), old, settings)? else {
            return Ok(Saved::NotKnown);
        };
        *seen = written;
        Ok(Saved::Stored)
    }

    /// Finds out where the journal of the current snapshot ends, or makes a new snapshot where no
    /// journal can continue the old one. `change` is only called in that case.
    pub(super) fn refresh(
        paths: Paths,
        settings: Settings,
        change: impl FnOnce(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<(Option<Self>, Refreshed)> {
        let (journal, (seen, refreshed)) = with_new_lock(&paths, settings, |journal| {
            let content = match read(&paths, Some(journal))? {
                Some(Content {
                    crc: Some(crc),
                    is_pending: false,
                    stored,
                    snapshot_len,
                    tail,
                    stale,
                    must_fold: false,
                    ..
                }) => {
                    let tail = match tail {
                        // What a crash tore is cut off before anything is written after it.
                        Some(tail) => journal.set_len(tail.end).map(|()| tail)?,
                        None => restart_journal(&paths, journal, crc, stale, settings)?,
                    };
                    let snapshot = Watched::open(&paths)?;
                    // Its writer may have been killed before its name was durable.
                    let mut seen = Seen::new(snapshot, (snapshot_len, crc), tail, &stored);
                    seen.is_durable = false;
                    return Ok((Some(seen), Refreshed::Journal));
                }
                content => content,
            };
            let seen = write_changed(&paths, journal, content, settings, change)?;
            Ok((seen, Refreshed::Changed))
        })?;
        Ok((Self::new(paths, journal, seen), refreshed))
    }

    /// Appends one batch to the journal, unless the files are not as they were known, and must be read
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
            paths,
            journal,
            seen,
        } = self;
        let _locked = Locked::exclusive(journal, paths, settings.lock_timeout)?;
        let Some(tail) = seen.current_tail(journal, path, paths)? else {
            return Ok(Appended::NotKnown);
        };
        let reduced;
        let changes = if changes.iter().all(journal::is_journalable) {
            changes
        } else {
            reduced = seen.reduce(changes);
            if !reduced.iter().all(journal::is_journalable) {
                return Ok(Appended::NotTaken);
            }
            if reduced.is_empty() {
                return Ok(Appended::Done);
            }
            &*reduced
        };
        let after = journal::encode(changes, tail, &mut buffers.record, &mut buffers.payload)?;
        if let Err(error) = write_at(journal, &buffers.record, tail.end) {
            // Half a record would be cut by the next writer as well.
            let _ = journal.set_len(tail.end);
            return Err(error);
        }
        seen.tail = after;
        seen.note(changes);
        Ok(Appended::Done)
    }

    /// Runs `look` on the current record, which is kept in memory from the first time on. `None` when the
    /// files are not as they were known, or when another process has the lock.
    pub(super) fn look_up<R>(
        &mut self,
        path: &Path,
        look: impl FnOnce(&SessionRecord) -> R,
    ) -> io::Result<Option<R>> {
        let Self {
            paths,
            journal,
            seen,
        } = self;
        let Ok(_locked) = Locked::exclusive(journal, paths, LOOK_UP_WAITS) else {
            return Ok(None);
        };
        if let CaughtUp::NotKnown = seen.catch_up(journal, path, paths)? {
            return Ok(None);
        }
        if seen.held.is_none() {
            seen.held = read(paths, Some(journal))?.map(|content| content.stored);
        }
        Ok(seen.held.as_ref().map(look))
    }

    /// Marks the journal after a failed flush, so that no process appends to it before the session is
    /// stored anew.
    pub(super) fn forbid_appends(paths: &Paths, settings: Settings) -> io::Result<()> {
        with_new_lock(paths, settings, |journal| {
            match read(paths, Some(journal))? {
                Some(Content {
                    tail: Some(tail),
                    must_fold: false,
                    ..
                }) => write_at(journal, journal::fold_first(tail).as_ref(), tail.end),
                _ => Ok(()),
            }
        })
        .map(drop)
    }

    /// Makes everything that was appended safe against a power cut, and what it continues.
    pub(super) fn flush(&mut self, settings: Settings) -> io::Result<()> {
        if !self.seen.is_durable {
            self.seen.snapshot.flush()?;
            let dir = settings.fsync.directory(&self.paths.dir)?;
            self.seen.is_durable = sync(dir.as_ref(), None);
        }
        self.journal.sync_data()
    }

    /// Whether the journal has become longer than the session.
    pub(super) fn is_due_for_folding(&self) -> bool {
        self.seen.tail.end > self.seen.snapshot_len.max(FOLD_AT_LEAST)
    }

    /// Whether the record is kept in memory.
    #[cfg(test)]
    pub(super) fn holds(&self) -> bool {
        self.seen.held.is_some()
    }

    pub(super) fn paths(&self) -> &Paths {
        &self.paths
    }
}

/// Memory that appends reuse.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    record: Vec<u8>,
    payload: Vec<u8>,
}
