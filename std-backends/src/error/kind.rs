//! The two questions about an error: what is wrong, and what became of the change.

use core::error::Error;
use core::fmt;
use std::io;

use mtsession_core::{DecodeError, DecodeErrorKind};

/// What is wrong, whatever the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// What was named is not there.
    Absent,
    /// Something is there already.
    Exists,
    /// What is stored cannot be read.
    Damaged,
    /// What is there is somebody else's: another library's, or another kind of file.
    Foreign,
    /// A newer release wrote it: update the program.
    Newer,
    /// Others were in the way for as long as the store waits for them.
    Contended,
    /// The server cannot be reached.
    Unreachable,
    /// The system, the server or a rule of safety has refused.
    Refused,
    /// The disk or a quota is full.
    NoSpace,
    /// It is larger than the store takes.
    TooLarge,
    /// What was given makes no sense, or no session file can hold it.
    Invalid,
    /// The store cannot do this.
    Unsupported,
    /// Anything else.
    Other,
}

/// What became of a change that ended in an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing was changed.
    Unchanged,
    /// The change is stored, but a power cut or the loss of one machine can lose it.
    Stored,
    /// Nobody knows: look before the next change.
    Unknown,
}

impl StoreErrorKind {
    pub(crate) fn of(cause: &(dyn Error + 'static), kind: io::ErrorKind) -> Self {
        if let Some(error) = cause.downcast_ref::<DecodeError>() {
            return Self::of_decoding(error);
        }
        if cause.is::<crate::backends::file::Newer>() {
            return Self::Newer;
        }
        #[cfg(feature = "libsql-remote")]
        if crate::backends::sql::is_unreachable(cause) {
            return Self::Unreachable;
        }
        match kind {
            io::ErrorKind::NotFound => Self::Absent,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::InvalidData => Self::Damaged,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Contended,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Refused,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            io::ErrorKind::FileTooLarge => Self::TooLarge,
            io::ErrorKind::InvalidInput => Self::Invalid,
            io::ErrorKind::Unsupported => Self::Unsupported,
            _ => Self::Other,
        }
    }

    fn of_decoding(error: &DecodeError) -> Self {
        match error.kind {
            DecodeErrorKind::NewerTrailer(_)
            | DecodeErrorKind::NewerChange(_)
            | DecodeErrorKind::UnknownVersion(_) => Self::Newer,
            DecodeErrorKind::Foreign(_) | DecodeErrorKind::ForeignString(_) => Self::Foreign,
            _ => Self::Damaged,
        }
    }
}

impl Outcome {
    pub(crate) fn of(cause: &(dyn Error + 'static)) -> Self {
        if cause.is::<Unflushed>() {
            return Self::Stored;
        }
        #[cfg(feature = "libsql-remote")]
        if let Some(outcome) = crate::backends::sql::outcome_of(cause) {
            return outcome;
        }
        Self::Unchanged
    }
}

/// The change is stored, but it is not known to be on the disk.
#[derive(Debug)]
pub(crate) struct Unflushed(pub(crate) String);

impl fmt::Display for Unflushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Unflushed {}
