//! What a session's file holds in addition to the session.

use mtsession_core::{Account, NamesBuf, SessionSource};

use crate::names;

/// The account, and the names of peers.
#[derive(Debug, Default)]
pub(super) struct Beside {
    account: Account,
    names: NamesBuf,
}

impl Beside {
    pub(super) fn of(session: &impl SessionSource) -> Self {
        Self {
            account: session.account(),
            names: session.names().into(),
        }
    }

    /// What of it stays when the session becomes `session`.
    pub(super) fn kept_by(&self, session: &impl SessionSource) -> Self {
        Self {
            account: self.account,
            names: names::kept_by(self.names.as_names(), session),
        }
    }

    /// The session with it.
    pub(super) fn with<'s, S: SessionSource>(&'s self, session: &'s S) -> impl SessionSource + 's {
        session
            .with_account(self.account)
            .with_names(self.names.as_names())
    }
}
