//! Pyrogram's session strings and those of its forks: unpadded base64 of big-endian
//! `dc | [api id] | test | key | user id | bot`, without an address.

use super::format::StringFormat;
use super::identity::{USER_ID_LIMIT, UserIdentity, api_id, test_mode};
use super::login::Login;
use crate::account::Account;
use crate::auth_key::AUTH_KEY_LEN;
use crate::error::{DecodeError, EncodeError, Field};
use crate::text::Base64Sink;
use crate::wire::{Reader, Sink};

/// Bytes of a string with a 32-bit user id.
const LEN_OLD32: usize = 1 + 1 + AUTH_KEY_LEN + 4 + 1;
/// Bytes of a string with a 64-bit user id.
const LEN_OLD64: usize = LEN_OLD32 + 4;
/// Bytes of a string with an api id.
const LEN_NEW: usize = LEN_OLD64 + 4;

/// The layouts differ in two fields.
#[derive(Clone, Copy)]
struct Layout {
    api_id: bool,
    wide_user_id: bool,
}

const OLD32: Layout = Layout {
    api_id: false,
    wide_user_id: false,
};
const OLD64: Layout = Layout {
    wide_user_id: true,
    ..OLD32
};
const NEW: Layout = Layout {
    api_id: true,
    ..OLD64
};

pub(super) fn decode_old32(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    decode(OLD32, bytes)
}

pub(super) fn decode_old64(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    decode(OLD64, bytes)
}

pub(super) fn decode_new(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    decode(NEW, bytes)
}

/// The fields of a string, each of which has a value that it can have.
struct Parts<'a> {
    dc_id: u8,
    auth_key: &'a [u8; AUTH_KEY_LEN],
    account: Account,
}

fn decode(layout: Layout, bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    let Some(parts) = parse(layout, bytes) else {
        return Ok(None);
    };
    let dc_id = i32::from(parts.dc_id);
    Login::decoded_without_server(dc_id, parts.auth_key, parts.account).map(Some)
}

fn parse(layout: Layout, bytes: &[u8]) -> Option<Parts<'_>> {
    let mut reader = Reader::new(bytes);
    let dc_id = reader.u8(Field::StringDcId).ok()?;
    let api_id = if layout.api_id {
        u32::from_be_bytes(*reader.array(Field::ApiId).ok()?)
    } else {
        0
    };
    let test_mode = reader.presence(Field::TestMode).ok()?;
    let auth_key = reader.array(Field::StringAuthKey).ok()?;
    let user_id = if layout.wide_user_id {
        u64::from_be_bytes(*reader.array(Field::UserId).ok()?)
    } else {
        u64::from(u32::from_be_bytes(*reader.array(Field::UserId).ok()?))
    };
    let is_bot = reader.presence(Field::IsBot).ok()?;
    let user_id = i64::try_from(user_id).ok()?;
    if !reader.rest().is_empty() || user_id >= USER_ID_LIMIT || dc_id == 0 {
        return None;
    }
    // Converters that do not know them write zeros.
    let known = user_id > 0;
    Some(Parts {
        dc_id,
        auth_key,
        account: Account {
            user_id: Some(user_id).filter(|_| known),
            is_bot: Some(is_bot).filter(|_| known),
            api_id: Some(i32::try_from(api_id).ok()?).filter(|id| *id > 0),
            test_mode: Some(test_mode),
        },
    })
}

/// The format and length in bytes of a string that begins like this and is about `len` bytes long.
pub(super) fn announced_len(head: &[u8], len: usize) -> Option<(StringFormat, usize)> {
    let [1..=5 | 203, rest @ ..] = head else {
        return None;
    };
    match rest {
        // An api id, then the test flag.
        [0..=0x7F, _, _, _, 0 | 1, ..] if !rest.starts_with(&[0; 4]) => {
            Some((StringFormat::Pyrogram, LEN_NEW))
        }
        [0 | 1, ..] if len <= LEN_OLD32 => Some((StringFormat::PyrogramOld32, LEN_OLD32)),
        [0 | 1, ..] => Some((StringFormat::PyrogramOld64, LEN_OLD64)),
        _ => None,
    }
}

pub(super) fn encode_old32<W: Sink>(
    login: &Login,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    encode(OLD32, login, sink)
}

pub(super) fn encode_old64<W: Sink>(
    login: &Login,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    encode(OLD64, login, sink)
}

pub(super) fn encode_new<W: Sink>(
    login: &Login,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    encode(NEW, login, sink)
}

/// Everything is asked for before anything is written: Pyrogram takes a session that lacks a part
/// for an empty one, makes a new key and forgets this one.
fn encode<W: Sink>(
    layout: Layout,
    login: &Login,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let dc_id = login.dc_byte()?;
    let who = UserIdentity::of(login)?;
    let api_id = if layout.api_id {
        api_id(login)?.to_be_bytes()
    } else {
        [0; 4]
    };
    let test_mode = test_mode(login)?;
    let narrow_user_id = match (layout.wide_user_id, u32::try_from(who.user_id)) {
        (false, Err(_)) => {
            return Err(EncodeError::TooLong {
                field: Field::UserId,
                len: usize::try_from(who.user_id).unwrap_or(usize::MAX),
                max: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
            });
        }
        // A wide user id is written by itself.
        (true, Err(_)) => [0; 4],
        (_, Ok(narrow)) => narrow.to_be_bytes(),
    };
    let mut base64 = Base64Sink::new(sink);
    let mut put = |bytes: &[u8]| base64.write(bytes).map_err(EncodeError::Sink);
    put(&[dc_id])?;
    if layout.api_id {
        put(&api_id)?;
    }
    put(&[u8::from(test_mode)])?;
    put(login.auth_key().as_bytes())?;
    if layout.wide_user_id {
        put(&who.user_id.to_be_bytes())?;
    } else {
        put(&narrow_user_id)?;
    }
    put(&[u8::from(who.is_bot)])?;
    base64.finish().map_err(EncodeError::Sink)
}
