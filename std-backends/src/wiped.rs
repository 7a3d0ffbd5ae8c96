//! Whole sessions in memory.

use core::ops::Deref;

use zeroize::optimization_barrier;

/// The bytes of a session, wiped when dropped. In one sweep: byte by byte, as a `Zeroizing` does it,
/// takes longer than decoding.
pub(crate) struct Wiped(Vec<u8>);

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Wiped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        optimization_barrier(self.0.as_slice());
    }
}
