//! Checksums of rows that hold secrets: a bit that flips in a key costs the login, and shows nowhere else.
//!
//! The checksum of a row is the CRC-32C of its content, plus multiples of the numbers that place the row,
//! modulo 2^32. So it can be written without reading first: the content is known here, and the id of
//! the account and the position only to SQL. `NULL` was written by an older release.

use mtsession_core::Certain as _;
use mtsession_core::DcRef;
use mtsession_core::wire::Crc32c;

/// In SQL: the checksum of a row out of that of its content, and the numbers that place it.
macro_rules! checksum {
    ($content:literal, $account:literal, $place:literal) => {
        concat!(
            "((",
            $content,
            " + (",
            $account,
            " & 4294967295) * 16777619 + ",
            $place,
            " * 2246822519) & 4294967295)"
        )
    };
}
pub(super) use checksum;

/// The multiples are odd, so that no bit of the numbers that they are taken of is lost, and small enough
/// that SQL's sum of all three does not overflow.
const OF_ACCOUNT: i64 = 16_777_619;
const OF_PLACE: i64 = 2_246_822_519;
const MASK: i64 = 0xFFFF_FFFF;

/// The checksum of a row, as [`checksum!`] says it in SQL.
pub(super) fn of_row(content: u32, account: i64, place: i32) -> i64 {
    let of_account = (account & MASK).wrapping_mul(OF_ACCOUNT);
    let of_place = i64::from(place).wrapping_mul(OF_PLACE);
    i64::from(content)
        .wrapping_add(of_account)
        .wrapping_add(of_place)
        & MASK
}

/// The content of a DC entry that does not change with every connection. Its place is its position.
pub(super) fn of_dc(dc: &DcRef<'_>) -> u32 {
    let mut crc = Crc32c::new();
    crc.update(&dc.dc_id.to_le_bytes());
    crc.update(&[dc.flags.0]);
    add_bytes(&mut crc, Some(dc.addr.as_bytes()));
    add_bytes(&mut crc, dc.auth_key.map(|key| key.as_bytes().as_slice()));
    crc.value()
}

/// The future auth token. The place of its row is the home DC.
pub(super) fn of_token(token: Option<&[u8]>) -> u32 {
    let mut crc = Crc32c::new();
    add_bytes(&mut crc, token);
    crc.value()
}

/// Adds bytes so that where they end, and whether there are any, counts too.
fn add_bytes(crc: &mut Crc32c, bytes: Option<&[u8]>) {
    let len = bytes.map_or(u32::MAX, |bytes| {
        u32::try_from(bytes.len()).certain("a key or an address is shorter than 4 GiB")
    });
    crc.update(&len.to_le_bytes());
    crc.update(bytes.unwrap_or_default());
}
