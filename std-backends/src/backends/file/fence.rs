//! Which writers may write to a session file.
//!
//! The token of the owner is in the snapshot, and to own a session is to write it anew with another token. So an
//! append, which goes into the file that is known, needs no look at it; everything else reads the file under its
//! lock, and compares.

use std::io;

use mtsession_core::wire::FencingToken;

use super::content::Found;
use super::paths::Paths;
use crate::owner::file::{look, owner_at};
use crate::owner::refusal::{not_owner, owned};

/// Whether a writer owns the session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fence {
    /// It does not, and writes where nobody does.
    #[default]
    Nobody,
    /// It has put this token there.
    Owner(FencingToken),
    /// It is about to put this token there, or to take its own away.
    Becoming(Option<FencingToken>),
}

impl Fence {
    /// What a new snapshot gets.
    pub(super) const fn token(self) -> Option<FencingToken> {
        match self {
            Self::Nobody => None,
            Self::Owner(token) => Some(token),
            Self::Becoming(token) => token,
        }
    }

    /// Refuses to write to what somebody else owns. Under the lock of the file.
    ///
    /// # Errors
    /// Of the kind `Owned` or `NotOwner`.
    pub(super) fn admit(self, found: &Found, paths: &Paths) -> io::Result<()> {
        let there = found.content.as_ref().and_then(|content| content.owner);
        self.admit_token(there, paths)
    }

    /// The same for a file whose token cannot be read, or that is not there.
    pub(super) fn admit_token(self, there: Option<FencingToken>, paths: &Paths) -> io::Result<()> {
        match self {
            Self::Becoming(_) => Ok(()),
            Self::Owner(token) if there == Some(token) => Ok(()),
            // A program that knows no owners has replaced the file, or the session is not there yet.
            Self::Owner(token) => match look(&paths.owner, &paths.snapshot)? {
                Some(found) if there.is_none() && found.token == Some(token) => Ok(()),
                found => Err(not_owner(found.map(|found| found.info))),
            },
            Self::Nobody => match owner_at(&paths.owner, &paths.snapshot)? {
                Some(by) => Err(owned(by)),
                None => Ok(()),
            },
        }
    }
}
