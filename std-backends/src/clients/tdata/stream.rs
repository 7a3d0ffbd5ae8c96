//! Qt's data stream.

use crate::clients::error::ForeignError;

/// Qt's data stream: big-endian, byte arrays led by their length.
pub(super) struct Stream<'a> {
    rest: &'a [u8],
}

impl<'a> Stream<'a> {
    pub(super) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub(super) fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], ForeignError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| ForeignError::damaged(format!("{what} ends early")))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ForeignError> {
        self.take(N, what)?
            .try_into()
            .map_err(|_| ForeignError::damaged(format!("{what} ends early")))
    }

    pub(super) fn i32(&mut self, what: &str) -> Result<i32, ForeignError> {
        self.array(what).map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, ForeignError> {
        self.array(what).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64, ForeignError> {
        self.array(what).map(u64::from_be_bytes)
    }

    pub(super) fn bytes(&mut self, what: &str) -> Result<&'a [u8], ForeignError> {
        let len = self.u32(what)?;
        // Qt's null array.
        if len == u32::MAX {
            return Ok(&[]);
        }
        self.take(usize::try_from(len).unwrap_or(usize::MAX), what)
    }
}
