//! What is known of the files of a session, and how they are changed under their lock.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use mtsession_core::wire::encode_to_vec;
use mtsession_core::{
    Account, Change, DecodeError, DecodeErrorKind, NamesBuf, SessionSource, SessionView,
};

use super::content::{Content, read};
use super::identity::Watched;
use super::journal::{self, Tail};
use super::lock::{Locked, with_new_lock};
use super::paths::Paths;
use super::snapshot::{self, Fsync};
use crate::names;
use crate::stored::Stored;
use crate::wiped::Wiped;

/// Bytes of a record's checksum.
const CHAIN_LEN: usize = size_of::<u32>();
const CHAIN_LEN_U64: u64 = 4;

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
struct Seen {
    snapshot: Watched,
    snapshot_len: u64,
    tail: Tail,
    beside: Beside,
}

/// What a session's file holds beside the session.
#[derive(Debug, Default)]
struct Beside {
    account: Account,
    names: NamesBuf,
}

impl Beside {
    fn of(session: &impl SessionSource) -> Self {
        Self {
            account: session.account(),
            names: session.names().into(),
        }
    }

    /// What of it stays when the session becomes `session`.
    fn kept_by(&self, session: &impl SessionSource) -> Self {
        Self {
            account: self.account,
            names: names::kept_by(self.names.as_names(), session),
        }
    }

    /// The session with it.
    fn with<'s, S: SessionSource>(&'s self, session: &'s S) -> impl SessionSource + 's {
        session
            .with_account(self.account)
            .with_names(self.names.as_names())
    }
}

/// What [`Known::refresh`] did.
pub(super) enum Refreshed {
    /// The journal can be appended to now.
    Journal,
    /// The change was made part of a new snapshot.
    Changed,
}

impl Known {
    /// Runs `change` on the current session (or on an empty one) under the lock and stores the
    /// result as a new snapshot.
    pub(super) fn rewrite(
        paths: Paths,
        fsync: Fsync,
        change: impl FnOnce(&mut Stored) -> io::Result<()>,
    ) -> io::Result<Self> {
        let (journal, seen) = with_new_lock(&paths, |journal| {
            let content = read(&paths, Some(journal))?;
            write_changed(&paths, journal, content, fsync, change)
        })?;
        Ok(Self {
            paths,
            journal,
            seen,
        })
    }

    /// Stores `session` as a new snapshot under the lock. The account stays as it is, and so do the
    /// names of the peers that stay.
    pub(super) fn save(
        paths: Paths,
        fsync: Fsync,
        session: &impl SessionSource,
    ) -> io::Result<Self> {
        let (journal, seen) = with_new_lock(&paths, |journal| {
            let beside = replaceable(&paths)?.kept_by(session);
            write(&paths, journal, &beside.with(session), fsync)
        })?;
        Ok(Self {
            paths,
            journal,
            seen,
        })
    }

    /// [`save`](Self::save) without reading what is known; `None` when the files are not as they
    /// were known.
    pub(super) fn save_again(
        &mut self,
        path: &Path,
        fsync: Fsync,
        session: &impl SessionSource,
    ) -> io::Result<Option<()>> {
        let _locked = Locked::exclusive(&self.journal)?;
        if self.current_tail(path)?.is_none() {
            return Ok(None);
        }
        let beside = self.seen.beside.kept_by(session);
        let session = beside.with(session);
        self.seen = write(&self.paths, &self.journal, &session, fsync)?;
        Ok(Some(()))
    }

    /// Finds out where the journal of the current snapshot ends, or makes a new snapshot where no
    /// journal can continue the old one. `change` is only called in that case.
    pub(super) fn refresh(
        paths: Paths,
        fsync: Fsync,
        change: impl FnOnce(&mut Stored) -> io::Result<()>,
    ) -> io::Result<(Self, Refreshed)> {
        let (journal, (seen, refreshed)) = with_new_lock(&paths, |journal| {
            let content = match read(&paths, Some(journal))? {
                Some(Content {
                    crc: Some(crc),
                    stored,
                    snapshot_len,
                    tail,
                    ..
                }) => {
                    let tail = match tail {
                        Some(tail) => {
                            // What a crash tore is cut off before anything is written behind it.
                            journal.set_len(tail.end)?;
                            tail
                        }
                        None => reset_journal(journal, crc, fsync)?,
                    };
                    let seen = Seen {
                        snapshot: Watched::open(&paths)?,
                        snapshot_len,
                        tail,
                        beside: Beside::of(&stored),
                    };
                    return Ok((seen, Refreshed::Journal));
                }
                content => content,
            };
            let seen = write_changed(&paths, journal, content, fsync, change)?;
            Ok((seen, Refreshed::Changed))
        })?;
        Ok((
            Self {
                paths,
                journal,
                seen,
            },
            refreshed,
        ))
    }

    /// Appends one batch to the journal; false when the files are not as they were known, and must be
    /// read again. `path` is what the caller was given: a symbolic link that leads elsewhere now is
    /// noticed.
    pub(super) fn append(
        &mut self,
        path: &Path,
        changes: &[Change<'_>],
        buffers: &mut Buffers,
    ) -> io::Result<bool> {
        let _locked = Locked::exclusive(&self.journal)?;
        let Some(tail) = self.current_tail(path)? else {
            return Ok(false);
        };
        self.seen.tail = tail;
        let after = journal::encode(changes, tail, &mut buffers.record, &mut buffers.payload)?;
        if let Err(error) = (&self.journal).write_all(&buffers.record) {
            // Half a record would be cut by the next writer as well.
            let _ = self.journal.set_len(tail.end);
            return Err(error);
        }
        self.seen.tail = after;
        Ok(true)
    }

    /// Makes everything that was appended safe against a power cut.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.journal.sync_data()
    }

    /// Whether the journal has become longer than the session.
    pub(super) fn is_due_for_folding(&self) -> bool {
        self.seen.tail.end > self.seen.snapshot_len.max(FOLD_AT_LEAST)
    }

    /// Where the journal ends, which another process may have appended to; `None` when the files
    /// are not as they are known. Under the lock.
    ///
    /// Two system calls: the snapshot must be as it was, and the last checksum must stand at the end of
    /// the journal. That checksum covers everything before it, so that no other journal,
    /// and none that was started anew or emptied since, has it there.
    fn current_tail(&self, path: &Path) -> io::Result<Option<Tail>> {
        let known = self.seen.tail;
        if !self.seen.snapshot.is_unchanged(path, &self.paths) {
            return Ok(None);
        }
        let mut end = [0; CHAIN_LEN + 1];
        let chain_at = known.end.saturating_sub(CHAIN_LEN_U64);
        let len = read_at(&self.journal, &mut end, chain_at)?;
        let [chain @ .., _] = end;
        if len < CHAIN_LEN || u32::from_le_bytes(chain) != known.chain {
            return Ok(None);
        }
        if len == CHAIN_LEN {
            return Ok(Some(known));
        }
        let mut records = Vec::new();
        read_from(&self.journal, &mut records, known.end)?;
        let tail = journal::replay(&records, known, |_| ());
        let read = u64::try_from(records.len()).unwrap_or(u64::MAX);
        if known.end.saturating_add(read) > tail.end {
            // What a crash tore is cut off before anything is written behind it.
            self.journal.set_len(tail.end)?;
        }
        Ok(Some(tail))
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

/// Stores the current session, or an empty one, as a new snapshot with `change` made to it.
fn write_changed(
    paths: &Paths,
    journal: &File,
    content: Option<Content>,
    fsync: Fsync,
    change: impl FnOnce(&mut Stored) -> io::Result<()>,
) -> io::Result<Seen> {
    let mut stored = content.map(|content| content.stored).unwrap_or_default();
    change(&mut stored)?;
    write(paths, journal, &stored, fsync)
}

/// Writes a new snapshot and starts its journal.
fn write(
    paths: &Paths,
    journal: &File,
    session: &impl SessionSource,
    fsync: Fsync,
) -> io::Result<Seen> {
    let bytes = Wiped::from(encode_to_vec(session)?);
    let crc = bytes
        .last_chunk()
        .copied()
        .map(u32::from_le_bytes)
        .unwrap_or_default();
    let snapshot = snapshot::replace(paths, &bytes, fsync)?;
    let tail = reset_journal(journal, crc, fsync)?;
    Ok(Seen {
        snapshot: Watched::new(snapshot)?,
        snapshot_len: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        tail,
        beside: Beside::of(session),
    })
}

/// Starts the journal of the snapshot with this checksum.
fn reset_journal(mut journal: &File, crc: u32, fsync: Fsync) -> io::Result<Tail> {
    let header = journal::header(crc);
    // The old header, and one byte more where records follow it.
    let mut old = [0; journal::HEADER_LEN + 1];
    let had_records = read_at(journal, &mut old, 0)? == old.len();
    journal.set_len(0)?;
    journal.write_all(&header)?;
    if had_records && old.starts_with(&header) {
        // The new snapshot equals the one before, so that the old records would continue it too:
        // they must be gone before it is acknowledged.
        fsync.file(journal)?;
    }
    Ok(Tail::of_header(crc))
}

/// What lies beside a session that is about to be replaced.
///
/// A damaged session may be replaced by a good one. What is no session of ours, or one of a newer
/// release, may not: the path is probably a mistake.
fn replaceable(paths: &Paths) -> io::Result<Beside> {
    let Some(bytes) = snapshot::read(paths)? else {
        return Ok(Beside::default());
    };
    match SessionView::parse(&bytes) {
        Ok(view) => Ok(Beside::of(&view)),
        Err(error) if is_somebody_elses(&error) => Err(error.into()),
        Err(_) => Ok(Beside::default()),
    }
}

fn is_somebody_elses(error: &DecodeError) -> bool {
    matches!(
        error.kind,
        DecodeErrorKind::Foreign(_)
            | DecodeErrorKind::UnknownVersion(_)
            | DecodeErrorKind::NewerTrailer(_)
    )
}

/// Removes the session and its lock.
pub(super) fn delete(paths: &Paths, fsync: Fsync) -> io::Result<()> {
    if !paths.dir.exists() {
        return Ok(());
    }
    let (_, removed) = with_new_lock(paths, |journal| {
        let removed = snapshot::remove(paths, fsync);
        // Whoever has it open finds it empty, and whoever waits for its lock finds it without a name.
        journal.set_len(0)?;
        fs::remove_file(&paths.journal)?;
        fsync.dir(&paths.dir)?;
        Ok(removed)
    })?;
    removed
}

fn read_from(mut file: &File, into: &mut Vec<u8>, offset: u64) -> io::Result<()> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
    file.read_to_end(into)?;
    Ok(())
}

/// Reads what there is at `offset`, up to the length of `into`.
#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, offset)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
    file.read(into)
}
