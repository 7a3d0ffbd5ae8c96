//! Reads the key file and the accounts' own files.
//!
//! The maps next to them gain new kinds of entries with every release, which breaks readers, and nothing of
//! a session is in them.

use std::path::Path;

use mtsession_core::Account;
use zeroize::Zeroizing;

use super::crypto::{LOCAL_KEY_LEN, LocalKey, decrypt};
use super::files::{KEY_FILE, checked, file_name, places};
use super::passcode;
use super::stream::Stream;
use super::{MTP_AUTHORIZATION, SALT_LEN, WIDE};
use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;
use crate::clients::left_out::{self, LeftOut};
use crate::clients::several;

/// Most accounts that Telegram Desktop ever had room for; those without an entry in the list are looked
/// for up to here.
const MOST_ACCOUNTS: i32 = 8;

/// Reads the only account, or the one with the chosen number, counted from 1.
pub(in crate::clients) fn read(
    dir: &Path,
    choice: Option<usize>,
    passcode: &[u8],
) -> Result<Import, ForeignError> {
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
        open_key_file(dir, data, passcode)
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

/// The local key, and the numbers of the accounts where they can be read.
fn open_key_file(
    dir: &Path,
    data: &[u8],
    passcode: &[u8],
) -> Result<(LocalKey, Option<Vec<i32>>), ForeignError> {
    let mut keys = Stream::new(data);
    let salt = keys.bytes("salt of the key file")?;
    let encrypted_key = keys.bytes("key of the key file")?;
    if salt.len() != SALT_LEN {
        return Err(ForeignError::damaged("salt of the key file"));
    }
    let encrypted_info = keys.bytes("account list").unwrap_or_default();
    let wraps = keys.bytes("passcode of the key file").ok();
    // Everything else was checked by its digest: what does not decrypt is locked.
    let local_key = passcode::open(salt, encrypted_key, wraps, passcode)?;
    let local_key: &[u8; LOCAL_KEY_LEN] = local_key
        .get(4..)
        .and_then(<[u8]>::first_chunk)
        .ok_or_else(|| ForeignError::damaged("key of the key file"))?;
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
