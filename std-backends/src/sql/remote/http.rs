//! Requests to a server: timeouts, retries, and what an error says about the request.

use core::time::Duration;
use std::io::{self, Read as _};
use std::sync::OnceLock;

use ureq::Agent;
use ureq::Error as HttpError;
use zeroize::Zeroizing;

use crate::sql::statement::random_tag;

/// The most that is read of an answer. Servers end theirs at 10 MB.
const MAX_ANSWER: u64 = 64 << 20;

/// How much of a refusal is quoted.
const MAX_QUOTE: usize = 200;

/// How long a request may take and how often it is repeated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) connect_timeout: Duration,
    pub(super) request_timeout: Duration,
    pub(super) retries: u32,
}

/// Where the database is, and with what right.
pub(super) struct Server {
    url: String,
    pipeline: String,
    token: Zeroizing<String>,
    limits: Limits,
}

/// Why a request failed, and what is known of it.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: io::Error,
    /// It may have been carried out, or may still be.
    pub(super) is_unknown: bool,
    can_be_repeated: bool,
    wait: Option<Duration>,
}

impl Failure {
    /// The server did not get it, or said no.
    fn final_(kind: io::ErrorKind, message: impl Into<String>) -> Self {
        Self {
            error: io::Error::new(kind, message.into()),
            is_unknown: false,
            can_be_repeated: false,
            wait: None,
        }
    }

    /// The server did not get it.
    fn not_sent(kind: io::ErrorKind, message: impl Into<String>) -> Self {
        Self {
            can_be_repeated: true,
            ..Self::final_(kind, message)
        }
    }

    /// The server got it, and what it said cannot be understood.
    pub(super) fn garbled(error: io::Error) -> Self {
        Self {
            error,
            is_unknown: true,
            can_be_repeated: false,
            wait: None,
        }
    }

    /// The server may have got it.
    fn unknown(kind: io::ErrorKind, message: impl Into<String>) -> Self {
        Self {
            is_unknown: true,
            ..Self::not_sent(kind, message)
        }
    }
}

/// All requests of a process share their connections.
fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        Agent::config_builder()
            .http_status_as_error(false)
            // A token is for the server that it was given for.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build()
            .into()
    })
}

impl Server {
    /// Takes `libsql://`, `https://`, `http://`, `wss://` and `ws://`.
    pub(super) fn new(url: &str, token: &str, limits: Limits) -> io::Result<Self> {
        let invalid = |message: &str| io::Error::new(io::ErrorKind::InvalidInput, message);
        let (url, query) = url.split_once('?').unwrap_or((url, ""));
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| invalid("the url has no scheme: libsql://, https:// or http://"))?;
        let scheme = match scheme {
            "libsql" if query.split('&').any(|pair| pair == "tls=0") => "http",
            "libsql" | "https" | "wss" => "https",
            "http" | "ws" => "http",
            _ => {
                return Err(invalid(
                    "the url's scheme is none of libsql, https and http",
                ));
            }
        };
        if query.contains("authToken") || rest.contains('@') {
            return Err(invalid("the url holds a secret: give the token by itself"));
        }
        if token.chars().any(|char| !char.is_ascii_graphic()) {
            return Err(invalid("the token holds characters that no token has"));
        }
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() {
            return Err(invalid("the url names no host"));
        }
        Ok(Self {
            url: format!("{scheme}://{rest}"),
            pipeline: format!("{scheme}://{rest}/v2/pipeline"),
            token: Zeroizing::new(token.to_owned()),
            limits,
        })
    }

    /// The address, without anything secret.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Sends `body` until it is answered. Everything that is sent here can be sent twice: reads, and
    /// writes that their fence lets through once.
    pub(super) fn send(&self, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut was_unknown = false;
        let mut attempt = 0;
        loop {
            let mut failure = match self.send_once(body) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            was_unknown |= failure.is_unknown;
            if !failure.can_be_repeated || attempt >= self.limits.retries {
                failure.is_unknown = was_unknown;
                return Err(failure);
            }
            std::thread::sleep(failure.wait.unwrap_or_else(|| pause(attempt)));
            attempt = attempt.saturating_add(1);
        }
    }

    fn send_once(&self, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let mut request = agent()
            .post(&self.pipeline)
            .config()
            .timeout_connect(Some(self.limits.connect_timeout))
            .timeout_global(Some(self.limits.request_timeout))
            .build()
            .header("content-type", "application/json");
        if !self.token.is_empty() {
            let bearer = Zeroizing::new(format!("Bearer {}", *self.token));
            request = request.header("authorization", &*bearer);
        }
        let mut response = request.send(body).map_err(|error| self.explain(&error))?;
        let status = response.status().as_u16();
        let wait = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(|seconds| Duration::from_secs(seconds).min(self.limits.request_timeout));
        let declared = response.body().content_length();
        let mut answer = Zeroizing::new(Vec::with_capacity(
            declared
                .and_then(|len| usize::try_from(len.min(MAX_ANSWER)).ok())
                .unwrap_or(0),
        ));
        let read = response
            .body_mut()
            .with_config()
            .limit(MAX_ANSWER)
            .reader()
            .read_to_end(&mut answer);
        if let (Err(_), 200) = (&read, status) {
            let message = "the server's answer broke off";
            return Err(Failure::unknown(io::ErrorKind::UnexpectedEof, message));
        }
        match status {
            200 => Ok(answer),
            401 | 403 => Err(Failure::final_(
                io::ErrorKind::PermissionDenied,
                format!(
                    "the server refuses the token (status {status}): it is wrong, expired or of another database"
                ),
            )),
            404 => Err(Failure::final_(
                io::ErrorKind::NotFound,
                "the server knows no such database (status 404): check the url",
            )),
            429 | 502 | 503 | 504 => Err(Failure {
                wait,
                ..Failure::unknown(
                    io::ErrorKind::WouldBlock,
                    format!("the server is overloaded or restarting (status {status})"),
                )
            }),
            300..=399 => Err(Failure::final_(
                io::ErrorKind::InvalidInput,
                format!(
                    "the server redirects elsewhere (status {status}), where the token does not go: use the final url"
                ),
            )),
            _ => Err(Failure {
                is_unknown: status >= 500,
                ..Failure::final_(
                    io::ErrorKind::Other,
                    format!(
                        "the server answered with status {status}: {}",
                        self.quote(&answer)
                    ),
                )
            }),
        }
    }

    /// The beginning of what a server said, without the token, should it be echoed.
    fn quote(&self, answer: &[u8]) -> String {
        let text = String::from_utf8_lossy(answer);
        let text = if self.token.is_empty() {
            text.into_owned()
        } else {
            text.replace(&*self.token, "[token]")
        };
        text.chars()
            .filter(|char| !char.is_control())
            .take(MAX_QUOTE)
            .collect()
    }

    /// Takes the token out of an error that quotes the server.
    pub(super) fn without_token(&self, error: io::Error) -> io::Error {
        let text = error.to_string();
        if self.token.is_empty() || !text.contains(&*self.token) {
            return error;
        }
        io::Error::new(error.kind(), text.replace(&*self.token, "[token]"))
    }

    fn explain(&self, error: &HttpError) -> Failure {
        match error {
            HttpError::HostNotFound => Failure::not_sent(
                io::ErrorKind::HostUnreachable,
                "the host of the url is not known: check the url and the network",
            ),
            // The standard library has no kind for it.
            HttpError::Io(error) if error.to_string().contains("lookup address") => {
                self.explain(&HttpError::HostNotFound)
            }
            HttpError::ConnectionFailed => Failure::not_sent(
                io::ErrorKind::ConnectionRefused,
                "the server cannot be reached",
            ),
            HttpError::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                Failure::not_sent(error.kind(), "no server listens there (connection refused)")
            }
            HttpError::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
                let message = format!(
                    "the server was not reached within {:?}",
                    self.limits.connect_timeout
                );
                Failure::not_sent(io::ErrorKind::TimedOut, message)
            }
            HttpError::Timeout(_) => {
                let message = format!("no answer within {:?}", self.limits.request_timeout);
                Failure::unknown(io::ErrorKind::TimedOut, message)
            }
            HttpError::Rustls(error) => {
                let message = format!("no safe connection to the server (TLS: {error})");
                Failure::final_(io::ErrorKind::ConnectionAborted, message)
            }
            HttpError::Tls(what) => {
                let message = format!("no safe connection to the server (TLS: {what})");
                Failure::final_(io::ErrorKind::ConnectionAborted, message)
            }
            HttpError::Protocol(what) => Failure::unknown(
                io::ErrorKind::InvalidData,
                format!("what answers there speaks no HTTP ({what}): check the url"),
            ),
            HttpError::BadUri(_) => {
                Failure::final_(io::ErrorKind::InvalidInput, "this is no url of a server")
            }
            // rustls reports some failures of the handshake through the stream.
            HttpError::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                let message = format!("no safe connection to the server ({error})");
                Failure::final_(io::ErrorKind::ConnectionAborted, message)
            }
            HttpError::Io(error) => Failure::unknown(
                error.kind(),
                format!("the connection to the server broke ({error})"),
            ),
            other => Failure::unknown(
                io::ErrorKind::Other,
                format!("the exchange with the server broke ({other})"),
            ),
        }
    }
}

/// Longer from one attempt to the next, and not the same for everybody.
pub(super) fn pause(attempt: u32) -> Duration {
    const FIRST: u64 = 50;
    const LONGEST: u64 = 2_000;
    let longest = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    let random = random_tag()
        .unsigned_abs()
        .checked_rem(longest)
        .unwrap_or(0);
    Duration::from_millis((longest / 2).saturating_add(random / 2))
}
