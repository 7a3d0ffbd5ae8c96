//! What a command fails with, and how the shell learns which it was.

use core::error::Error as _;
use core::fmt;
use std::io;
use std::process::ExitCode;

use mtsession::{StoreError, StoreErrorKind};
use serde_json::{Value, json};

use crate::keys;

/// Why a command did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command did its work and found something wrong, which it has printed.
    Problems(String),
    /// The command line asks for something impossible.
    Usage(String),
    /// There is no session.
    NotFound(String),
    /// A store failed, or holds no readable session.
    Store(io::Error),
}

impl Failure {
    /// The codes of the help text.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Problems(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Store(error) if error.kind() == io::ErrorKind::InvalidData => 4,
            Self::Store(error) if is_misuse(error) => 2,
            Self::Store(error) if is_absent(error) => 3,
            Self::Store(_) => 5,
        })
    }
}

/// Whether something impossible was asked of a store: an option or a change that it does not have. What the
/// system under a store does not have is the store's failure.
fn is_misuse(error: &io::Error) -> bool {
    let is_of_the_system = |error: &StoreError| {
        let source = error.source().and_then(|source| source.downcast_ref());
        source.is_some_and(|source: &io::Error| source.raw_os_error().is_some())
    };
    error.kind() == io::ErrorKind::InvalidInput
        || StoreError::of(error).is_some_and(|error| {
            error.kind() == StoreErrorKind::Unsupported && !is_of_the_system(error)
        })
}

/// Whether a store that answers does not have the session.
fn is_absent(error: &io::Error) -> bool {
    is_of(error, StoreErrorKind::Absent)
}

pub(crate) fn is_of(error: &io::Error, kind: StoreErrorKind) -> bool {
    StoreError::of(error).is_some_and(|error| error.kind() == kind)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(text) | Self::Usage(text) | Self::NotFound(text) => f.write_str(text),
            Self::Store(error) if is_of(error, StoreErrorKind::Sealed) => {
                write!(f, "{error}{}", keys::hint())
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Store(error)
    }
}

/// Which stores failed, and why, for programs.
pub(crate) fn json(failed: &[(String, Failure)]) -> Vec<Value> {
    let failed = failed.iter();
    failed
        .map(|(name, failure)| json!({ "store": name, "error": failure.to_string() }))
        .collect()
}
