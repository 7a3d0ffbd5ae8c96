//! What a session file holds.

use std::io;

use mtsession_core::seal::is_sealed;
use mtsession_core::wire::FencingToken;
use mtsession_core::wire::session_file::{HEADER_LEN, TailHeader, ends_with_footer, tail_start};
use mtsession_core::{
    Certain as _, DecodeErrorKind, Integrity, PlainFile, SealedFile, SessionBytes, SessionView,
    TailEnd,
};

use super::form::{self, Form};
use super::in_place;
use super::lock::{Held, Settings};
use super::paths::Paths;
use super::release_before::{self, Journal, ReleaseBefore};
use super::snapshot;
use super::tail::{self, Tail};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::fs::file_len;
use crate::record::SessionRecord;
use crate::secret_bytes::SecretBytes;

/// What the file holds.
pub(super) struct Content {
    pub(super) stored: SessionRecord,
    pub(super) form: Form,
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
    /// The token of the program that owns the session, or did when it ended.
    pub(super) owner: Option<FencingToken>,
}

/// What was found, with the files of the release before that have become a part of it.
#[derive(Default)]
pub(super) struct Found {
    pub(super) content: Option<Content>,
    /// The bytes of the session file.
    pub(super) bytes: SecretBytes,
    pub(super) before: ReleaseBefore,
}

impl Found {
    /// A file that needs nothing alongside it.
    fn whole(content: Content, bytes: SecretBytes) -> Self {
        Self {
            content: Some(content),
            bytes,
            before: ReleaseBefore::default(),
        }
    }
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
    let parsed = match SessionBytes::parse(&bytes) {
        Ok(SessionBytes::Sealed(file)) => {
            let content = of_sealed(&file, &bytes, paths)?;
            return Ok(Found::whole(content, bytes));
        }
        Err(error) if is_sealed(&bytes) && error.kind.is_newer() => return Err(error.into()),
        Err(error) => Err(error),
        Ok(_) => PlainFile::parse(&bytes),
    };
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
    refuse_other_form(&bytes, paths)?;
    if let Ok(file) = &parsed
        && let Some(header) = file.header()
    {
        let content = of_file(file, header, &bytes)?;
        return Ok(Found::whole(content, bytes));
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

/// Without a key nothing that is sealed is replaced, also where it is damaged; and a plain file never passes for
/// a sealed one.
fn refuse_other_form(bytes: &[u8], paths: &Paths) -> io::Result<()> {
    if paths.seal.is_none() && is_sealed(bytes) {
        let message = "it is sealed, and damaged; without its key nothing is done to it";
        return Err(told(StoreErrorKind::Sealed, message));
    }
    if paths.seal.is_some() && !bytes.is_empty() && !is_sealed(bytes) {
        let moved = paths.snapshot.with_extension("bak");
        let was_sealed = snapshot::read_file(&moved, paths);
        let was_sealed = was_sealed.is_ok_and(|bytes| bytes.is_some_and(|bytes| is_sealed(&bytes)));
        return Err(form::is_plain(was_sealed.then_some(&moved)));
    }
    Ok(())
}

fn of_sealed(file: &SealedFile<'_>, bytes: &[u8], paths: &Paths) -> io::Result<Content> {
    let (seal, snapshot) = Form::open(file, paths.seal.as_deref())?;
    let view = SessionView::parse(&snapshot)?;
    let form = Form::sealed(seal, file.body(), &view);
    let mut content = content(&view, file.bytes().len(), bytes);
    if let Some(header) = file.tail_header() {
        let records = file.records();
        let (tail, after) = replay(&form, header, records, &mut content.stored)?;
        content.take_tail(header, tail, after, file.is_unfinished());
        content.end = Form::end(after, tail);
    }
    content.form = form;
    Ok(content)
}

fn without_tail(file: &PlainFile<'_>, bytes: &[u8]) -> Content {
    content(&file.snapshot(), file.bytes().len(), bytes)
}

fn content(view: &SessionView<'_>, len: usize, bytes: &[u8]) -> Content {
    let after = bytes.get(len..).unwrap_or_default();
    let after_len = file_len(after.len());
    let is_padding = after.iter().all(|byte| b"\0\r\n".contains(byte));
    // A copy that was cut short ends in the header of the tail.
    let is_cut_short = bytes.len() < tail_start(len).saturating_add(HEADER_LEN);
    Content {
        stored: SessionRecord::copy_of(view),
        form: Form::Plain,
        version: view.version(),
        integrity: view.integrity(),
        file_len: file_len(bytes.len()),
        snapshot_len: file_len(len),
        padding: if is_padding { after_len } else { 0 },
        header: None,
        tail: None,
        // A first write in place that was cut.
        lost: if is_padding || is_cut_short {
            0
        } else {
            after_len
        },
        end: TailEnd::Whole,
        must_fold: false,
        journal: None,
        journal_len: 0,
        owner: view.fencing_token().copied(),
    }
}

fn of_file(file: &PlainFile<'_>, header: TailHeader, bytes: &[u8]) -> io::Result<Content> {
    let mut content = without_tail(file, bytes);
    let records = file.tail().bytes();
    let (tail, after) = replay(&Form::Plain, header, records, &mut content.stored)?;
    content.take_tail(header, tail, after, file.is_unfinished());
    content.end = file.tail().end();
    Ok(content)
}

/// Makes the changes of the tail to the session: where its good part ends, and what follows.
fn replay<'b>(
    form: &Form,
    header: TailHeader,
    records: &'b [u8],
    stored: &mut SessionRecord,
) -> io::Result<(Tail, &'b [u8])> {
    let start = form.start(header);
    let tail = form.replay(records, start, |changes| stored.replay(changes))?;
    let good = tail.end.checked_sub(start.end).map(usize::try_from);
    let after = good
        .and_then(Result::ok)
        .and_then(|good| records.get(good..))
        .certain("a tail ends within the file that it was read from");
    Ok((tail, after))
}

impl Content {
    fn take_tail(&mut self, header: TailHeader, tail: Tail, after: &[u8], is_unfinished: bool) {
        let is_marked = tail::must_fold(after, tail);
        self.padding = 0;
        self.header = Some(header);
        self.tail = Some(tail);
        self.must_fold = is_marked || is_unfinished;
        self.lost = if is_marked { 0 } else { file_len(after.len()) };
    }
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
