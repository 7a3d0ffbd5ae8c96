//! Key slots: the store's key, wrapped with the key of somebody who may open it.

use std::io;

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};
use hkdf::Hkdf;
use mtsession_core::seal::{KeySlot, MAX_PARAMETERS, SALT_LEN, SealedKind, StoreId, WRAPPED_LEN};
use sha2_wiped::Sha256;
use zeroize::Zeroizing;

use super::{Kek, NewSlot};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;

const INFO: &[u8] = b"mtsession/1 slot";

/// The nonce of a wrapped key, whose own key is used once.
const NONCE: [u8; 12] = [0; 12];

/// A slot of a store that is open.
#[derive(Clone)]
pub(super) struct OwnedSlot {
    kind: u8,
    parameters: Vec<u8>,
    salt: [u8; SALT_LEN],
    wrapped: [u8; WRAPPED_LEN],
}

impl OwnedSlot {
    pub(super) fn copy_of(slot: &KeySlot<'_>) -> Self {
        Self {
            kind: slot.kind,
            parameters: slot.parameters.to_vec(),
            salt: *slot.salt,
            wrapped: *slot.wrapped,
        }
    }

    /// Wraps the store's key for a new slot.
    pub(super) fn wrap(
        new: &NewSlot,
        kind: SealedKind,
        store: &StoreId,
        dek: &[u8; 32],
    ) -> io::Result<Self> {
        if new.parameters.len() > MAX_PARAMETERS {
            let message = format!(
                "a key wants to store {} bytes with its slot, which takes at most {MAX_PARAMETERS}",
                new.parameters.len()
            );
            return Err(told(StoreErrorKind::Invalid, message));
        }
        let mut slot = Self {
            kind: new.kind,
            parameters: new.parameters.clone(),
            salt: random()?,
            wrapped: [0; WRAPPED_LEN],
        };
        let ad = ad(kind, &slot.as_slot());
        let mut text = Zeroizing::new(*dek);
        let mac = wrapping(&new.kek, store, &slot.salt)
            .encrypt_inout_detached(&Nonce::from(NONCE), &ad, (&mut text[..]).into())
            .map_err(|_| told(StoreErrorKind::Bug, "32 bytes cannot be encrypted"))?;
        let (wrapped, stored_mac) = slot.wrapped.split_at_mut(dek.len());
        wrapped.copy_from_slice(&text[..]);
        stored_mac.copy_from_slice(&mac);
        Ok(slot)
    }

    pub(super) fn as_slot(&self) -> KeySlot<'_> {
        KeySlot::new(self.kind, &self.parameters, &self.salt, &self.wrapped)
    }
}

/// The store's key, if this key opens the slot.
pub(super) fn unwrap(
    slot: &KeySlot<'_>,
    kek: &Kek,
    kind: SealedKind,
    store: &StoreId,
) -> Option<Zeroizing<[u8; 32]>> {
    let (text, mac) = slot.wrapped.split_first_chunk::<32>()?;
    let mac: [u8; 16] = mac.try_into().ok()?;
    let mut dek = Zeroizing::new(*text);
    wrapping(kek, store, slot.salt)
        .decrypt_inout_detached(
            &Nonce::from(NONCE),
            &ad(kind, slot),
            (&mut dek[..]).into(),
            &Tag::from(mac),
        )
        .ok()?;
    Some(dek)
}

fn wrapping(kek: &Kek, store: &StoreId, salt: &[u8; SALT_LEN]) -> ChaCha20Poly1305 {
    let derived = Hkdf::<Sha256>::new(Some(salt), kek.as_bytes());
    let mut key = Zeroizing::new([0; 32]);
    // 32 bytes can always be had: the bound is 255 times as many.
    let _ = derived.expand_multi_info(&[INFO, store.as_bytes()], &mut *key);
    ChaCha20Poly1305::new((&*key).into())
}

/// The kind of the store, and the slot up to its wrapped key.
fn ad(kind: SealedKind, slot: &KeySlot<'_>) -> Vec<u8> {
    let len = u16::try_from(slot.parameters.len()).unwrap_or(u16::MAX);
    let mut ad = vec![kind.number(), slot.kind];
    ad.extend_from_slice(&len.to_le_bytes());
    ad.extend_from_slice(slot.parameters);
    ad.extend_from_slice(slot.salt);
    ad
}

/// Random bytes of the operating system, asked for anew each time: nothing is kept that a forked or cloned
/// process could use again.
pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let message = format!("the operating system gives no random numbers: {error}");
        told(StoreErrorKind::Other, message)
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORE: StoreId = StoreId::new([1; 16]);
    const DEK: [u8; 32] = [0xDE; 32];

    fn wrapped(kek: u8, parameters: &[u8]) -> OwnedSlot {
        let new = NewSlot::new(Kek::new([kek; 32]), parameters.to_vec());
        OwnedSlot::wrap(&new, SealedKind::File, &STORE, &DEK).unwrap()
    }

    #[test]
    fn a_slot_opens_with_its_key_in_its_store_and_unchanged() {
        let slot = wrapped(7, b"parameters");
        let open = |slot: &OwnedSlot, kek: u8, kind, store: &StoreId| {
            unwrap(&slot.as_slot(), &Kek::new([kek; 32]), kind, store).map(|dek| *dek)
        };
        let file = SealedKind::File;
        assert_eq!(open(&slot, 7, file, &STORE), Some(DEK));
        assert_eq!(open(&slot, 8, file, &STORE), None);
        assert_eq!(open(&slot, 7, SealedKind::String, &STORE), None);
        assert_eq!(open(&slot, 7, file, &StoreId::new([2; 16])), None);

        let mut changed = slot.clone();
        changed.kind ^= 1;
        assert_eq!(open(&changed, 7, file, &STORE), None);
        for bit in 0..slot.parameters.len() * 8 {
            let mut changed = slot.clone();
            changed.parameters[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&changed, 7, file, &STORE), None, "parameters, {bit}");
        }
        for bit in 0..SALT_LEN * 8 {
            let mut changed = slot.clone();
            changed.salt[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&changed, 7, file, &STORE), None, "salt, {bit}");
        }
        for bit in 0..WRAPPED_LEN * 8 {
            let mut changed = slot.clone();
            changed.wrapped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&changed, 7, file, &STORE), None, "key, {bit}");
        }
    }

    #[test]
    fn each_wrapping_has_a_salt_of_its_own() {
        let (one, other) = (wrapped(7, b""), wrapped(7, b""));
        assert_ne!(one.salt, other.salt);
        assert_ne!(one.wrapped, other.wrapped);
    }
}
