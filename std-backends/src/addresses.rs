//! Whether the addresses of a session can be those of its DCs.

use core::fmt;
use core::net::IpAddr;

use mtsession_core::clients::{Host, Server};
use mtsession_core::{DcFlags, DcRef, SessionSource};

use crate::shown::Shown;

/// What is odd about the address of a DC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AddressConcern {
    /// There is none.
    Missing,
    /// It is not an address.
    Unreadable,
    /// Its port is 0.
    PortZero,
    /// It is known to be that of another DC.
    OtherDc(i32),
    /// It is a test server's, in a session that is not said to be for those.
    TestServer,
    /// It is a production server's, in a session for the test servers.
    ProductionServer,
    /// It is this machine.
    Loopback,
    /// It is not on the public Internet.
    Private,
}

/// A DC whose address a client will not reach it by, most likely.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AddressWarning {
    /// The DC.
    pub dc_id: i32,
    /// Its address as the session has it.
    pub addr: String,
    /// What is odd about it.
    pub concern: AddressConcern,
}

/// Looks at every address of a session. Nothing is resolved and no network is used.
///
/// The result is a list of warnings: an address that looks wrong may be that of a proxy.
///
/// ```
/// use mtsession::{DcEntry, DcFlags, PersistedSession, address_warnings};
///
/// let entry = DcEntry::from_parts(4, "149.154.167.51", 443, DcFlags::NONE);
/// let session = PersistedSession { home_dc_id: 4, dcs: vec![entry], ..Default::default() };
/// let said = address_warnings(&session)[0].to_string();
/// assert_eq!(said, "DC 4 has the address 149.154.167.51:443, which is that of DC 2");
/// ```
#[must_use]
pub fn address_warnings(session: &impl SessionSource) -> Vec<AddressWarning> {
    let test_mode = session.account().test_mode.unwrap_or_default();
    let home = session.home_dc_id();
    let mut warnings = Vec::new();
    // The servers of content delivery change all the time.
    for dc in session.dcs().filter(|dc| !dc.flags.contains(DcFlags::CDN)) {
        let is_used = dc.dc_id == home || dc.auth_key.is_some();
        for concern in concerns(&dc, is_used, test_mode) {
            warnings.push(AddressWarning {
                dc_id: dc.dc_id,
                addr: dc.addr.to_owned(),
                concern,
            });
        }
    }
    warnings
}

fn concerns(
    dc: &DcRef<'_>,
    is_used: bool,
    test_mode: bool,
) -> impl Iterator<Item = AddressConcern> + use<> {
    let found = if dc.addr.is_empty() {
        [is_used.then_some(AddressConcern::Missing), None, None]
    } else if let Some(server) = Server::parse(dc.addr) {
        let port = (server.port == 0).then_some(AddressConcern::PortZero);
        [port, place(&server), wrong_dc(&server, dc.dc_id, test_mode)]
    } else {
        [Some(AddressConcern::Unreadable), None, None]
    };
    found.into_iter().flatten()
}

fn wrong_dc(server: &Server, dc_id: i32, test_mode: bool) -> Option<AddressConcern> {
    match server.known_dc() {
        Some((known, _)) if known != dc_id => Some(AddressConcern::OtherDc(known)),
        _ => match (server.test_mode(), test_mode) {
            (Some(true), false) => Some(AddressConcern::TestServer),
            (Some(false), true) => Some(AddressConcern::ProductionServer),
            _ => None,
        },
    }
}

fn place(server: &Server) -> Option<AddressConcern> {
    let ip = match &server.host {
        Host::Name(name) if name == "localhost" => return Some(AddressConcern::Loopback),
        Host::Name(_) => return None,
        Host::Ip(ip) => ip.to_canonical(),
    };
    if ip.is_loopback() {
        return Some(AddressConcern::Loopback);
    }
    let is_private = ip.is_unspecified()
        || ip.is_multicast()
        || match ip {
            IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_broadcast(),
            IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
        };
    is_private.then_some(AddressConcern::Private)
}

impl fmt::Display for AddressWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            dc_id,
            addr,
            concern,
        } = self;
        if *concern == AddressConcern::Missing {
            return write!(f, "DC {dc_id} has no address");
        }
        write!(f, "DC {dc_id} has the address {}, which is ", Shown(addr))?;
        match concern {
            AddressConcern::Missing | AddressConcern::Unreadable => f.write_str("not an address"),
            AddressConcern::PortZero => f.write_str("without a port"),
            AddressConcern::OtherDc(other) => write!(f, "that of DC {other}"),
            AddressConcern::TestServer => {
                f.write_str("that of a test server: right only in a session for the test servers")
            }
            AddressConcern::ProductionServer => {
                f.write_str("that of a production server, in a session for the test servers")
            }
            AddressConcern::Loopback => f.write_str("this machine"),
            AddressConcern::Private => f.write_str("not on the Internet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use mtsession_core::Account;

    use super::*;
    use crate::drop_in::dc::DcEntry;
    use crate::drop_in::session::PersistedSession;

    fn found(dc_id: i32, addr: &str, test_mode: Option<bool>) -> Vec<AddressConcern> {
        let entry = DcEntry {
            addr: addr.to_owned(),
            ..DcEntry::from_parts(dc_id, "", 0, DcFlags::NONE)
        };
        let session = PersistedSession {
            home_dc_id: dc_id,
            dcs: vec![entry],
            ..PersistedSession::default()
        };
        let account = Account {
            test_mode,
            ..Account::default()
        };
        let warnings = address_warnings(&session.with_account(account));
        warnings
            .into_iter()
            .map(|warning| warning.concern)
            .collect()
    }

    #[test]
    fn what_cannot_be_the_address_of_a_dc_is_noted() {
        use AddressConcern::*;

        let cases: [(i32, &str, &[AddressConcern]); 14] = [
            (2, "149.154.167.51:443", &[]),
            (2, "[2001:67c:4e8:f002::a]:443", &[]),
            (2, "venus.web.telegram.org:443", &[]),
            (9, "192.0.2.7:443", &[]),
            (4, "149.154.167.51:443", &[OtherDc(2)]),
            (2, "[2001:67c:4e8:f004::a]:443", &[OtherDc(4)]),
            (2, "149.154.167.40:80", &[TestServer]),
            (2, "149.154.167.51:0", &[PortZero]),
            (2, "127.0.0.1:0", &[PortZero, Loopback]),
            (2, "[::ffff:127.0.0.1]:443", &[Loopback]),
            (2, "localhost:443", &[Loopback]),
            (2, "192.168.0.7:443", &[Private]),
            (2, "", &[Missing]),
            (2, "149.154.167.51", &[Unreadable]),
        ];
        for (dc_id, addr, expected) in cases {
            assert_eq!(found(dc_id, addr, None), expected, "{addr}");
        }
        assert_eq!(found(2, "149.154.167.40:80", Some(true)), []);
        assert_eq!(found(2, "149.154.167.40:80", Some(false)), [TestServer]);
        let production = found(2, "149.154.167.51:443", Some(true));
        assert_eq!(production, [ProductionServer]);
    }
}
