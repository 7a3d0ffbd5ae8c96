//! The two questions about an error: what is wrong, and what became of the change.

use std::io;

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
    /// What is there is somebody else's: another library's, another kind of file, or several sessions where
    /// one was expected.
    Foreign,
    /// A newer release wrote it: update the program.
    Newer,
    /// It is encrypted, and no key that was given opens it.
    Sealed,
    /// It is not encrypted although a key was given.
    NotSealed,
    /// It is older than what was stored there last: somebody put a copy back.
    RolledBack,
    /// Others were in the way for as long as the store waits for them.
    Contended,
    /// Another login was stored there meanwhile.
    Conflict,
    /// Another program owns the session and writes to it.
    Owned,
    /// This handle has lost the ownership that it wrote with.
    NotOwner,
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
    /// The store was opened before the process was forked, and belongs to the parent.
    Forked,
    /// A fault of this library; please report it.
    Bug,
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
    /// The kind of the `io::Error` around an error of this kind.
    pub(crate) const fn io_kind(self) -> io::ErrorKind {
        match self {
            Self::Absent => io::ErrorKind::NotFound,
            Self::Exists => io::ErrorKind::AlreadyExists,
            Self::Damaged | Self::Foreign | Self::Newer | Self::NotSealed | Self::RolledBack => {
                io::ErrorKind::InvalidData
            }
            Self::Sealed | Self::Refused | Self::Owned | Self::NotOwner => {
                io::ErrorKind::PermissionDenied
            }
            Self::Contended | Self::Conflict => io::ErrorKind::WouldBlock,
            Self::Unreachable => io::ErrorKind::NotConnected,
            Self::NoSpace => io::ErrorKind::StorageFull,
            Self::TooLarge => io::ErrorKind::FileTooLarge,
            Self::Invalid => io::ErrorKind::InvalidInput,
            Self::Unsupported => io::ErrorKind::Unsupported,
            Self::Forked | Self::Bug | Self::Other => io::ErrorKind::Other,
        }
    }

    /// What an error of the system is.
    pub(crate) const fn of_io(kind: io::ErrorKind) -> Self {
        match kind {
            io::ErrorKind::NotFound => Self::Absent,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Damaged,
            io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => Self::Foreign,
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::Contended,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Refused,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            io::ErrorKind::FileTooLarge => Self::TooLarge,
            io::ErrorKind::InvalidInput => Self::Invalid,
            io::ErrorKind::Unsupported => Self::Unsupported,
            _ => Self::Other,
        }
    }
}
