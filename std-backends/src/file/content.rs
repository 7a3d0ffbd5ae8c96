//! What the files of a session hold.

use std::fs::{self, File};
use std::io::{self, Read};

use mtsession_core::{Change, Integrity, SessionView};

use super::identity::is_named;
use super::journal::{self, Tail};
use super::lock::Locked;
use super::paths::Paths;
use super::snapshot;
use crate::stored::Stored;

/// What the files hold.
pub(super) struct Content {
    pub(super) stored: Stored,
    pub(super) version: u8,
    pub(super) integrity: Integrity,
    /// The snapshot's checksum; `None` for one of an older release, which no journal can continue.
    pub(super) crc: Option<u32>,
    pub(super) snapshot_len: u64,
    /// Bytes of the journal, good or not.
    pub(super) journal_len: u64,
    /// The good part of the journal, if it continues the snapshot.
    pub(super) tail: Option<Tail>,
}

/// Reads snapshot and journal, under a lock.
pub(super) fn read(paths: &Paths, journal: Option<&File>) -> io::Result<Option<Content>> {
    let Some(bytes) = snapshot::read(paths)? else {
        return Ok(None);
    };
    let view = SessionView::parse(&bytes)?;
    let crc = match view.integrity() {
        Integrity::Checksummed => bytes.last_chunk().copied().map(u32::from_le_bytes),
        Integrity::StructureOnly => None,
    };
    let mut content = Content {
        stored: Stored::copy_of(&view),
        version: view.version(),
        integrity: view.integrity(),
        crc,
        snapshot_len: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        journal_len: match journal {
            Some(journal) => journal.metadata()?.len(),
            None => 0,
        },
        tail: None,
    };
    if let (Some(crc), Some(mut journal)) = (crc, journal) {
        io::Seek::rewind(&mut journal)?;
        let mut records = Vec::new();
        journal.read_to_end(&mut records)?;
        if let Some((header, records)) = records.split_first_chunk()
            && *header == journal::header(crc)
        {
            let replay = |changes: &[Change<'_>]| content.stored.replay(changes);
            content.tail = Some(journal::replay(records, Tail::of_header(crc), replay));
        }
    }
    Ok(Some(content))
}

/// Reads snapshot and journal for a caller that changes nothing, under the lock if there is one.
fn read_shared(paths: &Paths) -> io::Result<Option<Content>> {
    loop {
        match File::open(&paths.journal) {
            Ok(journal) => {
                let _locked = Locked::shared(&journal)?;
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

/// The session.
pub(super) fn load(paths: &Paths) -> io::Result<Option<Stored>> {
    Ok(read_shared(paths)?.map(|content| content.stored))
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
    /// Records in the journal that continue the session file.
    pub journal_records: u64,
    /// Bytes of the journal that continue nothing: torn by a crash, or of another session file.
    pub journal_lost: u64,
}

/// What the files look like.
pub(super) fn status(paths: &Paths) -> io::Result<Option<FileStatus>> {
    let Some(content) = read_shared(paths)? else {
        return Ok(None);
    };
    let journal_len = content.journal_len;
    let header = u64::try_from(journal::HEADER_LEN).unwrap_or_default();
    let tail = content.tail;
    let good = tail.map_or(journal_len.min(header), |tail| tail.end);
    Ok(Some(FileStatus {
        version: content.version,
        integrity: content.integrity,
        len: content.snapshot_len,
        journal_records: tail.map_or(0, |tail| tail.records),
        journal_lost: journal_len.saturating_sub(good),
    }))
}
