//! Telegram Desktop's `tdata`: a directory with a key file, and a file for each account.

mod crypto;
mod files;
mod passcode;
mod read;
mod stream;
mod write;

pub(super) use read::read;
pub(super) use write::write;

use crate::clients::error::ForeignError;

/// The block with the keys of an account.
const MTP_AUTHORIZATION: u32 = 75;
/// Says that user id and DC follow in their wide form.
const WIDE: [i32; 2] = [-1, -1];
/// Length of the salt that the passcode is stretched with.
const SALT_LEN: usize = 32;

/// No session is, but lengths have to be counted in 31 bits.
fn too_long() -> ForeignError {
    ForeignError::Unfit("the session is too long for tdata".to_owned())
}
