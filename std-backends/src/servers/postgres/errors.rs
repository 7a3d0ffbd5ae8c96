//! What went wrong on a `PostgreSQL` server, and what is known of the change.

use core::error::Error as _;
use std::io;

use postgres::error::{DbError, SqlState};

use crate::blob::BlobError;
use crate::error::kind::StoreErrorKind;
use crate::servers::pool::Reuse;
use crate::servers::{quoted, refused, unanswered};

/// Why a call was not answered.
pub(super) enum Failure {
    /// The client says so.
    Client(postgres::Error),
    /// No answer came in time.
    Late,
    /// The connection's thread is gone.
    Vanished,
    /// The system has no thread to spare.
    NoThread(io::Error),
}

impl Failure {
    /// A statement that the server has refused leaves a connection as it was.
    pub(super) fn reuse(&self) -> Reuse {
        match self {
            Self::Client(error) if error.as_db_error().is_some() && !error.is_closed() => {
                Reuse::Yes
            }
            _ => Reuse::No,
        }
    }

    pub(super) fn explained(self, host: &str, port: u16, password: &str) -> BlobError {
        match self {
            Self::Client(error) => explained(&error, host, port, password),
            Self::Late => unanswered("no answer came in time"),
            Self::Vanished => unanswered("the connection ended in the middle of a call"),
            Self::NoThread(error) => BlobError::unchanged(error),
        }
    }
}

pub(super) fn explained(
    error: &postgres::Error,
    host: &str,
    port: u16,
    password: &str,
) -> BlobError {
    if let Some(error) = error.as_db_error() {
        return of_server(error, password);
    }
    let cause = error.source();
    let words = cause.map_or_else(|| error.to_string(), ToString::to_string);
    let words = quoted(&words, password);
    let io_kind = cause
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    if io_kind == Some(io::ErrorKind::ConnectionRefused) {
        let message = format!("no server listens at {host}:{port} (connection refused)");
        return refused(StoreErrorKind::Unreachable, message);
    }
    if words.contains("failed to lookup") {
        return BlobError::unchanged(crate::servers::clear_text::unknown_host(host));
    }
    if words.contains("password missing") {
        let message = "the server refuses the user or the password: it needs one, or another one";
        return refused(StoreErrorKind::Refused, message);
    }
    unanswered(format!("the exchange with {host}:{port} broke ({words})"))
}

/// A statement that ends in an error of the server was rolled back.
fn of_server(error: &DbError, password: &str) -> BlobError {
    let words = quoted(error.message(), password);
    let code = error.code();
    let class = code.code().get(..2).unwrap_or_default();
    let (kind, message) = match (class, code) {
        ("28", _) => (
            StoreErrorKind::Refused,
            "the server refuses the user or the password: it needs one, or another one".to_owned(),
        ),
        ("3D", _) => (
            StoreErrorKind::Absent,
            format!("the database is not there ({words}): make it, or give another name"),
        ),
        (_, &SqlState::READ_ONLY_SQL_TRANSACTION) => (
            StoreErrorKind::Refused,
            "the server or the user only reads: give the address of the primary".to_owned(),
        ),
        (_, &SqlState::INSUFFICIENT_PRIVILEGE) => (
            StoreErrorKind::Refused,
            format!("the user may not do this on the server ({words})"),
        ),
        (_, &SqlState::DISK_FULL | &SqlState::OUT_OF_MEMORY) => (
            StoreErrorKind::NoSpace,
            format!("the server has no space left ({words})"),
        ),
        ("54", _) => (
            StoreErrorKind::TooLarge,
            format!("it is larger than the server takes ({words})"),
        ),
        ("40", _) | (_, &SqlState::LOCK_NOT_AVAILABLE | &SqlState::TOO_MANY_CONNECTIONS) => (
            StoreErrorKind::Contended,
            format!("the server is busy ({words})"),
        ),
        ("57", _) => (
            StoreErrorKind::Unreachable,
            format!("the server is starting or stopping ({words})"),
        ),
        _ => (
            StoreErrorKind::Refused,
            format!("the server refuses it ({words})"),
        ),
    };
    refused(kind, message)
}
