//! How the log is encrypted: AES-256 in counter mode, from the event that says so to the end.

use aes::Aes256;
use base64ct::{Base64, Encoding as _};
use ctr::Ctr128BE;
use ctr::cipher::KeyIvInit as _;
use pbkdf2::hmac::{Hmac, Mac as _};
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clients::cursor::Cursor;
use crate::clients::error::ForeignError;

pub(super) type Cipher = Ctr128BE<Aes256>;

const KEY_LEN: usize = 32;
const IV_LEN: usize = 16;
/// The key of programs that give none: no secret.
const NO_KEY: &[u8] = b"cucumber";
/// What the derived key signs, so that a wrong one is noticed.
const SIGNED: &[u8] = b"cucumbers everywhere";
/// Rounds for a key that is as good as random, and for one that a person thought of.
const ROUNDS: [u32; 2] = [FEW_ROUNDS, 60_002];
const FEW_ROUNDS: u32 = 2;

/// The cipher that an event with flags, salt, initial counter and check describes.
///
/// # Errors
/// [`ForeignError::DatabaseKey`] where it takes a key and none is given, and
/// [`ForeignError::WrongPasscode`] for a wrong one.
pub(super) fn open(event: &[u8], key: &[u8]) -> Result<Cipher, ForeignError> {
    let what = "event about its encryption";
    let mut event = Cursor::new(event);
    event.i32(what)?;
    let salt = event.tl_bytes(what)?;
    let iv: [u8; IV_LEN] = event
        .tl_bytes(what)?
        .try_into()
        .map_err(|_| ForeignError::damaged(what))?;
    let check = event.tl_bytes(what)?;
    // A program's own key is bytes, which TDLib's JSON has in base64.
    let decoded = str::from_utf8(key).ok().map(str::trim);
    let decoded = decoded.and_then(|key| Base64::decode_vec(key).ok());
    let decoded = decoded.map(Zeroizing::new);
    let given = [Some(key), decoded.as_ref().map(|key| &***key)];
    let given = given.into_iter().flatten().filter(|key| !key.is_empty());
    let given = given.flat_map(|key| ROUNDS.map(|rounds| (key, rounds)));
    for (secret, rounds) in [(NO_KEY, FEW_ROUNDS)].into_iter().chain(given) {
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        pbkdf2_hmac::<Sha256>(secret, salt, rounds, derived.as_mut_slice());
        if is_signed(&derived, check) {
            return Ok(Cipher::new((&*derived).into(), &iv.into()));
        }
    }
    Err(if key.is_empty() {
        ForeignError::DatabaseKey
    } else {
        ForeignError::WrongPasscode
    })
}

fn is_signed(key: &[u8; KEY_LEN], check: &[u8]) -> bool {
    Hmac::<Sha256>::new_from_slice(key).is_ok_and(|mut mac| {
        mac.update(SIGNED);
        mac.verify_slice(check).is_ok()
    })
}
