//! Memory for bytes on their way, which may be a key's.

use core::fmt;
use core::ops::{Deref, DerefMut};

use zeroize::optimization_barrier;

/// Overwrites bytes with zeros in one sweep, which the compiler may not leave out. Byte by byte, as
/// `Zeroize` does it for arrays, an auth key alone takes as long as encoding a short session.
///
/// ```
/// let mut key = [7; 256];
/// mtsession_core::wire::wipe(&mut key);
/// assert_eq!(key, [0; 256]);
/// ```
#[inline]
pub fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

/// An array that is [wiped](wipe) when dropped.
pub(crate) struct Scratch<const N: usize>([u8; N]);

impl<const N: usize> Scratch<N> {
    pub(crate) const fn new() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Deref for Scratch<N> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> DerefMut for Scratch<N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl<const N: usize> Drop for Scratch<N> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl<const N: usize> fmt::Debug for Scratch<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
