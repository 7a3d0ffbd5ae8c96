//! What the bytes of a session are: a snapshot, and the changes after it.

use core::fmt;

use super::crc::Crc32c;
use super::sealed_file::SealedFile;
use super::session_file::{Footer, TailHeader, probe};
use super::tail::{Tail, TailEnd};
use super::tail_place::{TailPlace, is_cut_write, is_padding, trailing};
use super::view::{Extent, Integrity, SessionView};
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::seal::is_sealed;
use crate::session_mut::SessionMut;
use crate::source::SessionSource as _;

/// The bytes of a session as one of our stores keeps them, whichever form they have.
///
/// ```
/// use mtsession_core::{SessionBytes, SessionSource};
///
/// match SessionBytes::parse(&[2, 0, 0, 0, 0])? {
///     SessionBytes::Plain(file) => {
///         assert_eq!(file.complete().map(|session| session.home_dc_id()), Some(2));
///     }
///     SessionBytes::Sealed(file) => println!("{} keys open it", file.header().slots().count()),
///     _ => println!("a form that this program does not know"),
/// }
/// # Ok::<(), mtsession_core::DecodeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "there is no heap; it lives for as long as a file is read"
)]
pub enum SessionBytes<'a> {
    /// A session that everyone who has the file can read.
    Plain(PlainFile<'a>),
    /// A session that only those can read who have one of its keys.
    Sealed(SealedFile<'a>),
}

impl<'a> SessionBytes<'a> {
    /// Finds out what `input` is, and checks of it what can be checked without a key.
    ///
    /// # Errors
    /// As [`PlainFile::parse`] and [`SealedFile::parse`].
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        let head = Self::parse_head(input);
        let Some((footer, copy)) = Footer::last(input) else {
            return head;
        };
        let copied = Self::parse_head(copy).ok();
        if !is_last_word(&head, footer) {
            let copied = copied.and_then(|copied| copied.tail_header());
            return head.map(|file| match file {
                file if copied.is_none() || file.tail_header() != copied => file,
                Self::Plain(file) => Self::Plain(PlainFile {
                    has_copy: true,
                    ..file
                }),
                Self::Sealed(file) => Self::Sealed(file.with_copy()),
            });
        }
        match copied {
            _ if footer.len == 0 => {
                let at = input.len().saturating_sub(copy.len());
                Err(DecodeError::new(DecodeErrorKind::Empty, Field::Version, at))
            }
            Some(Self::Plain(copied)) if copied.header.is_some() => Ok(Self::Plain(PlainFile {
                is_unfinished: true,
                ..copied
            })),
            Some(Self::Sealed(copied)) if copied.tail_header().is_some() => {
                Ok(Self::Sealed(copied.unfinished()))
            }
            _ => head,
        }
    }

    /// The same without a look at the end of `input`.
    fn parse_head(input: &'a [u8]) -> Result<Self, DecodeError> {
        if is_sealed(input) {
            SealedFile::parse_head(input).map(Self::Sealed)
        } else {
            PlainFile::parse_head(input).map(Self::Plain)
        }
    }

    /// The bytes of the snapshot, without the padding after it.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Plain(file) => file.bytes(),
            Self::Sealed(file) => file.bytes(),
        }
    }

    /// Whether it was read from the complete copy at the end of a file that was being written in place.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        match self {
            Self::Plain(file) => file.is_unfinished(),
            Self::Sealed(file) => file.is_unfinished(),
        }
    }

    /// Whether a complete copy of the snapshot stands at the end of the file, which was written in place: its
    /// beginning may not be on the disk yet, although it reads as a session.
    #[must_use]
    pub const fn has_copy(&self) -> bool {
        match self {
            Self::Plain(file) => file.has_copy(),
            Self::Sealed(file) => file.has_copy(),
        }
    }

    /// The header of the tail; `None` where changes cannot be appended to the file as it is.
    #[must_use]
    pub const fn tail_header(&self) -> Option<TailHeader> {
        match self {
            Self::Plain(file) => file.header(),
            Self::Sealed(file) => file.tail_header(),
        }
    }
}

impl<'a> SessionView<'a> {
    /// Checks `input` from its first to its last byte.
    ///
    /// Version 1 has no version byte, so its first byte, the low byte of the home DC, can look like
    /// one: `FORMAT.md` has the rule that tells them apart without loss.
    ///
    /// # Errors
    /// Says which field, at which byte, and why; what is not a session at all is named as far as it can
    /// be recognised. A session that goes on with changes is refused with
    /// [`HasChanges`](DecodeErrorKind::HasChanges): see [`SessionBytes`](crate::SessionBytes).
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        Self::parse_bytes(input, Extent::All).or_else(|error| Self::parse_file(input, error))
    }

    /// Of a session file, what it holds if no change follows its snapshot.
    #[cold]
    fn parse_file(input: &'a [u8], error: DecodeError) -> Result<Self, DecodeError> {
        let file = match PlainFile::parse(input) {
            Ok(file) if file.header().is_some() => file,
            // A text may end with a newline, a session may not.
            Ok(_) => return Err(error),
            Err(error) => return Err(error),
        };
        file.complete().ok_or_else(|| {
            let end = file.bytes().len();
            DecodeError::new(DecodeErrorKind::HasChanges, Field::Trailer, end)
        })
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
    header: Option<TailHeader>,
    tail: Tail<'a>,
    is_unfinished: bool,
    has_copy: bool,
}

impl<'a> PlainFile<'a> {
    /// Checks a session file: its snapshot, and where its tail begins. A file of the release before has its
    /// changes in the journal alongside it: see [`with_journal`](Self::with_journal).
    ///
    /// A copy of the file that ends anywhere after the snapshot is a session too. An editor ends a file
    /// with a newline, and a file system that allocates in advance ends it with zeros. Neither is damage to
    /// a session that is whole before them, and that ends there for certain. Nor is the beginning of a first
    /// write in place, which leaves the session alone until it is complete.
    ///
    /// # Errors
    /// As [`SessionView::parse`]. A snapshot that was damaged is told from an older session, which has no
    /// checksum, by the header of its tail. [`Sealed`](DecodeErrorKind::Sealed) for a sealed one. [`Empty`](DecodeErrorKind::Empty) also for a file that is being
    /// deleted in place.
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        match SessionBytes::parse(input)? {
            SessionBytes::Plain(file) => Ok(file),
            SessionBytes::Sealed(_) => {
                Err(DecodeError::new(DecodeErrorKind::Sealed, Field::Version, 0))
            }
        }
    }

    /// The same without a look at the end of `input`.
    fn parse_head(input: &'a [u8]) -> Result<Self, DecodeError> {
        let (snapshot, bytes) = match SessionView::parse_first(input) {
            Ok(first) => first,
            Err(error) => return Err(damage(input).unwrap_or(error)),
        };
        let mut file = Self {
            snapshot,
            bytes,
            header: None,
            tail: Tail::NONE,
            is_unfinished: false,
            has_copy: false,
        };
        let rest = input.get(bytes.len()..).unwrap_or_default();
        let Some(crc) = file.crc() else {
            if let Some(damage) = damage(input) {
                return Err(damage);
            }
            let is_old = rest.is_empty()
                || (is_padding(rest) && (!rest.contains(&0) || ends_before_zeros(&snapshot)))
                || (is_cut_write(input, bytes.len(), 0) && ends_before_zeros(&snapshot));
            return is_old.then_some(file).ok_or(trailing(bytes.len()));
        };
        if let Some(tail) = TailPlace::find(input, bytes.len(), crc)? {
            file.header = Some(tail.header);
            file.tail = Tail::of_file(tail.header, tail.at, tail.records);
        }
        Ok(file)
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

    /// The header of the tail; `None` where changes cannot be appended to the file as it is.
    #[must_use]
    pub const fn header(&self) -> Option<TailHeader> {
        self.header
    }

    /// Whether the session was read from the complete copy at the end of the file, because the file was
    /// being written in place. It has to be written to its beginning before anything else is.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// Whether a complete copy of the snapshot stands at the end of the file, which was written in place: its
    /// beginning may not be on the disk yet, although it reads as a session.
    #[must_use]
    pub const fn has_copy(&self) -> bool {
        self.has_copy
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

/// Whether a footer is what a writer of this file has put at its end. A token or a name can have the bytes
/// of one, but not the salt of the tail that it would end.
fn is_last_word(head: &Result<SessionBytes<'_>, DecodeError>, footer: Footer) -> bool {
    match head {
        Ok(file) => match file.tail_header() {
            // With the salt of the copy, the beginning is written, and may have changes since: cutting off the
            // copy is all that was left to do, and may have failed.
            Some(header) => footer.salt == header.salt,
            // A session without a tail is followed by what was written in place alone.
            None => usize::try_from(footer.at).is_ok_and(|at| at >= file.bytes().len()),
        },
        // A beginning that was being written may look like anything. What is certain of a newer release is not.
        Err(error) => {
            !error.kind.is_newer() || matches!(error.kind, DecodeErrorKind::UnknownVersion(_))
        }
    }
}

/// What is wrong with a session file by the header of its tail: its snapshot does not read as the session
/// that the header continues. `None` without such a header, and where the snapshot's checksum holds, so that
/// only a newer release can have written it.
#[cold]
fn damage(input: &[u8]) -> Option<DecodeError> {
    let header = probe(input)?;
    let snapshot = input.get(..usize::try_from(header.snapshot_len).ok()?)?;
    let (covered, stored) = snapshot.split_last_chunk()?;
    let mut crc = Crc32c::new();
    crc.update(covered);
    let is_sound = [crc.value(), header.snapshot_crc] == [u32::from_le_bytes(*stored); 2];
    let kind = DecodeErrorKind::Checksum;
    (!is_sound).then(|| DecodeError::new(kind, Field::TrailerChecksum, covered.len()))
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
