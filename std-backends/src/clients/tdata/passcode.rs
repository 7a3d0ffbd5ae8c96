//! How the passcode protects the local key.
//!
//! Releases before 7.3 stretch it with PBKDF2, and an empty one in the same way. Since then a key file has one more
//! part: the local key in a wrap for each passcode, of which those of the committed generation count. Without
//! a passcode it is as before; with one, the old place is empty.

use argon2::{Algorithm, Argon2, Params, Version};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::crypto::{LOCAL_KEY_LEN, LocalKey, decrypt};
use super::stream::Stream;
use crate::clients::error::ForeignError;

/// Rounds that a passcode is stretched with.
const ROUNDS: u32 = 100_000;
/// The same where there is none: the key is no secret then.
const ROUNDS_WITHOUT_PASSCODE: u32 = 1;

/// The beginning of the wraps.
const WRAPS_MAGIC: u32 = 0x4B44_3200;
/// As many wraps as any release to come may have.
const MOST_WRAPS: u32 = 16;
/// How a wrap's key is derived.
const ARGON2ID: u32 = 1;
const SCRYPT: u32 = 2;
/// More than this no release asks for; a crafted file could ask for hours, or for all memory.
const MOST_ARGON2: Cost = Cost {
    memory: 256 << 10,
    time: 64,
    parallel: 16,
};
const MOST_SCRYPT: Cost = Cost {
    memory: 1 << 17,
    time: 8,
    parallel: 4,
};

/// Argon2id's memory in KiB, passes and lanes; scrypt's N, r and p.
#[derive(Clone, Copy)]
struct Cost {
    memory: u32,
    time: u32,
    parallel: u32,
}

/// The local key of a key file that has `encrypted_key` after its salt.
///
/// # Errors
/// [`ForeignError::Passcode`] where it takes one and none is given.
pub(super) fn open(
    salt: &[u8],
    encrypted_key: &[u8],
    wraps: Option<&[u8]>,
    passcode: &[u8],
) -> Result<Zeroizing<Vec<u8>>, ForeignError> {
    // What has no passcode is read with any.
    if let Some(key) = decrypt(encrypted_key, &stretch(salt, &[])) {
        return Ok(key);
    }
    if passcode.is_empty() {
        return Err(ForeignError::Passcode);
    }
    if let Some(key) = decrypt(encrypted_key, &stretch(salt, passcode)) {
        return Ok(key);
    }
    let key = wraps.map(|wraps| unwrap(wraps, passcode)).transpose()?;
    key.flatten().ok_or(ForeignError::WrongPasscode)
}

/// The key that protects the local key.
pub(super) fn stretch(salt: &[u8], passcode: &[u8]) -> LocalKey {
    let rounds = if passcode.is_empty() {
        ROUNDS_WITHOUT_PASSCODE
    } else {
        ROUNDS
    };
    let mut hash = Sha512::new();
    for part in [salt, passcode, salt] {
        hash.update(part);
    }
    let hash: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
    let mut key = Zeroizing::new([0; LOCAL_KEY_LEN]);
    pbkdf2_hmac::<Sha512>(&*hash, salt, rounds, &mut *key);
    key
}

/// The local key of the wrap that the passcode opens.
fn unwrap(wraps: &[u8], passcode: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, ForeignError> {
    let what = "passcode of the key file";
    let mut wraps = Stream::new(wraps);
    let magic = wraps.u32(what)?;
    let _format = wraps.u32(what)?;
    let committed = wraps.u32(what)?;
    let count = wraps.u32(what)?;
    if magic != WRAPS_MAGIC || count > MOST_WRAPS {
        return Err(ForeignError::damaged(what));
    }
    for _ in 0..count {
        let (kind, generation) = (wraps.u32(what)?, wraps.u32(what)?);
        let cost = Cost {
            memory: wraps.u32(what)?,
            time: wraps.u32(what)?,
            parallel: wraps.u32(what)?,
        };
        let (salt, encrypted_key) = (wraps.bytes(what)?, wraps.bytes(what)?);
        // What is left of a change of the passcode that was interrupted has another generation.
        if generation != committed {
            continue;
        }
        let key = derive(kind, cost, salt, passcode).ok_or_else(|| {
            ForeignError::damaged(format!("{what}: a derivation that no release uses"))
        })?;
        if let Some(key) = decrypt(encrypted_key, &key) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// The key of a wrap; `None` for a derivation that no release uses.
fn derive(kind: u32, cost: Cost, salt: &[u8], passcode: &[u8]) -> Option<LocalKey> {
    let mut key = Zeroizing::new([0; LOCAL_KEY_LEN]);
    match kind {
        ARGON2ID if cost.is_within(MOST_ARGON2) => {
            let params = Params::new(cost.memory, cost.time, cost.parallel, Some(LOCAL_KEY_LEN));
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params.ok()?)
                .hash_password_into(passcode, salt, &mut *key)
                .ok()?;
        }
        SCRYPT if cost.is_within(MOST_SCRYPT) && cost.memory.is_power_of_two() => {
            let log_n = u8::try_from(cost.memory.trailing_zeros()).ok()?;
            // The length that it takes is for hashes of passwords; what counts is that of the key.
            let len = scrypt::Params::RECOMMENDED_LEN;
            let params = scrypt::Params::new(log_n, cost.time, cost.parallel, len);
            scrypt::scrypt(passcode, salt, &params.ok()?, &mut *key).ok()?;
        }
        _ => return None,
    }
    Some(key)
}

impl Cost {
    const fn is_within(self, most: Self) -> bool {
        self.memory <= most.memory && self.time <= most.time && self.parallel <= most.parallel
    }
}
