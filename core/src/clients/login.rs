//! The neutral value between formats: what a login needs.

use core::convert::Infallible;
use core::net::IpAddr;

use subtle::ConstantTimeEq;

use super::contents::Contents;
use super::format::StringFormat;
use super::server::{Addr, Host, Server};
use crate::account::Account;
use crate::auth_key::{AUTH_KEY_LEN, AuthKey, AuthKeyRef};
use crate::counters::{ChannelPts, Counters};
use crate::dc::{DcFlags, DcRef};
use crate::error::{DecodeError, DecodeErrorKind, EncodeError, Field};
use crate::login_state::LoginState;
use crate::names::Names;
use crate::peer::{MinPeer, Peer};
use crate::source::SessionSource;

/// What to do with an IPv6 address in a Telethon string.
///
/// Telethon compares the family of the stored address with its own `use_ipv6` setting; where they
/// differ, it goes to DC 2 with the key of whatever DC this is, and stores that. So IPv6 is only
/// right for a client that was told to use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TelethonIpv6 {
    /// Write the well-known IPv4 address of the same DC.
    #[default]
    Replace,
    /// Write the IPv6 address; the client must run with `use_ipv6=True`.
    Keep,
}

/// A login: home DC, its address and key, and what is known of the account.
///
/// Every string of another library decodes to it and is encoded from it, and it is a
/// [`SessionSource`], so that `copy_from` moves it into any store. Prints without its key.
///
/// ```
/// use mtsession_core::clients::{Login, Server, StringFormat, TelethonIpv6, detect};
/// use mtsession_core::{Account, AuthKey, FixedSession, SessionMut, SessionSource};
///
/// let server = Server::well_known(2, false).ok_or("no such DC")?;
/// let mut login = Login::new(2, server, AuthKey::new([1; 256]));
/// login.set_account(Account { user_id: Some(777_000), ..Account::default() });
///
/// let mut text = heapless::Vec::<u8, 512>::new();
/// login.encode(StringFormat::Telethon, TelethonIpv6::Replace, &mut text)?;
///
/// let text = str::from_utf8(&text)?;
/// let mut buffer = [0; 512];
/// let mut session = FixedSession::<1, 0, 0, 0, 0>::new();
/// session.copy_from(&detect(text, &mut buffer)?)?;
/// assert_eq!(session.home_dc_id(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Login {
    dc_id: i32,
    server: Server,
    auth_key: AuthKey,
    account: Account,
    media: Option<MediaDc>,
    /// `server` as a DC entry has it.
    addr: Addr,
    /// `media` as a DC entry has it.
    media_addr: Addr,
}

/// A DC that serves files only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaDc {
    /// Its id; mostly that of the home DC.
    pub dc_id: i32,
    /// Where it is reached.
    pub server: Server,
}

impl Login {
    /// A login of which nothing is known but the key and where it is valid.
    #[must_use]
    pub fn new(dc_id: i32, server: Server, auth_key: AuthKey) -> Self {
        let mut login = Self {
            dc_id,
            addr: Addr::new(),
            server,
            auth_key,
            account: Account::default(),
            media: None,
            media_addr: Addr::new(),
        };
        login.addr = login.entry_addr(dc_id, &login.server);
        login
    }

    /// The home DC of any session: its main entry with a key, IPv4 where there are both, and the
    /// media entry after it.
    ///
    /// # Errors
    /// [`EncodeError::Missing`] names what the session lacks: a home DC with an entry, that entry's
    /// key (all zeros is none), or an address that can be read.
    pub fn from_source(source: &impl SessionSource) -> Result<Self, EncodeError<Infallible>> {
        let missing = EncodeError::Missing;
        let home = source.home_dc_id();
        let dc = [false, true]
            .into_iter()
            .filter_map(|prefer_ipv6| source.dc_for(home, prefer_ipv6))
            .max_by_key(|dc| (dc.auth_key.is_some(), !dc.is_ipv6()))
            .ok_or(missing(Field::HomeDcId))?;
        let key = dc.auth_key.ok_or(missing(Field::DcAuthKey))?;
        if is_zero(key.as_bytes()) {
            return Err(missing(Field::DcAuthKey));
        }
        let server = Server::parse(dc.addr).ok_or(missing(Field::DcAddr))?;
        let media = source
            .dcs()
            .filter(|dc| dc.flags.contains(DcFlags::MEDIA_ONLY) && !dc.flags.contains(DcFlags::CDN))
            .filter(|media| media.is_ipv6() == dc.is_ipv6())
            .max_by_key(|media| media.dc_id == home)
            .and_then(|media| {
                Some(MediaDc {
                    dc_id: media.dc_id,
                    server: Server::parse(media.addr)?,
                })
            });
        let mut login = Self::new(home, server, key.copy_key());
        login.set_account(source.account());
        login.set_media(media);
        Ok(login)
    }

    /// The home DC's address.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// The DC that serves files, where it has an address of its own.
    #[must_use]
    pub const fn media(&self) -> Option<&MediaDc> {
        self.media.as_ref()
    }

    /// The home DC's auth key.
    #[must_use]
    pub const fn auth_key(&self) -> AuthKeyRef<'_> {
        self.auth_key.as_ref()
    }

    /// Sets what is known of the account; also the way to supply what a target
    /// [needs](Self::missing_for).
    pub fn set_account(&mut self, account: Account) {
        self.account = account;
        self.addr = self.entry_addr(self.dc_id, &self.server);
        // Whether it is a test server decides this address too.
        let media = self.media.take();
        self.set_media(media);
    }

    /// Sets the DC that serves files.
    pub fn set_media(&mut self, media: Option<MediaDc>) {
        self.media_addr = media.as_ref().map_or_else(Addr::new, |media| {
            self.entry_addr(media.dc_id, &media.server)
        });
        self.media = media;
    }

    /// The address that Telethon can be given, see [`TelethonIpv6`]. `None` where it needs an IPv4
    /// address and none is known.
    #[must_use]
    pub fn telethon_address(&self, ipv6: TelethonIpv6) -> Option<(IpAddr, u16)> {
        let test_mode = self.test_mode().unwrap_or_default();
        let replacement = match (self.server.is_ipv6(), ipv6) {
            (true, TelethonIpv6::Replace) => Server::well_known(self.dc_id, test_mode)?,
            _ => self.server.resolved(self.dc_id, test_mode),
        };
        match replacement.host {
            Host::Ip(ip) => Some((ip, replacement.port)),
            Host::Name(_) => None,
        }
    }

    /// The test flag, or what the address says of it.
    #[must_use]
    pub fn test_mode(&self) -> Option<bool> {
        self.account.test_mode.or_else(|| self.server.test_mode())
    }

    /// What a string of `format` needs and this login has not: everything at once, for a message
    /// that names every option to give. [`encode`](Self::encode) refuses with the first of them.
    #[must_use]
    pub fn missing_for(&self, format: StringFormat) -> Contents {
        let mut needs = format.needs();
        if format == StringFormat::Mtcute && self.account.user_id.is_some() {
            needs |= Contents::IS_BOT;
        }
        let mut known = Contents::of(self);
        if self.test_mode().is_some() {
            known |= Contents::TEST_MODE;
        }
        needs.without(known)
    }

    /// A decoded login: its key must not be the zeros that stand for "not logged in".
    pub(super) fn decoded(
        dc_id: i32,
        server: Server,
        auth_key: &[u8; AUTH_KEY_LEN],
        account: Account,
    ) -> Result<Self, DecodeError> {
        if is_zero(auth_key) {
            let kind = DecodeErrorKind::NotLoggedIn;
            return Err(DecodeError::new(kind, Field::StringAuthKey, 0));
        }
        let mut login = Self::new(dc_id, server, AuthKey::new(*auth_key));
        login.set_account(account);
        Ok(login)
    }

    /// The same for formats without an address.
    pub(super) fn decoded_without_server(
        dc_id: i32,
        auth_key: &[u8; AUTH_KEY_LEN],
        account: Account,
    ) -> Result<Self, DecodeError> {
        let test_mode = account.test_mode.unwrap_or_default();
        let server = Server::well_known(dc_id, test_mode).ok_or(DecodeError::new(
            DecodeErrorKind::UnknownDc(dc_id),
            Field::StringDcId,
            0,
        ))?;
        Self::decoded(dc_id, server, auth_key, account)
    }

    /// The DC as the single byte that most formats have for it.
    pub(crate) fn dc_byte<E>(&self) -> Result<u8, EncodeError<E>> {
        match u8::try_from(self.dc_id) {
            Ok(dc_id) if dc_id != 0 => Ok(dc_id),
            _ => Err(EncodeError::Missing(Field::HomeDcId)),
        }
    }

    /// The address for formats that cannot hold a name.
    pub(crate) fn ip<E>(&self) -> Result<(IpAddr, u16), EncodeError<E>> {
        let test_mode = self.test_mode().unwrap_or_default();
        match self.server.resolved(self.dc_id, test_mode) {
            Server {
                host: Host::Ip(ip),
                port,
            } => Ok((ip, port)),
            Server { .. } => Err(EncodeError::Missing(Field::DcAddr)),
        }
    }

    pub(super) const fn dc_id(&self) -> i32 {
        self.dc_id
    }

    /// What an entry says where a client expects an IP address.
    fn entry_addr(&self, dc_id: i32, server: &Server) -> Addr {
        let test_mode = self.account.test_mode.unwrap_or_default();
        server.resolved(dc_id, test_mode).addr()
    }
}

/// In constant time: the key's bytes are secret.
pub(super) fn is_zero(key: &[u8; AUTH_KEY_LEN]) -> bool {
    key.as_slice().ct_eq(&[0; AUTH_KEY_LEN]).into()
}

const fn family(server: &Server) -> DcFlags {
    if server.is_ipv6() {
        DcFlags::IPV6
    } else {
        DcFlags::NONE
    }
}

impl SessionSource for Login {
    fn home_dc_id(&self) -> i32 {
        self.dc_id
    }

    fn counters(&self) -> Counters {
        Counters::default()
    }

    fn account(&self) -> Account {
        self.account
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
        let home = DcRef {
            dc_id: self.dc_id,
            addr: &self.addr,
            auth_key: Some(self.auth_key.as_ref()),
            first_salt: 0,
            time_offset: 0,
            flags: family(&self.server),
        };
        let media = self.media.as_ref().map(|media| DcRef {
            dc_id: media.dc_id,
            addr: &self.media_addr,
            auth_key: None,
            flags: DcFlags::MEDIA_ONLY | family(&media.server),
            ..home
        });
        Entries([Some(home), media])
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

/// One entry or two.
struct Entries<'l>([Option<DcRef<'l>>; 2]);

impl<'l> Iterator for Entries<'l> {
    type Item = DcRef<'l>;

    fn next(&mut self) -> Option<DcRef<'l>> {
        self.0.iter_mut().find_map(Option::take)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.0.iter().flatten().count();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Entries<'_> {}
