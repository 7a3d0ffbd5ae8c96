//! The files of `tdata`: what they are called, and how they are sealed with a digest.

use core::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::too_long;
use crate::clients::error::ForeignError;

const MAGIC: [u8; 4] = *b"TDF$";
/// What an account's files are named after.
const DATA_NAME: &str = "data";
/// The file with the key of all others.
pub(super) const KEY_FILE: &str = "key_data";
/// The two files that are read have some thousand bytes.
const MOST_BYTES: u64 = 16 << 20;

/// The files of an account are named after the MD5 of its data name, with the digits of every byte
/// swapped.
pub(super) fn file_name(account: i32) -> String {
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
pub(super) fn places(dir: &Path, name: &str) -> Vec<PathBuf> {
    ["s", "0", "1"]
        .iter()
        .map(|suffix| dir.join(format!("{name}{suffix}")))
        .filter(|path| path.is_file())
        .collect()
}

/// The content of a file whose digest holds, and the release that wrote it.
pub(super) fn checked(path: &Path, name: &str) -> Result<(u32, Zeroizing<Vec<u8>>), ForeignError> {
    let damaged = || ForeignError::damaged(format!("file {name}"));
    if fs::metadata(path)?.len() > MOST_BYTES {
        return Err(damaged());
    }
    let file = Zeroizing::new(fs::read(path)?);
    let rest = file.strip_prefix(&MAGIC).ok_or_else(damaged)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
    let (data, digest) = rest.split_last_chunk::<16>().ok_or_else(damaged)?;
    let len = i32::try_from(data.len()).map_err(|_| damaged())?;
    if digest_of(data, len, *version) != *digest {
        return Err(damaged());
    }
    Ok((u32::from_le_bytes(*version), Zeroizing::new(data.to_vec())))
}

/// A file with its digest, as a release wrote it that every newer one reads.
pub(super) fn sealed(data: &[u8]) -> Result<Zeroizing<Vec<u8>>, ForeignError> {
    let len = i32::try_from(data.len()).map_err(|_| too_long())?;
    let version = WRITTEN_VERSION.to_le_bytes();
    let digest = digest_of(data, len, version);
    Ok(Zeroizing::new(
        [&MAGIC[..], &version, data, &digest].concat(),
    ))
}

/// Telegram Desktop 3.4: the ids of users are wide since 3.1, and a file of a newer release than the program
/// is not read by it.
const WRITTEN_VERSION: u32 = 3_004_000;

fn digest_of(data: &[u8], len: i32, version: [u8; 4]) -> [u8; 16] {
    let mut md5 = Md5::new();
    md5.update(data);
    md5.update(len.to_le_bytes());
    md5.update(version);
    md5.update(MAGIC);
    md5.finalize().into()
}
