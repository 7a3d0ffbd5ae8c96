//! Storing a session as a new snapshot.

use std::fs::File;
use std::io;

use mtsession_core::wire::encode_to_vec;
use mtsession_core::{
    DecodeError, DecodeErrorKind, Integrity, PlainFile, SessionSource, SessionView,
};

use super::beside::Beside;
use super::content::Content;
use super::damaged;
use super::identity::Watched;
use super::journal::{self, Tail};
use super::lock::Settings;
use super::paths::Paths;
use super::positioned::{read_at, read_from, write_at};
use super::seen::Seen;
use super::snapshot::{self, Fsync, Snapshot};
use crate::event::{self, Event};
use crate::fs::file_len;
use crate::fs::{Access, is_strangers, open_owned};
use crate::record::SessionRecord;
use crate::secret_bytes::SecretBytes;

/// What is known of the snapshot that is about to be replaced.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Old {
    /// Its checksum, if it has one.
    pub(super) crc: Option<u32>,
    /// Whether there is one, without a checksum: then this library has not written it.
    is_unchecked: bool,
}

impl Old {
    pub(super) fn of(content: Option<&Content>) -> Self {
        content.map_or_else(Self::default, |content| Self {
            crc: content.crc.filter(|_| !content.is_pending),
            is_unchecked: content.integrity == Integrity::StructureOnly,
        })
    }

    pub(super) fn with_checksum(crc: u32) -> Self {
        Self {
            crc: Some(crc),
            is_unchecked: false,
        }
    }
}

/// Stores the current session, or an empty one, as a new snapshot with `change` made to it.
pub(super) fn write_changed(
    paths: &Paths,
    journal: &File,
    content: Option<Content>,
    settings: Settings,
    change: impl FnOnce(&mut SessionRecord) -> io::Result<()>,
) -> io::Result<Option<Seen>> {
    let old = Old::of(content.as_ref());
    let mut stored = content.map(|content| content.stored).unwrap_or_default();
    change(&mut stored)?;
    write(paths, journal, &stored, old, settings)
}

/// Writes a new snapshot and starts its journal. `None` when the session is stored, but the files must
/// be read again before anything is appended to them.
///
/// # Errors
/// Nothing was changed.
pub(super) fn write(
    paths: &Paths,
    journal: &File,
    session: &impl SessionSource,
    old: Old,
    settings: Settings,
) -> io::Result<Option<Seen>> {
    let Settings { fsync, .. } = settings;
    let bytes = SecretBytes::from(encode_to_vec(session)?);
    let crc = bytes
        .last_chunk()
        .copied()
        .map(u32::from_le_bytes)
        .unwrap_or_default();
    refuse_to_hand_over(paths, session)?;
    if old.is_unchecked {
        keep_stale(paths, journal);
    }
    let continues = continues(journal, crc)?;
    if continues && old.crc == Some(crc) {
        // The new snapshot is the one that is there: only the records after it have to go.
        // Whoever wrote it may have been killed before its name was durable.
        let dir = fsync.directory(&paths.dir)?;
        let file = open_owned(&paths.snapshot, Access::Flush, Some(&paths.snapshot))?;
        fsync.file(&file)?;
        snapshot::sync(dir.as_ref(), Some(&file));
        cut(journal, fsync)?;
        return Ok(None);
    }
    if continues {
        // They belong to an earlier snapshot that was the same, and would continue this one too.
        cut(journal, fsync)?;
    }
    let replaced = snapshot::replace(paths, &bytes, fsync)?;
    let Some(file) = replaced.file else {
        return Ok(None);
    };
    // From here on the session is stored. A journal that cannot be started anew continues nothing.
    let (Ok(tail), Ok(snapshot)) = (start_journal(journal, crc), Watched::new(file)) else {
        return Ok(None);
    };
    let len = file_len(bytes.len());
    let mut seen = Seen::new(snapshot, (len, crc), tail, session);
    seen.is_durable = replaced.is_durable;
    Ok(Some(seen))
}

/// Whether the journal has records that would continue a snapshot with this checksum.
fn continues(journal: &File, crc: u32) -> io::Result<bool> {
    let mut head = [0; journal::HEADER_LEN + 1];
    let has_records = read_at(journal, &mut head, 0)? == head.len();
    Ok(has_records && head.starts_with(&journal::header(crc)))
}

/// Cuts the journal after its header. The records must be gone before that is acknowledged.
fn cut(journal: &File, fsync: Fsync) -> io::Result<()> {
    journal.set_len(file_len(journal::HEADER_LEN))?;
    // The length is cut already: a flush that failed once is worth another try.
    fsync.file(journal).or_else(|_| fsync.file(journal))
}

/// Starts the journal of the snapshot with this checksum.
pub(super) fn start_journal(journal: &File, crc: u32) -> io::Result<Tail> {
    journal.set_len(0)?;
    write_at(journal, &journal::header(crc), 0)?;
    Ok(Tail::of_header(crc))
}

/// Starts the journal of the snapshot with this checksum, where there is none or one of another.
pub(super) fn restart_journal(
    paths: &Paths,
    journal: &File,
    crc: u32,
    stale: Option<Tail>,
    settings: Settings,
) -> io::Result<Tail> {
    if let Some(stale) = stale.filter(|stale| stale.records > 0) {
        event::emit(|| Event::JournalOfAnother {
            path: paths.journal.clone(),
            changes: stale.records,
        });
    }
    let dir = settings.fsync.directory(&paths.dir)?;
    let tail = start_journal(journal, crc)?;
    // Its name may be new.
    snapshot::sync(dir.as_ref(), Some(journal));
    Ok(tail)
}

/// A program that knows no journals has replaced the snapshot: what the journal holds is not part of the
/// session any more, and is kept as `<file>.damaged-N`. As well as can be: counters and peers can be
/// fetched again.
fn keep_stale(paths: &Paths, journal: &File) {
    let mut bytes = Vec::new();
    let read = read_from(journal, &mut bytes, 0);
    let records =
        |header| journal::replay_whole(&bytes, header, |_| ()).map_or(1, |tail| tail.records);
    let stale = journal::own_header(&bytes).map(records);
    if read.is_ok() && stale.is_some_and(|records| records > 0) {
        let _ = damaged::keep(paths, &bytes, &[]);
    }
}

/// Leaves what lies alongside a session that is about to be replaced as a whole, and what is known of
/// the snapshot.
///
/// A damaged session may be replaced by a good one, once a copy of it is kept. What is no session of
/// ours, or one of a newer release, may not: the path is probably a mistake.
pub(super) fn replaceable(paths: &Paths, journal: &File) -> io::Result<(Beside, Old)> {
    let Some(Snapshot { bytes, is_pending }) = snapshot::read(paths)? else {
        return Ok(Default::default());
    };
    if bytes.is_empty() {
        return Ok(Default::default());
    }
    match PlainFile::parse(&bytes) {
        Ok(file) => {
            let (view, crc) = (file.snapshot(), file.crc());
            let old = Old {
                crc: crc.filter(|_| !is_pending),
                is_unchecked: view.integrity() == Integrity::StructureOnly,
            };
            Ok((beside_after(&view, journal, crc)?, old))
        }
        Err(error) if is_somebody_elses(&error) => Err(error.into()),
        Err(_) => {
            let mut records = Vec::new();
            let _ = read_from(journal, &mut records, 0);
            damaged::keep(paths, &bytes, &records)?;
            Ok(Default::default())
        }
    }
}

/// What lies alongside the session of a snapshot, with what its journal has made of it.
///
/// # Errors
/// When the journal holds changes of a newer release: such a session is not replaced.
fn beside_after(view: &SessionView<'_>, journal: &File, crc: Option<u32>) -> io::Result<Beside> {
    let mut bytes = Vec::new();
    read_from(journal, &mut bytes, 0)?;
    let header = journal::own_header(&bytes);
    let Some(header) = header.filter(|header| crc.map(Tail::of_header) == Some(*header)) else {
        return Ok(Beside::of(view));
    };
    let mut changes_it = false;
    journal::replay_whole(&bytes, header, |changes| {
        changes_it |= changes.iter().any(Beside::has);
    })?;
    if !changes_it || view.integrity() == Integrity::StructureOnly {
        return Ok(Beside::of(view));
    }
    let mut record = SessionRecord::copy_of(view);
    journal::replay_whole(&bytes, header, |changes| record.replay(changes))?;
    Ok(Beside::of(&record))
}

fn is_somebody_elses(error: &DecodeError) -> bool {
    error.kind.is_newer() || matches!(error.kind, DecodeErrorKind::Foreign(_))
}

/// Refuses to write a key into a file that stays somebody else's, unless they have it already.
///
/// Only root gets here: it may write to everything, and leaves sessions to their owners. Where others
/// can make files, it cannot be told whether the owner of one had it put there for just that.
fn refuse_to_hand_over(paths: &Paths, session: &impl SessionSource) -> io::Result<()> {
    let Some(found) = snapshot::found(&paths.snapshot)? else {
        return Ok(());
    };
    if !is_strangers(&found, &paths.snapshot)? {
        return Ok(());
    }
    let known = snapshot::read(paths)?;
    let known = known
        .as_ref()
        .and_then(|known| PlainFile::parse(&known.bytes).ok());
    let known = known.as_ref().map(PlainFile::snapshot);
    let has_key = |key| {
        let view = known.as_ref()?;
        view.dcs().find(|dc| dc.auth_key == Some(key))
    };
    let has_token = |token| known.is_some_and(|view| view.future_auth_token() == Some(token));
    let mut keys = session.dcs().filter_map(|dc| dc.auth_key);
    if keys.all(|key| has_key(key).is_some()) && session.future_auth_token().is_none_or(has_token) {
        return Ok(());
    }
    let message = format!(
        "{} belongs to another user, who may have put it there to be given this key, because others \
         can write to its directory: write it as that user, or give file and directory to one user",
        paths.snapshot.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
}
