//! What is known but cannot be read here: named for what it is, instead of being called damaged.

use std::path::Path;

use mtsession_core::clients::tl;

use crate::clients::error::ForeignError;

const TGNET: ForeignError = ForeignError::NotReadable {
    what: "the tgnet.dat of Telegram for Android",
    advice: "it is not read yet, so log in anew",
};

const MADELINE: ForeignError = ForeignError::NotReadable {
    what: "a session of MadelineProto",
    advice: "only PHP can read it, so log in anew",
};

const ARCHIVE: ForeignError = ForeignError::NotReadable {
    what: "an archive",
    advice: "unpack it first",
};

/// TL's `boolTrue` and `boolFalse`.
const BOOLS: [u32; 2] = [tl::TRUE, tl::FALSE];

/// What a file is by its first bytes.
pub(super) fn by_content(bytes: &[u8]) -> Option<ForeignError> {
    const ARCHIVES: [&[u8]; 6] = [
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"Rar!\x1A\x07",
        b"7z\xBC\xAF\x27\x1C",
        b"\x1F\x8B\x08",
        b"\xFD7zXZ",
    ];

    if ARCHIVES.iter().any(|magic| bytes.starts_with(magic)) {
        Some(ARCHIVE)
    } else if bytes.starts_with(b"<?php __HALT_COMPILER") {
        Some(MADELINE)
    } else if is_tgnet(bytes) {
        Some(TGNET)
    } else {
        None
    }
}

/// What a directory is by the names in it.
pub(super) fn by_names(dir: &Path) -> Option<ForeignError> {
    let has = |name: &str| dir.join(name).is_file();
    if has("safe.php") || has("safe.php.lock") {
        Some(MADELINE)
    } else if has("tgnet.dat") {
        Some(TGNET)
    } else {
        None
    }
}

/// Size, version of the configuration, whether these are the test servers.
fn is_tgnet(bytes: &[u8]) -> bool {
    const VERSIONS: core::ops::RangeInclusive<u32> = 1..=32;

    let (Some(size), Some(version), Some(is_test)) =
        (u32_at(bytes, 0), u32_at(bytes, 4), u32_at(bytes, 8))
    else {
        return false;
    };
    let rest = u32::try_from(bytes.len().saturating_sub(4)).unwrap_or(u32::MAX);
    (8..=rest).contains(&size) && VERSIONS.contains(&version) && BOOLS.contains(&is_test)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_le_bytes(*bytes))
}
