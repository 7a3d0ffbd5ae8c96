//! How `tdata` is encrypted: by a local key, in the way of MTProto 1.0.

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::clients::error::ForeignError;

/// Length of the key that everything is encrypted with.
pub(super) const LOCAL_KEY_LEN: usize = 256;
/// The key of all files but the key file.
pub(super) type LocalKey = Zeroizing<[u8; LOCAL_KEY_LEN]>;

/// Decrypts what is led by its message key, the beginning of the SHA-1 of the plain text; `None` where
/// that does not hold.
pub(super) fn decrypt(encrypted: &[u8], key: &[u8; LOCAL_KEY_LEN]) -> Option<Zeroizing<Vec<u8>>> {
    let (message_key, encrypted) = encrypted.split_first_chunk::<16>()?;
    let [aes_key, iv] = derive(key, message_key)?;
    let plain = Zeroizing::new(ige_decrypt(encrypted, &aes_key, &iv)?);
    let digest = Sha1::digest(plain.as_slice());
    if !digest.starts_with(message_key) {
        return None;
    }
    let len = plain
        .first_chunk::<4>()
        .map(|len| u32::from_le_bytes(*len))?;
    let len = usize::try_from(len).ok()?;
    Some(Zeroizing::new(plain.get(..len)?.to_vec()))
}

/// The opposite of [`decrypt`]: what is read back is `plain` after the four bytes of its length.
pub(super) fn encrypt(plain: &[u8], key: &[u8; LOCAL_KEY_LEN]) -> Result<Vec<u8>, ForeignError> {
    let too_long = || ForeignError::Unfit("the session is too long for tdata".to_owned());
    let len = plain.len().checked_add(4).ok_or_else(too_long)?;
    let mut padded = Zeroizing::new(Vec::with_capacity(len.next_multiple_of(16)));
    padded.extend_from_slice(&u32::try_from(len).map_err(|_| too_long())?.to_le_bytes());
    padded.extend_from_slice(plain);
    padded.resize(len.next_multiple_of(16), 0);
    if let Some(padding) = padded.get_mut(len..) {
        random(padding)?;
    }
    let digest = Sha1::digest(padded.as_slice());
    let message_key: &Block = digest.first_chunk().ok_or_else(too_long)?;
    let [aes_key, iv] = derive(key, message_key).ok_or_else(too_long)?;
    let mut encrypted = message_key.to_vec();
    encrypted.extend(ige_encrypt(&padded, &aes_key, &iv).ok_or_else(too_long)?);
    Ok(encrypted)
}

/// Bytes that nobody can guess.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), ForeignError> {
    getrandom::fill(bytes).map_err(|error| ForeignError::Io(error.into()))
}

type Block = [u8; 16];

/// MTProto 1.0's key derivation, as for messages from the server: the AES key and the vector.
fn derive(key: &[u8; LOCAL_KEY_LEN], message_key: &Block) -> Option<[Zeroizing<[u8; 32]>; 2]> {
    /// Where the key is cut for this direction.
    const X: usize = 8;
    let part = |from: usize, len: usize| {
        let from = from.checked_add(X)?;
        key.get(from..from.checked_add(len)?)
    };
    let sha1 = |parts: [&[u8]; 3]| -> Zeroizing<[u8; 20]> {
        let mut hash = Sha1::new();
        for part in parts {
            hash.update(part);
        }
        Zeroizing::new(hash.finalize().into())
    };
    let a = sha1([message_key, part(0, 32)?, &[]]);
    let b = sha1([part(32, 16)?, message_key, part(48, 16)?]);
    let c = sha1([part(64, 32)?, message_key, &[]]);
    let d = sha1([message_key, part(96, 32)?, &[]]);
    let join = |parts: [&[u8]; 4]| {
        let mut joined = Zeroizing::new([0; 32]);
        let bytes = parts.into_iter().flatten();
        for (slot, byte) in joined.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        joined
    };
    let aes_key = join([a.get(..8)?, b.get(8..20)?, c.get(4..16)?, &[]]);
    let iv = join([a.get(8..20)?, b.get(..8)?, c.get(16..20)?, d.get(..8)?]);
    Some([aes_key, iv])
}

/// AES-256 in infinite garble extension mode.
fn ige_decrypt(encrypted: &[u8], key: &[u8; 32], iv: &[u8; 32]) -> Option<Vec<u8>> {
    let cipher = Aes256::new(key.into());
    let (blocks, rest) = encrypted.as_chunks::<16>();
    if !rest.is_empty() || blocks.is_empty() {
        return None;
    }
    let mut previous_encrypted = *iv.first_chunk::<16>()?;
    let mut previous_plain = *iv.last_chunk::<16>()?;
    let mut plain = Vec::with_capacity(encrypted.len());
    for block in blocks {
        let mut state = xor(block, &previous_plain);
        let mut array = aes::Block::from(state);
        cipher.decrypt_block(&mut array);
        state.copy_from_slice(&array);
        previous_plain = xor(&state, &previous_encrypted);
        previous_encrypted = *block;
        plain.extend_from_slice(&previous_plain);
    }
    Some(plain)
}

/// The opposite of [`ige_decrypt`].
fn ige_encrypt(plain: &[u8], key: &[u8; 32], iv: &[u8; 32]) -> Option<Vec<u8>> {
    let cipher = Aes256::new(key.into());
    let (blocks, rest) = plain.as_chunks::<16>();
    if !rest.is_empty() || blocks.is_empty() {
        return None;
    }
    let mut previous_encrypted = *iv.first_chunk::<16>()?;
    let mut previous_plain = *iv.last_chunk::<16>()?;
    let mut encrypted = Vec::with_capacity(plain.len());
    for block in blocks {
        let mut array = aes::Block::from(xor(block, &previous_encrypted));
        cipher.encrypt_block(&mut array);
        previous_encrypted = xor(&array.into(), &previous_plain);
        previous_plain = *block;
        encrypted.extend_from_slice(&previous_encrypted);
    }
    Some(encrypted)
}

fn xor(a: &Block, b: &Block) -> Block {
    core::array::from_fn(|index| {
        let byte = |block: &Block| block.get(index).copied().unwrap_or_default();
        byte(a) ^ byte(b)
    })
}
