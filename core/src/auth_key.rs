//! The permanent auth key: 256 bytes that are worth the account.

use core::fmt;

use serde::de::{Error as _, Visitor};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::wire::wipe;

/// Length of an MTProto auth key in bytes (2048 bits, the size of the Diffie-Hellman group).
pub const AUTH_KEY_LEN: usize = 256;

/// An owned auth key.
///
/// Not `Clone`, prints as `AuthKey([redacted])`, compares in constant time and is wiped on drop.
///
/// ```
/// use mtsession_core::AuthKey;
///
/// let key = AuthKey::new([7; 256]);
/// assert_eq!(format!("{key:?}"), "AuthKey([redacted])");
/// assert!(key == AuthKey::new([7; 256]));
/// ```
pub struct AuthKey([u8; AUTH_KEY_LEN]);

impl AuthKey {
    /// Takes ownership of the key's bytes. The caller's own copy stays the caller's to wipe.
    #[must_use]
    pub const fn new(bytes: [u8; AUTH_KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// Borrows the key, redacted as well.
    #[must_use]
    pub const fn as_ref(&self) -> AuthKeyRef<'_> {
        AuthKeyRef(&self.0)
    }

    /// The secret bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; AUTH_KEY_LEN] {
        &self.0
    }
}

impl Zeroize for AuthKey {
    fn zeroize(&mut self) {
        wipe(&mut self.0);
    }
}

impl Drop for AuthKey {
    fn drop(&mut self) {
        self.zeroize();
    }
}

impl ZeroizeOnDrop for AuthKey {}

impl PartialEq for AuthKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for AuthKey {}

impl fmt::Debug for AuthKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey([redacted])")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for AuthKey {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "AuthKey([redacted])");
    }
}

/// A borrowed auth key: `Copy`, redacted, compared in constant time.
///
/// ```
/// use mtsession_core::AuthKeyRef;
///
/// let bytes = [7; 256];
/// let key = AuthKeyRef::new(&bytes);
/// assert_eq!(key.as_bytes(), &bytes);
/// assert_eq!(format!("{key:?}"), "AuthKey([redacted])");
/// ```
#[derive(Clone, Copy)]
pub struct AuthKeyRef<'a>(&'a [u8; AUTH_KEY_LEN]);

impl<'a> AuthKeyRef<'a> {
    /// Borrows the key's bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8; AUTH_KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// The secret bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8; AUTH_KEY_LEN] {
        self.0
    }

    /// An owned copy. Named so that every copy of a key is visible where it is made.
    #[must_use]
    pub const fn copy_key(self) -> AuthKey {
        AuthKey(*self.0)
    }
}

impl PartialEq for AuthKeyRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Of all bytes, before one bit of it is looked at. Comparing byte by byte with a barrier after each,
        // as slices are compared, takes as long as saving a short session.
        let words = self.0.as_chunks().0.iter().zip(other.0.as_chunks().0);
        let difference = words.fold(0, |all, (ours, theirs)| {
            all | (u64::from_le_bytes(*ours) ^ u64::from_le_bytes(*theirs))
        });
        difference.ct_eq(&0).into()
    }
}

impl Eq for AuthKeyRef<'_> {}

impl fmt::Debug for AuthKeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthKey([redacted])")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for AuthKeyRef<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "AuthKey([redacted])");
    }
}

impl serde::Serialize for AuthKeyRef<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> serde::Deserialize<'de> for AuthKeyRef<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = AuthKeyRef<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an auth key of 256 bytes")
            }

            fn visit_borrowed_bytes<E: serde::de::Error>(
                self,
                bytes: &'de [u8],
            ) -> Result<Self::Value, E> {
                bytes
                    .try_into()
                    .map(AuthKeyRef)
                    .map_err(|_| E::invalid_length(bytes.len(), &self))
            }
        }

        deserializer.deserialize_bytes(KeyVisitor).map_err(|error| {
            // Nothing of the input may travel in the message.
            let _ = error;
            D::Error::custom("auth key is not 256 bytes")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_in_one_bit_anywhere_are_not_equal() {
        let key = [0x5A; AUTH_KEY_LEN];
        assert_eq!(
            AuthKeyRef::new(&key),
            AuthKeyRef::new(&[0x5A; AUTH_KEY_LEN])
        );
        for at in 0..AUTH_KEY_LEN {
            for bit in 0..8 {
                let mut other = key;
                other[at] ^= 1 << bit;
                assert_ne!(AuthKeyRef::new(&key), AuthKeyRef::new(&other), "{at} {bit}");
            }
        }
    }
}
