//! Sealed stores: who holds their keys, and who remembers how new they are.
//!
//! With the feature `seal` a session file can be sealed: [`StoreOptions::key`](crate::StoreOptions::key) opens it, or
//! makes it sealed where there is none yet. The file without the key is worth nothing. What is promised, and
//! what is not, is told in [`sealing`](crate::codec::sealing). Without the feature, and in a store that cannot be
//! sealed, the option is an error of the kind [`Unsupported`](crate::StoreErrorKind::Unsupported), never a store
//! that is plain after all.

#[cfg(not(feature = "seal"))]
mod absent;
#[cfg(feature = "seal")]
mod file_anchor;
#[cfg(feature = "seal")]
mod key;
#[cfg(feature = "seal")]
mod login_digest;
#[cfg(feature = "seal")]
mod open_seal;
#[cfg(feature = "seal")]
mod passphrase;
#[cfg(feature = "seal")]
mod schedule;
#[cfg(feature = "seal")]
mod sealing;
#[cfg(feature = "seal")]
mod slots;

use core::fmt;
use std::io;

pub use mtsession_core::seal::{Generation, KeySlot, StoreId};
use zeroize::Zeroizing;

#[cfg(not(feature = "seal"))]
pub(crate) use self::absent::{OpenSeal, Sealing, login_digest, mac_of};
#[cfg(feature = "seal")]
pub use self::file_anchor::FileAnchor;
#[cfg(feature = "seal")]
pub use self::key::Key;
#[cfg(feature = "seal")]
pub(crate) use self::login_digest::login_digest;
#[cfg(feature = "seal")]
pub(crate) use self::open_seal::{OpenSeal, mac_of};
#[cfg(feature = "seal")]
pub use self::passphrase::Passphrase;
#[cfg(feature = "seal")]
pub(crate) use self::sealing::{Keys, Sealing};

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
    /// What kind of key it is.
    pub kind: u8,
    /// The key that will open it.
    pub kek: Kek,
    /// What the source needs to find that key again, up to 1 KiB; not secret.
    pub parameters: Vec<u8>,
}

impl NewSlot {
    /// A slot of the kind [`KeySlot::CALLER`] that `kek` opens.
    #[must_use]
    pub const fn new(kek: Kek, parameters: Vec<u8>) -> Self {
        Self {
            kind: KeySlot::CALLER,
            kek,
            parameters,
        }
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
