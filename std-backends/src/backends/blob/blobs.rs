//! A blob store as an account needs it: names of blobs, and calls that are repeated within a deadline.

use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::revisions::random_bytes;
use crate::blob::{Blob, BlobError, BlobStore, Expected, Listed, Put};
use crate::error::StoreError;
use crate::error::classify::of_error;
use crate::error::kind::{Outcome, StoreErrorKind};
use crate::error::told::told;
use crate::shown::Shown;

/// How long a call may take, unless the options say something else.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// How often a request is repeated that was not carried out.
const RETRIES: u32 = 3;

/// What all accounts of a store share.
#[derive(Clone)]
pub(crate) struct Blobs {
    /// The kind of store, as in [`SessionBackend::name`](crate::SessionBackend::name).
    pub(crate) kind: &'static str,
    pub(crate) store: Arc<dyn BlobStore>,
    pub(crate) deadline: Duration,
}

/// When a call is over, and how often it was tried.
pub(super) struct Patience {
    pub(super) until: Instant,
    deadline: Duration,
    attempt: u32,
}

impl Blobs {
    pub(super) fn patience(&self) -> Patience {
        let now = Instant::now();
        Patience {
            // A deadline past the end of time is none.
            until: now.checked_add(self.deadline).unwrap_or(now),
            deadline: self.deadline,
            attempt: 0,
        }
    }

    /// Reads a blob, again while the store cannot be reached.
    pub(super) fn get(&self, name: &str, patience: &Patience) -> io::Result<Option<Blob>> {
        repeated(patience, || self.store.get(name, patience.until))
    }

    pub(super) fn list(
        &self,
        prefix: &str,
        patience: &Patience,
        each: &mut dyn FnMut(Listed<'_>),
    ) -> io::Result<()> {
        let result = self.store.list(prefix, each, patience.until);
        result.map_err(|error| error.error)
    }

    /// Sends a put once.
    pub(super) fn put(
        &self,
        name: &str,
        bytes: &[u8],
        expected: Expected<'_>,
        patience: &Patience,
    ) -> Result<Put, BlobError> {
        self.store.put(name, bytes, expected, patience.until)
    }

    /// Removes what nobody uses any more; what cannot be removed now is swept later.
    pub(super) fn remove_if_possible(&self, name: &str, patience: &Patience) {
        let _ = self.store.remove(name, patience.until);
    }

    /// The error of a call on an account.
    pub(crate) fn error(
        &self,
        account: &str,
        action: &'static str,
        outcome: Option<Outcome>,
        source: io::Error,
    ) -> io::Error {
        let outcome = outcome.unwrap_or_else(|| of_error(&source).1);
        let kind = of_error(&source).0;
        let place = format!("{}#{}", self.store.name(), Shown(account));
        StoreError::of_source(kind, source)
            .with_outcome(outcome)
            .with_store(self.kind, place, action)
            .into()
    }
}

fn repeated<R>(patience: &Patience, call: impl Fn() -> Result<R, BlobError>) -> io::Result<R> {
    let mut again = Patience {
        attempt: 0,
        ..*patience
    };
    loop {
        match call() {
            Err(error) if is_worth_repeating(&error.error) && again.attempt < RETRIES => {
                if again.pause().is_err() {
                    return Err(error.error);
                }
            }
            result => return result.map_err(|error| error.error),
        }
    }
}

/// Whether the store may carry it out the next time.
pub(super) fn is_worth_repeating(error: &io::Error) -> bool {
    matches!(
        of_error(error).0,
        StoreErrorKind::Unreachable | StoreErrorKind::Contended
    )
}

impl Patience {
    /// Waits before the next attempt: longer from one to the next, and not the same for everybody.
    ///
    /// # Errors
    /// When the call is over by then.
    pub(super) fn pause(&mut self) -> io::Result<()> {
        const FIRST: u64 = 4;
        const LONGEST: u64 = 1_000;

        let longest = FIRST.saturating_mul(1 << self.attempt.min(10)).min(LONGEST);
        let [random, ..] = random_bytes()?;
        let part = longest.saturating_mul(u64::from(random)) / 256;
        let wait =
            Duration::from_millis(longest / 2).saturating_add(Duration::from_millis(part / 2));
        if wait >= self.until.saturating_duration_since(Instant::now()) {
            return Err(self.is_over());
        }
        std::thread::sleep(wait);
        self.attempt = self.attempt.saturating_add(1);
        Ok(())
    }

    fn is_over(&self) -> io::Error {
        let message = format!(
            "the call was not finished within its deadline of {:?}",
            self.deadline
        );
        told(StoreErrorKind::Contended, message)
    }
}

/// The folder of the accounts' roots.
pub(crate) const ROOTS: &str = "account/";

/// The name of an account's root.
pub(super) fn root_name(account: &str) -> String {
    format!("{ROOTS}{}", escaped(account))
}

/// What the names of an account's bases begin with: all of them are its own.
pub(super) fn base_prefix(account: &str) -> String {
    format!("base/{}/", escaped(account))
}

/// An account's name in that of a blob: everything but letters, digits and `-_.` is written as `%2F`.
fn escaped(account: &str) -> String {
    let mut text = String::new();
    for (at, byte) in account.bytes().enumerate() {
        let is_plain =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0);
        if is_plain {
            text.push(char::from(byte));
        } else {
            text.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                text.push(digit.to_ascii_uppercase());
            }
        }
    }
    text
}

/// The account whose root has this name.
pub(crate) fn account_of(root: &str) -> Option<String> {
    let name = root.strip_prefix(ROOTS)?;
    let account = crate::address::unescaped(name, "an account").ok()?;
    (escaped(&account) == name).then_some(account)
}
