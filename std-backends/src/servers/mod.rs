//! Servers that keep blobs: Redis, `PostgreSQL` and S3.
//!
//! Each is a [`BlobStore`](crate::blob::BlobStore), and is asked when it is opened for writing what it can
//! promise: one that would lose sessions, or that cannot compare and replace in one step, is refused.

mod clear_text;
#[cfg(any(feature = "redis", feature = "postgres"))]
mod pool;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "redis")]
pub(crate) mod redis;
#[cfg(feature = "s3")]
pub(crate) mod s3;
mod url;

use core::time::Duration;
use std::io;
use std::time::Instant;

use crate::blob::BlobError;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::shown;

/// How long one request may take, connecting included.
const REQUEST: Duration = Duration::from_secs(10);

/// An error of a call that has changed nothing and never will.
fn refused(kind: StoreErrorKind, message: impl Into<String>) -> BlobError {
    BlobError::unchanged(told(kind, message))
}

/// An error of a call that may have been carried out, or may still be.
fn unanswered(message: impl Into<String>) -> BlobError {
    BlobError::unknown(told(StoreErrorKind::Unreachable, message))
}

/// Says which cryptography TLS uses, where the program has not: the clients panic otherwise.
#[cfg(any(feature = "redis", feature = "postgres"))]
fn choose_cryptography() {
    // An error says that one is chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn invalid(message: impl Into<String>) -> io::Error {
    told(StoreErrorKind::Invalid, message)
}

/// The time for one request.
fn time_left(until: Instant) -> Result<Duration, BlobError> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        let message = "the call was not finished within its deadline";
        return Err(refused(StoreErrorKind::Contended, message));
    }
    Ok(left.min(REQUEST))
}

/// The server's words, in which what it was told could be echoed.
fn quoted(text: &str, secret: &str) -> String {
    shown::quoted(text, secret, "[secret]")
}
