//! Telling keys apart without showing them.

use core::fmt;

use mtsession_core::AuthKeyRef;
use sha1::{Digest, Sha1};

/// The first four bytes of an auth key's id, in hexadecimal: the same key always has the same
/// fingerprint, and nothing about the key follows from it.
///
/// MTProto's `auth_key_id` is the last 8 bytes of the key's SHA-1; servers see it in clear with every
/// message.
///
/// ```
/// use mtsession::Fingerprint;
/// use mtsession::codec::AuthKeyRef;
///
/// let fingerprint = Fingerprint::of(AuthKeyRef::new(&[0; 256]));
/// assert_eq!(fingerprint.to_string(), "b1080bfd");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 4]);

impl Fingerprint {
    /// The fingerprint of `key`.
    #[must_use]
    pub fn of(key: AuthKeyRef<'_>) -> Self {
        let digest: [u8; 20] = Sha1::digest(key.as_bytes()).into();
        let (_, id) = digest.split_last_chunk::<8>().unwrap_or((&[], &[0; 8]));
        let (first, _) = id.split_first_chunk().unwrap_or((&[0; 4], &[]));
        Self(*first)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}
