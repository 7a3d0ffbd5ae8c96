//! Single owners: who may write to a session that several programs could open.

use core::convert::Infallible;
use core::fmt;
use std::io;
use std::time::Instant;

use crate::shown::Shown;

/// Who wants to own a session, so that no second program uses the same login.
///
/// No store of this release has owners: [`own`](crate::SessionBackend::own) and
/// [`StoreOptions::own`](crate::StoreOptions::own) are errors of the kind
/// [`Unsupported`](crate::StoreErrorKind::Unsupported). A program that asks for an owner never runs without
/// one.
///
/// ```
/// use mtsession::{Owner, StoreError, StoreErrorKind, StoreOptions};
///
/// let owner = Owner::current().named("bot");
/// let error = StoreOptions::new().own(owner).connect("memory:").err().expect("no owners yet");
/// assert_eq!(StoreError::of(&error).expect("typed").kind(), StoreErrorKind::Unsupported);
/// assert!(error.to_string().contains("`own`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    name: Option<String>,
    takes_over: bool,
}

impl Owner {
    /// This process.
    #[must_use]
    pub const fn current() -> Self {
        Self {
            name: None,
            takes_over: false,
        }
    }

    /// The same, with a name for people: which of several programs it is.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The same, in place of the owner that is there.
    #[must_use]
    pub fn take_over(mut self) -> Self {
        self.takes_over = true;
        self
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{}", Shown(name))?,
            None => f.write_str("this program")?,
        }
        f.write_str(if self.takes_over { ", taking over" } else { "" })
    }
}

/// Who owns a session, as it is told to whoever wants it as well: see
/// [`StoreError::owner`](crate::StoreError::owner). Nobody vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerInfo {
    /// Its program, or the name that it gave itself.
    pub program: String,
    /// The number of its process on that machine.
    pub pid: u32,
    /// Its machine.
    pub host: String,
    /// Since when, in seconds of Unix time, by the clock of the store.
    pub since: i64,
}

impl OwnerInfo {
    /// An owner that a store of one's own has found.
    #[must_use]
    pub const fn new(program: String, pid: u32, host: String, since: i64) -> Self {
        Self {
            program,
            pid,
            host,
            since,
        }
    }
}

/// One sentence's worth: `bot (process 4711 on host-1)`.
impl fmt::Display for OwnerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (program, host) = (Shown(&self.program), Shown(&self.host));
        write!(f, "{program} (process {} on {host})", self.pid)
    }
}

/// A session that this process owns, until this is dropped or [released](Self::release).
///
/// No store of this release gives one.
#[must_use = "the session is owned until this is dropped"]
#[derive(Debug)]
pub struct Ownership(Infallible);

impl Ownership {
    /// Until when it is owned for certain.
    #[must_use]
    pub fn lease(&self) -> Lease {
        match self.0 {}
    }

    /// Gives the session free, and says whether the store was told.
    ///
    /// # Errors
    /// What the store gives; the session is free when its lease has run out.
    pub fn release(self) -> io::Result<()> {
        match self.0 {}
    }
}

/// Until when a session is owned for certain: a client disconnects before that.
///
/// No store of this release gives one.
#[derive(Clone, Debug)]
pub struct Lease(Infallible);

impl Lease {
    /// The end, if nothing is heard of the store before; `None` where a lock of the system decides.
    #[must_use]
    pub fn valid_until(&self) -> Option<Instant> {
        match self.0 {}
    }

    /// Whether somebody else owns the session by now.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self.0 {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_named_for_people_and_say_nothing_to_a_terminal() {
        assert_eq!(Owner::current().to_string(), "this program");
        let owner = Owner::current().named("bot\u{1b}").take_over();
        let text = owner.to_string();
        assert!(
            text.contains("taking over") && !text.contains('\u{1b}'),
            "{text}"
        );
        let found = OwnerInfo::new("bot".to_owned(), 7, "host\n".to_owned(), 0);
        let text = found.to_string();
        assert!(text.starts_with("bot (process 7 on host"), "{text}");
        assert!(!text.contains('\n'), "{text}");
    }
}
