//! mtcute's session string, version 3: unpadded base64 of little-endian, TL-like
//! `3 | flags | DC | [media DC] | [user id | is bot] | key`.

use super::identity::{UserIdentity, test_mode};
use super::login::{Login, MediaDc};
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

/// Most bytes of a [`MtcuteDc`]: version, id, flags, a host name, a port.
pub const MTCUTE_DC_LEN: usize = 3 + tl::len(super::server::HOST_NAME_LEN) + 4;

/// What stands before the key.
struct Head {
    dc: MtcuteDc,
    media: Option<MtcuteDc>,
    user: Option<(i64, bool)>,
    test_mode: bool,
}

/// A DC as mtcute writes it, in strings and in the `dc_main` and `dc_media` of its databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MtcuteDc {
    /// Its id.
    pub id: u8,
    /// Whether it serves files only.
    pub media_only: bool,
    /// Whether it is a test server.
    pub test_mode: bool,
    /// Where it is reached.
    pub server: Server,
}

impl MtcuteDc {
    /// Reads a whole block; `None` when it is not laid out like one.
    ///
    /// ```
    /// use mtsession_core::clients::MtcuteDc;
    ///
    /// let block = b"\x02\x02\x00\x0e149.154.167.51\x00\xbb\x01\x00\x00";
    /// let dc = MtcuteDc::parse(block).ok_or("not a DC")?;
    /// assert_eq!((dc.id, dc.server.to_string().as_str()), (2, "149.154.167.51:443"));
    /// assert_eq!(dc.to_bytes(), block);
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn parse(block: &[u8]) -> Option<Self> {
        let mut block = Reader::new(block);
        let version = block.u8(Field::StringVersion).ok()?;
        let id = block.u8(Field::StringDcId).ok()?;
        let flags = block.u8(Field::DcFlags).ok()?;
        let host = tl::read(&mut block, Field::StringIp)?;
        let port = block.i32(Field::StringPort).ok()?;
        if !matches!(version, 1..=DC_VERSION) || id == 0 || !block.rest().is_empty() {
            return None;
        }
        Some(Self {
            id,
            media_only: flags & DC_MEDIA_ONLY != 0,
            test_mode: flags & DC_TEST != 0,
            server: Server {
                host: Host::parse(core::str::from_utf8(host).ok()?)?,
                port: u16::try_from(port).ok()?,
            },
        })
    }

    /// The block's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> heapless::Vec<u8, MTCUTE_DC_LEN> {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.server.is_ipv6(), DC_IPV6)
            | flag(self.media_only, DC_MEDIA_ONLY)
            | flag(self.test_mode, DC_TEST);
        let mut block = heapless::Vec::new();
        // The capacity is that of the longest block.
        let _ = block
            .write(&[DC_VERSION, self.id, flags])
            .and_then(|()| tl::write(&mut block, self.server.host.text().as_bytes()))
            .and_then(|()| block.write(&i32::from(self.server.port).to_le_bytes()));
        block
    }
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
            tl::TRUE => true,
            tl::FALSE => false,
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

fn read_dc(reader: &mut Reader<'_>) -> Option<MtcuteDc> {
    MtcuteDc::parse(tl::read(reader, Field::StringDcId)?)
}

pub(super) fn encode<W: Sink>(login: &Login, sink: &mut W) -> Result<(), EncodeError<W::Error>> {
    let test_mode = test_mode(login)?;
    let dc = MtcuteDc {
        id: login.dc_byte()?,
        media_only: false,
        test_mode,
        server: login.server().clone(),
    };
    let media = match login.media() {
        Some(media) => Some(MtcuteDc {
            id: u8::try_from(media.dc_id).map_err(|_| EncodeError::Missing(Field::DcId))?,
            media_only: true,
            test_mode,
            server: media.server.clone(),
        }),
        None => None,
    };
    let who = match login.account().user_id {
        Some(_) => Some(UserIdentity::of(login)?),
        None => None,
    };
    let flags = who.as_ref().map_or(0, |_| HAS_SELF) | media.as_ref().map_or(0, |_| HAS_MEDIA);

    let mut base64 = Base64Sink::new(sink);
    let put = || -> Result<(), W::Error> {
        base64.write(&[VERSION])?;
        base64.write(&flags.to_le_bytes())?;
        tl::write(&mut base64, &dc.to_bytes())?;
        if let Some(media) = &media {
            tl::write(&mut base64, &media.to_bytes())?;
        }
        if let Some(who) = &who {
            base64.write(&who.user_id.to_le_bytes())?;
            base64.write(&if who.is_bot { tl::TRUE } else { tl::FALSE }.to_le_bytes())?;
        }
        tl::write(&mut base64, login.auth_key().as_bytes())?;
        base64.finish()
    };
    put().map_err(EncodeError::Sink)
}
