//! What a session's file holds in addition to the session.

use mtsession_core::{Account, AuthKey, AuthKeyRef, Change, EntryKey, NamesBuf, SessionSource};

use crate::record::login_state::OwnedLoginState;
use crate::record::peer_names;
use crate::record::{home_key, is_login_of};

/// The account, whether its login still holds, and the names of peers; and the key that they belong to.
#[derive(Debug, Default)]
pub(super) struct Extras {
    /// In a place of its own: what is moved leaves a copy that nobody wipes.
    home_key: Option<Box<AuthKey>>,
    account: Account,
    login: OwnedLoginState,
    names: NamesBuf,
    /// Whether the tail has something new of it.
    is_stale: bool,
}

impl Extras {
    pub(super) fn of(session: &impl SessionSource) -> Self {
        Self {
            home_key: home_key(session).map(|key| Box::new(key.copy_key())),
            account: session.account(),
            login: session.login_state().into(),
            names: session.names().into(),
            is_stale: false,
        }
    }

    /// The auth key of the home DC.
    pub(super) fn home_key(&self) -> Option<AuthKeyRef<'_>> {
        self.home_key.as_deref().map(AuthKey::as_ref)
    }

    /// Takes in what was appended.
    pub(super) fn note(&mut self, changes: &[Change<'_>]) {
        self.is_stale |= changes.iter().any(Self::has);
    }

    /// Whether a change may make something new of it.
    pub(super) fn has(change: &Change<'_>) -> bool {
        matches!(
            change,
            Change::Account(_)
                | Change::LoginState(_)
                | Change::Names(_)
                | Change::Forget(EntryKey::Peer(_))
        )
    }

    /// Whether it has to be read again, with the tail.
    pub(super) fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// What of it stays when the session becomes `session`: the rule of
    /// [`SessionRecord::set_session`](crate::SessionRecord::set_session).
    pub(super) fn kept_by(&self, session: &impl SessionSource) -> Self {
        if !is_login_of(self.home_key(), session) {
            return Self::default();
        }
        Self {
            home_key: None,
            account: self.account,
            login: self.login.clone(),
            names: peer_names::kept_by(self.names.as_names(), session),
            is_stale: false,
        }
    }

    /// The session with it.
    pub(super) fn with<'s, S: SessionSource>(&'s self, session: &'s S) -> impl SessionSource + 's {
        session
            .with_account(self.account)
            .with_login_state(self.login.as_state())
            .with_names(self.names.as_names())
    }
}
