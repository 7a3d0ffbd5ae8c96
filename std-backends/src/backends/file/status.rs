//! What a session file looks like from outside.

use std::io;

use mtsession_core::Integrity;
use mtsession_core::seal::Generation;

use super::content::Content;
use super::lock::Settings;
use super::paths::Paths;
use super::read::read;
use super::release_before::Journal;
use crate::record::SessionRecord;

/// What the file of a session looks like from outside; see
/// [`BinaryFileBackend::status`](crate::BinaryFileBackend::status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileStatus {
    /// The version that the session was written in, 1 to 8.
    pub version: u8,
    /// Whether a checksum covers it.
    pub integrity: Integrity,
    /// Bytes of the session file.
    pub len: u64,
    /// Bytes of the snapshot in it, which is the session without its newest changes.
    pub snapshot_len: u64,
    /// How many follow the session in a file without a tail: a newline or zeros, which are not damage.
    pub padding: u64,
    /// Records after the snapshot; of a file of the release before, those in its journal.
    pub tail_records: u64,
    /// Bytes after the last good record: torn by a crash, or damaged.
    pub tail_lost: u64,
    /// Whether sound records follow one that does not check, so that it was damaged after it was written.
    pub is_tail_damaged: bool,
    /// Whether the session has a tail, to which changes can be appended. One of an older release, and one of
    /// which only a part was copied, gets it with the next write.
    pub has_tail: bool,
    /// Records in a journal of the release before that continues another session file than this one: a
    /// program that knows no journals has replaced the file, or an older copy of it was put back.
    pub journal_of_another: u64,
    /// Whether a flush of the tail has failed, and so did storing the session anew: a power cut can
    /// lose what the tail holds. The next write tries again.
    pub flush_failed: bool,
    /// How often the keys or the login of a sealed session were changed; `None` for a plain one.
    pub generation: Option<Generation>,
}

/// What the file looks like, and what it holds.
pub(super) fn load_with_status(
    paths: &Paths,
    settings: Settings,
) -> io::Result<Option<(SessionRecord, FileStatus)>> {
    let content = read(paths, settings)?;
    Ok(content.map(|content| {
        let status = FileStatus::of(&content);
        (content.stored, status)
    }))
}

impl FileStatus {
    fn of(content: &Content) -> Self {
        let mut status = Self {
            version: content.version,
            integrity: content.integrity,
            len: content.file_len,
            snapshot_len: content.snapshot_len,
            padding: content.padding,
            tail_records: content.tail.map_or(0, |tail| tail.records),
            tail_lost: content.lost,
            is_tail_damaged: content.end == mtsession_core::TailEnd::Damaged,
            has_tail: content.header.is_some(),
            journal_of_another: 0,
            flush_failed: content.header.is_some() && content.must_fold,
            generation: generation(content),
        };
        match content.journal {
            Some(Journal::Continues { tail, flush_failed }) => {
                status.tail_records = tail.records;
                status.flush_failed = flush_failed;
                if !flush_failed {
                    status.tail_lost = content.journal_len.saturating_sub(tail.end);
                }
            }
            Some(Journal::OfAnother(records)) => status.journal_of_another = records,
            None => {}
        }
        status
    }
}

#[cfg(feature = "seal")]
fn generation(content: &Content) -> Option<Generation> {
    content.form.seal().map(|seal| seal.generation())
}

#[cfg(not(feature = "seal"))]
const fn generation(_: &Content) -> Option<Generation> {
    None
}
