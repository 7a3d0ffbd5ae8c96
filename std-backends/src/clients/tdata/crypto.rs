//! How `tdata` is encrypted: by a local key, in the way of MTProto 1.0.

use aes::Aes256;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use super::too_long;
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
    let mut ige = Ige::new(&aes_key, &iv)?;
    let plain = Zeroizing::new(each_block(encrypted, |block| ige.decrypt(block))?);
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
    let mut ige = Ige::new(&aes_key, &iv).ok_or_else(too_long)?;
    let encrypted = each_block(&padded, |block| ige.encrypt(block)).ok_or_else(too_long)?;
    Ok([message_key.as_slice(), &encrypted].concat())
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

/// What a block of AES-256 in infinite garble extension mode is chained with: the blocks before it.
struct Ige {
    cipher: Aes256,
    encrypted: Block,
    plain: Block,
}

impl Ige {
    fn new(key: &[u8; 32], iv: &[u8; 32]) -> Option<Self> {
        Some(Self {
            cipher: Aes256::new(key.into()),
            encrypted: *iv.first_chunk()?,
            plain: *iv.last_chunk()?,
        })
    }

    fn decrypt(&mut self, encrypted: &Block) -> Block {
        let mut block = aes::Block::from(xor(encrypted, &self.plain));
        self.cipher.decrypt_block(&mut block);
        self.plain = xor(&block.into(), &self.encrypted);
        self.encrypted = *encrypted;
        self.plain
    }

    fn encrypt(&mut self, plain: &Block) -> Block {
        let mut block = aes::Block::from(xor(plain, &self.encrypted));
        self.cipher.encrypt_block(&mut block);
        self.encrypted = xor(&block.into(), &self.plain);
        self.plain = *plain;
        self.encrypted
    }
}

/// Every block of `bytes`, of which there must be whole ones and at least one.
fn each_block(bytes: &[u8], ige: impl FnMut(&Block) -> Block) -> Option<Vec<u8>> {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let is_whole = rest.is_empty() && !blocks.is_empty();
    if !is_whole {
        return None;
    }
    let mut done = Vec::with_capacity(bytes.len());
    done.extend(blocks.iter().flat_map(ige));
    Some(done)
}

fn xor(a: &Block, b: &Block) -> Block {
    core::array::from_fn(|index| {
        let byte = |block: &Block| block.get(index).copied().unwrap_or_default();
        byte(a) ^ byte(b)
    })
}
