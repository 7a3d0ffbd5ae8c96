//! Parts of TL, the serialisation of Telegram's own protocol, as client libraries use it in their
//! sessions.
//!
//! A byte string has a length of one byte (or `FE` and three), its bytes, and zeros up to a multiple of
//! four.

use crate::bug::Certain as _;
use crate::error::Field;
use crate::wire::{Reader, Sink};

/// The number of `vector`.
pub const VECTOR: u32 = 0x1CB5_C415;
/// The number of `boolTrue`.
pub const TRUE: u32 = 0x9972_75B5;
/// The number of `boolFalse`.
pub const FALSE: u32 = 0xBC79_9737;

/// The longest that the one-byte length can say.
const SHORT_MAX: usize = 0xFD;
/// Marks a length of three bytes.
const LONG: u8 = 0xFE;

/// Zeros that follow `len` bytes, length included.
const fn padding(len: usize) -> usize {
    match len % 4 {
        0 => 0,
        1 => 3,
        2 => 2,
        _ => 1,
    }
}

/// Bytes that a byte string of `len` bytes takes.
pub(super) const fn len(len: usize) -> usize {
    let head: usize = if len <= SHORT_MAX { 1 } else { 4 };
    let unpadded = head.saturating_add(len);
    unpadded.saturating_add(padding(unpadded))
}

/// Reads a byte string; `None` when the input ends inside it or its padding is not zeros.
pub(super) fn read<'a>(reader: &mut Reader<'a>, field: Field) -> Option<&'a [u8]> {
    let (head, len) = match reader.u8(field).ok()? {
        0xFF => return None,
        LONG => {
            let [low, middle, high] = *reader.array(field).ok()?;
            let len = u32::from_le_bytes([low, middle, high, 0]);
            (4_usize, usize::try_from(len).ok()?)
        }
        short => (1, usize::from(short)),
    };
    let bytes = reader.bytes(len, field).ok()?;
    let padding = reader
        .bytes(padding(head.saturating_add(len)), field)
        .ok()?;
    padding.iter().all(|byte| *byte == 0).then_some(bytes)
}

/// Writes a byte string; its bytes must fit the three-byte length, which all of ours do.
pub(super) fn write<W: Sink>(sink: &mut W, bytes: &[u8]) -> Result<(), W::Error> {
    let [low, middle, high, _] = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let unpadded = if bytes.len() <= SHORT_MAX {
        sink.write(&[low])?;
        bytes.len().saturating_add(1)
    } else {
        sink.write(&[LONG, low, middle, high])?;
        bytes.len()
    };
    sink.write(bytes)?;
    sink.write([0; 3].get(..padding(unpadded)).certain("padding is short"))
}
