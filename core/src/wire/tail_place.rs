//! Where a session file's tail is, and what may stand there instead of one.

use super::journal;
use super::session_file::{HEADER_LEN, TailHeader, tail_start};
use crate::error::{DecodeError, DecodeErrorKind, Field, NewerForm};

/// Where the tail of a file is.
pub(super) struct TailPlace<'a> {
    pub(super) header: TailHeader,
    /// Where its records begin.
    pub(super) at: usize,
    pub(super) records: &'a [u8],
}

impl<'a> TailPlace<'a> {
    /// The tail of a snapshot of `len` bytes that ends with this checksum; `None` where the file is a copy that
    /// ends before it.
    pub(super) fn find(input: &'a [u8], len: usize, crc: u32) -> Result<Option<Self>, DecodeError> {
        let rest = input.get(len..).unwrap_or_default();
        let at = tail_start(len);
        let (zeros, tail) = input.split_at_checked(at).unwrap_or((input, &[]));
        let expected = expected(len, crc);
        if let Some(header) = TailHeader::first(tail)
            && (TailHeader { salt: 0, ..header }) == expected
        {
            return Ok(Some(Self {
                header,
                at: at.saturating_add(HEADER_LEN),
                records: tail.get(HEADER_LEN..).unwrap_or_default(),
            }));
        }
        if TailHeader::is_newer(tail) {
            let kind = DecodeErrorKind::NewerForm(NewerForm::Tail);
            return Err(DecodeError::new(kind, Field::Trailer, at));
        }
        let zeros = zeros.get(len..).unwrap_or_default();
        let is_cut = zeros.iter().all(|byte| *byte == 0) && expected.is_cut_to(tail);
        let is_whole = is_cut || is_padding(rest) || is_cut_write(input, len, crc);
        is_whole.then_some(None).ok_or(trailing(len))
    }
}

pub(super) const fn trailing(len: usize) -> DecodeError {
    DecodeError::new(DecodeErrorKind::TrailingBytes, Field::Trailer, len)
}

/// How the tail of such a snapshot begins, whatever its salt is.
fn expected(len: usize, crc: u32) -> TailHeader {
    TailHeader {
        snapshot_len: u64::try_from(len).unwrap_or(u64::MAX),
        snapshot_crc: crc,
        salt: 0,
    }
}

/// Zeros, or the end of a line, or both in this order.
pub(super) fn is_padding(rest: &[u8]) -> bool {
    let lines = rest
        .iter()
        .position(|byte| *byte != 0)
        .and_then(|at| rest.get(at..));
    lines
        .unwrap_or_default()
        .iter()
        .all(|byte| b"\r\n".contains(byte))
}

/// Whether the session of `len` bytes with this checksum is followed by what the first write in place leaves when
/// it is cut: nothing up to the next block, and then no tail of its own, damaged or not. It is what it was before
/// that write, which nobody was told of as stored. A whole header of another snapshot was there before the disk
/// was given to this file.
#[cold]
pub(super) fn is_cut_write(input: &[u8], len: usize, crc: u32) -> bool {
    let expected = expected(len, crc);
    let Some((before, after)) = input.split_at_checked(tail_start(len)) else {
        return false;
    };
    let slack = before.get(len..).unwrap_or_default();
    let has_no_tail = || !expected.is_almost(after) && journal::next_sound(after).is_none();
    slack.iter().all(|byte| *byte == 0) && (TailHeader::first(after).is_some() || has_no_tail())
}
