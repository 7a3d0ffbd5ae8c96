//! Writes a directory with one account, without a passcode: Telegram Desktop offers to set one.

use std::io::Write as _;
use std::path::Path;

use mtsession_core::SessionSource as _;
use zeroize::Zeroizing;

use super::crypto::{LOCAL_KEY_LEN, LocalKey, encrypt, random};
use super::files::{KEY_FILE, file_name, sealed};
use super::passcode::stretch;
use super::{MTP_AUTHORIZATION, SALT_LEN, WIDE, too_long};
use crate::clients::error::ForeignError;
use crate::clients::outgoing::{Outgoing, private};
use crate::fs::{Directory, TempDirectory, directory_of, make_private_directory};

/// The only account's number.
const ACCOUNT: i32 = 0;

pub(in crate::clients) fn write(path: &Path, outgoing: &Outgoing<'_>) -> Result<(), ForeignError> {
    if outgoing.test_mode() {
        return Err(ForeignError::Unfit(
            "an account of the test servers: Telegram Desktop would take its key to the production servers"
                .to_owned(),
        ));
    }
    let parent = Directory::open(directory_of(path))?;
    let dir = TempDirectory::within(directory_of(path))?;
    let put = |name: &str, data: &[u8]| -> Result<(), ForeignError> {
        // `s` is the suffix of the current file.
        let mut file = private(&dir.path().join(format!("{name}s")))?;
        file.write_all(&sealed(data)?)?;
        Ok(file.sync_all()?)
    };
    let mut local_key: LocalKey = Zeroizing::new([0; LOCAL_KEY_LEN]);
    random(&mut *local_key)?;
    let account = file_name(ACCOUNT);
    put(KEY_FILE, &key_file(&local_key)?)?;
    put(
        &account,
        &bytes(&encrypt(&authorization(outgoing)?, &local_key)?)?,
    )?;
    // Without a map, which may be empty, an account counts as absent.
    make_private_directory(&dir.path().join(&account))?;
    let map = encrypt(&[], &local_key)?;
    put(
        &format!("{account}/map"),
        &[bytes(&[])?, bytes(&[])?, bytes(&map)?].concat(),
    )?;
    dir.keep_as(path)?;
    parent.sync(None);
    Ok(())
}

/// The salt of no passcode, the local key, and the list of accounts with the number of the active one.
fn key_file(local_key: &LocalKey) -> Result<Vec<u8>, ForeignError> {
    let mut salt = [0; SALT_LEN];
    random(&mut salt)?;
    let key = encrypt(&**local_key, &stretch(&salt, &[]))?;
    let accounts = [1, ACCOUNT, ACCOUNT].map(i32::to_be_bytes).concat();
    let accounts = encrypt(&accounts, local_key)?;
    Ok([bytes(&salt)?, bytes(&key)?, bytes(&accounts)?].concat())
}

/// The block of the account: user, home DC, keys of the DCs, and no keys to be destroyed.
fn authorization(outgoing: &Outgoing<'_>) -> Result<Zeroizing<Vec<u8>>, ForeignError> {
    let home = outgoing.dc_id();
    // The home DC first; of several entries of a DC the first with a key counts, as everywhere.
    let mut keys = vec![(home, outgoing.key())];
    for dc in outgoing.record.dcs().filter(|dc| dc.flags.is_main()) {
        if let Some(key) = dc.auth_key
            && keys.iter().all(|(known, _)| *known != dc.dc_id)
        {
            keys.push((dc.dc_id, key.as_bytes()));
        }
    }
    let user_id = outgoing.account().user_id.unwrap_or_default();
    let count = i32::try_from(keys.len()).unwrap_or(i32::MAX);
    let mut block = Zeroizing::new(Vec::with_capacity(
        keys.len()
            .saturating_mul(LOCAL_KEY_LEN.saturating_add(4))
            .saturating_add(64),
    ));
    for tag in WIDE {
        block.extend_from_slice(&tag.to_be_bytes());
    }
    block.extend_from_slice(&user_id.to_be_bytes());
    block.extend_from_slice(&home.to_be_bytes());
    block.extend_from_slice(&count.to_be_bytes());
    for (dc_id, key) in keys {
        block.extend_from_slice(&dc_id.to_be_bytes());
        block.extend_from_slice(key);
    }
    block.extend_from_slice(&0_i32.to_be_bytes());
    let block = Zeroizing::new(bytes(&block)?);
    let mut data = Zeroizing::new(Vec::with_capacity(block.len().saturating_add(4)));
    data.extend_from_slice(&MTP_AUTHORIZATION.to_be_bytes());
    data.extend_from_slice(&block);
    Ok(data)
}

/// A byte array as Qt writes it: its length, and then its bytes.
fn bytes(content: &[u8]) -> Result<Vec<u8>, ForeignError> {
    let len = u32::try_from(content.len()).map_err(|_| too_long())?;
    Ok([&len.to_be_bytes(), content].concat())
}
