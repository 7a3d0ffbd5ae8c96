//! What the bytes of a session are: a snapshot, and the changes after it.

use core::fmt;

use super::tail::{Tail, TailEnd};
use super::view::{Integrity, SessionView};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::session_mut::SessionMut;
use crate::source::SessionSource as _;

/// The bytes of a session as one of our stores keeps them, whichever form they have.
///
/// ```
/// use mtsession_core::{DecodeErrorKind, NewerForm, SessionBytes, SessionSource};
///
/// let SessionBytes::Plain(file) = SessionBytes::parse(&[2, 0, 0, 0, 0])? else {
///     unreachable!("no other form is read by this release")
/// };
/// assert_eq!(file.complete().map(|session| session.home_dc_id()), Some(2));
///
/// let sealed = SessionBytes::parse(b"MTSE\xFF\x01").unwrap_err();
/// assert_eq!(sealed.kind, DecodeErrorKind::NewerForm(NewerForm::Sealed));
/// # Ok::<(), mtsession_core::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SessionBytes<'a> {
    /// A session that everyone who has the file can read.
    Plain(PlainFile<'a>),
}

impl<'a> SessionBytes<'a> {
    /// Finds out what `input` is, and checks it from its first to its last byte.
    ///
    /// # Errors
    /// As [`PlainFile::parse`].
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        PlainFile::parse(input).map(Self::Plain)
    }
}

/// A session file: a snapshot, and the changes that were made after it was written.
///
/// The snapshot alone is not the session where changes follow it, so [`complete`](Self::complete) does
/// not give it then.
#[derive(Clone, Copy, Debug)]
pub struct PlainFile<'a> {
    snapshot: SessionView<'a>,
    bytes: &'a [u8],
    tail: Tail<'a>,
}

impl<'a> PlainFile<'a> {
    /// Checks a session file. Its changes are in the journal alongside it: see
    /// [`with_journal`](Self::with_journal).
    ///
    /// An editor ends a file with a newline, and a file system that allocates in advance ends it with
    /// zeros. Neither is damage to a session that is whole before them, and that ends there for certain.
    ///
    /// # Errors
    /// As [`SessionView::parse`].
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        let of = |snapshot, bytes| Self {
            snapshot,
            bytes,
            tail: Tail::NONE,
        };
        let error = match SessionView::parse(input) {
            Ok(view) => return Ok(of(view, input)),
            Err(error) => error,
        };
        let Some((bytes, rest)) = input.split_at_checked(error.offset) else {
            return Err(error);
        };
        if error.kind != DecodeErrorKind::TrailingBytes || !is_padding(rest) {
            return Err(error);
        }
        let view = SessionView::parse(bytes)?;
        if view.integrity() == Integrity::StructureOnly
            && rest.contains(&0)
            && !ends_before_zeros(&view)
        {
            return Err(error);
        }
        Ok(of(view, bytes))
    }

    /// The same with the changes in `journal`, the bytes of the file alongside it. A journal that
    /// continues another session file has none for this one.
    #[must_use]
    pub fn with_journal(self, journal: &'a [u8]) -> Self {
        let continues = |crc| Tail::of_journal(journal, crc);
        Self {
            tail: self.crc().and_then(continues).unwrap_or(Tail::NONE),
            ..self
        }
    }

    /// The session, if nothing was changed after its snapshot.
    #[must_use]
    pub fn complete(&self) -> Option<SessionView<'a>> {
        let mut batches = self.tail.batches();
        let has_changes = batches.next().is_some();
        let is_known = matches!(batches.end(), TailEnd::Whole | TailEnd::Torn);
        (!has_changes && is_known).then_some(self.snapshot)
    }

    /// The session as it was when its file was last written.
    #[must_use]
    pub const fn snapshot(&self) -> SessionView<'a> {
        self.snapshot
    }

    /// The changes that were made since.
    #[must_use]
    pub const fn tail(&self) -> Tail<'a> {
        self.tail
    }

    /// The bytes of the snapshot, without the padding after it.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The snapshot's checksum; `None` for one of an older release, which no change can continue.
    #[must_use]
    pub fn crc(&self) -> Option<u32> {
        match self.snapshot.integrity() {
            Integrity::Checksummed => self.bytes.last_chunk().copied().map(u32::from_le_bytes),
            Integrity::StructureOnly => None,
        }
    }

    /// Makes `to` the session: the snapshot with every change up to the end of the tail, which it says.
    ///
    /// ```
    /// use mtsession_core::{FixedSession, PlainFile, SessionSource, TailEnd};
    ///
    /// let file = PlainFile::parse(&[4, 0, 0, 0, 0])?;
    /// let mut session = FixedSession::<1, 1, 1, 1, 1>::new();
    /// assert_eq!(file.replay_into(&mut session), Ok(TailEnd::Whole));
    /// assert_eq!(session.home_dc_id(), 4);
    /// # Ok::<(), mtsession_core::DecodeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ReplayError::Full`] where `to` has no room; it may hold a part of the session then.
    pub fn replay_into<S: SessionMut>(&self, to: &mut S) -> Result<TailEnd, ReplayError<S::Error>> {
        to.copy_from(&self.snapshot).map_err(ReplayError::Full)?;
        let mut batches = self.tail.batches();
        for change in batches.by_ref().flatten() {
            to.apply(&change).map_err(ReplayError::Full)?;
        }
        Ok(batches.end())
    }
}

/// Why a session could not be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReplayError<E> {
    /// There was no room in the session that it was replayed into.
    Full(E),
}

impl<E: fmt::Display> fmt::Display for ReplayError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for ReplayError<E> {}

/// Zeros, or the end of a line, or both in this order.
fn is_padding(rest: &[u8]) -> bool {
    let lines = rest
        .iter()
        .position(|byte| *byte != 0)
        .and_then(|at| rest.get(at..));
    lines
        .unwrap_or_default()
        .iter()
        .all(|byte| b"\r\n".contains(byte))
}

/// Whether zeros after a session without checksum are only that. If its last blocks were never
/// written, their zeros read as entries of nothing.
fn ends_before_zeros(view: &SessionView<'_>) -> bool {
    view.dcs()
        .all(|dc| dc.dc_id != 0 && !dc.addr.is_empty() && !dc.addr.contains('\0'))
        && view.dcs().len() > 0
        && view.channels().all(|channel| channel.id != 0)
        && view.peers().all(|peer| peer.id != 0)
        && view.min_peers().all(|peer| peer.user_id != 0)
}
