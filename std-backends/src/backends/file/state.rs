//! What is known of the files of a session, and how they are changed under their lock.

use std::fs::File;
use std::io;
use std::path::Path;

use mtsession_core::{Change, SessionMut as _, SessionSource};
use zeroize::Zeroizing;

use super::beside::Beside;
use super::content::{Content, read};
use super::identity::Watched;
use super::journal::{self, Tail};
use super::lock::{Locked, Settings, with_new_lock};
use super::paths::Paths;
use super::positioned::{read_at, read_from, write_at};
use super::snapshot::sync;
use super::write::{Old, replaceable, restart_journal, write, write_changed};
use crate::drop_in::session::PersistedSession;
use crate::fs::file_len;
use crate::record::SessionRecord;
use mtsession_core::Certain as _;

/// Bytes of a record's checksum.
const CHAIN_LEN: usize = size_of::<u32>();
const CHAIN_LEN_U64: u64 = 4;
const _: () = assert!(CHAIN_LEN == 4, "both are the same number");
const _: () = assert!(
    journal::HEADER_LEN >= CHAIN_LEN,
    "a header ends in a checksum"
);

/// A journal is folded into the snapshot when it is longer than that, but not before this: short
/// sessions would be rewritten all the time.
const FOLD_AT_LEAST: u64 = 64 * 1024;

/// What is known of the files without reading them again, and the open journal.
#[derive(Debug)]
pub(super) struct Known {
    paths: Paths,
    journal: File,
    seen: Seen,
}

/// A snapshot and its journal as they were last seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) snapshot: Watched,
    pub(super) snapshot_len: u64,
    pub(super) crc: u32,
    pub(super) tail: Tail,
    pub(super) beside: Beside,
    /// The DC table, with which a DC entry is compared that is new in its salt alone.
    dcs: Zeroizing<PersistedSession>,
    /// Whether the snapshot and its name are known to survive a power cut.
    pub(super) is_durable: bool,
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
        seen.tail = tail;
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

    pub(super) fn paths(&self) -> &Paths {
        &self.paths
    }
}

impl Seen {
    /// What is seen of a snapshot that holds `session`, which survives a power cut.
    pub(super) fn new(
        snapshot: Watched,
        (snapshot_len, crc): (u64, u32),
        tail: Tail,
        session: &impl SessionSource,
    ) -> Self {
        let mut dcs = Zeroizing::new(PersistedSession::default());
        // Never grows: no copy of a key is left.
        dcs.dcs.reserve_exact(session.dcs().len());
        for dc in session.dcs() {
            let Ok(()) = dcs.push_dc(&dc);
        }
        Self {
            snapshot,
            snapshot_len,
            crc,
            tail,
            beside: Beside::of(session),
            dcs,
            is_durable: true,
        }
    }

    /// The changes, with each DC entry replaced by what is new in it.
    fn reduce<'c>(&self, changes: &[Change<'c>]) -> Vec<Change<'c>> {
        // An entry that changes twice in a batch is not compared with what the first time makes of it.
        let is_alone = |key| changes.iter().filter(|other| other.key() == key).count() == 1;
        let new = |change: &Change<'c>| match change {
            Change::Dc(_) if is_alone(change.key()) => self.dcs.reduce(*change),
            _ => Some(*change),
        };
        changes.iter().filter_map(new).collect()
    }

    /// Takes in what was appended to the journal, by this process or another one.
    fn note(&mut self, changes: &[Change<'_>]) {
        self.beside.note(changes);
        for change in changes {
            if let Change::Salt { .. } = change {
                let Ok(()) = self.dcs.apply(change);
            }
        }
    }

    /// Where the journal ends, which another process may have appended to; `None` when the files
    /// are not as they are known. Under the lock.
    ///
    /// Two system calls: the snapshot must be as it was, and the last checksum must stand at the end of
    /// the journal. That checksum covers everything before it, so that no other journal,
    /// and none that was started anew or emptied since, has it there.
    fn current_tail(
        &mut self,
        journal: &File,
        path: &Path,
        paths: &Paths,
    ) -> io::Result<Option<Tail>> {
        let known = self.tail;
        if !self.snapshot.is_unchanged(path, paths) {
            return Ok(None);
        }
        let mut end = [0; CHAIN_LEN + 1];
        let chain_at = known.end.checked_sub(CHAIN_LEN_U64);
        let chain_at = chain_at.certain("a journal is longer than a checksum");
        let len = read_at(journal, &mut end, chain_at)?;
        let [chain @ .., _] = end;
        if len < CHAIN_LEN || u32::from_le_bytes(chain) != known.chain {
            return Ok(None);
        }
        if len == CHAIN_LEN {
            return Ok(Some(known));
        }
        let mut records = Vec::new();
        read_from(journal, &mut records, known.end)?;
        let tail = journal::replay(&records, known, |changes| self.note(changes))?;
        let replayed = tail.end.checked_sub(known.end);
        let after = replayed
            .and_then(|len| usize::try_from(len).ok())
            .and_then(|len| records.get(len..))
            .certain("a tail ends within the journal that it was read from");
        if journal::must_fold(after, tail) {
            return Ok(None);
        }
        let read = file_len(records.len());
        if known.end.saturating_add(read) > tail.end {
            // What a crash tore is cut off before anything is written after it.
            journal.set_len(tail.end)?;
        }
        Ok(Some(tail))
    }
}

/// Memory that appends reuse.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    record: Vec<u8>,
    payload: Vec<u8>,
}
