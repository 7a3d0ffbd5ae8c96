//! mtcute's session string, version 3: unpadded base64 of little-endian, TL-like
//! `3 | flags | DC | [media DC] | [user id | is bot] | key`.

use super::login::{Login, MediaDc, Who, test_mode};
use super::server::{Host, Server};
use super::tl;
use crate::account::Account;
use crate::auth_key::AUTH_KEY_LEN;
use crate::error::{DecodeError, EncodeError, Field};
use crate::source::SessionSource as _;
use crate::text::Base64Sink;
use crate::wire::{Reader, Sink};

const VERSION: u8 = 3;

const HAS_SELF: i32 = 1;
/// Written by older releases; the DC block has a flag of its own.
const IS_TEST: i32 = 1 << 1;
const HAS_MEDIA: i32 = 1 << 2;

/// The version of a DC block that is written; 1 is laid out the same.
const DC_VERSION: u8 = 2;
const DC_IPV6: u8 = 1;
const DC_MEDIA_ONLY: u8 = 1 << 1;
const DC_TEST: u8 = 1 << 2;

/// `boolTrue` and `boolFalse` of TL.
const TRUE: u32 = 0x9972_75B5;
const FALSE: u32 = 0xBC79_9737;

/// Most bytes of a DC block: version, id, flags, a host name, a port.
const DC_MAX: usize = 3 + tl::len(super::server::HOST_NAME_LEN) + 4;

/// What stands before the key.
struct Head {
    dc: Dc,
    media: Option<Dc>,
    user: Option<(i64, bool)>,
    test_mode: bool,
}

struct Dc {
    id: u8,
    test_mode: bool,
    server: Server,
}

/// Decodes a whole string; `None` when it is not laid out like this.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<Login>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let parsed = head(&mut reader).and_then(|head| {
        let key = tl::read(&mut reader, Field::StringAuthKey)?;
        let key: &[u8; AUTH_KEY_LEN] = key.try_into().ok()?;
        reader.rest().is_empty().then_some((head, key))
    });
    let Some((head, auth_key)) = parsed else {
        return Ok(None);
    };
    let account = Account {
        user_id: head.user.map(|(id, _)| id),
        is_bot: head.user.map(|(_, is_bot)| is_bot),
        api_id: None,
        test_mode: Some(head.test_mode || head.dc.test_mode),
    };
    let mut login = Login::decoded(i32::from(head.dc.id), head.dc.server, auth_key, account)?;
    login.set_media(head.media.map(|media| MediaDc {
        dc_id: i32::from(media.id),
        server: media.server,
    }));
    Ok(Some(login))
}

/// The length in bytes that a string which begins like this has.
pub(super) fn announced_len(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader::new(bytes);
    head(&mut reader)?;
    Some(reader.offset().saturating_add(tl::len(AUTH_KEY_LEN)))
}

fn head(reader: &mut Reader<'_>) -> Option<Head> {
    let version = reader.u8(Field::StringVersion).ok()?;
    let flags = reader.i32(Field::StringVersion).ok()?;
    if version != VERSION || flags & !(HAS_SELF | IS_TEST | HAS_MEDIA) != 0 {
        return None;
    }
    let dc = read_dc(reader)?;
    let media = if flags & HAS_MEDIA != 0 {
        Some(read_dc(reader)?)
    } else {
        None
    };
    let user = if flags & HAS_SELF != 0 {
        let id = reader.i64(Field::UserId).ok()?;
        let is_bot = match u32::from_le_bytes(*reader.array(Field::IsBot).ok()?) {
            TRUE => true,
            FALSE => false,
            _ => return None,
        };
        // mtcute's converter writes 0 where it does not know the user.
        (id > 0).then_some((id, is_bot))
    } else {
        None
    };
    Some(Head {
        dc,
        media,
        user,
        test_mode: flags & IS_TEST != 0,
    })
}

fn read_dc(reader: &mut Reader<'_>) -> Option<Dc> {
    let mut block = Reader::new(tl::read(reader, Field::StringDcId)?);
    let version = block.u8(Field::StringVersion).ok()?;
    let id = block.u8(Field::StringDcId).ok()?;
    let flags = block.u8(Field::DcFlags).ok()?;
    let host = tl::read(&mut block, Field::StringIp)?;
    let port = block.i32(Field::StringPort).ok()?;
    if !matches!(version, 1..=DC_VERSION) || id == 0 || !block.rest().is_empty() {
        return None;
    }
    Some(Dc {
        id,
        test_mode: flags & DC_TEST != 0,
        server: Server {
            host: Host::parse(core::str::from_utf8(host).ok()?)?,
            port: u16::try_from(port).ok()?,
        },
    })
}

pub(super) fn encode<W: Sink>(login: &Login, sink: &mut W) -> Result<(), EncodeError<W::Error>> {
    let test_mode = test_mode(login)?;
    let test_flag = if test_mode { DC_TEST } else { 0 };
    let dc = dc_block(login.dc_byte()?, test_flag, login.server());
    let media = match login.media() {
        Some(media) => {
            let id = u8::try_from(media.dc_id).map_err(|_| EncodeError::Missing(Field::DcId))?;
            Some(dc_block(id, test_flag | DC_MEDIA_ONLY, &media.server))
        }
        None => None,
    };
    let who = match login.account().user_id {
        Some(_) => Some(Who::of(login)?),
        None => None,
    };
    let flags = who.as_ref().map_or(0, |_| HAS_SELF) | media.as_ref().map_or(0, |_| HAS_MEDIA);

    let mut base64 = Base64Sink::new(sink);
    let put = || -> Result<(), W::Error> {
        base64.write(&[VERSION])?;
        base64.write(&flags.to_le_bytes())?;
        tl::write(&mut base64, &dc)?;
        if let Some(media) = &media {
            tl::write(&mut base64, media)?;
        }
        if let Some(who) = &who {
            base64.write(&who.user_id.to_le_bytes())?;
            base64.write(&if who.is_bot { TRUE } else { FALSE }.to_le_bytes())?;
        }
        tl::write(&mut base64, login.auth_key().as_bytes())?;
        base64.finish()
    };
    put().map_err(EncodeError::Sink)
}

fn dc_block(id: u8, flags: u8, server: &Server) -> heapless::Vec<u8, DC_MAX> {
    let family = match server.host {
        Host::Ip(ip) if ip.is_ipv6() => DC_IPV6,
        _ => 0,
    };
    let mut block = heapless::Vec::new();
    // The capacity is that of the longest block.
    let _ = block
        .write(&[DC_VERSION, id, flags | family])
        .and_then(|()| tl::write(&mut block, server.host.text().as_bytes()))
        .and_then(|()| block.write(&i32::from(server.port).to_le_bytes()));
    block
}
