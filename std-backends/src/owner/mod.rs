//! Single owners: who may write to a session that several programs could open.
//!
//! The fence is a random [token](mtsession_core::wire::FencingToken) in the value that is written: every writer
//! compares it with its own in the statement, or under the lock, that writes. Locks and times only decide who may
//! put a token there.

pub(crate) mod file;
mod guard;
mod in_process;
pub(crate) mod refusal;
mod text;
pub(crate) mod token;

use core::fmt;

pub use self::guard::{Lease, LeaseTime, Ownership};
pub(crate) use self::in_process::{Mine, OwnedInProcess};
pub(crate) use self::text::date;
#[cfg(any(feature = "sqlite", feature = "libsql"))]
pub(crate) use self::text::{from_text, to_text};
use crate::shown::Shown;
use crate::unix_time;

/// Who wants to own a session, so that no second program uses the same login: two programs on one key end each
/// other's login at Telegram.
///
/// ```
/// use mtsession::{connect, Owner, SessionBackend, StoreError};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("bot.session");
/// let backend = connect(&path)?;
/// let ownership = backend.own(Owner::current().named("bot"))?;
/// backend.set_home_dc(2)?;
///
/// let second = connect(&path)?;
/// let error = second.own(Owner::current()).expect_err("it is owned");
/// assert_eq!(StoreError::of(&error).expect("typed").owner().expect("known").program, "bot");
/// assert!(second.set_home_dc(4).is_err(), "only its owner writes to it");
///
/// ownership.release()?;
/// second.set_home_dc(4)?;
/// # Ok::<(), std::io::Error>(())
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

    /// The same, in place of the owner that is there: it cannot write any more. That saves the store, not the
    /// login: Telegram knows nothing of owners, so end the other program first where you can.
    #[must_use]
    pub fn take_over(mut self) -> Self {
        self.takes_over = true;
        self
    }

    pub(crate) const fn takes_over(&self) -> bool {
        self.takes_over
    }

    /// What others are told of it, from now on.
    pub(crate) fn info(&self) -> OwnerInfo {
        let name = self.name.clone();
        OwnerInfo {
            program: name.unwrap_or_else(text::program),
            pid: std::process::id(),
            host: text::host(),
            since: unix_time::now(),
        }
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
