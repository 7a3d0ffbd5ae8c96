//! Errors of stores: which store, doing what, and why.

pub(crate) mod kind;

use core::error::Error;
use core::fmt;
use std::io;

use crate::error::kind::{Outcome, StoreErrorKind};
use crate::shown::Shown;

/// The typed error inside every `io::Error` of this crate's backends.
///
/// ```
/// use mtsession::{BinaryFileBackend, Outcome, SessionBackend, StoreError};
///
/// let error = BinaryFileBackend::new("/no/such/directory/bot.session")
///     .save(&Default::default())
///     .unwrap_err();
/// let store = StoreError::of(&error).expect("of a backend of this crate");
/// assert_eq!(store.store(), "/no/such/directory/bot.session");
/// assert_eq!(store.outcome(), Outcome::Unchanged);
/// assert!(error.to_string().contains("directory /no/such/directory does not exist"));
/// ```
#[derive(Debug)]
pub struct StoreError {
    backend: &'static str,
    store: String,
    action: &'static str,
    /// Whose session it is instead, where that could be found out.
    found: Option<String>,
    io_kind: io::ErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// Wraps `source`, keeping its kind.
    pub(crate) fn io(
        backend: &'static str,
        store: impl Into<String>,
        action: &'static str,
        source: impl Into<io::Error>,
    ) -> io::Error {
        Self::io_finding(backend, store, action, source, None)
    }

    /// The same, where something else was found in the session's place.
    pub(crate) fn io_finding(
        backend: &'static str,
        store: impl Into<String>,
        action: &'static str,
        source: impl Into<io::Error>,
        found: Option<String>,
    ) -> io::Error {
        let source: io::Error = source.into();
        let kind = source.kind();
        let error = Self {
            backend,
            store: store.into(),
            action,
            found,
            io_kind: kind,
            // The typed cause itself, where there is one, rather than the box around it.
            source: match source.into_inner_or_self() {
                Ok(inner) => inner,
                Err(plain) => Box::new(plain),
            },
        };
        io::Error::new(kind, error)
    }

    /// The typed error inside an `io::Error`, where a backend of this crate made it.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        StoreErrorKind::of(&*self.source, self.io_kind)
    }

    /// What became of the change.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome::of(&*self.source)
    }

    /// Whether the same call may succeed later, without anybody doing anything: others were in the way, or
    /// the server could not be reached. Look at [`outcome`](Self::outcome) before a change is repeated.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let kind = self.kind();
        matches!(
            kind,
            StoreErrorKind::Contended | StoreErrorKind::Unreachable
        )
    }

    /// The kind of store, as in [`SessionBackend::name`](crate::SessionBackend::name).
    #[must_use]
    pub const fn backend(&self) -> &'static str {
        self.backend
    }

    /// Which one: a path, or a url without its token. Empty for stores in memory.
    #[must_use]
    pub fn store(&self) -> &str {
        &self.store
    }

    /// What was being done: "load", "save", ….
    #[must_use]
    pub const fn action(&self) -> &'static str {
        self.action
    }
}

/// What is said where a file was to be made and there is one; better words than the system's.
#[cfg(any(feature = "sqlite", feature = "clients"))]
pub(crate) fn already_there() -> io::Error {
    let message = "something is there already, and nothing is replaced";
    io::Error::new(io::ErrorKind::AlreadyExists, message)
}

/// The store cannot do what was asked for.
pub(crate) fn unsupported(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// `io::Error::into_inner` that gives the error back where there is nothing inside.
trait IntoInnerOrSelf {
    fn into_inner_or_self(self) -> Result<Box<dyn Error + Send + Sync>, io::Error>;
}

impl IntoInnerOrSelf for io::Error {
    fn into_inner_or_self(self) -> Result<Box<dyn Error + Send + Sync>, io::Error> {
        if self.get_ref().is_none() {
            return Err(self);
        }
        self.into_inner()
            .ok_or_else(|| Self::other("unknown error"))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.backend)?;
        if !self.store.is_empty() {
            write!(f, " {}", Shown(&self.store))?;
        }
        write!(f, ": cannot {}: {}", self.action, Shown(&self.source))?;
        match &self.found {
            Some(found) => write!(f, " (found {})", Shown(found)),
            None => Ok(()),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
