//! What every store can do by the methods of its trait.

use std::io;

use mtsession_core::{Account, Change, LOGIN_TEXT_MAX, LoginState};

use super::SessionBackend;
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::record::peer_names::PeerNames;
use crate::record::{KnownPeer, PeerQuery, SessionHead, SessionRecord};
use crate::shown::Shown;

/// More methods of every backend, made of those of [`SessionBackend`].
///
/// ```
/// use mtsession::{Account, InMemoryBackend, SessionBackendExt};
///
/// let backend = InMemoryBackend::new();
/// backend.set_account(Account::user(777_000))?;
/// let was_new = backend.edit(|record| Ok(record.is_new()))?;
/// assert!(!was_new);
/// assert_eq!(backend.account()?.user_id, Some(777_000));
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait SessionBackendExt: SessionBackend {
    /// [`update`](SessionBackend::update) with a result.
    fn edit<R>(
        &self,
        mut change: impl FnMut(&mut SessionRecord) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut result = None;
        self.update(&mut |record| {
            result = Some(change(record)?);
            Ok(())
        })?;
        result.ok_or_else(|| {
            let message = "the store returned from `update` without calling the change that it was given: a \
                           fault of that store";
            StoreError::new(StoreErrorKind::Bug, message).into()
        })
    }

    /// Replaces everything: session, account, names and login state.
    fn replace(&self, record: &SessionRecord) -> io::Result<()> {
        self.update(&mut |stored| {
            *stored = record.clone();
            Ok(())
        })
    }

    /// What is known of the account.
    fn account(&self) -> io::Result<Account> {
        let head = self.head()?;
        Ok(head.map_or_else(Account::default, |head| head.account))
    }

    /// Stores what is known of the account.
    fn set_account(&self, account: Account) -> io::Result<()> {
        self.apply(&[Change::Account(account)])
    }

    /// Stores whether the login still holds.
    ///
    /// # Errors
    /// `Unsupported` where a store of your own cannot keep it.
    fn set_login_state(&self, state: LoginState<'_>) -> io::Result<()> {
        self.apply(&[Change::LoginState(state)])
    }

    /// Remembers that Telegram does not accept the key any more, with its error (`AUTH_KEY_DUPLICATED`, say) and
    /// the time, and says whether that is new: the first error stays. A client calls it once, and
    /// [`active_head`](Self::active_head) does not give the key to the next one.
    ///
    /// ```
    /// use mtsession::{InMemoryBackend, SessionBackend, SessionBackendExt};
    ///
    /// let backend = InMemoryBackend::new();
    /// backend.set_home_dc(2)?;
    /// assert!(backend.mark_revoked("AUTH_KEY_DUPLICATED")?);
    /// assert!(!backend.mark_revoked("AUTH_KEY_UNREGISTERED")?);
    /// let error = backend.active_head().unwrap_err();
    /// assert!(error.to_string().contains("AUTH_KEY_DUPLICATED"));
    /// assert!(backend.load()?.is_some(), "who asks for it gets it");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`set_login_state`](Self::set_login_state).
    fn mark_revoked(&self, error: &str) -> io::Result<bool> {
        let is_active = |head: SessionHead| head.login_state.as_state().is_active();
        if !self.head()?.is_some_and(is_active) {
            return Ok(false);
        }
        let mut end = error.len().min(LOGIN_TEXT_MAX);
        while !error.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let error = error.get(..end).unwrap_or_default();
        let at = crate::unix_time::now();
        self.set_login_state(LoginState::Revoked { at, error })?;
        Ok(true)
    }

    /// [`head`](SessionBackend::head) of a login that holds, as far as is known: what a client asks for before it
    /// connects.
    ///
    /// # Errors
    /// Of the kind [`Refused`](StoreErrorKind::Refused) where the login was ended, or was moved to another store;
    /// it says which, and since when.
    fn active_head(&self) -> io::Result<Option<SessionHead>> {
        let head = self.head()?;
        if let Some(head) = &head {
            check_active(head.login_state.as_state()).map_err(|message| {
                let error = StoreError::new(StoreErrorKind::Refused, message);
                io::Error::from(error.with_store("session", self.name(), "connect"))
            })?;
        }
        Ok(head)
    }

    /// Usernames, phone numbers and titles of the session's peers, as far as they were stored; in no
    /// order.
    fn peer_names(&self) -> io::Result<Vec<PeerNames>> {
        let record = self.read()?;
        Ok(record.map_or_else(Vec::new, |record| record.peer_names()))
    }

    /// Stores what peers are called, in place of what was stored before.
    ///
    /// Names belong to their peers: those of peers that the session does not have are left out here,
    /// and go when [`save`](SessionBackend::save) removes the peer. A store that has no room for names leaves
    /// them out.
    ///
    /// ```
    /// use mtsession::codec::Peer;
    /// use mtsession::{
    ///     Change, InMemoryBackend, PeerNames, PersistedSession, SessionBackend, SessionBackendExt,
    /// };
    ///
    /// let backend = InMemoryBackend::new();
    /// backend.apply(&[Change::Peer(Peer::user(777_000, 5))])?;
    /// let names = PeerNames { id: 777_000, usernames: vec!["alice".into()], ..PeerNames::default() };
    /// backend.set_peer_names(std::slice::from_ref(&names))?;
    /// assert_eq!(backend.peer_names()?, [names]);
    /// assert_eq!(backend.peer_by_username("@Alice")?.expect("stored above").peer.id, 777_000);
    /// backend.save(&PersistedSession::default())?;
    /// assert!(backend.peer_names()?.is_empty());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn set_peer_names(&self, names: &[PeerNames]) -> io::Result<()> {
        self.update(&mut |record| record.set_peer_names(names))
    }

    /// The peer with this username, in any case, with or without `@`.
    fn peer_by_username(&self, username: &str) -> io::Result<Option<KnownPeer>> {
        self.find_peer(PeerQuery::Username(username))
    }

    /// The user with this phone number, with or without `+`.
    fn peer_by_phone(&self, phone: &str) -> io::Result<Option<KnownPeer>> {
        self.find_peer(PeerQuery::Phone(phone))
    }
}

impl<B: SessionBackend + ?Sized> SessionBackendExt for B {}

/// What keeps a client from connecting with a login.
fn check_active(state: LoginState<'_>) -> Result<(), String> {
    let since = crate::owner::date(state.at());
    let text = Shown(state.text());
    match state {
        LoginState::Active => Ok(()),
        LoginState::Revoked { .. } => Err(format!(
            "Telegram has ended this login ({text}, found {since}): delete the session and log in anew"
        )),
        LoginState::Moving { .. } => Err(format!(
            "the login is being moved to {text}, since {since}: run `mtsession convert --move` again, or with --undo"
        )),
        LoginState::Moved { .. } => Err(format!(
            "the login was moved to {text}, {since}: connect there"
        )),
        _ => Err("the login is in a state that this release does not know: update it".to_owned()),
    }
}
