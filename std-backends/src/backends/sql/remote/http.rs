//! Requests to a server: deadlines, repetitions, and what an error says about the request.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;
use std::net::ToSocketAddrs as _;
use std::sync::mpsc;
use std::time::Instant;

use ureq::Error as HttpError;
use ureq::Proxy;
use zeroize::Zeroizing;

use super::address::{Address, is_loopback};
use super::failure::Failure;
use super::options::RemoteOptions;
use super::response::{read_answer, refusal};
use crate::http::agent;
use crate::secret_bytes::SecretBytes;
use crate::shown::quoted;
use crate::unique::unique_number;

/// Where the database is, and with what right.
pub(super) struct Server {
    address: Address,
    token: Zeroizing<String>,
    options: RemoteOptions,
}

impl Server {
    pub(super) fn new(url: &str, token: &str, mut options: RemoteOptions) -> io::Result<Self> {
        let address = Address::parse(url, &mut options)?;
        if token.chars().any(|char| !char.is_ascii_graphic()) {
            let message = "the token holds characters that no token has";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        Ok(Self {
            address,
            token: Zeroizing::new(token.to_owned()),
            options,
        })
    }

    /// The address, without anything secret.
    pub(super) fn url(&self) -> &str {
        &self.address.url
    }

    pub(super) fn options(&self) -> &RemoteOptions {
        &self.options
    }

    /// Sends `body` until `take` makes sense of the answer. Everything that is sent here can be sent
    /// twice: reads, and writes that their fence lets through once.
    ///
    /// A failure is unknown if any of the copies may have been carried out. So is the meaning of an
    /// answer that says no: the second value tells whether an earlier copy may still arrive.
    pub(super) fn exchange<T>(
        &self,
        body: &[u8],
        until: Instant,
        mut take: impl FnMut(&[u8]) -> Result<T, Failure>,
    ) -> Result<(T, bool), Failure> {
        let mut was_unknown = false;
        let mut attempt = 0;
        loop {
            let answer = self.send(body, until);
            let mut failure = match answer.and_then(|answer| take(&answer)) {
                Ok(taken) => return Ok((taken, was_unknown)),
                Err(failure) => failure,
            };
            was_unknown |= failure.is_unknown;
            let wait = failure.wait.unwrap_or_default().max(pause(attempt));
            if !failure.can_be_repeated
                || attempt >= self.options.retries
                || wait >= until.saturating_duration_since(Instant::now())
            {
                failure.is_unknown = was_unknown;
                return Err(failure.quoting(|text| self.quote(text)));
            }
            std::thread::sleep(wait);
            attempt = attempt.saturating_add(1);
        }
    }

    /// Sends a request once.
    fn send(&self, body: &[u8], until: Instant) -> Result<SecretBytes, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::deadline(self.options.deadline));
        }
        let timeout = left.min(self.options.request_timeout);
        let Address {
            path, authority, ..
        } = &self.address;
        if !self.address.is_plain {
            return self.post(&format!("https://{authority}{path}"), body, timeout);
        }
        if self.options.insecure {
            return self.post(&format!("http://{authority}{path}"), body, timeout);
        }
        // The request goes to the very addresses that were looked at.
        let mut result = Err(host_not_found());
        for address in self.loopback_addresses(timeout)? {
            result = self.post(&format!("http://{address}{path}"), body, timeout);
            match &result {
                Err(failure) if !failure.is_unknown && failure.can_be_repeated => {}
                _ => return result,
            }
        }
        result
    }

    /// The addresses of a host on this machine.
    fn loopback_addresses(&self, timeout: Duration) -> Result<Vec<SocketAddr>, Failure> {
        let (host, port) = (self.address.host.clone(), self.address.port);
        let (found, result) = mpsc::sync_channel(1);
        // The system's look-up cannot be given a time.
        std::thread::spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs();
            let _ = found.send(addresses.map(Iterator::collect::<Vec<_>>));
        });
        let addresses = match result.recv_timeout(timeout) {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(_)) => return Err(host_not_found()),
            Err(_) => return Err(self.not_reached()),
        };
        if addresses.iter().all(|address| is_loopback(address.ip())) {
            return Ok(addresses);
        }
        let message = self.address.in_clear();
        Err(Failure::refused(io::ErrorKind::InvalidInput, message))
    }

    fn post(&self, url: &str, body: &[u8], timeout: Duration) -> Result<SecretBytes, Failure> {
        let proxy = self.options.proxy.then(Proxy::try_from_env).flatten();
        let mut request = agent()
            .post(url)
            .config()
            .timeout_connect(Some(self.options.connect_timeout.min(timeout)))
            .timeout_global(Some(timeout))
            .proxy(proxy)
            .build()
            .header("host", &self.address.authority)
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            let bearer = Zeroizing::new(format!("Bearer {}", *self.token));
            request = request.header("authorization", &*bearer);
        }
        let mut response = request
            .send(body)
            .map_err(|error| self.explain(&error, timeout))?;
        match response.status().as_u16() {
            200 => read_answer(&mut response),
            status => Err(refusal(status, &mut response)),
        }
    }

    /// The server's words, in which the token could be echoed.
    pub(super) fn quote(&self, text: &str) -> String {
        quoted(text, &self.token, "[token]")
    }

    fn not_reached(&self) -> Failure {
        let message = format!(
            "the server was not reached within {:?}",
            self.options.connect_timeout
        );
        Failure::not_carried_out(io::ErrorKind::TimedOut, message)
    }

    fn explain(&self, error: &HttpError, timeout: Duration) -> Failure {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, InvalidData, InvalidInput, Other, TimedOut,
        };

        match error {
            HttpError::HostNotFound => host_not_found(),
            HttpError::ConnectionFailed => {
                Failure::not_carried_out(ConnectionRefused, "the server cannot be reached")
            }
            HttpError::Io(error) if error.kind() == ConnectionRefused => Failure::not_carried_out(
                ConnectionRefused,
                "no server listens there (connection refused)",
            ),
            HttpError::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                self.not_reached()
            }
            HttpError::Timeout(_) => {
                Failure::unanswered(TimedOut, format!("no answer within {timeout:?}"))
            }
            HttpError::Rustls(error) => Failure::not_carried_out(
                ConnectionAborted,
                format!("no safe connection to the server (TLS: {error})"),
            ),
            HttpError::Tls(what) => Failure::not_carried_out(
                ConnectionAborted,
                format!("no safe connection to the server (TLS: {what})"),
            ),
            HttpError::ConnectProxyFailed(what) => Failure::not_carried_out(
                ConnectionAborted,
                format!("the proxy of the environment gives no connection ({what})"),
            ),
            HttpError::InvalidProxyUrl => Failure::refused(
                InvalidInput,
                "the proxy that the environment names has no valid address: check HTTPS_PROXY",
            ),
            HttpError::Protocol(what) => Failure::unanswered(
                InvalidData,
                format!("the server does not answer HTTP ({what}): check the url"),
            ),
            HttpError::LargeResponseHeader(..) => {
                Failure::unanswered(InvalidData, "the answer's header never ends: check the url")
            }
            HttpError::BadUri(_) | HttpError::Http(_) => {
                Failure::refused(InvalidInput, "the url is not that of a server")
            }
            // rustls reports failures through the stream: of the handshake, or later.
            HttpError::Io(error) if error.kind() == InvalidData => Failure::unanswered(
                ConnectionAborted,
                format!("no safe connection to the server ({error})"),
            ),
            HttpError::Io(error) => Failure::unanswered(
                error.kind(),
                format!("the connection to the server broke ({error})"),
            ),
            other => Failure::unanswered(
                Other,
                format!("the exchange with the server broke ({other})"),
            ),
        }
    }
}

fn host_not_found() -> Failure {
    Failure::not_carried_out(
        io::ErrorKind::HostUnreachable,
        "the host of the url is not known: check the url and the network",
    )
}

/// Longer from one attempt to the next, and not the same for everybody.
pub(super) fn pause(attempt: u32) -> Duration {
    const FIRST: u64 = 50;
    const LONGEST: u64 = 2_000;
    let longest = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    let random = unique_number().checked_rem(longest).unwrap_or(0);
    Duration::from_millis((longest / 2).saturating_add(random / 2))
}
