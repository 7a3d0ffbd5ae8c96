//! Where encoded bytes go: two lines of a trait, so that a slice, a list, a counter, a checksum or
//! a base64 encoder can be written to without a heap.

use core::convert::Infallible;
use core::fmt;
use core::ops::RangeInclusive;

/// Accepts bytes in order.
///
/// ```
/// use mtsession_core::wire::{SliceFull, Sink};
///
/// let mut buffer = [0; 4];
/// let mut free = &mut buffer[..];
/// free.write(&[1, 2, 3])?;
/// assert_eq!(free.write(&[4, 5]), Err(SliceFull));
/// # Ok::<(), SliceFull>(())
/// ```
pub trait Sink {
    /// What the sink refuses with.
    type Error;

    /// Accepts all of `bytes`, or fails.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl<S: Sink> Sink for &mut S {
    type Error = S::Error;

    fn write(&mut self, bytes: &[u8]) -> Result<(), S::Error> {
        (**self).write(bytes)
    }
}

/// Copies as many bytes as both have room for. Unlike `copy_from_slice` it has no panic for lengths
/// that differ, where the compiler does not see that they cannot.
#[inline]
pub(crate) fn copy_bytes(to: &mut [u8], from: &[u8]) {
    if to.len() == from.len() && SHORT.contains(&from.len()) {
        return copy_short(to, from);
    }
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// As long as an address is. Calling `memcpy` for each took a fifth of the time of a session without
/// peers.
const SHORT: RangeInclusive<usize> = BLOCK..=2 * BLOCK;
const BLOCK: usize = 16;

/// Copies one block from the start and one from the end, which may overlap.
#[inline]
fn copy_short(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<BLOCK>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<BLOCK>(), from.last_chunk()) {
        *to = *from;
    }
}

/// The slice or list has no room for the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SliceFull;

impl fmt::Display for SliceFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("buffer is too small for the encoded session")
    }
}

impl core::error::Error for SliceFull {}

/// Writes to the front and shrinks to what is left.
impl Sink for &mut [u8] {
    type Error = SliceFull;

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), SliceFull> {
        if bytes.len() > self.len() {
            return Err(SliceFull);
        }
        if let Some((head, tail)) = core::mem::take(self).split_at_mut_checked(bytes.len()) {
            copy_bytes(head, bytes);
            *self = tail;
        }
        Ok(())
    }
}

impl<const N: usize> Sink for heapless::Vec<u8, N> {
    type Error = SliceFull;

    fn write(&mut self, bytes: &[u8]) -> Result<(), SliceFull> {
        self.extend_from_slice(bytes).map_err(|_| SliceFull)
    }
}

#[cfg(feature = "alloc")]
impl Sink for alloc::vec::Vec<u8> {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(bytes);
        Ok(())
    }
}

/// Counts bytes and keeps none.
///
/// ```
/// use mtsession_core::wire::{Counter, Sink};
///
/// let mut counter = Counter::default();
/// counter.write(&[0; 7])?;
/// assert_eq!(counter.len(), 7);
/// # Ok::<(), core::convert::Infallible>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter(usize);

impl Counter {
    /// How many bytes were written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0
    }

    /// Whether none were.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0 == 0
    }
}

impl Sink for Counter {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(())
    }
}
