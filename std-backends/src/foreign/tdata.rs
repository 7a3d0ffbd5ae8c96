//! Telegram Desktop's `tdata` without a passcode.
//!
//! Only the key file and the account's own file are read: the maps beside them gain new kinds of
//! entries with every release, which breaks readers, and nothing of a session is in them.

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aes::Aes256;
use aes::cipher::{BlockDecrypt, KeyInit};
use md5::Md5;
use mtsession_core::Account;
use mtsession_core::foreign::Server;
use pbkdf2::pbkdf2_hmac;
use sha1::{Digest, Sha1};
use sha2::Sha512;
use zeroize::Zeroizing;

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};

const MAGIC: [u8; 4] = *b"TDF$";
/// What an account's files are named after.
const DATA_NAME: &str = "data";
/// The file with the key of all others.
const KEY_FILE: &str = "key_data";
/// The block with the keys of an account.
const MTP_AUTHORIZATION: u32 = 75;
/// Says that user id and DC follow in their wide form.
const WIDE: [i32; 2] = [-1, -1];
/// Length of the key that everything is encrypted with, and of the salt of its own encryption.
const LOCAL_KEY_LEN: usize = 256;
const SALT_LEN: usize = 32;
/// Rounds that a passcode is stretched with when there is none.
const ROUNDS_WITHOUT_PASSCODE: u32 = 1;

/// Reads the account with this number, counted from 1.
pub(super) fn read(dir: &Path, number: usize) -> Result<Import, ForeignError> {
    let nested = dir.join("tdata");
    let dir = if find(dir, KEY_FILE).is_none() && nested.is_dir() {
        nested.as_path()
    } else {
        dir
    };
    if find(dir, KEY_FILE).is_none() {
        return Err(ForeignError::Unknown);
    }
    let (version, keys) = read_file(dir, KEY_FILE)?;
    let mut keys = Stream::new(&keys);
    let salt = keys.bytes("salt of the key file")?;
    let encrypted_key = keys.bytes("key of the key file")?;
    let encrypted_info = keys.bytes("account list")?;
    if salt.len() != SALT_LEN {
        return Err(ForeignError::damaged("salt of the key file"));
    }

    let passcode_key = stretch(salt);
    // Everything else was checked by its digest: what does not decrypt is locked.
    let local_key = decrypt(encrypted_key, &passcode_key).ok_or(ForeignError::Passcode)?;
    let local_key: &[u8; LOCAL_KEY_LEN] = local_key
        .get(4..)
        .and_then(<[u8]>::first_chunk)
        .ok_or_else(|| ForeignError::damaged("key of the key file"))?;
    let info = decrypt(encrypted_info, local_key)
        .ok_or_else(|| ForeignError::damaged("account list of the key file"))?;
    let mut info = Stream::new(info.get(4..).unwrap_or_default());
    let count = info.i32("account list")?;
    let mut accounts = Vec::new();
    for _ in 0..count {
        accounts.push(info.i32("account list")?);
    }
    if accounts.is_empty() {
        // Releases before there could be several say nothing.
        accounts.push(0);
    }
    let index = number.checked_sub(1).and_then(|at| accounts.get(at));
    let count = accounts.len();
    let account = index.ok_or(ForeignError::NoAccount { number, count })?;

    let (_, data) = read_file(dir, &file_name(*account))?;
    let data = Stream::new(&data).bytes("account file")?.to_vec();
    let data = decrypt(&data, local_key).ok_or_else(|| ForeignError::damaged("account file"))?;
    let mut import = read_account(data.get(4..).unwrap_or_default())?;
    import.accounts = count;
    import.version = Some(version.into());
    Ok(import)
}

/// The block of an account: user, home DC, keys of every DC.
fn read_account(data: &[u8]) -> Result<Import, ForeignError> {
    let what = "authorization of the account";
    let mut import = Import::new(FileFormat::Tdata);
    let mut data = Stream::new(data);
    if data.u32(what)? != MTP_AUTHORIZATION {
        return Err(ForeignError::damaged(what));
    }
    let mut block = Stream::new(data.bytes(what)?);
    let tag = [block.i32(what)?, block.i32(what)?];
    let (user_id, home) = if tag == WIDE {
        (block.u64(what)?, block.i32(what)?)
    } else {
        let [user_id, home] = tag;
        (u64::try_from(user_id).unwrap_or_default(), home)
    };
    import.account = Account {
        user_id: i64::try_from(user_id).ok().filter(|id| *id > 0),
        ..Account::default()
    };
    import.set_home(home);
    let count = block.i32(what)?;
    let mut home_has_key = false;
    for _ in 0..count {
        let dc_id = block.i32(what)?;
        let key = Key::of(block.take(LOCAL_KEY_LEN, what)?)?;
        let server = Server::well_known(dc_id, false).ok_or(ForeignError::UnknownDc(dc_id))?;
        home_has_key |= dc_id == home;
        import.push_dc(dc_id, &server, Some(&key));
    }
    if !home_has_key {
        return Err(ForeignError::NotLoggedIn);
    }
    Ok(import)
}

/// The files of an account are named after the MD5 of its data name, with the digits of every byte
/// swapped.
fn file_name(account: i32) -> String {
    let name = match account {
        0 => DATA_NAME.to_owned(),
        other => format!("{DATA_NAME}#{}", other.saturating_add(1)),
    };
    let mut digits = String::new();
    for byte in Md5::digest(name).iter().take(8) {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{:02X}", byte.rotate_left(4));
    }
    digits
}

/// The newest of a file's places: `s` is the current one, `0` and `1` are those of older releases.
fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    ["s", "0", "1"]
        .iter()
        .map(|suffix| dir.join(format!("{name}{suffix}")))
        .find(|path| path.is_file())
}

/// The content of a file whose digest holds.
/// The release that wrote a file, and what is in it.
fn read_file(dir: &Path, name: &str) -> Result<(u32, Zeroizing<Vec<u8>>), ForeignError> {
    let damaged = || ForeignError::damaged(format!("file {name}"));
    let path =
        find(dir, name).ok_or_else(|| ForeignError::damaged(format!("file {name} is missing")))?;
    let file = Zeroizing::new(fs::read(path)?);
    let rest = file.strip_prefix(&MAGIC).ok_or_else(damaged)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (data, digest) = rest.split_last_chunk::<16>().ok_or_else(damaged)?;
    let len = i32::try_from(data.len()).map_err(|_| damaged())?;
    let mut md5 = Md5::new();
    md5.update(data);
    md5.update(len.to_le_bytes());
    md5.update(version);
    md5.update(MAGIC);
    if md5.finalize().as_slice() != digest {
        return Err(damaged());
    }
    Ok((u32::from_le_bytes(*version), Zeroizing::new(data.to_vec())))
}

/// The key that protects the local key, for an empty passcode.
fn stretch(salt: &[u8]) -> Zeroizing<[u8; LOCAL_KEY_LEN]> {
    let mut hash = Sha512::new();
    hash.update(salt);
    hash.update(salt);
    let hash = hash.finalize();
    let mut key = Zeroizing::new([0; LOCAL_KEY_LEN]);
    pbkdf2_hmac::<Sha512>(&hash, salt, ROUNDS_WITHOUT_PASSCODE, &mut *key);
    key
}

/// Decrypts what is led by its message key, the beginning of the SHA-1 of the plain text; `None` where
/// that does not hold.
fn decrypt(encrypted: &[u8], key: &[u8; LOCAL_KEY_LEN]) -> Option<Zeroizing<Vec<u8>>> {
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

fn xor(a: &Block, b: &Block) -> Block {
    core::array::from_fn(|index| {
        let byte = |block: &Block| block.get(index).copied().unwrap_or_default();
        byte(a) ^ byte(b)
    })
}

/// Qt's data stream: big-endian, byte arrays led by their length.
struct Stream<'a> {
    rest: &'a [u8],
}

impl<'a> Stream<'a> {
    const fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    fn take(&mut self, len: usize, what: &str) -> Result<&'a [u8], ForeignError> {
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| ForeignError::damaged(format!("{what} ends early")))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ForeignError> {
        self.take(N, what)?
            .try_into()
            .map_err(|_| ForeignError::damaged(format!("{what} ends early")))
    }

    fn i32(&mut self, what: &str) -> Result<i32, ForeignError> {
        self.array(what).map(i32::from_be_bytes)
    }

    fn u32(&mut self, what: &str) -> Result<u32, ForeignError> {
        self.array(what).map(u32::from_be_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64, ForeignError> {
        self.array(what).map(u64::from_be_bytes)
    }

    fn bytes(&mut self, what: &str) -> Result<&'a [u8], ForeignError> {
        let len = self.u32(what)?;
        // Qt's null array.
        if len == u32::MAX {
            return Ok(&[]);
        }
        self.take(usize::try_from(len).unwrap_or(usize::MAX), what)
    }
}
