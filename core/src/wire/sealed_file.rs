//! A session file whose snapshot is sealed.

use super::crc::Crc32c;
use super::reader::Reader;
use super::session_bytes::SessionBytes;
use super::session_file::TailHeader;
use super::tail_place::TailPlace;
use crate::error::{DecodeError, DecodeErrorKind, Field};
use crate::seal::Header;

/// A sealed session file, of which no more was checked than can be without a key.
///
/// ```text
/// 0      header of the sealed store
///        u32 length | box with the snapshot | u32 CRC-32C of all bytes before it
/// L..    as in a plain session file: zeros, header of the tail, records; what is in a record is a box
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SealedFile<'a> {
    header: Header<'a>,
    body: &'a [u8],
    bytes: &'a [u8],
    tail_header: Option<TailHeader>,
    records: &'a [u8],
    is_unfinished: bool,
    has_copy: bool,
}

impl<'a> SealedFile<'a> {
    /// Checks a sealed session file as far as its checksum goes, which covers header and body and needs no key.
    ///
    /// # Errors
    /// [`Checksum`](DecodeErrorKind::Checksum) for one that was damaged, otherwise which part is cut off or makes
    /// no sense. [`SealedHeader`](DecodeErrorKind::SealedHeader) for one that is not sealed.
    pub fn parse(input: &'a [u8]) -> Result<Self, DecodeError> {
        match SessionBytes::parse(input)? {
            SessionBytes::Sealed(file) => Ok(file),
            SessionBytes::Plain(_) => Err(DecodeError::new(
                DecodeErrorKind::SealedHeader,
                Field::SealedHeader,
                0,
            )),
        }
    }

    pub(super) fn parse_head(input: &'a [u8]) -> Result<Self, DecodeError> {
        let header = Header::first(input)?;
        let mut reader = Reader::new(input);
        reader.bytes(header.bytes().len(), Field::SealedHeader)?;
        let len = u32::from_le_bytes(*reader.array(Field::SealedBody)?);
        let too_long = reader.error(DecodeErrorKind::Truncated, Field::SealedBody);
        let len = usize::try_from(len).map_err(|_| too_long)?;
        let body = reader.bytes(len, Field::SealedBody)?;
        let damaged = reader.error(DecodeErrorKind::Checksum, Field::SealedBody);
        let covered = input.get(..reader.offset()).unwrap_or_default();
        let stored = u32::from_le_bytes(*reader.array(Field::SealedBody)?);
        let mut crc = Crc32c::new();
        crc.update(covered);
        if crc.value() != stored {
            return Err(damaged);
        }
        let len = reader.offset();
        let tail = TailPlace::find(input, len, stored)?;
        Ok(Self {
            header,
            body,
            bytes: input.get(..len).unwrap_or_default(),
            tail_header: tail.as_ref().map(|tail| tail.header),
            records: tail.map_or(&[], |tail| tail.records),
            is_unfinished: false,
            has_copy: false,
        })
    }

    pub(super) const fn unfinished(self) -> Self {
        Self {
            is_unfinished: true,
            ..self
        }
    }

    pub(super) const fn with_copy(self) -> Self {
        Self {
            has_copy: true,
            ..self
        }
    }

    /// What says which keys open it.
    #[must_use]
    pub const fn header(&self) -> Header<'a> {
        self.header
    }

    /// The box with the snapshot.
    #[must_use]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The bytes of header and body, without the padding after them.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The header of the tail; `None` where changes cannot be appended to the file as it is.
    #[must_use]
    pub const fn tail_header(&self) -> Option<TailHeader> {
        self.tail_header
    }

    /// The records of the tail, and what may follow them.
    #[must_use]
    pub const fn records(&self) -> &'a [u8] {
        self.records
    }

    /// Whether it was read from the complete copy at the end of a file that was being written in place.
    #[must_use]
    pub const fn is_unfinished(&self) -> bool {
        self.is_unfinished
    }

    /// Whether a complete copy of the session stands at the end of the file, which was written in place: its
    /// beginning may not be on the disk yet, although it reads as a session.
    #[must_use]
    pub const fn has_copy(&self) -> bool {
        self.has_copy
    }
}
