//! Sealed stores: who holds their keys, and who remembers how new they are.
//!
//! No store of this release can be sealed. The traits are here so that a program can say what it wants:
//! [`StoreOptions::key`](crate::StoreOptions::key) and [`anchor`](crate::StoreOptions::anchor) are errors of the
//! kind [`Unsupported`](crate::StoreErrorKind::Unsupported), never a store that is plain after all.

use core::fmt;
use std::io;

use zeroize::Zeroizing;

/// The random identity of a sealed store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StoreId([u8; 16]);

impl StoreId {
    /// The store with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// How often the keys or the login of a sealed store were changed: an older one is a copy that was put back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

impl Generation {
    /// The generation of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// What a sealed store says about one of the keys that open it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct KeySlot<'a> {
    /// What kind of key it is.
    pub kind: u8,
    /// What its [`KeySource`] has stored with it, up to 1 KiB; not secret.
    pub parameters: &'a [u8],
}

/// A key that opens a slot: 32 bytes that nobody can guess. Wiped when it is dropped.
pub struct Kek(Zeroizing<[u8; 32]>);

impl Kek {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Never the key.
impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kek").finish_non_exhaustive()
    }
}

/// A slot that is being made.
#[derive(Debug)]
#[non_exhaustive]
pub struct NewSlot {
    /// The key that will open it.
    pub kek: Kek,
    /// What the source needs to find that key again, up to 1 KiB; not secret.
    pub parameters: Vec<u8>,
}

impl NewSlot {
    /// A slot that `kek` opens.
    #[must_use]
    pub const fn new(kek: Kek, parameters: Vec<u8>) -> Self {
        Self { kek, parameters }
    }
}

/// Who has the keys of a sealed store: a file, a passphrase, a keyring, a chip.
///
/// A source must need a *secret* to make a slot; otherwise anybody could make a store that opens.
pub trait KeySource: Send + Sync {
    /// The key of a slot; `None` for a slot of another source.
    ///
    /// # Errors
    /// What asking for the key gives: it is locked away, its device is not there.
    fn kek(&self, store: &StoreId, slot: &KeySlot<'_>) -> io::Result<Option<Kek>>;

    /// A new slot for a store.
    ///
    /// # Errors
    /// As [`kek`](Self::kek).
    fn new_slot(&self, store: &StoreId) -> io::Result<NewSlot>;
}

/// Who remembers the newest [`Generation`] of a sealed store, away from the store itself, so that an older copy
/// that is put back is noticed.
pub trait Anchor: Send + Sync {
    /// The newest generation that was seen, or `None` for a store that is new to it.
    ///
    /// # Errors
    /// What reading it gives; the store is not opened then.
    fn read(&self, store: &StoreId) -> io::Result<Option<Generation>>;

    /// Remembers a generation. Never lowers what is remembered.
    ///
    /// # Errors
    /// What storing it gives.
    fn advance(&self, store: &StoreId, to: Generation) -> io::Result<()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let slot = NewSlot::new(Kek::new([0xAB; 32]), vec![1]);
        let text = format!("{slot:?}");
        assert!(!text.contains("171") && !text.contains("ab"), "{text}");
        assert_eq!(slot.kek.as_bytes(), &[0xAB; 32]);
        assert!(Generation::new(2) > Generation::new(1));
    }
}
