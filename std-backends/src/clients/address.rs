//! Addresses as other libraries keep them, and DC ids that can be one.

use core::net::IpAddr;

use mtsession_core::clients::{Host, Server};

/// The port of every production DC.
const PORT: u16 = 443;

/// A DC id; `None` for what none can be.
pub(super) fn dc_id(number: i64) -> Option<i32> {
    i32::try_from(number)
        .ok()
        .filter(|id| (1..=0xFFFF).contains(id))
}

/// Host and port apart. An IPv6 address may have brackets, and a host its port.
///
/// Returns what is odd about it: a port that none can be is taken for the usual one.
pub(super) fn server(
    host: Option<&str>,
    port: Option<i64>,
) -> Result<(Server, Option<&'static str>), &'static str> {
    let host = host.unwrap_or_default().trim();
    if host.is_empty() {
        return Err("no address");
    }
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let parsed = match bare {
        Some(bare) => Host::parse(bare).filter(|host| matches!(host, Host::Ip(IpAddr::V6(_)))),
        None => Host::parse(host),
    };
    match (parsed, port.map(u16::try_from)) {
        (Some(host), Some(Ok(port))) => Ok((Server { host, port }, None)),
        (Some(host), other) => {
            let oddity = match other {
                None => "no port",
                Some(_) => "the port is out of range",
            };
            Ok((Server { host, port: PORT }, Some(oddity)))
        }
        (None, _) => joined(host).map(|server| (server, None)),
    }
}

/// `"ip:port"`, `"[ipv6]:port"` or `"host:port"`.
pub(super) fn joined(addr: &str) -> Result<Server, &'static str> {
    Server::parse(addr.trim()).ok_or("the address cannot be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_with_and_without_brackets_and_ports() {
        let shown =
            |host, port| server(Some(host), port).map(|(server, odd)| (server.to_string(), odd));
        let v6 = "[2001:67c:4e8:f002::a]:443".to_owned();
        assert_eq!(
            shown("[2001:67c:4e8:f002::a]", Some(443)),
            Ok((v6.clone(), None))
        );
        assert_eq!(
            shown("2001:67c:4e8:f002::a", Some(443)),
            Ok((v6.clone(), None))
        );
        assert_eq!(shown("[2001:67c:4e8:f002::a]:443", None), Ok((v6, None)));
        let v4 = "149.154.167.51:443".to_owned();
        assert_eq!(
            shown(" 149.154.167.51\n", Some(443)),
            Ok((v4.clone(), None))
        );
        assert_eq!(
            shown("149.154.167.51", None),
            Ok((v4.clone(), Some("no port")))
        );
        let out_of_range = Ok((v4, Some("the port is out of range")));
        assert_eq!(shown("149.154.167.51", Some(-1)), out_of_range);
        assert_eq!(shown("149.154.167.51", Some(65_536)), out_of_range);
        for host in ["", "[149.154.167.51]", "two words", "[", "]", "[]"] {
            assert!(server(Some(host), Some(443)).is_err(), "{host}");
        }
        assert!(server(None, Some(443)).is_err());
    }
}
