//! A cause that knows its kind, on its way up to the store that names itself.

use core::error::Error;
use core::fmt;
use std::io;

use crate::error::kind::{Outcome, StoreErrorKind};

/// A message of which more is known than its `io::ErrorKind` says.
#[derive(Debug)]
pub(crate) struct Told {
    pub(super) message: String,
    pub(super) kind: StoreErrorKind,
    pub(super) outcome: Outcome,
}

/// An error of this kind, before anything was changed.
pub(crate) fn told(kind: StoreErrorKind, message: impl Into<String>) -> io::Error {
    told_as(kind.io_kind(), kind, message)
}

/// The same in an `io::Error` of a kind that was promised.
pub(crate) fn told_as(
    io_kind: io::ErrorKind,
    kind: StoreErrorKind,
    message: impl Into<String>,
) -> io::Error {
    let told = Told {
        message: message.into(),
        kind,
        outcome: Outcome::Unchanged,
    };
    io::Error::new(io_kind, told)
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Told {}
