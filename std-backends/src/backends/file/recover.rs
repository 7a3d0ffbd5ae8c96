//! Getting back what is left of a damaged session file.

use std::io;
use std::path::Path;

use mtsession_core::seal::is_sealed;
use mtsession_core::wire::salvage;
use mtsession_core::wire::session_file::{self, TailHeader};
use mtsession_core::{
    Account, Change, DecodeErrorKind, PlainFile, SessionSource as _, SessionView,
};
use zeroize::Zeroizing;

use super::paths::Paths;
use super::release_before::own_header;
use super::snapshot;
use super::tail_damaged::replay_damaged;
use crate::drop_in::session::PersistedSession;
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::record::SessionRecord;
use crate::record::login_state::OwnedLoginState;
use crate::record::peer_names::PeerNames;

/// What [`recover`] has found.
#[derive(Debug)]
#[non_exhaustive]
pub struct Recovered {
    /// The session, as much of it as there is.
    pub session: Zeroizing<PersistedSession>,
    /// What is known of its account.
    pub account: Account,
    /// Whether the login still holds.
    pub login_state: OwnedLoginState,
    /// What its peers are called.
    pub names: Vec<PeerNames>,
    /// What was left out or is uncertain, in sentences. Empty when nothing was wrong.
    pub left_out: Vec<String>,
}

/// Reads what is left of a damaged session file, the keys first. Nothing is written:
/// save the result elsewhere, and look at [`left_out`](Recovered::left_out).
///
/// The file may be cut off or altered anywhere. With a checksum, a single altered bit is set right.
///
/// ```
/// use mtsession::{DcEntry, DcFlags, PersistedSession};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("bot.session");
/// let mut session = PersistedSession { home_dc_id: 2, ..Default::default() };
/// let entry = DcEntry::from_parts(2, "149.154.167.51", 443, DcFlags::NONE);
/// session.dcs.push(DcEntry { auth_key: Some([7; 256]), ..entry });
/// let bytes = session.to_bytes();
/// std::fs::write(&path, &bytes[..bytes.len() - 30])?;
///
/// let recovered = mtsession::recover(&path)?;
/// assert_eq!(recovered.session.dcs, session.dcs);
/// assert!(!recovered.left_out.is_empty());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// `NotFound` when there is no file, `InvalidData` when no auth key is left in it.
pub fn recover(path: impl AsRef<Path>) -> io::Result<Recovered> {
    let path = path.as_ref();
    find(path).map_err(|source| {
        StoreError::io("binary-file", path.display().to_string(), "recover", source)
    })
}

fn find(path: &Path) -> io::Result<Recovered> {
    let paths = Paths::resolve(path)?;
    let mut notes = Vec::new();
    let session = snapshot::read_file(&paths.snapshot, &paths)?;
    // A complete copy that a crash has left is the session, unless it is what was damaged.
    let pending = snapshot::read_file(&paths.pending, &paths).unwrap_or_else(|error| {
        notes.push(format!("the copy alongside it was not read: {error}"));
        None
    });
    let candidates: Vec<_> = [pending, session].into_iter().flatten().collect();
    if candidates.is_empty() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut best: Option<Found> = None;
    let mut failure = None;
    for bytes in candidates.iter().filter(|bytes| !bytes.is_empty()) {
        match read(bytes) {
            Ok(found) if best.as_ref().is_none_or(|best| found.is_better(best)) => {
                best = Some(found);
            }
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
    }
    let Some(Found {
        mut stored,
        crc,
        tail,
        is_whole,
        left_out,
    }) = best
    else {
        return Err(failure.unwrap_or_else(|| {
            SessionView::parse(&[])
                .err()
                .map_or_else(|| io::ErrorKind::InvalidData.into(), io::Error::from)
        }));
    };
    notes.extend(left_out);
    let has_tail = tail.is_some();
    if let Some(tail) = tail {
        add_tail(&tail, is_whole, &mut stored, &mut notes);
    }
    match snapshot::read_file(&paths.journal, &paths) {
        // What lies alongside a file with a tail is not a part of it.
        Ok(Some(_)) if has_tail => {}
        Ok(Some(journal)) => replay(&journal, crc, is_whole, &mut stored, &mut notes),
        Ok(None) => {}
        Err(error) => notes.push(format!("the journal was not read: {error}")),
    }
    Ok(Recovered {
        account: stored.account(),
        login_state: stored.login_state().into(),
        names: stored.peer_names(),
        session: Zeroizing::new(stored.into_session()),
        left_out: notes,
    })
}

/// What one file has given.
struct Found {
    stored: SessionRecord,
    /// The checksum at its end, which a journal of the release before names.
    crc: Option<u32>,
    /// What follows the snapshot: how it begins, and its records.
    tail: Option<(TailHeader, Vec<u8>)>,
    is_whole: bool,
    left_out: Vec<String>,
}

impl Found {
    fn is_better(&self, other: &Self) -> bool {
        self.is_whole && !other.is_whole
    }
}

fn read(bytes: &[u8]) -> io::Result<Found> {
    let last = |bytes: &[u8]| bytes.last_chunk().copied().map(u32::from_le_bytes);
    let error = match PlainFile::parse(bytes) {
        Ok(file) => {
            return Ok(Found {
                stored: SessionRecord::copy_of(&file.snapshot()),
                crc: file.crc(),
                tail: file
                    .header()
                    .map(|header| (header, file.tail().bytes().to_vec())),
                is_whole: true,
                left_out: Vec::new(),
            });
        }
        Err(error) => error,
    };
    if is_sealed(bytes) && !error.kind.is_newer() {
        let message = "it is sealed: it is read with its key, and what does not open with that cannot be got back; \
                       put a copy back then";
        return Err(told(StoreErrorKind::Sealed, message));
    }
    if let DecodeErrorKind::Foreign(_)
    | DecodeErrorKind::NewerTrailer(_)
    | DecodeErrorKind::NewerForm(_) = error.kind
    {
        return Err(error.into());
    }
    // A damaged snapshot ends where the header of its tail says.
    let header = session_file::probe(bytes);
    let len = header.and_then(|header| usize::try_from(header.snapshot_len).ok());
    let snapshot = len.and_then(|len| bytes.get(..len)).unwrap_or(bytes);
    let tail = header.zip(len).map(|(header, len)| {
        let start = session_file::tail_start(len).saturating_add(session_file::HEADER_LEN);
        (header, bytes.get(start..).unwrap_or_default().to_vec())
    });
    let Some(salvaged) = salvage(snapshot) else {
        let message = format!("no auth key is left in it ({error})");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    };
    Ok(Found {
        stored: SessionRecord::copy_of(&SessionView::parse(&salvaged.bytes)?),
        crc: last(&salvaged.bytes).filter(|_| salvaged.bytes.len() == bytes.len()),
        tail,
        is_whole: false,
        left_out: salvaged.left_out,
    })
}

/// Adds the changes of the tail to the session, also those after a bad record.
fn add_tail(
    (header, records): &(TailHeader, Vec<u8>),
    is_whole: bool,
    stored: &mut SessionRecord,
    notes: &mut Vec<String>,
) {
    let mut changes: usize = 0;
    let lost = replay_damaged(records, header.chain(), |batch: &[Change<'_>]| {
        changes = changes.saturating_add(batch.len());
        stored.replay(batch);
    });
    if lost > 0 {
        notes.push(format!(
            "{lost} bytes of the changes after it are unreadable"
        ));
    }
    if changes > 0 && !is_whole {
        notes.push(format!("{changes} changes after it were added"));
    }
}

/// Adds the changes of a journal of the release before to the session.
fn replay(
    journal: &[u8],
    crc: Option<u32>,
    is_whole: bool,
    stored: &mut SessionRecord,
    notes: &mut Vec<String>,
) {
    let Some((of, header)) = own_header(journal) else {
        return;
    };
    let records = journal.get(mtsession_core::wire::journal::HEADER_LEN..);
    let records = records.unwrap_or_default();
    if records.is_empty() {
        return;
    }
    let continues = crc == Some(of);
    if is_whole && !continues {
        notes.push("the journal continues another session file, and is left out".to_owned());
        return;
    }
    let mut changes: usize = 0;
    let lost = replay_damaged(records, header.chain, |batch: &[Change<'_>]| {
        changes = changes.saturating_add(batch.len());
        stored.replay(batch);
    });
    if lost > 0 {
        notes.push(format!("{lost} bytes of the journal are unreadable"));
    }
    if changes > 0 && !continues {
        notes.push(format!(
            "{changes} changes of the journal were added; that they belong to this session cannot be \
             checked"
        ));
    }
}
