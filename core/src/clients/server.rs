//! Where a DC is reached: IP address or host name and port, and Telegram's own addresses for the
//! formats that carry none.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::text::addr::{Text, parse_decimal, parse_ip};

/// Longest host name in bytes: with a port it still fits [`FIXED_ADDR_LEN`](crate::FIXED_ADDR_LEN).
pub const HOST_NAME_LEN: usize = 57;

/// An address as a DC entry has it.
pub(super) type Addr = heapless::String<{ crate::FIXED_ADDR_LEN }, u8>;

/// An IP address, or the name of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// What Telegram itself hands out.
    Ip(IpAddr),
    /// A name to be resolved, such as GramJS uses in browsers.
    Name(heapless::String<HOST_NAME_LEN>),
}

impl Host {
    /// Reads an IP address (IPv6 without brackets) or a host name. `None` when it is neither, or
    /// longer than [`HOST_NAME_LEN`].
    ///
    /// ```
    /// use mtsession_core::clients::Host;
    ///
    /// assert!(matches!(Host::parse("2001:67c:4e8:f002::a"), Some(Host::Ip(_))));
    /// assert!(matches!(Host::parse("pluto.web.telegram.org"), Some(Host::Name(_))));
    /// assert_eq!(Host::parse("two words"), None);
    /// assert_eq!(Host::parse("149.154.167.510"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(ip) = parse_ip(text) {
            return Some(Self::Ip(ip));
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        // Digits and dots alone are an address with a mistake in it.
        let is_number = |byte: u8| byte.is_ascii_digit() || byte == b'.';
        if !text.bytes().all(allowed) || text.bytes().all(is_number) {
            return None;
        }
        heapless::String::try_from(text).ok().map(Self::Name)
    }

    /// The address as text, without brackets or port.
    pub(super) fn text(&self) -> Addr {
        // The longest IP address has 45 characters, the longest name fits by its type.
        let mut text = Text::new();
        match self {
            Self::Ip(ip) => text.ip(*ip),
            Self::Name(name) => text.str(name),
        }
        text.finish()
    }
}

/// Without brackets or port.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// Where a DC is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub host: Host,
    /// Its TCP port.
    pub port: u16,
}

impl Server {
    /// A server by its IP address.
    #[must_use]
    pub const fn new(ip: IpAddr, port: u16) -> Self {
        Self {
            host: Host::Ip(ip),
            port,
        }
    }

    /// Telegram's own address of a DC, by IPv4. `None` for a DC that is not known.
    ///
    /// ```
    /// use mtsession_core::clients::Server;
    ///
    /// assert_eq!(Server::well_known(2, false).map(|server| server.port), Some(443));
    /// assert_eq!(Server::well_known(2, true).map(|server| server.port), Some(80));
    /// assert_eq!(Server::well_known(9, false), None);
    /// ```
    #[must_use]
    pub fn well_known(dc_id: i32, test_mode: bool) -> Option<Self> {
        let table = if test_mode { &TEST[..] } else { &PRODUCTION };
        let port = if test_mode { 80 } else { 443 };
        table
            .iter()
            .find(|(id, _)| *id == dc_id)
            .map(|(_, ip)| Self::new(IpAddr::V4(*ip), port))
    }

    /// Telegram's own address of a DC, by IPv6.
    #[must_use]
    pub fn well_known_ipv6(dc_id: i32, test_mode: bool) -> Option<Self> {
        let host = if test_mode { 0xE } else { 0xA };
        let port = if test_mode { 80 } else { 443 };
        let [a, b, c, d] = match dc_id {
            1 => [0x2001, 0xB28, 0xF23D, 0xF001],
            2 => [0x2001, 0x67C, 0x4E8, 0xF002],
            3 => [0x2001, 0xB28, 0xF23D, 0xF003],
            4 if !test_mode => [0x2001, 0x67C, 0x4E8, 0xF004],
            5 if !test_mode => [0x2001, 0xB28, 0xF23F, 0xF005],
            _ => return None,
        };
        let ip = Ipv6Addr::new(a, b, c, d, 0, 0, 0, host);
        Some(Self::new(IpAddr::V6(ip), port))
    }

    /// Reads `"ip:port"`, `"[ipv6]:port"` or `"host:port"`.
    #[must_use]
    pub fn parse(addr: &str) -> Option<Self> {
        let colon = addr.bytes().rposition(|byte| byte == b':')?;
        let (host, port) = addr.split_at_checked(colon)?;
        let port = parse_decimal(port.as_bytes().get(1..)?)?;
        let host = match host.strip_prefix('[') {
            Some(ipv6) => match Host::parse(ipv6.strip_suffix(']')?)? {
                host @ Host::Ip(IpAddr::V6(_)) => host,
                _ => return None,
            },
            None if host.contains(':') => return None,
            None => Host::parse(host)?,
        };
        Some(Self {
            host,
            port: u16::try_from(port).ok()?,
        })
    }

    /// The same server by its IP address where that is known: the names of Telegram's own gateways
    /// are replaced by the well-known address of their DC. Other names cannot be resolved here.
    ///
    /// ```
    /// use mtsession_core::clients::Server;
    ///
    /// let gateway = Server::parse("venus.web.telegram.org:443").ok_or("not an address")?;
    /// assert_eq!(gateway.resolved(2, false).to_string(), "149.154.167.51:443");
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn resolved(&self, dc_id: i32, test_mode: bool) -> Self {
        match &self.host {
            Host::Name(name) if name.ends_with(".telegram.org") => {
                Self::well_known(dc_id, test_mode).unwrap_or_else(|| self.clone())
            }
            _ => self.clone(),
        }
    }

    /// Whether the address is an IPv6 address.
    #[must_use]
    pub const fn is_ipv6(&self) -> bool {
        matches!(self.host, Host::Ip(IpAddr::V6(_)))
    }

    /// Whether the address lies in the networks that Telegram announces.
    #[must_use]
    pub fn is_telegrams(&self) -> bool {
        matches!(self.host, Host::Ip(ip) if is_telegrams(ip))
    }

    /// The address as a DC entry has it.
    pub(super) fn addr(&self) -> Addr {
        // The longest IP address with its port has 47 characters, the longest name fits by its type.
        let mut text = Text::new();
        match &self.host {
            Host::Ip(ip) => text.ip_and_port(*ip, self.port),
            Host::Name(name) => {
                text.str(name);
                text.char(':');
                text.decimal(self.port.into());
            }
        }
        text.finish()
    }

    /// The DC that is known to have this address or gateway, and whether it is a test server.
    ///
    /// Media servers and new addresses are in no list, so `None` means only that nothing is known.
    ///
    /// ```
    /// use mtsession_core::clients::Server;
    ///
    /// let known = |addr| Server::parse(addr).and_then(|server| server.known_dc());
    /// assert_eq!(known("149.154.167.51:443"), Some((2, false)));
    /// assert_eq!(known("149.154.167.40:80"), Some((2, true)));
    /// assert_eq!(known("vesta.web.telegram.org:443"), Some((4, false)));
    /// assert_eq!(known("192.0.2.7:443"), None);
    /// ```
    #[must_use]
    pub fn known_dc(&self) -> Option<(i32, bool)> {
        match &self.host {
            Host::Ip(IpAddr::V4(ip)) => known_dc_v4(*ip),
            Host::Ip(IpAddr::V6(ip)) => known_dc_v6(*ip),
            Host::Name(name) => known_gateway(name).map(|dc_id| (dc_id, false)),
        }
    }

    /// Whether the address is one of Telegram's test servers (`true`) or in Telegram's network
    /// otherwise (`false`). `None` where the address says nothing.
    #[must_use]
    pub fn test_mode(&self) -> Option<bool> {
        let Host::Ip(ip) = self.host else {
            return None;
        };
        let is_test = match ip {
            IpAddr::V4(ip) => TEST.iter().any(|(_, test)| *test == ip),
            IpAddr::V6(ip) => matches!(ip.segments(), [0x2001, .., 0, 0, 0, 0xE]),
        };
        is_telegrams(ip).then_some(is_test)
    }
}

/// As a DC entry has it: `ip:port`, `[ipv6]:port` or `name:port`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.addr())
    }
}

/// The production DCs.
const PRODUCTION: [(i32, Ipv4Addr); 6] = [
    (1, Ipv4Addr::new(149, 154, 175, 53)),
    (2, Ipv4Addr::new(149, 154, 167, 51)),
    (3, Ipv4Addr::new(149, 154, 175, 100)),
    (4, Ipv4Addr::new(149, 154, 167, 91)),
    (5, Ipv4Addr::new(91, 108, 56, 130)),
    (203, Ipv4Addr::new(91, 105, 192, 100)),
];

/// The test DCs.
const TEST: [(i32, Ipv4Addr); 3] = [
    (1, Ipv4Addr::new(149, 154, 175, 10)),
    (2, Ipv4Addr::new(149, 154, 167, 40)),
    (3, Ipv4Addr::new(149, 154, 175, 117)),
];

fn known_dc_v4(ip: Ipv4Addr) -> Option<(i32, bool)> {
    if let Some((dc_id, _)) = TEST.iter().find(|(_, test)| *test == ip) {
        return Some((*dc_id, true));
    }
    // Every DC has been seen with several addresses.
    let dc_id = match ip.octets() {
        [149, 154, 175, 50..=59] => 1,
        [149, 154, 167, 41 | 50 | 51] => 2,
        [149, 154, 175, 100] => 3,
        [149, 154, 167, 91 | 92] => 4,
        [91, 108, 56, _] => 5,
        [91, 105, 192, 100] => 203,
        _ => return None,
    };
    Some((dc_id, false))
}

fn known_dc_v6(ip: Ipv6Addr) -> Option<(i32, bool)> {
    let (dc_id, host) = match ip.segments() {
        [0x2001, 0xB28, 0xF23D, 0xF001, 0, 0, 0, host] => (1, host),
        [0x2001, 0x67C, 0x4E8, 0xF002, 0, 0, 0, host] => (2, host),
        [0x2001, 0xB28, 0xF23D, 0xF003, 0, 0, 0, host] => (3, host),
        [0x2001, 0x67C, 0x4E8, 0xF004, 0, 0, 0, host] => (4, host),
        [0x2001, 0xB28, 0xF23F, 0xF005, 0, 0, 0, host] => (5, host),
        _ => return None,
    };
    match host {
        0xA => Some((dc_id, false)),
        0xE => Some((dc_id, true)),
        _ => None,
    }
}

/// The DC of one of Telegram's gateways for browsers.
fn known_gateway(name: &str) -> Option<i32> {
    let name = name.strip_suffix(".web.telegram.org")?;
    match name.strip_suffix("-1").unwrap_or(name) {
        "pluto" | "kws1" | "zws1" => Some(1),
        "venus" | "kws2" | "zws2" => Some(2),
        "aurora" | "kws3" | "zws3" => Some(3),
        "vesta" | "kws4" | "zws4" => Some(4),
        "flora" | "kws5" | "zws5" => Some(5),
        _ => None,
    }
}

/// Whether the address lies in the networks that Telegram announces.
pub(super) fn is_telegrams(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => matches!(
            ip.octets(),
            [149, 154, 160..=175, _] | [91, 108, 4..=63, _] | [91, 105, 192..=193, _]
        ),
        IpAddr::V6(ip) => is_telegrams_v6(ip),
    }
}

const fn is_telegrams_v6(ip: Ipv6Addr) -> bool {
    matches!(
        ip.segments(),
        [0x2001, 0xB28, 0xF23C..=0xF23F, ..] | [0x2001, 0x67C, 0x4E8, ..]
    )
}
