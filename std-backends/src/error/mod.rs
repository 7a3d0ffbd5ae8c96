//! Errors of stores: which store, doing what, and why.

pub(crate) mod classify;
pub(crate) mod kind;
pub(crate) mod reworded;
pub(crate) mod told;

use core::error::Error;
use core::fmt;
use std::io;

use crate::error::classify::{inside, of_error};
use crate::error::kind::{Outcome, StoreErrorKind};
use crate::owner::OwnerInfo;
use crate::shown::Shown;

/// The typed error inside every `io::Error` of this crate's backends, and of those of your own that make
/// one. Only what the closure of an [`update`](crate::SessionBackend::update) fails with is passed on as it
/// is.
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
///
/// A store of one's own:
///
/// ```
/// use mtsession::{Outcome, StoreError, StoreErrorKind};
/// use std::io;
///
/// let answer = "the request timed out";
/// let error = StoreError::new(StoreErrorKind::Unreachable, answer)
///     .with_outcome(Outcome::Unknown)
///     .with_store("vault", "vault.example.org/bot", "save");
/// assert_eq!(
///     error.to_string(),
///     "vault vault.example.org/bot: cannot save: the request timed out",
/// );
/// let error = io::Error::from(error);
/// let store = StoreError::of(&error).expect("made above");
/// assert!(store.is_retryable());
/// assert_eq!(store.outcome(), Outcome::Unknown);
/// ```
#[derive(Debug)]
pub struct StoreError {
    backend: &'static str,
    store: String,
    action: &'static str,
    /// Whose session it is instead, where that could be found out.
    found: Option<String>,
    kind: StoreErrorKind,
    outcome: Outcome,
    owner: Option<Box<OwnerInfo>>,
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// An error of a store of one's own; [`io::Error::from`] makes of it what a backend returns.
    ///
    /// Unless told otherwise it says that nothing was changed.
    #[must_use]
    pub fn new(kind: StoreErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            backend: "",
            store: String::new(),
            action: "",
            found: None,
            kind,
            outcome: Outcome::Unchanged,
            owner: None,
            source: source.into(),
        }
    }

    /// The error of this kind whose cause is `source`: the typed cause itself, where there is one, rather than
    /// the box around it.
    pub(crate) fn of_source(kind: StoreErrorKind, source: io::Error) -> Self {
        let source = match source.into_inner_or_self() {
            Ok(inner) => inner,
            Err(plain) => Box::new(plain),
        };
        Self::new(kind, source)
    }

    /// The same, where that became of the change.
    #[must_use]
    pub fn with_outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// The same, with who owns the session, where the error is of the kind
    /// [`Owned`](StoreErrorKind::Owned) or [`NotOwner`](StoreErrorKind::NotOwner).
    #[must_use]
    pub fn with_owner(self, owner: OwnerInfo) -> Self {
        Self {
            owner: Some(Box::new(owner)),
            ..self
        }
    }

    /// The same, with the kind of store, which one it is, and what was being done: "load", "save", ….
    #[must_use]
    pub fn with_store(
        self,
        backend: &'static str,
        store: impl Into<String>,
        action: &'static str,
    ) -> Self {
        Self {
            backend,
            store: store.into(),
            action,
            ..self
        }
    }

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
        let io_kind = source.kind();
        let owner = Self::of(&source).and_then(|error| error.owner.clone());
        let (kind, outcome) = of_error(&source);
        let error = Self {
            found,
            owner,
            ..Self::of_source(kind, source)
                .with_outcome(outcome)
                .with_store(backend, store, action)
        };
        io::Error::new(io_kind, error)
    }

    /// The typed error inside an `io::Error`, where a backend of this crate made it.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<&Self> {
        inside(error)
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// What became of the change.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Who owns the session, where that is why.
    #[must_use]
    pub fn owner(&self) -> Option<&OwnerInfo> {
        self.owner.as_deref()
    }

    /// Whether the same call may succeed later, without anybody doing anything: others were in the way, or
    /// the server could not be reached. Look at [`outcome`](Self::outcome) before a change is repeated.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self.kind,
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
    let message =
        "something is there already, and nothing is replaced: choose another name, or move it away";
    io::Error::new(io::ErrorKind::AlreadyExists, message)
}

/// The store cannot do what was asked for.
pub(crate) fn unsupported(message: String) -> io::Error {
    StoreError::new(StoreErrorKind::Unsupported, message).into()
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
        if !self.action.is_empty() {
            write!(f, ": cannot {}: ", self.action)?;
        }
        Shown(&self.source).fmt(f)?;
        match &self.found {
            Some(found) => write!(f, " (found {})", Shown(found)),
            None => Ok(()),
        }
    }
}

impl From<StoreError> for io::Error {
    fn from(error: StoreError) -> Self {
        Self::new(error.kind.io_kind(), error)
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
