//! Numbers: places in a region, and the conversions that a 32-bit chip and a PC both do without loss.

use core::num::Wrapping;

/// Bytes from the start of a region, or a number of them. A region has at most 2 MiB, so that nothing ever
/// wraps; the type says that no check for it is compiled in.
pub(crate) type Bytes = Wrapping<u32>;

/// A length in memory as a number of bytes on flash.
#[inline]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "lengths of buffers and lists"
)]
pub(crate) const fn bytes(len: usize) -> Bytes {
    Wrapping(len as u32)
}

/// A number of bytes on flash as a length in memory.
#[inline]
#[expect(
    clippy::as_conversions,
    reason = "usize has at least 32 bits on every target"
)]
pub(crate) const fn len(bytes: Bytes) -> usize {
    bytes.0 as usize
}

/// The lowest byte.
#[inline]
pub(crate) const fn low(value: u32) -> u8 {
    let [low, ..] = value.to_le_bytes();
    low
}
