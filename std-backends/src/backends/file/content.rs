//! What a session file holds.

use std::io;

use mtsession_core::wire::session_file::{TailHeader, ends_with_footer};
use mtsession_core::{Certain as _, DecodeErrorKind, Integrity, PlainFile, TailEnd};

use super::in_place;
use super::lock::{Held, Settings};
use super::paths::Paths;
use super::release_before::{self, Journal, ReleaseBefore};
use super::snapshot;
use super::tail::{self, Tail};
use crate::fs::file_len;
use crate::record::SessionRecord;
use crate::secret_bytes::SecretBytes;

/// What the file holds.
pub(super) struct Content {
    pub(super) stored: SessionRecord,
    pub(super) version: u8,
    pub(super) integrity: Integrity,
    /// Bytes of the whole file.
    pub(super) file_len: u64,
    /// Bytes of the snapshot.
    pub(super) snapshot_len: u64,
    /// Bytes that an editor or a file system added to a snapshot without a tail.
    pub(super) padding: u64,
    /// How the tail begins; `None` where nothing can be appended to the file as it is.
    pub(super) header: Option<TailHeader>,
    /// The good part of the tail.
    pub(super) tail: Option<Tail>,
    /// Bytes after the good part.
    pub(super) lost: u64,
    /// How the tail ends.
    pub(super) end: TailEnd,
    /// Whether nothing may be appended before the session is stored anew.
    pub(super) must_fold: bool,
    /// What the journal of the release before holds.
    pub(super) journal: Option<Journal>,
    /// Bytes of that journal.
    pub(super) journal_len: u64,
}

/// What was found, with the files of the release before that have become a part of it.
#[derive(Default)]
pub(super) struct Found {
    pub(super) content: Option<Content>,
    /// The bytes of the session file.
    pub(super) bytes: SecretBytes,
    pub(super) before: ReleaseBefore,
}

/// Reads the file for a writer, which holds its lock.
pub(super) fn read_locked(held: Held<'_>, paths: &Paths, settings: Settings) -> io::Result<Found> {
    let mut bytes = snapshot::read_all(held.file, &paths.snapshot)?;
    if held.is_writable
        && ends_with_footer(&bytes)
        && in_place::finish(held.file, &bytes, settings.fsync)?
    {
        bytes = snapshot::read_all(held.file, &paths.snapshot)?;
    }
    judge(bytes, held.is_new, paths, |paths| {
        ReleaseBefore::take(paths, settings.lock_timeout)
    })
}

/// What these bytes of the file are, with what the release before has left alongside it. A file that `is_new`
/// was not emptied by anybody.
pub(super) fn judge(
    bytes: SecretBytes,
    is_new: bool,
    paths: &Paths,
    before: impl FnOnce(&Paths) -> io::Result<ReleaseBefore>,
) -> io::Result<Found> {
    let parsed = PlainFile::parse(&bytes);
    if let Ok(file) = &parsed
        && let Some(header) = file.header()
    {
        let content = of_file(file, header, &bytes)?;
        return Ok(Found {
            content: Some(content),
            bytes,
            before: ReleaseBefore::default(),
        });
    }
    if let Err(error) = &parsed
        && error.kind == DecodeErrorKind::Empty
        && !bytes.is_empty()
    {
        // It is being deleted in place.
        return Ok(Found {
            bytes,
            ..Found::default()
        });
    }
    let before = before(paths)?;
    let pending = release_before::pending(paths)?;
    let copy = pending.as_deref().unwrap_or(&bytes);
    if copy.is_empty() {
        if pending.is_none() && !is_new && before.changes() > 0 {
            return Err(emptied(paths));
        }
        return Ok(Found {
            content: None,
            bytes,
            before,
        });
    }
    let file = match pending {
        Some(_) => PlainFile::parse(copy)?,
        None => parsed?,
    };
    let mut content = without_tail(&file, copy);
    content.journal = before.replay_into(file.crc(), &mut content.stored)?;
    content.journal_len = file_len(before.bytes.len());
    content.must_fold = true;
    Ok(Found {
        content: Some(content),
        bytes,
        before,
    })
}

fn without_tail(file: &PlainFile<'_>, bytes: &[u8]) -> Content {
    let view = file.snapshot();
    let after = bytes.get(file.bytes().len()..).unwrap_or_default();
    let after_len = file_len(after.len());
    let is_padding = after.iter().all(|byte| b"\0\r\n".contains(byte));
    Content {
        stored: SessionRecord::copy_of(&view),
        version: view.version(),
        integrity: view.integrity(),
        file_len: file_len(bytes.len()),
        snapshot_len: file_len(file.bytes().len()),
        padding: if is_padding { after_len } else { 0 },
        header: None,
        tail: None,
        // A first write in place that was cut.
        lost: if is_padding { 0 } else { after_len },
        end: TailEnd::Whole,
        must_fold: false,
        journal: None,
        journal_len: 0,
    }
}

fn of_file(file: &PlainFile<'_>, header: TailHeader, bytes: &[u8]) -> io::Result<Content> {
    let mut content = without_tail(file, bytes);
    let records = file.tail().bytes();
    let tail = tail::replay(records, Tail::of_header(header), |changes| {
        content.stored.replay(changes);
    })?;
    let start = Tail::of_header(header).end;
    let good = tail.end.checked_sub(start).map(usize::try_from);
    let after = good
        .and_then(Result::ok)
        .and_then(|good| records.get(good..))
        .certain("a tail ends within the file that it was read from");
    let is_marked = tail::must_fold(after, tail);
    content.padding = 0;
    content.header = Some(header);
    content.tail = Some(tail);
    content.must_fold = is_marked || file.is_unfinished();
    content.lost = if is_marked { 0 } else { file_len(after.len()) };
    content.end = file.tail().end();
    Ok(content)
}

/// Whether what follows the records that are known ends with a footer: somebody writes the file in place.
pub(super) fn is_written_in_place(after: &[u8]) -> bool {
    ends_with_footer(after)
}

/// The file is empty, and the journal of the release before says that it was not.
fn emptied(paths: &Paths) -> io::Error {
    let message = format!(
        "the file is empty, but its journal holds changes: its content was lost; if there was none, \
         remove {}",
        paths.journal.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, message)
}
