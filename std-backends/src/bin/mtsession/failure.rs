//! What a command fails with, and how the shell learns which it was.

use core::fmt;
use std::io;
use std::process::ExitCode;

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
            Self::Store(error) if error.kind() == io::ErrorKind::InvalidInput => 2,
            Self::Store(_) => 5,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(text) | Self::Usage(text) | Self::NotFound(text) => f.write_str(text),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Store(error)
    }
}
