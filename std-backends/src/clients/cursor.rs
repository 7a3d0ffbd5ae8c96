//! Reads binary files of other libraries forward; a failed read says which part it was.

use crate::clients::error::ForeignError;

pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn bytes(&mut self, len: usize, what: &str) -> Result<&'a [u8], ForeignError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| ForeignError::damaged(format!("ends inside its {what}")))?;
        self.rest = rest;
        Ok(head)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ForeignError> {
        let bytes = self.bytes(N, what)?;
        bytes
            .try_into()
            .map_err(|_| ForeignError::damaged(format!("ends inside its {what}")))
    }

    /// Little-endian.
    pub(super) fn i32(&mut self, what: &str) -> Result<i32, ForeignError> {
        self.array(what).map(i32::from_le_bytes)
    }

    /// Little-endian.
    pub(super) fn u32(&mut self, what: &str) -> Result<u32, ForeignError> {
        self.array(what).map(u32::from_le_bytes)
    }

    /// Little-endian.
    pub(super) fn i64(&mut self, what: &str) -> Result<i64, ForeignError> {
        self.array(what).map(i64::from_le_bytes)
    }

    /// A TL byte string: its length in one byte or in three after `FE`, padded to four.
    pub(super) fn tl_bytes(&mut self, what: &str) -> Result<&'a [u8], ForeignError> {
        let [first] = self.array(what)?;
        let (head, len) = match first {
            0xFF => return Err(ForeignError::damaged(what)),
            0xFE => {
                let [low, middle, high] = self.array(what)?;
                (4_usize, u32::from_le_bytes([low, middle, high, 0]))
            }
            short => (1, u32::from(short)),
        };
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let bytes = self.bytes(len, what)?;
        let unpadded = head.saturating_add(len);
        let padded = unpadded.next_multiple_of(4);
        self.bytes(padded.saturating_sub(unpadded), what)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_string_has_a_length_of_one_byte_or_three() {
        let long = [&[0xFE, 0, 1, 0][..], &[7; 256]].concat();
        for (input, len) in [(&[3, 1, 2, 3][..], 3), (&[1, 9, 0, 0], 1), (&long, 256)] {
            let mut cursor = Cursor::new(input);
            assert_eq!(cursor.tl_bytes("text").unwrap().len(), len);
            assert!(cursor.is_empty());
        }
        // What no length begins with, and what ends in its padding.
        for input in [&[0xFF; 300][..], &[1, 9, 0], &[0xFE, 1, 0], &[]] {
            assert!(Cursor::new(input).tl_bytes("text").is_err());
        }
    }
}
