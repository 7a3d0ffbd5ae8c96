//! The answer of an S3 server, and what it means.

use core::time::Duration;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use ureq::Body;
use ureq::Error as HttpError;
use ureq::http::{HeaderMap, Response};

use super::time::{of_header, of_iso_8601};
use crate::blob::{BlobError, Version};
use crate::error::kind::StoreErrorKind;
use crate::servers::{quoted, refused, unanswered};

/// Most bytes of an answer: more than any session.
const MAX_BODY: u64 = 4 << 30;

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    headers: HeaderMap,
}

/// An object of a list.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) size: u64,
    /// Seconds since 1970.
    pub(super) stored: Option<u64>,
}

/// The text in the first element of this name.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, after) = text.split_once(&format!("<{name}>"))?;
    after.split('<').next()
}

impl Answer {
    pub(super) fn read(response: Response<Body>) -> Result<Self, BlobError> {
        let (parts, mut body) = response.into_parts();
        let body = body
            .with_config()
            .limit(MAX_BODY)
            .read_to_vec()
            .map_err(|error| unanswered(format!("the answer broke off ({error})")))?;
        Ok(Self {
            status: parts.status.as_u16(),
            body,
            headers: parts.headers,
        })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn version(&self) -> Option<Version> {
        self.header("etag").map(Version::new)
    }

    /// How long ago the object was stored, by the server's clock.
    pub(super) fn age(&self) -> Option<Duration> {
        self.since(of_header(self.header("last-modified")?)?)
    }

    /// How long ago a time is, in seconds since 1970, by the server's clock.
    pub(super) fn since(&self, stored: u64) -> Option<Duration> {
        let now = of_header(self.header("date")?)?;
        Some(Duration::from_secs(now.saturating_sub(stored)))
    }

    /// The server's code of an error.
    fn code(&self) -> &str {
        self.element("Code").unwrap_or_default()
    }

    fn element(&self, name: &str) -> Option<&str> {
        element(core::str::from_utf8(&self.body).ok()?, name)
    }

    /// Whether the server says that there is no such object, in so many words.
    pub(super) fn is_no_object(&self) -> bool {
        self.status == 404 && self.code() == "NoSuchKey"
    }

    /// How many seconds the server's clock is ahead of ours, where it refuses the request for that.
    pub(super) fn skew(&self) -> Option<i64> {
        if !matches!(self.code(), "RequestTimeTooSkewed" | "RequestExpired") {
            return None;
        }
        let theirs = i64::try_from(of_header(self.header("date")?)?).ok()?;
        let ours = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        theirs.checked_sub(i64::try_from(ours).ok()?)
    }

    /// A page of a list, and what the next one is asked for with.
    pub(super) fn page(&self) -> Option<(Vec<Entry>, Option<String>)> {
        let text = core::str::from_utf8(&self.body).ok()?;
        if !text.contains("<ListBucketResult") {
            return None;
        }
        let is_encoded = element(text, "EncodingType") == Some("url");
        let entries = text.split("<Contents>").skip(1).map(|entry| {
            let key = element(entry, "Key")?;
            let key = if is_encoded {
                crate::address::unescaped(key, "a key").ok()?
            } else {
                key.to_owned()
            };
            Some(Entry {
                key,
                size: element(entry, "Size")?.parse().ok()?,
                stored: element(entry, "LastModified").and_then(of_iso_8601),
            })
        });
        let entries = entries.collect::<Option<Vec<_>>>()?;
        let next = element(text, "NextContinuationToken").map(str::to_owned);
        // A list that goes on and does not say where would be taken for a whole one.
        let is_cut = element(text, "IsTruncated") == Some("true");
        (next.is_some() || !is_cut).then_some((entries, next.filter(|_| is_cut)))
    }

    /// What an answer means that is not the one that was hoped for.
    pub(super) fn refusal(&self, bucket: &str, secret: &str) -> BlobError {
        let words = self.element("Message").unwrap_or_default();
        let said = format!("status {} {} {words}", self.status, self.code());
        let said = quoted(said.trim(), secret);
        let (kind, message) = match (self.status, self.code()) {
            (_, "NoSuchBucket") => (
                StoreErrorKind::Absent,
                format!("there is no bucket {bucket}: make it, or give another name"),
            ),
            (
                _,
                "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "ExpiredToken" | "InvalidToken",
            ) => (
                StoreErrorKind::Refused,
                format!("the server refuses the keys ({said})"),
            ),
            (_, "RequestTimeTooSkewed" | "RequestExpired") => (
                StoreErrorKind::Refused,
                format!("the clock of this machine or of the server is wrong ({said})"),
            ),
            (_, "QuotaExceeded" | "XMinioStorageFull" | "XMinioStorageQuotaExceeded")
            | (507, _) => (
                StoreErrorKind::NoSpace,
                format!("the server has no space left ({said})"),
            ),
            (501, _) | (_, "NotImplemented") => (
                StoreErrorKind::Unsupported,
                format!("the server has no conditional puts, which sessions need ({said})"),
            ),
            (413, _) | (_, "EntityTooLarge") => (
                StoreErrorKind::TooLarge,
                format!("it is larger than the server takes ({said})"),
            ),
            (409 | 429, _) | (503, "SlowDown") => (
                StoreErrorKind::Contended,
                format!("the server is busy ({said})"),
            ),
            (500.., _) => return unanswered(format!("the server has failed ({said})")),
            (401 | 403 | 405, _) => (
                StoreErrorKind::Refused,
                format!("the keys do not allow it, or the server only reads ({said})"),
            ),
            (300..=399, _) => (
                StoreErrorKind::Refused,
                format!(
                    "the bucket is elsewhere: check the options `region` and `endpoint` ({said})"
                ),
            ),
            (200..=299, _) => return unanswered(format!("the answer makes no sense ({said})")),
            _ => (
                StoreErrorKind::Refused,
                format!(
                    "the server refuses it: check the options `region` and `endpoint` ({said})"
                ),
            ),
        };
        refused(kind, message)
    }
}

/// An `ETag` as it was given.
pub(super) fn text_of(version: &Version) -> Result<String, BlobError> {
    let text = core::str::from_utf8(version.as_bytes());
    text.map(str::to_owned)
        .map_err(|_| refused(StoreErrorKind::Bug, "a version is not an ETag"))
}

/// A request that was not answered. The request's URL holds a signature, and is not shown.
pub(super) fn not_answered(error: &HttpError) -> BlobError {
    let unreachable = |message: String| refused(StoreErrorKind::Unreachable, message);
    match error {
        HttpError::HostNotFound => unreachable(
            "the host of the server is not known: check the address and the network".into(),
        ),
        HttpError::ConnectionFailed => unreachable("the server cannot be reached".into()),
        HttpError::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            unreachable("no server listens there (connection refused)".into())
        }
        HttpError::Timeout(ureq::Timeout::Resolve | ureq::Timeout::Connect) => {
            unreachable("the server was not reached in time".into())
        }
        HttpError::Rustls(error) => {
            unreachable(format!("no safe connection to the server (TLS: {error})"))
        }
        HttpError::Tls(what) => {
            unreachable(format!("no safe connection to the server (TLS: {what})"))
        }
        HttpError::BadUri(_) | HttpError::Http(_) => refused(
            StoreErrorKind::Invalid,
            "the address is not that of a server",
        ),
        HttpError::Timeout(_) => unanswered("no answer came in time"),
        HttpError::Io(error) => unanswered(format!("the connection to the server broke ({error})")),
        _ => unanswered("the server does not answer as S3 does: check the option `endpoint`"),
    }
}
