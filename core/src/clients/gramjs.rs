//! GramJS's `StringSession`: the character `1`, then padded standard base64 of big-endian
//! `dc | address length, 16 bits | address as text | port | key`.

use super::login::Login;
use super::server::{Host, Server};
use crate::account::Account;
use crate::auth_key::AUTH_KEY_LEN;
use crate::bug::Certain as _;
use crate::error::{DecodeError, EncodeError, Field};
use crate::text::{Alphabet, Base64Sink};
use crate::wire::{Reader, Sink};

/// Bytes around the address.
const LEN: usize = 1 + 2 + 2 + AUTH_KEY_LEN;

/// GramJS stores ports as signed numbers of 16 bits.
const MAX_PORT: usize = 0x7FFF;

/// Decodes what follows the `1`; `None` when it is not laid out like this.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    let Some((dc_id, host)) = head(bytes) else {
        return Ok(None);
    };
    if announced_len(bytes) != Some(bytes.len()) {
        return Ok(None);
    }
    let mut reader = Reader::new(bytes);
    reader.u8(Field::StringDcId)?;
    let addr_len = usize::from(u16::from_be_bytes(*reader.array(Field::StringIp)?));
    reader.bytes(addr_len, Field::StringIp)?;
    let port = u16::from_be_bytes(*reader.array(Field::StringPort)?);
    let auth_key = reader.array(Field::StringAuthKey)?;
    let server = Server { host, port };
    Login::decoded(i32::from(dc_id), server, auth_key, Account::default()).map(Some)
}

/// The length in bytes that a string which begins like this has.
pub(super) fn announced_len(bytes: &[u8]) -> Option<usize> {
    let (_, host) = head(bytes)?;
    Some(LEN.saturating_add(host.text().len()))
}

fn head(bytes: &[u8]) -> Option<(u8, Host)> {
    let (dc_id, rest) = bytes.split_first()?;
    let (addr_len, rest) = rest.split_first_chunk()?;
    let addr = rest.get(..usize::from(u16::from_be_bytes(*addr_len)))?;
    let host = Host::parse(core::str::from_utf8(addr).ok()?)?;
    (*dc_id != 0 && host.text().len() == addr.len()).then_some((*dc_id, host))
}

pub(super) fn encode<W: Sink>(login: &Login, sink: &mut W) -> Result<(), EncodeError<W::Error>> {
    let dc_id = login.dc_byte()?;
    let Server { host, port } = login.server();
    let addr = host.text();
    let addr_len = u16::try_from(addr.len()).certain("a host is short");
    if usize::from(*port) > MAX_PORT {
        return Err(EncodeError::TooLong {
            field: Field::StringPort,
            len: usize::from(*port),
            max: MAX_PORT,
        });
    }
    sink.write(b"1").map_err(EncodeError::Sink)?;
    let mut base64 = Base64Sink::with_alphabet(Alphabet::StandardPadded, sink);
    let mut put = |bytes: &[u8]| base64.write(bytes).map_err(EncodeError::Sink);
    put(&[dc_id])?;
    put(&addr_len.to_be_bytes())?;
    put(addr.as_bytes())?;
    put(&port.to_be_bytes())?;
    put(login.auth_key().as_bytes())?;
    base64.finish().map_err(EncodeError::Sink)
}
