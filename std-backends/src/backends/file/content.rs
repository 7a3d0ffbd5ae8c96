//! What the files of a session hold.

use std::fs::{self, File};
use std::io::{self, Read};

use mtsession_core::{Change, Integrity, PlainFile};

use super::identity::{Identity, is_named};
use super::journal::{self, Tail};
use super::lock::{Locked, Settings};
use super::paths::Paths;
use super::snapshot;
use crate::fs::file_len;
use crate::fs::{Access, about, open_owned};
use crate::record::SessionRecord;
use mtsession_core::Certain as _;

/// How often files that change while they are read without a lock are read again.
const ATTEMPTS: usize = 10;

/// What the files hold.
pub(super) struct Content {
    pub(super) stored: SessionRecord,
    pub(super) version: u8,
    pub(super) integrity: Integrity,
    /// The snapshot's checksum; `None` for one of an older release, which no journal can continue.
    pub(super) crc: Option<u32>,
    pub(super) snapshot_len: u64,
    /// Bytes that an editor or a file system added to the snapshot.
    pub(super) padding: u64,
    /// Whether it was read from the complete copy alongside the snapshot.
    pub(super) is_pending: bool,
    /// Bytes of the journal, good or not.
    pub(super) journal_len: u64,
    /// The good part of the journal, if it continues the snapshot.
    pub(super) tail: Option<Tail>,
    /// The good part of the journal, if it continues another snapshot.
    pub(super) stale: Option<Tail>,
    /// Whether the good part ends with the mark that nothing may be appended to it.
    pub(super) must_fold: bool,
}

/// Reads snapshot and journal, under a lock.
///
/// An empty file is not a session yet, unless a journal says that there was one.
pub(super) fn read(paths: &Paths, journal: Option<&File>) -> io::Result<Option<Content>> {
    let Some(snapshot) = snapshot::read(paths)? else {
        return Ok(None);
    };
    let records = match journal {
        Some(journal) => read_journal(journal).map_err(|error| about(error, &paths.journal))?,
        None => Vec::new(),
    };
    if snapshot.bytes.is_empty() {
        let lost =
            journal::own_header(&records).map(|tail| journal::replay_whole(&records, tail, |_| ()));
        let lost = lost.transpose()?;
        return match lost {
            Some(tail) if tail.records > 0 && !snapshot.is_pending => Err(emptied(paths)),
            _ => Ok(None),
        };
    }
    let file = PlainFile::parse(&snapshot.bytes)?;
    let (view, crc) = (file.snapshot(), file.crc());
    let mut content = Content {
        stored: SessionRecord::copy_of(&view),
        version: view.version(),
        integrity: view.integrity(),
        crc,
        snapshot_len: file_len(snapshot.bytes.len()),
        padding: file_len(snapshot.bytes.len())
            .checked_sub(file_len(file.bytes().len()))
            .certain("a session is not longer than its file"),
        is_pending: snapshot.is_pending,
        journal_len: file_len(records.len()),
        tail: None,
        stale: None,
        must_fold: false,
    };
    match (journal::own_header(&records), crc.map(Tail::of_header)) {
        (Some(header), Some(expected)) if header == expected => {
            let apply = |changes: &[Change<'_>]| content.stored.replay(changes);
            let tail = journal::replay_whole(&records, header, apply)?;
            content.tail = Some(tail);
            content.must_fold = journal::must_fold(after(&records, tail), tail);
        }
        (Some(header), _) => {
            // Not part of this session, whichever program wrote it.
            let records = journal::replay_whole(&records, header, |_| ());
            content.stale = Some(records.unwrap_or(Tail {
                records: 1,
                ..header
            }));
        }
        (None, _) => {}
    }
    Ok(Some(content))
}

fn read_journal(mut journal: &File) -> io::Result<Vec<u8>> {
    io::Seek::rewind(&mut journal)?;
    let mut records = Vec::new();
    journal.read_to_end(&mut records)?;
    Ok(records)
}

/// What follows the good part.
fn after(journal: &[u8], tail: Tail) -> &[u8] {
    let end = usize::try_from(tail.end).ok();
    let after = end.and_then(|end| journal.get(end..));
    after.certain("a tail ends within the journal that it was read from")
}

/// The file is empty, and its journal says that it was not.
fn emptied(paths: &Paths) -> io::Error {
    let message = format!(
        "the file is empty, but its journal holds changes: its content was lost; if there was none, \
         remove {}",
        paths.journal.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Reads snapshot and journal for a caller that changes nothing, under the lock if there is one.
fn read_shared(paths: &Paths, settings: Settings) -> io::Result<Option<Content>> {
    loop {
        match open_owned(&paths.journal, Access::Read, Some(&paths.snapshot)) {
            Ok(journal) => {
                let Some(_locked) = Locked::shared(&journal, paths, settings.lock_timeout)? else {
                    return read_unlocked(paths);
                };
                if is_named(&journal, &paths.journal)? {
                    return read(paths, Some(&journal));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let content = read(paths, None);
                // A first writer that came in between is waited for.
                if !fs::exists(&paths.journal)? {
                    return content;
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Reads without a lock: where there are none, or where somebody does not let go of it. A snapshot
/// that was replaced meanwhile is noticed, and a record that is half there was not acknowledged.
fn read_unlocked(paths: &Paths) -> io::Result<Option<Content>> {
    let mut attempt: usize = 0;
    loop {
        let before = stamp(paths)?;
        let content = match open_owned(&paths.journal, Access::Read, Some(&paths.snapshot)) {
            Ok(journal) => read(paths, Some(&journal)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => read(paths, None),
            Err(error) => return Err(error),
        };
        attempt = attempt.saturating_add(1);
        if before == stamp(paths)? || attempt == ATTEMPTS {
            return content;
        }
    }
}

/// The states of the snapshot and of the complete copy of it.
fn stamp(paths: &Paths) -> io::Result<[Option<Identity>; 2]> {
    let state = |path| match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(Identity::of(&found))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    Ok([state(&paths.snapshot)?, state(&paths.pending)?])
}

/// The session.
pub(super) fn load(paths: &Paths, settings: Settings) -> io::Result<Option<SessionRecord>> {
    Ok(read_shared(paths, settings)?.map(|content| content.stored))
}

/// What the files of a session look like from outside; see
/// [`BinaryFileBackend::status`](crate::BinaryFileBackend::status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStatus {
    /// The version that the session file was written in, 1 to 8.
    pub version: u8,
    /// Whether a checksum covers it.
    pub integrity: Integrity,
    /// Bytes of the session file.
    pub len: u64,
    /// How many of them follow the session: a newline or zeros, which are not damage.
    pub padding: u64,
    /// Records in the journal that continue the session file.
    pub journal_records: u64,
    /// Bytes of the journal that continue nothing: torn by a crash, or of another session file.
    pub journal_lost: u64,
    /// Records in a journal that continues another session file than this one: a program that knows no
    /// journals has replaced the file, or an older copy of it was put back.
    pub journal_of_another: u64,
    /// Whether a flush of the journal has failed, and so did storing the session anew: a power cut can
    /// lose what the journal holds. The next write tries again.
    pub flush_failed: bool,
}

/// What the files look like, and what they hold.
pub(super) fn load_with_status(
    paths: &Paths,
    settings: Settings,
) -> io::Result<Option<(SessionRecord, FileStatus)>> {
    let content = read_shared(paths, settings)?;
    Ok(content.map(|content| {
        let status = FileStatus::of(&content);
        (content.stored, status)
    }))
}

impl FileStatus {
    fn of(content: &Content) -> Self {
        let journal_len = content.journal_len;
        let header = file_len(journal::HEADER_LEN);
        let tail = content.tail;
        let good = match tail {
            // The mark says what it is about.
            Some(_) if content.must_fold => journal_len,
            Some(tail) => tail.end,
            None => journal_len.min(header),
        };
        Self {
            version: content.version,
            integrity: content.integrity,
            len: content.snapshot_len,
            padding: content.padding,
            journal_records: tail.map_or(0, |tail| tail.records),
            journal_lost: journal_len.saturating_sub(good),
            journal_of_another: content.stale.map_or(0, |stale| stale.records),
            flush_failed: content.must_fold,
        }
    }
}
