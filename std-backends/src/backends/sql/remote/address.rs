//! The address of a server.

use core::net::IpAddr;
use core::time::Duration;
use std::io;

use super::options::RemoteOptions;
use crate::address::host_and_port;

/// A server's address, taken apart.
pub(super) struct Address {
    /// Without options, and without anything secret.
    pub(super) url: String,
    /// `host`, or `host:port`.
    pub(super) authority: String,
    /// The name or number, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Where requests go, from the host on.
    pub(super) path: String,
    /// Whether nobody on the way is kept from reading.
    pub(super) is_plain: bool,
}

impl Address {
    /// Takes `libsql://`, `https://`, `http://`, `wss://` and `ws://`, with options after `?`.
    pub(super) fn parse(text: &str, options: &mut RemoteOptions) -> io::Result<Self> {
        let (url, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the url has no scheme: libsql://, https:// or http://"))?;
        let is_secret = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            let name = name.to_ascii_lowercase();
            name.contains("token") || name.contains("jwt") || name.contains("password")
        };
        if rest.contains('@') || query.split('&').any(is_secret) {
            return Err(invalid("the url holds a secret: give the token by itself"));
        }
        let is_tls = query_options(query, options)?;
        let is_plain = match scheme {
            "libsql" => is_tls == Some(false),
            "https" | "wss" => false,
            "http" | "ws" => true,
            _ => {
                return Err(invalid(
                    "the url's scheme is none of libsql, https and http",
                ));
            }
        };
        if rest.contains('#') {
            return Err(invalid(
                "the url has a fragment (#…), which servers never see",
            ));
        }
        let rest = rest.trim_end_matches('/');
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let default_port = if is_plain { 80 } else { 443 };
        let (host, port) = host_and_port(authority).map_err(invalid)?;
        let address = Self {
            url: format!("{}://{rest}", if is_plain { "http" } else { "https" }),
            authority: authority.to_owned(),
            host: host.to_owned(),
            port: port.unwrap_or(default_port),
            path: format!("{path}/v3/pipeline"),
            is_plain,
        };
        if is_plain && !options.insecure {
            if options.proxy {
                return Err(invalid(
                    "a proxy would see the token and the keys: use https://, or allow clear text \
                     with the option `insecure`",
                ));
            }
            // Names are looked up when they are needed.
            if host.parse().is_ok_and(|address| !is_loopback(address)) {
                return Err(invalid(&address.in_clear()));
            }
        }
        Ok(address)
    }

    /// What is wrong with sending clear text there.
    pub(super) fn in_clear(&self) -> String {
        format!(
            "{} is not this machine, and http:// would send the token and the keys there in clear \
             text: use https://, or allow it with the option `insecure` (http://…?insecure)",
            self.host
        )
    }
}

/// Whether packets to the address stay on this machine.
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Sets what the query says; returns whether it says something about TLS.
fn query_options(query: &str, options: &mut RemoteOptions) -> io::Result<Option<bool>> {
    let mut is_tls = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "1")) {
            ("tls", "0") => is_tls = Some(false),
            ("tls", "1") => is_tls = Some(true),
            ("insecure", "1") => options.insecure = true,
            ("proxy", "1") => options.proxy = true,
            ("deadline", seconds) => {
                let seconds = seconds.parse().ok().filter(|seconds| *seconds > 0);
                let seconds = seconds.ok_or_else(|| {
                    invalid("the url's option `deadline` is not a number of seconds")
                })?;
                options.deadline = Duration::from_secs(seconds);
            }
            _ => {
                return Err(invalid(
                    "the url has an option that is none of `insecure`, `proxy`, `deadline=SECONDS` \
                     and `tls=0`",
                ));
            }
        }
    }
    Ok(is_tls)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> (Result<Address, String>, RemoteOptions) {
        let mut options = RemoteOptions::default();
        let address = Address::parse(text, &mut options).map_err(|error| error.to_string());
        (address, options)
    }

    #[test]
    fn addresses_are_taken_apart() {
        for (text, url, host, port, path) in [
            (
                "libsql://x.turso.io",
                "https://x.turso.io",
                "x.turso.io",
                443,
                "/v3/pipeline",
            ),
            (
                "wss://x.turso.io:8443/",
                "https://x.turso.io:8443",
                "x.turso.io",
                8443,
                "/v3/pipeline",
            ),
            (
                "http://127.0.0.1:8080/a/b",
                "http://127.0.0.1:8080/a/b",
                "127.0.0.1",
                8080,
                "/a/b/v3/pipeline",
            ),
            ("ws://[::1]", "http://[::1]", "::1", 80, "/v3/pipeline"),
            (
                "http://[::ffff:127.0.0.1]:1",
                "http://[::ffff:127.0.0.1]:1",
                "::ffff:127.0.0.1",
                1,
                "/v3/pipeline",
            ),
            (
                "libsql://127.9.9.9?tls=0",
                "http://127.9.9.9",
                "127.9.9.9",
                80,
                "/v3/pipeline",
            ),
            (
                "http://10.0.0.1?insecure",
                "http://10.0.0.1",
                "10.0.0.1",
                80,
                "/v3/pipeline",
            ),
        ] {
            let address = parse(text).0.unwrap();
            assert_eq!(
                (&*address.url, &*address.host, address.port, &*address.path),
                (url, host, port, path)
            );
        }
    }

    #[test]
    fn options_are_read_from_the_address() {
        let options = parse("https://x?proxy&deadline=7&insecure=1").1;
        assert!(options.proxy && options.insecure);
        assert_eq!(options.deadline, Duration::from_secs(7));
    }

    #[test]
    fn clear_text_to_other_machines_needs_an_option() {
        for text in [
            "http://10.0.0.1",
            "ws://192.0.2.1:8080",
            "http://[2001:db8::1]:80",
            "http://0.0.0.0",
            "http://[::ffff:10.0.0.1]",
            "libsql://10.0.0.1?tls=0",
        ] {
            assert!(
                parse(text).0.err().unwrap().contains("clear text"),
                "{text}"
            );
            let joint = if text.contains('?') { '&' } else { '?' };
            parse(&format!("{text}{joint}insecure")).0.unwrap();
        }
        assert!(
            parse("http://127.0.0.1?proxy")
                .0
                .err()
                .unwrap()
                .contains("proxy")
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (text, cause) in [
            ("x.turso.io", "no scheme"),
            ("ftp://x", "scheme is none of"),
            ("https://", "names no host"),
            ("https:///path", "names no host"),
            ("https://:80", "names no host"),
            ("https://x:port", "port is not"),
            ("https://x:0", "port is not"),
            ("https://x:99999", "port is not"),
            ("https://[::1", "bracket"),
            ("https://[::1]x", "port is not"),
            ("https://user:pass@x", "secret"),
            ("https://x?authToken=a", "secret"),
            ("https://x?auth_token=a", "secret"),
            ("https://x?jwt=a", "secret"),
            ("https://x?insecur", "option that is none of"),
            ("https://x?insecure=0", "option that is none of"),
            ("https://x?deadline=0", "deadline"),
            ("https://x?deadline=soon", "deadline"),
            ("https://x#alice", "fragment"),
        ] {
            assert!(parse(text).0.err().unwrap().contains(cause), "{text}");
        }
    }
}
