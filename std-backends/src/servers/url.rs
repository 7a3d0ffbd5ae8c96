//! The URL of a server, taken apart.

use std::io;

use super::invalid;
use crate::address::{host_and_port, unescaped};

/// `scheme://user@host:port/path`, without a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ServerUrl<'u> {
    pub(super) scheme: &'u str,
    pub(super) user: Option<String>,
    /// The name or number, without brackets.
    pub(super) host: &'u str,
    pub(super) port: Option<u16>,
    /// What follows the first slash after the host.
    pub(super) path: &'u str,
}

impl<'u> ServerUrl<'u> {
    pub(super) fn parse(url: &'u str) -> io::Result<Self> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the url has no scheme"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, _)) if user.contains(':') => {
                return Err(invalid("the url holds a password: give it by itself"));
            }
            Some((user, host)) => {
                let user = unescaped(user, "the user of a url").map_err(invalid)?;
                (Some(user).filter(|user| !user.is_empty()), host)
            }
            None => (None, authority),
        };
        let (host, port) = host_and_port(host).map_err(invalid)?;
        Ok(Self {
            scheme,
            user,
            host,
            port,
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url = ServerUrl::parse("redis://bot%40x@[::1]:6380/3").unwrap();
        assert_eq!(
            (
                url.scheme,
                url.user.as_deref(),
                url.host,
                url.port,
                url.path
            ),
            ("redis", Some("bot@x"), "::1", Some(6380), "3")
        );
        let url = ServerUrl::parse("postgres://db.example.org").unwrap();
        assert_eq!(
            (url.user, url.host, url.port, url.path),
            (None, "db.example.org", None, "")
        );
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        for text in [
            "host",
            "redis://",
            "redis:///1",
            "redis://u:hunter2@host",
            "redis://:hunter2@host",
            "redis://host:0",
            "redis://host:port",
            "redis://[::1",
            "redis://[::1]x",
        ] {
            let error = ServerUrl::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
