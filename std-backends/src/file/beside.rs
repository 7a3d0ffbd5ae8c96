//! What a session's file holds in addition to the session.

use mtsession_core::{Account, NamesBuf, SessionSource};

use crate::login::OwnedLogin;
use crate::names;

/// The account, whether its login still holds, and the names of peers.
#[derive(Debug, Default)]
pub(super) struct Beside {
    account: Account,
    login: OwnedLogin,
    names: NamesBuf,
}

impl Beside {
    pub(super) fn of(session: &impl SessionSource) -> Self {
        Self {
            account: session.account(),
            login: session.login_state().into(),
            names: session.names().into(),
        }
    }

    /// What of it stays when the session becomes `session`.
    pub(super) fn kept_by(&self, session: &impl SessionSource) -> Self {
        Self {
            account: self.account,
            login: self.login.clone(),
            names: names::kept_by(self.names.as_names(), session),
        }
    }

    /// The session with it.
    pub(super) fn with<'s, S: SessionSource>(&'s self, session: &'s S) -> impl SessionSource + 's {
        session
            .with_account(self.account)
            .with_login_state(self.login.get())
            .with_names(self.names.as_names())
    }
}
