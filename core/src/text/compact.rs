//! Compact strings: home DC, its address and key, and the user id, in fixed-size big-endian bytes.

use core::convert::Infallible;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addr::{self, AddrText};
use super::base64::{Alphabet, encoded_text_len};
use crate::account::Account;
use crate::auth_key::{AUTH_KEY_LEN, AuthKey, AuthKeyRef};
use crate::bug::Certain as _;
use crate::clients::Login;
use crate::counters::{ChannelPts, Counters};
use crate::dc::{DcFlags, DcRef};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError, Field};
use crate::login_state::LoginState;
use crate::names::Names;
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;
use crate::wire::{Reader, Scratch, Sink, SliceFull};

/// Bytes around the IP address of version 2: version, DC, family, port, user id, key.
const V2_LEN: usize = 3 + 2 + 8 + AUTH_KEY_LEN;
/// Bytes that version 1 has more: salt, sequence number, layer.
const V1_MORE: usize = 8 + 4 + 4;
/// Bytes of the longest compact session.
const MAX_LEN: usize = V2_LEN + V1_MORE + 16;

/// Characters of the longest compact string: version 1 with an IPv6 address.
pub const COMPACT_MAX_CHARS: usize = encoded_text_len(MAX_LEN);

/// What only version 1 strings carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CompactFull {
    /// The salt to start the next connection with.
    pub server_salt: i64,
    /// The connection's sequence number when the string was made.
    pub seq_no: u32,
    /// The TL layer of the client that made the string.
    pub layer: u32,
}

/// A compact session, decoded. Also a [`SessionSource`] with one DC and the account's user id.
///
/// ```
/// use core::net::{IpAddr, Ipv4Addr};
/// use mtsession_core::text::{CompactSession, decode_any};
/// use mtsession_core::{AuthKey, SessionSource};
///
/// let ip = IpAddr::V4(Ipv4Addr::new(149, 154, 167, 51));
/// let compact = CompactSession::new(2, ip, 443, AuthKey::new([1; 256]), 777_000);
/// let mut text = heapless::Vec::<u8, 512>::new();
/// compact.encode(&mut text)?;
/// assert_eq!(text.len(), 364);
///
/// let text = str::from_utf8(&text)?;
/// let mut buffer = [0; 512];
/// let session = decode_any(text, &mut buffer)?;
/// assert_eq!(session.account().user_id, Some(777_000));
/// assert_eq!(session.dc_for(2, false).map(|dc| dc.addr.len()), Some(18));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct CompactSession {
    dc_id: u8,
    ip: IpAddr,
    port: u16,
    user_id: i64,
    full: Option<CompactFull>,
    auth_key: AuthKey,
    /// `ip` and `port` as a DC entry has them.
    addr: AddrText,
}

impl CompactSession {
    /// A version 2 session.
    #[must_use]
    pub fn new(dc_id: u8, ip: IpAddr, port: u16, auth_key: AuthKey, user_id: i64) -> Self {
        Self {
            dc_id,
            ip,
            port,
            user_id,
            full: None,
            auth_key,
            addr: addr::format(ip, port),
        }
    }

    /// The same with what version 1 adds; it is then encoded as version 1.
    #[must_use]
    pub fn with_full(self, full: CompactFull) -> Self {
        Self {
            full: Some(full),
            ..self
        }
    }

    /// The home DC of any session as a compact one: its main entry, its key, the account's user id.
    ///
    /// # Errors
    /// [`EncodeError::Missing`] names what the session lacks: a home DC between 1 and 255 with an
    /// entry, that entry's key, an address that is an IP address and a port, or the user id.
    pub fn from_source(source: &impl SessionSource) -> Result<Self, EncodeError<Infallible>> {
        Self::from_login(&Login::from_source(source)?)
    }

    /// The same from a login.
    pub(crate) fn from_login<E>(login: &Login) -> Result<Self, EncodeError<E>> {
        let dc_id = login.dc_byte()?;
        let (ip, port) = login.ip()?;
        let user_id = login
            .account()
            .user_id
            .ok_or(EncodeError::Missing(Field::UserId))?;
        let auth_key = login.auth_key().copy_key();
        Ok(Self::new(dc_id, ip, port, auth_key, user_id))
    }

    /// 1 or 2.
    #[must_use]
    pub const fn version(&self) -> u8 {
        if self.full.is_some() { 1 } else { 2 }
    }

    /// The home DC.
    #[must_use]
    pub const fn dc_id(&self) -> u8 {
        self.dc_id
    }

    /// The home DC's address.
    #[must_use]
    pub const fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The home DC's TCP port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The account's user id.
    #[must_use]
    pub const fn user_id(&self) -> i64 {
        self.user_id
    }

    /// What version 1 adds.
    #[must_use]
    pub const fn full(&self) -> Option<&CompactFull> {
        self.full.as_ref()
    }

    /// The home DC's auth key.
    #[must_use]
    pub const fn auth_key(&self) -> AuthKeyRef<'_> {
        self.auth_key.as_ref()
    }

    /// Writes the string into any sink; at most [`COMPACT_MAX_CHARS`] characters.
    pub fn encode<W: Sink>(&self, sink: &mut W) -> Result<(), W::Error> {
        let mut bytes = Scratch::<MAX_LEN>::new();
        let free = self
            .put(&mut bytes)
            .certain("the longest session there is does not fit")
            .len();
        let bytes = bytes
            .get(..MAX_LEN.saturating_sub(free))
            .unwrap_or_default();
        let mut text = Scratch::<COMPACT_MAX_CHARS>::new();
        let len = Alphabet::UrlSafe.encode(bytes, &mut text);
        sink.write(text.get(..len).certain("as much was encoded"))
    }

    /// Writes the bytes of the string to the front of `bytes`, which has room for the longest; returns
    /// what is left of it.
    fn put<'b>(&self, bytes: &'b mut [u8]) -> Result<&'b mut [u8], SliceFull> {
        let mut free = bytes;
        match self.ip {
            IpAddr::V4(ip) => {
                free.write(&[self.version(), self.dc_id, 4])?;
                free.write(&ip.octets())?;
            }
            IpAddr::V6(ip) => {
                free.write(&[self.version(), self.dc_id, 6])?;
                free.write(&ip.octets())?;
            }
        }
        free.write(&self.port.to_be_bytes())?;
        free.write(&self.user_id.to_be_bytes())?;
        if let Some(full) = &self.full {
            free.write(&full.server_salt.to_be_bytes())?;
            free.write(&full.seq_no.to_be_bytes())?;
            free.write(&full.layer.to_be_bytes())?;
        }
        free.write(self.auth_key.as_bytes())?;
        Ok(free)
    }

    /// Whether the bytes are laid out like a compact session of any version and family.
    ///
    /// A native session cannot look like this: version 2 would need a home DC of 1024 or more.
    pub(crate) fn is_laid_out_like_one(bytes: &[u8]) -> bool {
        Self::announced_len(bytes) == Some(bytes.len())
    }

    /// The length in bytes that a compact session which begins like this has.
    pub(crate) fn announced_len(head: &[u8]) -> Option<usize> {
        let [version @ (1 | 2), _, family @ (4 | 6), ..] = head else {
            return None;
        };
        let ip = if *family == 4 { 4_usize } else { 16 };
        let more = if *version == 1 { V1_MORE } else { 0 };
        Some(V2_LEN.saturating_add(ip).saturating_add(more))
    }

    /// Decodes the bytes of a compact string; they must end with the key.
    ///
    /// # Errors
    /// An unknown version or address family, or a wrong length, each with its byte.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8(Field::StringVersion)?;
        if !matches!(version, 1 | 2) {
            let kind = DecodeErrorKind::CompactVersion(version);
            return Err(DecodeError::new(kind, Field::StringVersion, 0));
        }
        let dc_id = reader.u8(Field::StringDcId)?;
        let family_at = reader;
        let ip = match reader.u8(Field::StringIpType)? {
            4 => Ipv4Addr::from(*reader.array::<4>(Field::StringIp)?).into(),
            6 => Ipv6Addr::from(*reader.array::<16>(Field::StringIp)?).into(),
            other => {
                return Err(family_at.error(DecodeErrorKind::IpType(other), Field::StringIpType));
            }
        };
        let port = u16::from_be_bytes(*reader.array(Field::StringPort)?);
        let user_id = i64::from_be_bytes(*reader.array(Field::UserId)?);
        let full = match version {
            1 => Some(CompactFull {
                server_salt: i64::from_be_bytes(*reader.array(Field::StringSalt)?),
                seq_no: u32::from_be_bytes(*reader.array(Field::StringSeqNo)?),
                layer: u32::from_be_bytes(*reader.array(Field::StringLayer)?),
            }),
            _ => None,
        };
        let auth_key = AuthKey::new(*reader.array(Field::StringAuthKey)?);
        if !reader.rest().is_empty() {
            return Err(reader.error(DecodeErrorKind::TrailingBytes, Field::StringAuthKey));
        }
        Ok(Self {
            full,
            ..Self::new(dc_id, ip, port, auth_key, user_id)
        })
    }
}

impl SessionSource for CompactSession {
    fn home_dc_id(&self) -> i32 {
        i32::from(self.dc_id)
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn account(&self) -> Account {
        Account {
            user_id: Some(self.user_id).filter(|id| *id > 0),
            ..Account::default()
        }
    }

    fn login_state(&self) -> LoginState<'_> {
        LoginState::Active
    }

    fn names(&self) -> Names<'_> {
        Names::NONE
    }

    fn future_auth_token(&self) -> Option<&[u8]> {
        None
    }

    fn dcs(&self) -> impl ExactSizeIterator<Item = DcRef<'_>> {
        core::iter::once(DcRef {
            dc_id: i32::from(self.dc_id),
            addr: &self.addr,
            auth_key: Some(self.auth_key.as_ref()),
            first_salt: self.full.map_or(0, |full| full.server_salt),
            time_offset: 0,
            flags: match self.ip {
                IpAddr::V4(_) => DcFlags::NONE,
                IpAddr::V6(_) => DcFlags::IPV6,
            },
        })
    }

    fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPts> {
        core::iter::empty()
    }

    fn peers(&self) -> impl ExactSizeIterator<Item = Peer> {
        core::iter::empty()
    }

    fn min_peers(&self) -> impl ExactSizeIterator<Item = MinPeer> {
        core::iter::empty()
    }
}
