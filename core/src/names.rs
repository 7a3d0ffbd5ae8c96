//! Usernames, phone numbers and titles of peers: kept in addition to the session, by stores that have room.
//!
//! No part of the drop-in session has a field for them, so they travel as one block of bytes, laid out
//! as in [`format`](crate::format). A session without names has an empty block.

use core::fmt;

use serde::de::{self, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::bug::Certain as _;
use crate::error::{DecodeError, DecodeErrorKind, EncodeError, Field};
use crate::peer::PeerKind;
use crate::wire::{Counter, Reader, Sink, concat_array};

/// The bit of a record that has a phone number.
const HAS_PHONE: u8 = 1;
/// The bit of a record that has a title.
const HAS_TITLE: u8 = 1 << 1;

/// The names of many peers, encoded and checked.
///
/// ```
/// use mtsession_core::{Names, NamesOf, PeerKind};
///
/// let alice = NamesOf::new(777_000, PeerKind::User)
///     .with_phone(Some("15550001000"))
///     .with_title(Some("Alice"));
/// let mut bytes = heapless::Vec::<u8, 64>::new();
/// alice.encode(["alice"].into_iter(), &mut bytes)?;
///
/// let names = Names::parse(&bytes)?;
/// let found = names.iter().next().expect("encoded above");
/// assert_eq!((found.id, found.phone, found.title), (777_000, Some("15550001000"), Some("Alice")));
/// assert!(found.usernames().eq(["alice"]));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Names<'a>(&'a [u8]);

impl<'a> Names<'a> {
    /// The records of [`NamesOf::encode`], which need no check.
    #[cfg(feature = "alloc")]
    pub(crate) const fn of_whole_records(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// No names.
    pub const NONE: Self = Self(&[]);

    /// Checks a block of names.
    ///
    /// # Errors
    /// Says at which byte of the block a record is damaged.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        while !reader.rest().is_empty() {
            read(&mut reader)?;
        }
        Ok(Self(bytes))
    }

    /// The block itself.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Every peer that has names, in the order that they were stored in.
    pub fn iter(self) -> impl Iterator<Item = NamesOf<'a>> {
        let mut reader = Reader::new(self.0);
        // Nothing is left to be found: the block was checked.
        core::iter::from_fn(move || read(&mut reader).ok())
    }

    /// What the peer of this kind with this bare id is called.
    #[must_use]
    pub fn of(self, kind: PeerKind, id: i64) -> Option<NamesOf<'a>> {
        self.iter()
            .find(|names| names.kind == kind && names.id == id)
    }
}

/// Says how many, not which.
impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names({} peers)", self.iter().count())
    }
}

/// The names of one peer.
#[derive(Clone, Copy)]
pub struct NamesOf<'a> {
    /// Bare id of the peer.
    pub id: i64,
    /// What the peer is; ids of different kinds may be equal.
    pub kind: PeerKind,
    /// Phone number: digits without `+`.
    pub phone: Option<&'a str>,
    /// Full name of a user, title of a chat or channel.
    pub title: Option<&'a str>,
    usernames: Usernames<'a>,
    encoded: &'a [u8],
}

impl<'a> NamesOf<'a> {
    /// A peer of which nothing is known yet.
    #[must_use]
    pub const fn new(id: i64, kind: PeerKind) -> Self {
        Self {
            id,
            kind,
            phone: None,
            title: None,
            usernames: Usernames::Listed(&[]),
            encoded: &[],
        }
    }

    /// The same with these usernames, the main one first; at most 255 of at most 65,535 bytes.
    #[must_use]
    pub const fn with_usernames(self, usernames: &'a [&'a str]) -> Self {
        Self {
            usernames: Usernames::Listed(usernames),
            encoded: &[],
            ..self
        }
    }

    /// The same with this phone number.
    #[must_use]
    pub const fn with_phone(self, phone: Option<&'a str>) -> Self {
        Self {
            phone,
            encoded: &[],
            ..self
        }
    }

    /// The same with this name or title.
    #[must_use]
    pub const fn with_title(self, title: Option<&'a str>) -> Self {
        Self {
            title,
            encoded: &[],
            ..self
        }
    }

    /// Whether the peer has no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phone.is_none() && self.title.is_none() && self.usernames.len() == 0
    }

    /// The usernames, the main one first.
    #[must_use]
    pub fn usernames(&self) -> impl ExactSizeIterator<Item = &'a str> + Clone {
        self.usernames
    }

    /// The record that this was read from, to be copied into another block; empty for names that were not
    /// read.
    #[must_use]
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.encoded
    }

    /// Appends a record with these usernames.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`], before anything is written, for more than 255 usernames and for a text
    /// of more than 65,535 bytes.
    pub fn encode<'u, W: Sink>(
        &self,
        usernames: impl ExactSizeIterator<Item = &'u str> + Clone,
        sink: &mut W,
    ) -> Result<(), EncodeError<W::Error>> {
        let len = usernames.len();
        let max = usize::from(u8::MAX);
        let field = Field::TrailerNames;
        let count = u8::try_from(len).map_err(|_| EncodeError::TooLong { field, len, max })?;
        for text in usernames.clone() {
            text_len(text)?;
        }
        for text in [self.phone, self.title].into_iter().flatten() {
            text_len(text)?;
        }
        let head = concat_array!(10; [self.kind.to_byte()], self.id.to_le_bytes(), [count]);
        sink.write(&head).map_err(EncodeError::Sink)?;
        for username in usernames {
            put_text(sink, username)?;
        }
        let flag = |text: Option<&str>, flag| if text.is_some() { flag } else { 0 };
        let present = flag(self.phone, HAS_PHONE) | flag(self.title, HAS_TITLE);
        sink.write(&[present]).map_err(EncodeError::Sink)?;
        [self.phone, self.title]
            .into_iter()
            .flatten()
            .try_for_each(|text| put_text(sink, text))
    }
}

impl PartialEq for NamesOf<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.id, self.phone, self.title)
            == (other.kind, other.id, other.phone, other.title)
            && self.usernames.eq(other.usernames)
    }
}

impl Eq for NamesOf<'_> {}

/// The record of [`NamesOf::encode`], after its length.
impl Serialize for NamesOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct ToSeq<Q>(Q);

        impl<Q: SerializeSeq> Sink for ToSeq<Q> {
            type Error = Q::Error;

            fn write(&mut self, bytes: &[u8]) -> Result<(), Q::Error> {
                bytes
                    .iter()
                    .try_for_each(|byte| self.0.serialize_element(byte))
            }
        }

        fn too_long<E: serde::ser::Error>() -> E {
            E::custom("names are too long")
        }

        let mut len = Counter::default();
        self.encode(self.usernames, &mut len)
            .map_err(|_| too_long::<S::Error>())?;
        let mut seq = ToSeq(serializer.serialize_seq(Some(len.len()))?);
        match self.encode(self.usernames, &mut seq) {
            Ok(()) => seq.0.end(),
            Err(EncodeError::Sink(error)) => Err(error),
            Err(_) => Err(too_long()),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for NamesOf<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;

        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = NamesOf<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the names of one peer")
            }

            fn visit_borrowed_bytes<E: de::Error>(
                self,
                bytes: &'de [u8],
            ) -> Result<Self::Value, E> {
                let mut reader = Reader::new(bytes);
                match read(&mut reader) {
                    Ok(names) if reader.rest().is_empty() => Ok(names),
                    _ => Err(E::custom("not the names of one peer")),
                }
            }
        }

        deserializer.deserialize_bytes(RecordVisitor)
    }
}

/// Which peer, not what it is called.
impl fmt::Debug for NamesOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NamesOf")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn text_len<E>(text: &str) -> Result<u16, EncodeError<E>> {
    let len = text.len();
    u16::try_from(len).map_err(|_| EncodeError::TooLong {
        field: Field::TrailerNames,
        len,
        max: usize::from(u16::MAX),
    })
}

fn put_text<W: Sink>(sink: &mut W, text: &str) -> Result<(), EncodeError<W::Error>> {
    let len = text_len(text)?.to_le_bytes();
    sink.write(&len).map_err(EncodeError::Sink)?;
    sink.write(text.as_bytes()).map_err(EncodeError::Sink)
}

/// The usernames of a peer.
#[derive(Clone, Copy)]
enum Usernames<'a> {
    /// Texts that were checked, one after another.
    Encoded {
        reader: Reader<'a>,
        left: usize,
    },
    Listed(&'a [&'a str]),
}

impl<'a> Iterator for Usernames<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        match self {
            Self::Encoded { reader, left } => {
                *left = left.checked_sub(1)?;
                text(reader).ok()
            }
            Self::Listed(names) => {
                let (first, rest) = names.split_first()?;
                *names = rest;
                Some(first)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            Self::Encoded { left, .. } => *left,
            Self::Listed(names) => names.len(),
        };
        (left, Some(left))
    }
}

impl ExactSizeIterator for Usernames<'_> {}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    const FIELD: Field = Field::TrailerNames;
    let len = reader.len_u16(FIELD)?;
    let at = *reader;
    core::str::from_utf8(reader.bytes(len, FIELD)?)
        .map_err(|_| at.error(DecodeErrorKind::Utf8, FIELD))
}

fn read<'a>(reader: &mut Reader<'a>) -> Result<NamesOf<'a>, DecodeError> {
    const FIELD: Field = Field::TrailerNames;
    let start = *reader;
    let kind = match reader.u8(FIELD)? {
        kind @ 0..=2 => PeerKind::from_byte(kind),
        _ => return Err(start.error(DecodeErrorKind::Trailer, FIELD)),
    };
    let id = reader.i64(FIELD)?;
    let left = reader.len_u8(FIELD)?;
    let usernames = Usernames::Encoded {
        reader: *reader,
        left,
    };
    for _ in 0..left {
        text(reader)?;
    }
    let present_at = *reader;
    let present = reader.u8(FIELD)?;
    if present & !(HAS_PHONE | HAS_TITLE) != 0 {
        return Err(present_at.error(DecodeErrorKind::Trailer, FIELD));
    }
    let mut optional = |bit| match present & bit {
        0 => Ok(None),
        _ => text(reader).map(Some),
    };
    let phone = optional(HAS_PHONE)?;
    let title = optional(HAS_TITLE)?;
    let len = start.rest().len().saturating_sub(reader.rest().len());
    Ok(NamesOf {
        id,
        kind,
        phone,
        title,
        usernames,
        encoded: start.rest().get(..len).certain("as much was read"),
    })
}
