//! A slice that shrinks and knows where it is.

use crate::error::{DecodeError, DecodeErrorKind, Field};

/// Reads forward; a failed read moves nothing and says which field the input ended in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// Bytes of the whole input: what is missing in the rest was read.
    len: usize,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(input: &'a [u8]) -> Self {
        Self {
            rest: input,
            len: input.len(),
        }
    }

    pub(crate) const fn offset(&self) -> usize {
        self.len.saturating_sub(self.rest.len())
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, len: usize, field: Field) -> Result<&'a [u8], DecodeError> {
        let Some((head, tail)) = self.rest.split_at_checked(len) else {
            return Err(self.error(DecodeErrorKind::Truncated, field));
        };
        self.rest = tail;
        Ok(head)
    }

    /// The next `N` bytes.
    #[inline]
    pub(crate) fn array<const N: usize>(
        &mut self,
        field: Field,
    ) -> Result<&'a [u8; N], DecodeError> {
        let Some((head, tail)) = self.rest.split_first_chunk() else {
            return Err(self.error(DecodeErrorKind::Truncated, field));
        };
        self.rest = tail;
        Ok(head)
    }

    #[inline]
    pub(crate) fn u8(&mut self, field: Field) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| *byte)
    }

    #[inline]
    pub(crate) fn len_u8(&mut self, field: Field) -> Result<usize, DecodeError> {
        self.u8(field).map(usize::from)
    }

    #[inline]
    pub(crate) fn len_u16(&mut self, field: Field) -> Result<usize, DecodeError> {
        self.array(field)
            .map(|bytes| usize::from(u16::from_le_bytes(*bytes)))
    }

    #[inline]
    pub(crate) fn i32(&mut self, field: Field) -> Result<i32, DecodeError> {
        self.array(field).map(|bytes| i32::from_le_bytes(*bytes))
    }

    #[inline]
    pub(crate) fn i64(&mut self, field: Field) -> Result<i64, DecodeError> {
        self.array(field).map(|bytes| i64::from_le_bytes(*bytes))
    }

    /// A byte that must be 0 or 1.
    #[inline]
    pub(crate) fn presence(&mut self, field: Field) -> Result<bool, DecodeError> {
        let at = *self;
        match self.u8(field)? {
            0 => Ok(false),
            1 => Ok(true),
            byte => {
                *self = at;
                Err(self.error(DecodeErrorKind::Presence(byte), field))
            }
        }
    }

    /// An error about what comes next.
    pub(crate) const fn error(&self, kind: DecodeErrorKind, field: Field) -> DecodeError {
        DecodeError::new(kind, field, self.offset())
    }
}
