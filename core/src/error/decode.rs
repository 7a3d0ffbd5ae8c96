//! Why an input is not a session.

use core::fmt;

use super::field::Field;
use crate::clients::{Damage, StringFormat};

/// Something that is not one of our sessions, recognised by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Foreign {
    /// An SQLite database.
    Sqlite,
    /// JSON text.
    Json,
    /// A session string where a binary session was expected.
    SessionString,
    /// Some other text.
    Text,
    /// The TL file of grammers-session up to 0.8.
    GrammersTl,
    /// A file of Telegram Desktop's `tdata`.
    Tdata,
    /// A journal of this library's file backend, without its session.
    Journal,
}

impl Foreign {
    /// Says what the input is, with its article.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "an SQLite database",
            Self::Json => "JSON text",
            Self::SessionString => "a session string",
            Self::Text => "text",
            Self::GrammersTl => "a grammers session file",
            Self::Tdata => "a Telegram Desktop tdata file",
            Self::Journal => "a journal that belongs to another session file",
        }
    }
}

/// A form of our own sessions that only a newer release reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NewerForm {
    /// A session that is sealed with a key, in a way that this release does not know.
    Sealed,
    /// A session with its changes after it, in a way that this release does not know.
    Tail,
}

impl NewerForm {
    /// Says what the input is, with its article.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sealed => "a session that is sealed in a newer way",
            Self::Tail => "a session with changes of a newer kind in the same file",
        }
    }
}

/// Why an input is not a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// There is no input.
    Empty,
    /// The input is zeros: a file whose blocks were never written.
    Zeroed,
    /// The input ends inside the field.
    Truncated,
    /// The session is complete, but more follows.
    TrailingBytes,
    /// The session goes on with changes, which have to be made to it: see
    /// [`PlainFile::replay_into`](crate::PlainFile::replay_into).
    HasChanges,
    /// A presence byte is neither 0 nor 1.
    Presence(u8),
    /// The text is not UTF-8.
    Utf8,
    /// Neither a known version nor a version 1 session; the byte is where a version would be.
    UnknownVersion(u8),
    /// The input is something else, and what.
    Foreign(Foreign),
    /// The input is one of our sessions, in a form that this release cannot read.
    NewerForm(NewerForm),
    /// The input is one of our sessions and is sealed: only who has its key can read it. See
    /// [`SealedFile`](crate::SealedFile).
    Sealed,
    /// The header of a sealed session contradicts itself.
    SealedHeader,
    /// The checksum does not hold: the input was damaged after it was written.
    Checksum,
    /// A trailer version or section of a newer release.
    NewerTrailer(u32),
    /// The trailer contradicts itself or the session before it.
    Trailer,
    /// Not a [`Change`](crate::Change).
    Change,
    /// A [`Change`](crate::Change) with a number that only a newer release knows.
    NewerChange(u32),
    /// A character that no base64 alphabet has.
    Character,
    /// A length that no base64 text has, or bits after the last byte: characters are missing.
    Base64Length,
    /// No session string is laid out like this.
    NotASessionString,
    /// A session string that lost or gained characters: what it looks like, and what happened.
    DamagedString(StringFormat, Damage),
    /// The text holds two different session strings.
    SeveralStrings,
    /// A session string of another library, where one of ours is expected.
    ForeignString(StringFormat),
    /// The key is all zeros: the string was made before anybody logged in.
    NotLoggedIn,
    /// The string has no address, and its DC is none of Telegram's known ones.
    UnknownDc(i32),
    /// A compact string version that does not exist.
    CompactVersion(u8),
    /// An address family byte that is neither 4 nor 6.
    IpType(u8),
    /// The caller's buffer is shorter than the input needs.
    BufferTooSmall {
        /// How many bytes it must have.
        needed: usize,
    },
}

/// Why and where an input could not be decoded.
///
/// ```
/// use mtsession_core::{DecodeErrorKind, Field, SessionView};
///
/// let error = SessionView::parse(&[8, 2, 0, 0, 0, 1, 2, 0, 0, 0, 1, 0xAB]).unwrap_err();
/// assert_eq!(error.to_string(), "input ends inside dc.auth_key at byte 11");
/// assert_eq!((error.kind, error.field), (DecodeErrorKind::Truncated, Field::DcAuthKey));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DecodeError {
    /// What is wrong.
    pub kind: DecodeErrorKind,
    /// The field it is wrong in.
    pub field: Field,
    /// Where that field starts, in bytes from the start of the input (characters for strings); of a
    /// damaged string, how many characters there are.
    pub offset: usize,
}

impl DecodeErrorKind {
    /// Whether a newer release wrote the input, which must stay as it is then.
    #[must_use]
    pub const fn is_newer(self) -> bool {
        match self {
            Self::NewerForm(_) | Self::NewerTrailer(_) | Self::NewerChange(_) => true,
            // Versions only grow: 0 is what a sector is that was never written.
            Self::UnknownVersion(version) => version != 0,
            _ => false,
        }
    }

    /// Whether a session string was recognised by what is wrong with it.
    pub(crate) const fn is_of_a_known_string(self) -> bool {
        matches!(
            self,
            Self::NotLoggedIn
                | Self::UnknownDc(_)
                | Self::Checksum
                | Self::NewerTrailer(_)
                | Self::Trailer
        )
    }
}

impl DecodeError {
    pub(crate) const fn new(kind: DecodeErrorKind, field: Field, offset: usize) -> Self {
        Self {
            kind,
            field,
            offset,
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DecodeErrorKind as Kind;

        f.write_str(match self.kind {
            Kind::Empty => "input is empty, not a session",
            Kind::Zeroed => "input is all zeros: its content was lost",
            Kind::Change => "record is not a change of a session",
            Kind::NotASessionString => "text is base64, but laid out like no known session string",
            Kind::SeveralStrings => {
                "text holds two different session strings: leave only the one that is meant"
            }
            Kind::Sealed => "input is a sealed session: the key that it was sealed with opens it",
            Kind::NotLoggedIn => {
                "auth key is all zeros: made before logging in, there is no session"
            }
            _ => return self.fmt_with_details(f),
        })
    }
}

impl DecodeError {
    /// The kinds whose text is not always the same.
    fn fmt_with_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use DecodeErrorKind as Kind;

        let Self {
            field,
            offset,
            kind,
        } = self;
        match kind {
            Kind::Truncated => write!(f, "input ends inside {field} at byte {offset}"),
            Kind::TrailingBytes => {
                write!(f, "session is complete, but more follows at byte {offset}")
            }
            Kind::HasChanges => write!(
                f,
                "session goes on with changes at byte {offset}, which have to be made to it: read it as a \
                 session file"
            ),
            Kind::Presence(byte) => write!(f, "{field} is {byte}, not 0 or 1, at byte {offset}"),
            Kind::Utf8 => write!(f, "{field} is not UTF-8 at byte {offset}"),
            Kind::Foreign(foreign) => write!(f, "input is {}, not a session", foreign.name()),
            Kind::Checksum => write!(
                f,
                "checksum does not match at byte {offset}: the session was damaged after it was \
                 written"
            ),
            Kind::Trailer => write!(f, "{field} contradicts the session at byte {offset}"),
            Kind::Character => write!(f, "character {offset} of the {field} is not base64"),
            Kind::Base64Length => write!(
                f,
                "{field} of {offset} base64 characters is incomplete: characters are missing"
            ),
            Kind::DamagedString(format, damage) => self.fmt_damage(*format, *damage, f),
            Kind::ForeignString(format) => {
                write!(f, "{field} is {format}: convert it to ours first")
            }
            Kind::UnknownDc(id) => {
                write!(
                    f,
                    "DC {id} is not known, and the string has no address for it"
                )
            }
            Kind::CompactVersion(byte) => write!(f, "compact string version {byte} is unknown"),
            Kind::IpType(byte) => write!(f, "{field} is {byte}, not 4 or 6, at byte {offset}"),
            Kind::BufferTooSmall { needed } => {
                write!(
                    f,
                    "buffer is too small for the {field}: {needed} bytes needed"
                )
            }
            Kind::NewerForm(_)
            | Kind::NewerTrailer(_)
            | Kind::NewerChange(_)
            | Kind::UnknownVersion(_) => self.fmt_newer(f),
            Kind::SealedHeader => write!(f, "{field} makes no sense at byte {offset}"),
            // Their texts are always the same.
            Kind::Empty
            | Kind::Zeroed
            | Kind::Change
            | Kind::NotASessionString
            | Kind::SeveralStrings
            | Kind::Sealed
            | Kind::NotLoggedIn => Ok(()),
        }
    }

    /// The kinds that [`DecodeErrorKind::is_newer`] knows.
    fn fmt_newer(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, offset, .. } = self;
        match self.kind {
            DecodeErrorKind::UnknownVersion(byte) => write!(
                f,
                "unknown session version {byte}: written by a newer release, damaged, or not a \
                 session"
            ),
            DecodeErrorKind::NewerForm(form) => {
                let form = form.name();
                write!(
                    f,
                    "input is {form}, which a newer release wrote: update this program"
                )
            }
            DecodeErrorKind::NewerTrailer(number) => write!(
                f,
                "{field} {number} at byte {offset} is unknown: written by a newer release"
            ),
            DecodeErrorKind::NewerChange(number) => {
                write!(
                    f,
                    "change of the kind {number} is unknown: written by a newer release"
                )
            }
            _ => Ok(()),
        }
    }

    fn fmt_damage(
        &self,
        format: StringFormat,
        damage: Damage,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let Self { field, offset, .. } = self;
        write!(f, "{field} is damaged: it looks like {format} {damage}")?;
        match damage {
            Damage::EndMissing(missing) if *offset > 0 => {
                let all = offset.saturating_add(missing);
                write!(f, " ({offset} of {all} are there)")
            }
            _ => Ok(()),
        }
    }
}

impl core::error::Error for DecodeError {}

#[cfg(feature = "std")]
impl From<DecodeError> for std::io::Error {
    fn from(error: DecodeError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}
