//! Telegram Desktop's `tdata` without a passcode.
//!
//! Only the key file and the account's own file are read: the maps next to them gain new kinds of
//! entries with every release, which breaks readers, and nothing of a session is in them.

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aes::Aes256;
use aes::cipher::{BlockDecrypt, KeyInit};
use md5::Md5;
use mtsession_core::Account;
use pbkdf2::pbkdf2_hmac;
use sha1::{Digest, Sha1};
use sha2::Sha512;
use zeroize::Zeroizing;

use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;
use crate::clients::left_out::{self, LeftOut};
use crate::clients::several;

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
/// The two files that are read have some thousand bytes.
const MOST_BYTES: u64 = 16 << 20;
/// Rounds that a passcode is stretched with when there is none.
const ROUNDS_WITHOUT_PASSCODE: u32 = 1;

/// Most accounts that Telegram Desktop ever had room for; those without an entry in the list are looked
/// for up to here.
const MOST_ACCOUNTS: i32 = 8;

/// Reads the only account, or the one with the chosen number, counted from 1.
pub(super) fn read(dir: &Path, choice: Option<usize>) -> Result<Import, ForeignError> {
    let nested = dir.join("tdata");
    let dir = if places(dir, KEY_FILE).is_empty() && nested.is_dir() {
        nested.as_path()
    } else {
        dir
    };
    if places(dir, KEY_FILE).is_empty() {
        return Err(ForeignError::Unknown);
    }
    let mut left_out = Vec::new();
    let (version, (local_key, accounts)) = read_file(dir, KEY_FILE, &mut left_out, |data| {
        open_key_file(dir, data)
    })?;
    let accounts = accounts.unwrap_or_else(|| {
        left_out::add(
            &mut left_out,
            KEY_FILE,
            None,
            "its list of accounts is damaged",
        );
        let numbers = 0..MOST_ACCOUNTS;
        numbers
            .filter(|number| !places(dir, &file_name(*number)).is_empty())
            .collect()
    });

    let read_one = |account: i32| -> Result<Import, ForeignError> {
        let mut lost = left_out.clone();
        let (_, mut import) = read_file(dir, &file_name(account), &mut lost, |data| {
            let data = Stream::new(data).bytes("account file")?;
            let data =
                decrypt(data, &local_key).ok_or_else(|| ForeignError::damaged("account file"))?;
            read_account(data.get(4..).unwrap_or_default())
        })?;
        import.left_out.extend(lost);
        import.version = Some(version.into());
        Ok(import)
    };
    let parts = (1_usize..).zip(&accounts);
    let parts = parts.map(|(number, account)| (format!("account {number}"), read_one(*account)));
    several::only(parts.collect(), choice)
}

/// The key of all other files.
type LocalKey = Zeroizing<[u8; LOCAL_KEY_LEN]>;

/// The local key, and the numbers of the accounts where they can be read.
fn open_key_file(dir: &Path, data: &[u8]) -> Result<(LocalKey, Option<Vec<i32>>), ForeignError> {
    let mut keys = Stream::new(data);
    let salt = keys.bytes("salt of the key file")?;
    let encrypted_key = keys.bytes("key of the key file")?;
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
    let encrypted_info = keys.bytes("account list").unwrap_or_default();
    let info = decrypt(encrypted_info, local_key);
    let accounts = info.and_then(|info| read_accounts(dir, info.get(4..)?).ok());
    Ok((Zeroizing::new(*local_key), accounts))
}

fn read_accounts(dir: &Path, info: &[u8]) -> Result<Vec<i32>, ForeignError> {
    let what = "account list";
    let mut info = Stream::new(info);
    let mut accounts = Vec::new();
    for _ in 0..info.i32(what)? {
        let account = info.i32(what)?;
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    if accounts.is_empty() && !places(dir, &file_name(0)).is_empty() {
        // Releases before there could be several say nothing.
        accounts.push(0);
    }
    Ok(accounts)
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
    let count = block.i32(what)?;
    let mut dcs = Vec::new();
    for row in (1_usize..).take(usize::try_from(count).unwrap_or_default()) {
        let Ok((dc_id, key)) = read_key(&mut block) else {
            import.leave_out(KEYS, Some(row), "the list ends early");
            break;
        };
        let id = address::dc_id(dc_id.into());
        if id.is_none() {
            import.leave_out(KEYS, Some(row), "an id that no DC has");
        }
        dcs.push(Dc {
            id,
            servers: Vec::new(),
            key,
            account: import.account,
            row,
        });
    }
    let stated = address::dc_id(home.into());
    let home = choose(stated, &dcs, None)?;
    import.set_dcs(&dcs, &home, stated, KEYS)?;
    Ok(import)
}

/// What the keys of an account are called in a report.
const KEYS: &str = "keys of the account";

fn read_key(block: &mut Stream<'_>) -> Result<(i32, Found), ForeignError> {
    let dc_id = block.i32(KEYS)?;
    Ok((dc_id, Found::of(block.take(LOCAL_KEY_LEN, KEYS)?)))
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

/// A file's places, the newest first: `s` is the current one, `0` and `1` are those of older releases,
/// which write them in turn.
fn places(dir: &Path, name: &str) -> Vec<PathBuf> {
    ["s", "0", "1"]
        .iter()
        .map(|suffix| dir.join(format!("{name}{suffix}")))
        .filter(|path| path.is_file())
        .collect()
}

/// Reads a file from the first of its places that is whole. The release that wrote it is returned too.
fn read_file<T>(
    dir: &Path,
    name: &str,
    left_out: &mut Vec<LeftOut>,
    read: impl Fn(&[u8]) -> Result<T, ForeignError>,
) -> Result<(u32, T), ForeignError> {
    let mut failed: Option<(String, ForeignError)> = None;
    for path in places(dir, name) {
        let found = checked(&path, name).and_then(|(version, data)| Ok((version, read(&data)?)));
        match (found, failed) {
            (Ok(found), failed) => {
                if let Some((place, error)) = failed {
                    let reason = format!("{error}; an older copy was read instead");
                    left_out::add(left_out, &place, None, reason);
                }
                return Ok(found);
            }
            (Err(error), earlier) => {
                let place = path.file_name().unwrap_or_default().to_string_lossy();
                failed = earlier.or_else(|| Some((place.into_owned(), error)));
            }
        }
    }
    let missing = || ForeignError::damaged(format!("file {name} is missing"));
    Err(failed.map_or_else(missing, |(_, error)| error))
}

/// The content of a file whose digest holds, and the release that wrote it.
fn checked(path: &Path, name: &str) -> Result<(u32, Zeroizing<Vec<u8>>), ForeignError> {
    let damaged = || ForeignError::damaged(format!("file {name}"));
    if fs::metadata(path)?.len() > MOST_BYTES {
        return Err(damaged());
    }
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
