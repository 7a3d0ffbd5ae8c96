//! The keys of a sealed store, which all come from one.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use mtsession_core::seal::{BoxKey, HEADER_MAC_LEN, StoreId};
use sha2_wiped::Sha256;
use zeroize::Zeroizing;

/// What every purpose begins with.
const PREFIX: &[u8] = b"mtsession/1 ";

/// The keys of a store, derived from its DEK. Wiped when dropped.
pub(super) struct SubKeys {
    header: Zeroizing<[u8; 32]>,
    pub(super) body: BoxKey,
    pub(super) tail: BoxKey,
}

impl SubKeys {
    pub(super) fn of(store: &StoreId, dek: &[u8; 32]) -> Self {
        let prk = Hkdf::<Sha256>::new(Some(store.as_bytes()), dek);
        let sub_key = |purpose: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            // 32 bytes can always be had: the bound is 255 times as many.
            let _ = prk.expand_multi_info(&[PREFIX, purpose], &mut *key);
            key
        };
        Self {
            header: sub_key(b"header"),
            body: BoxKey::new(*sub_key(b"body")),
            tail: BoxKey::new(*sub_key(b"tail")),
        }
    }

    pub(super) fn copy(&self) -> Self {
        Self {
            header: self.header.clone(),
            body: self.body.copy(),
            tail: self.tail.copy(),
        }
    }

    /// What authenticates a header that begins with these bytes.
    pub(super) fn mac(&self, covered: &[u8]) -> [u8; HEADER_MAC_LEN] {
        self.hmac(covered).finalize().into_bytes().into()
    }

    /// Whether that is what a header ends with, compared in constant time.
    pub(super) fn is_mac(&self, covered: &[u8], mac: &[u8; HEADER_MAC_LEN]) -> bool {
        self.hmac(covered).verify(mac.into()).is_ok()
    }

    fn hmac(&self, covered: &[u8]) -> Hmac<Sha256> {
        // HMAC fills a shorter key up with zeros.
        let mut block = Zeroizing::new([0; 64]);
        if let Some(key) = block.first_chunk_mut() {
            *key = *self.header;
        }
        let mut hmac = Hmac::<Sha256>::new((&*block).into());
        hmac.update(covered);
        hmac
    }
}
