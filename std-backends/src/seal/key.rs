//! Keys that are kept in a file.

use core::fmt;
use std::io;
use std::path::Path;

use base64ct::{Base64UrlUnpadded, Encoding as _};
use mtsession_core::Certain as _;
use mtsession_core::seal::{KeySlot, StoreId};
use sha2_wiped::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::slots::random;
use super::{Kek, KeySource, NewSlot};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::fs::disk::{OpenFile as _, ReadFrom};
use crate::fs::{Temp, open_owned};
use crate::secret_bytes::SecretBytes;
use crate::{StoreError, fs};

/// How a key file begins, so that no other file is taken for a key.
const PREFIX: &str = "mtskey1:";
const KEY_LEN: usize = 32;
/// Bytes of the key's digest after it, which tell a key that was copied in part.
const CHECK_LEN: usize = 4;
/// More bytes than the text of a key has.
const MAX_TEXT: usize = 64;
/// No key file is longer.
const MAX_LEN: u64 = 256;

/// 32 random bytes that open a sealed store. They are worth its logins.
///
/// ```
/// use mtsession::seal::Key;
/// use mtsession::{PersistedSession, StoreError, StoreErrorKind, StoreOptions};
///
/// let dir = tempfile::tempdir()?;
/// let (file, session) = (dir.path().join("bot.key"), dir.path().join("bot.session"));
/// Key::generate()?.write_new(&file)?;
///
/// let sealed = StoreOptions::new().key(Key::from_file(&file)?).connect(&session)?;
/// sealed.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
/// assert_eq!(sealed.load()?.expect("saved above").home_dc_id, 2);
///
/// let error = mtsession::connect(&session)?.load().unwrap_err();
/// assert_eq!(StoreError::of(&error).expect("typed").kind(), StoreErrorKind::Sealed);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Key(Zeroizing<[u8; KEY_LEN]>);

impl Key {
    /// A new key, of the operating system's random numbers.
    ///
    /// # Errors
    /// What keeps the system from giving them.
    pub fn generate() -> io::Result<Self> {
        random().map(Self::from_bytes)
    }

    /// The key of these bytes, which must be random: neither a passphrase nor a serial number.
    #[must_use]
    pub fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The key that [`write_new`](Self::write_new) has written to a file.
    ///
    /// # Errors
    /// What reading the file gives; `InvalidData` for a file that is not a key.
    pub fn from_file(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        Self::read(path)
            .map_err(|error| StoreError::io("key file", path.display().to_string(), "read", error))
    }

    fn read(path: &Path) -> io::Result<Self> {
        let file = open_owned(path, fs::Access::Read, None)?;
        let len = file.status()?.len;
        if len > MAX_LEN {
            return Err(not_a_key());
        }
        let bytes = SecretBytes::read_to_end(
            ReadFrom { file: &file, at: 0 },
            usize::try_from(len).unwrap_or_default(),
        )?;
        str::from_utf8(&bytes)
            .ok()
            .and_then(Self::parse)
            .ok_or_else(not_a_key)
    }

    /// The key that is written as this text.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']).strip_prefix(PREFIX)?;
        let mut bytes = Zeroizing::new([0; KEY_LEN + CHECK_LEN]);
        let decoded = Base64UrlUnpadded::decode(text, &mut *bytes).ok()?;
        let (key, check) = decoded.split_first_chunk::<KEY_LEN>()?;
        (*check == check_of(key)).then(|| Self::from_bytes(*key))
    }

    /// The text that a key file has. It opens everything that the key has sealed.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0; KEY_LEN + CHECK_LEN]);
        let (key, check) = bytes.split_at_mut(KEY_LEN);
        key.copy_from_slice(&self.0[..]);
        check.copy_from_slice(&check_of(&self.0));
        let mut encoded = Zeroizing::new([0; (KEY_LEN + CHECK_LEN) * 4 / 3]);
        let encoded = Base64UrlUnpadded::encode(&*bytes, &mut *encoded);
        let encoded = encoded.ok().certain("there is room for the text of a key");
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
        text.push_str(PREFIX);
        text.push_str(encoded);
        text
    }

    /// Writes the key into a new file that only its owner can read, flushed.
    ///
    /// # Errors
    /// `AlreadyExists` where something is: a key that is overwritten is a store that nobody opens.
    pub fn write_new(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        self.write(path)
            .map_err(|error| StoreError::io("key file", path.display().to_string(), "write", error))
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        use io::Write as _;

        let dir = fs::Directory::open(fs::directory_of(path))?;
        let mut temp = Temp::beside(path)?;
        temp.write_all(self.to_text().as_bytes())?;
        temp.write_all(b"\n")?;
        temp.file().flush_all()?;
        let file = temp.keep_as(path).map_err(|(error, _)| error)?;
        dir.sync(Some(&file));
        Ok(())
    }
}

fn check_of(key: &[u8; KEY_LEN]) -> [u8; CHECK_LEN] {
    let digest: [u8; 32] = Sha256::digest(key).into();
    digest
        .first_chunk()
        .copied()
        .certain("a digest has 32 bytes")
}

fn not_a_key() -> io::Error {
    let message = "it is not a key file, which begins with `mtskey1:`: `Key::write_new` makes one";
    told(StoreErrorKind::Invalid, message)
}

impl KeySource for Key {
    fn kek(&self, _: &StoreId, slot: &KeySlot<'_>) -> io::Result<Option<Kek>> {
        Ok((slot.kind == KeySlot::RAW).then(|| Kek::new(*self.0)))
    }

    fn new_slot(&self, _: &StoreId) -> io::Result<NewSlot> {
        Ok(NewSlot {
            kind: KeySlot::RAW,
            ..NewSlot::new(Kek::new(*self.0), Vec::new())
        })
    }
}

/// Never the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_no_other_text_is_one() {
        let key = Key::from_bytes([0xA7; 32]);
        let text = key.to_text();
        assert_eq!(*Key::parse(&text).unwrap().0, [0xA7; 32]);
        assert!(Key::parse(&format!("{}\r\n", *text)).is_some());
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(Key::parse(&changed).is_none(), "{changed}");
        }
        assert!(Key::parse(&text[..text.len() - 1]).is_none());
        assert!(Key::parse("").is_none());
    }

    #[test]
    fn a_key_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k");
        Key::from_bytes([1; 32]).write_new(&path).unwrap();
        let error = Key::from_bytes([2; 32]).write_new(&path).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(*Key::from_file(&path).unwrap().0, [1; 32]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, "hunter2").unwrap();
        let error = Key::from_file(&path).unwrap_err();
        assert!(error.to_string().contains("write_new"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
