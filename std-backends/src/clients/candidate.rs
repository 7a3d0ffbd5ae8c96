//! One of several logins in one place.

use core::fmt;

use crate::fingerprint::Fingerprint;

/// A login, where a source holds several: which one is meant has to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The number that [`read_account`](crate::clients::read_account) takes.
    pub number: usize,
    /// The DC of the key; 0 where that is not known.
    pub dc_id: i32,
    /// The key.
    pub fingerprint: Fingerprint,
    /// The user, where that is known.
    pub user_id: Option<i64>,
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            fingerprint,
            dc_id,
            ..
        } = self;
        write!(f, "{number} is key {fingerprint} of DC {dc_id}")?;
        match self.user_id {
            Some(user_id) => write!(f, " (user {user_id})"),
            None => Ok(()),
        }
    }
}
