//! Telethon's `StringSession`: the character `1`, then padded base64 of big-endian
//! `dc | ip, 4 or 16 bytes | port | key`.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::login::{Login, TelethonIpv6};
use super::server::{Server, is_telegrams};
use crate::account::Account;
use crate::auth_key::AUTH_KEY_LEN;
use crate::error::{DecodeError, EncodeError, Field};
use crate::text::{Alphabet, Base64Sink};
use crate::wire::{Reader, Sink};

/// Bytes around the IP address.
const LEN: usize = 1 + 2 + AUTH_KEY_LEN;
/// Bytes of a string with an IPv4 address.
const LEN_V4: usize = LEN + 4;
/// Bytes of a string with an IPv6 address.
const LEN_V6: usize = LEN + 16;

/// Decodes what follows the `1`; `None` when it is not laid out like this.
///
/// The length alone says nothing: a GramJS string with an address of 14 characters is as long as
/// one with an IPv6 address, and has port and key in the same places.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    let Some((dc_id, ip)) = head(bytes) else {
        return Ok(None);
    };
    let (len, ip_len) = match ip {
        IpAddr::V4(_) => (LEN_V4, 4),
        IpAddr::V6(_) => (LEN_V6, 16),
    };
    if bytes.len() != len || dc_id == 0 {
        return Ok(None);
    }
    let mut reader = Reader::new(bytes);
    reader.u8(Field::StringDcId)?;
    reader.bytes(ip_len, Field::StringIp)?;
    let port = u16::from_be_bytes(*reader.array(Field::StringPort)?);
    let auth_key = reader.array(Field::StringAuthKey)?;
    let server = Server::new(ip, port);
    Login::decoded(i32::from(dc_id), server, auth_key, Account::default()).map(Some)
}

/// The length in bytes that a string which begins like this has, where the beginning is
/// unmistakable: a DC and an address in Telegram's network.
pub(super) fn announced_len(head: &[u8]) -> Option<usize> {
    let [1..=5 | 203, ip @ ..] = head else {
        return None;
    };
    let v4 = ip.first_chunk::<4>().map(|ip| Ipv4Addr::from(*ip).into());
    let v6 = ip.first_chunk::<16>().map(|ip| Ipv6Addr::from(*ip).into());
    if v4.is_some_and(is_telegrams) {
        return Some(LEN_V4);
    }
    v6.is_some_and(is_telegrams).then_some(LEN_V6)
}

/// The DC and the address, whose family the length decides and the bytes must confirm.
fn head(bytes: &[u8]) -> Option<(u8, IpAddr)> {
    let (dc_id, rest) = bytes.split_first()?;
    let ip = if bytes.len() == LEN_V4 {
        IpAddr::V4(Ipv4Addr::from(*rest.first_chunk::<4>()?))
    } else {
        let ip = Ipv6Addr::from(*rest.first_chunk::<16>()?);
        // Global and local addresses, and IPv4 mapped into IPv6.
        let plausible =
            matches!(ip.octets(), [0x20..=0x3F | 0xFC.., ..]) || ip.to_ipv4_mapped().is_some();
        if !plausible {
            return None;
        }
        IpAddr::V6(ip)
    };
    Some((*dc_id, ip))
}

pub(super) fn encode<W: Sink>(
    login: &Login,
    ipv6: TelethonIpv6,
    sink: &mut W,
) -> Result<(), EncodeError<W::Error>> {
    let dc_id = login.dc_byte()?;
    let (ip, port) = login
        .telethon_address(ipv6)
        .ok_or(EncodeError::Missing(Field::StringIpv4))?;
    sink.write(b"1").map_err(EncodeError::Sink)?;
    let mut base64 = Base64Sink::with_alphabet(Alphabet::UrlSafePadded, sink);
    let mut put = |bytes: &[u8]| base64.write(bytes).map_err(EncodeError::Sink);
    put(&[dc_id])?;
    match ip {
        IpAddr::V4(ip) => put(&ip.octets())?,
        IpAddr::V6(ip) => put(&ip.octets())?,
    }
    put(&port.to_be_bytes())?;
    put(login.auth_key().as_bytes())?;
    base64.finish().map_err(EncodeError::Sink)
}
