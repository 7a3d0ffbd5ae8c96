//! Boxes without random numbers: the nonce is made of what is in the box.
//!
//! A microcontroller may have no random numbers when it starts, and a cloned chip has those of the other one.
//! Here equal input gives the equal box, and nothing else ever has its nonce.

use chacha20::{R20, hchacha};
use poly1305::Poly1305;
use poly1305::universal_hash::{KeyInit as _, UniversalHash as _};
use zeroize::Zeroizing;

use super::box_key::{MAC_LEN, NONCE_LEN, NotOpened, open_detached, parts, seal_detached};
use super::id::StoreId;

const ENCRYPTING: &[u8; 16] = b"mtsession enc\0\0\0";
const HASHING: &[u8; 16] = b"mtsession hash\0\0";
const MAKING_NONCES: &[u8; 16] = b"mtsession nonce\0";

/// A key of boxes whose nonces are made of their content. Wiped when it is dropped.
///
/// Not for processors whose multiplication takes longer for some numbers than for others (Cortex-M3).
///
/// ```
/// use mtsession_core::seal::{BOX_OVERHEAD, NONCE_LEN, StoreId, SyntheticBoxKey};
///
/// // A key that this device has, and what it calls the region: its serial number.
/// let key = SyntheticBoxKey::for_region(&[7; 32], &StoreId::new([1; 16]));
/// let mut sealed = [0; BOX_OVERHEAD + 5];
/// sealed[NONCE_LEN..NONCE_LEN + 5].copy_from_slice(b"hello");
/// key.seal(b"greeting", &mut sealed);
/// assert_eq!(key.open(b"greeting", &mut sealed)?, b"hello");
/// # Ok::<(), mtsession_core::seal::NotOpened>(())
/// ```
pub struct SyntheticBoxKey {
    encrypting: Zeroizing<[u8; 32]>,
    hashing: Zeroizing<[u8; 32]>,
    making_nonces: Zeroizing<[u8; 32]>,
}

impl SyntheticBoxKey {
    /// The key of a flash region, of a key that only this device has: 32 random bytes, not a serial number and
    /// not a passphrase.
    #[must_use]
    pub fn for_region(device_key: &[u8; 32], region: &StoreId) -> Self {
        Self::new(&derived(device_key, region.as_bytes()))
    }

    /// The key of a box key.
    #[must_use]
    pub fn new(box_key: &[u8; 32]) -> Self {
        Self {
            encrypting: derived(box_key, ENCRYPTING),
            hashing: derived(box_key, HASHING),
            making_nonces: derived(box_key, MAKING_NONCES),
        }
    }

    /// Makes a box of `buffer`, as [`BoxKey::seal`](super::BoxKey::seal) does.
    pub fn seal(&self, ad: &[u8], buffer: &mut [u8]) {
        let Some((stored, text, mac)) = parts(buffer) else {
            return;
        };
        let nonce = self.nonce(ad, text);
        *stored = nonce;
        *mac = seal_detached(&self.encrypting, &nonce, ad, text);
    }

    /// What is in the box, as [`BoxKey::open`](super::BoxKey::open) gives it.
    ///
    /// # Errors
    /// As [`BoxKey::open`](super::BoxKey::open).
    pub fn open<'b>(&self, ad: &[u8], sealed: &'b mut [u8]) -> Result<&'b mut [u8], NotOpened> {
        let (nonce, text, mac) = parts(sealed).ok_or(NotOpened)?;
        open_detached(&self.encrypting, nonce, ad, text, *mac)?;
        Ok(text)
    }

    fn nonce(&self, ad: &[u8], text: &[u8]) -> [u8; NONCE_LEN] {
        let hash = Zeroizing::new(self.hash(ad, text));
        let long = derived(&self.making_nonces, &hash);
        long.first_chunk().copied().unwrap_or([0; NONCE_LEN])
    }

    /// Never leaves: it is the input of the nonce.
    fn hash(&self, ad: &[u8], text: &[u8]) -> [u8; MAC_LEN] {
        let len = |bytes: &[u8]| u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_le_bytes();
        let mut hash = Poly1305::new((&*self.hashing).into());
        hash.update_padded(ad);
        hash.update_padded(text);
        hash.update_padded(&crate::wire::concat_array!(16; len(ad), len(text)));
        hash.finalize().into()
    }
}

/// Never the keys.
impl core::fmt::Debug for SyntheticBoxKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SyntheticBoxKey").finish_non_exhaustive()
    }
}

/// 32 bytes of a key and 16 bytes of what they are for.
fn derived(key: &[u8; 32], purpose: &[u8; 16]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(hchacha::<R20>(key.into(), purpose.into()).into())
}
