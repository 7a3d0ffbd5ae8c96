//! The box that every sealed value is in.

use core::fmt;

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of a nonce, with which a box begins.
pub const NONCE_LEN: usize = 24;
/// Bytes that authenticate a box, with which it ends.
pub const MAC_LEN: usize = 16;
/// Bytes that a box has more than what is in it.
pub const BOX_OVERHEAD: usize = NONCE_LEN + MAC_LEN;

/// A box does not open with this key, or in this place: it was changed, moved, or sealed with another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NotOpened;

impl fmt::Display for NotOpened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it was changed or moved after it was sealed, or sealed with another key")
    }
}

impl core::error::Error for NotOpened {}

/// A key of boxes whose nonces are random: `nonce 24 | ciphertext | MAC 16`, XChaCha20-Poly1305.
///
/// Wiped when it is dropped.
///
/// ```
/// use mtsession_core::seal::{BOX_OVERHEAD, BoxKey, NONCE_LEN};
///
/// let key = BoxKey::new([7; 32]);
/// // 24 bytes of the system's random numbers; the text stands after them.
/// let random = [9; NONCE_LEN];
/// let mut sealed = [0; BOX_OVERHEAD + 5];
/// sealed[NONCE_LEN..NONCE_LEN + 5].copy_from_slice(b"hello");
/// key.seal(&random, b"greeting", &mut sealed);
/// assert!(key.open(b"farewell", &mut sealed.clone()).is_err());
/// assert_eq!(key.open(b"greeting", &mut sealed)?, b"hello");
/// # Ok::<(), mtsession_core::seal::NotOpened>(())
/// ```
pub struct BoxKey(Zeroizing<[u8; 32]>);

impl BoxKey {
    /// A key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The same key once more: copies are made where they are asked for, so that none is made by accident.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    /// Makes a box of `buffer`, whose text stands between room for a nonce and room for a MAC. The nonce must
    /// be random, and new for each box: a counter or a position repeats where a copy is continued.
    ///
    /// A buffer that is shorter than [`BOX_OVERHEAD`] is left as it is.
    pub fn seal(&self, nonce: &[u8; NONCE_LEN], ad: &[u8], buffer: &mut [u8]) {
        let Some((stored, text, mac)) = parts(buffer) else {
            return;
        };
        *stored = *nonce;
        *mac = seal_detached(&self.0, nonce, ad, text);
    }

    /// What is in the box, decrypted where it is.
    ///
    /// # Errors
    /// [`NotOpened`]; the buffer does not hold what was sealed.
    pub fn open<'b>(&self, ad: &[u8], sealed: &'b mut [u8]) -> Result<&'b mut [u8], NotOpened> {
        let (nonce, text, mac) = parts(sealed).ok_or(NotOpened)?;
        open_detached(&self.0, nonce, ad, text, *mac)?;
        Ok(text)
    }
}

/// Never the key.
impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxKey").finish_non_exhaustive()
    }
}

/// Nonce, text and MAC.
pub(super) fn parts(
    buffer: &mut [u8],
) -> Option<(&mut [u8; NONCE_LEN], &mut [u8], &mut [u8; MAC_LEN])> {
    let (nonce, rest) = buffer.split_first_chunk_mut()?;
    let (text, mac) = rest.split_last_chunk_mut()?;
    Some((nonce, text, mac))
}

pub(super) fn seal_detached(
    key: &[u8; 32],
    nonce: &[u8; NONCE_LEN],
    ad: &[u8],
    text: &mut [u8],
) -> [u8; MAC_LEN] {
    let cipher = XChaCha20Poly1305::new(key.into());
    let mac = cipher.encrypt_inout_detached(&XNonce::from(*nonce), ad, text.into());
    // The cipher refuses texts beyond 256 GiB alone. A box without MAC does not open.
    mac.map_or([0; MAC_LEN], Into::into)
}

pub(super) fn open_detached(
    key: &[u8; 32],
    nonce: &[u8; NONCE_LEN],
    ad: &[u8],
    text: &mut [u8],
    mac: [u8; MAC_LEN],
) -> Result<(), NotOpened> {
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher
        .decrypt_inout_detached(&XNonce::from(*nonce), ad, text.into(), &Tag::from(mac))
        .map_err(|_| NotOpened)
}
