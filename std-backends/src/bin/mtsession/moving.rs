//! `mtsession convert --move`: the login is in one place at a time.
//!
//! The source says that it is being moved before anything else is written, and loses its keys after the target was
//! read back. A run that was interrupted is gone on with by the same command; at no moment are there two sessions
//! that say that they are in use.

use std::io;
use std::sync::Arc;

use mtsession::codec::{LOGIN_TEXT_MAX, LoginState, SessionMut as _, SessionSource as _};
use mtsession::{
    Keeps, Owner, Ownership, SessionBackend, SessionBackendExt as _, SessionRecord, StoreError,
    StoreErrorKind,
};

use crate::Done;
use crate::args::ConvertArgs;
use crate::dates;
use crate::failure::Failure;
use crate::owners;
use crate::report;
use crate::store::Store;

/// A session that is being moved, which nobody else writes to.
pub(crate) struct Moving {
    backend: Arc<dyn SessionBackend>,
    /// What the target is called in the source.
    to: String,
    /// Whether the target may be there already, since an earlier run has begun.
    goes_on: bool,
    _ownership: Option<Ownership>,
}

impl Moving {
    /// Owns the source, and looks how far it is.
    pub(crate) fn of(args: &ConvertArgs) -> Result<Self, Failure> {
        let moving = Self::open(args)?;
        let head = moving.backend.head()?;
        let head = head.ok_or_else(|| args.from.not_found())?;
        let goes_on = match head.login_state.as_state() {
            LoginState::Active => false,
            LoginState::Moving { to, .. } if to == moving.to => true,
            state => {
                let words = owners::state_in_words(&state);
                return Err(Failure::Usage(format!("{} is {words}", args.from)));
            }
        };
        Ok(Self { goes_on, ..moving })
    }

    /// The source says that it is being moved, before anything is written to the target.
    pub(crate) fn begin(&self) -> Done {
        if !self.goes_on {
            let (at, to) = (dates::now(), &*self.to);
            self.backend
                .set_login_state(LoginState::Moving { at, to })?;
        }
        Ok(())
    }

    fn open(args: &ConvertArgs) -> Result<Self, Failure> {
        let from = args.from.clone();
        let cannot = || {
            Failure::Usage(format!(
                "{from} cannot say that its login was moved: --move is for session files and databases of ours"
            ))
        };
        let backend = match from.backend() {
            Ok(backend) => backend.ok_or_else(cannot)?,
            Err(_) if from.load().is_ok() => return Err(cannot()),
            Err(failure) => return Err(failure),
        };
        if !backend.keeps().contains(Keeps::LOGIN_STATE) {
            return Err(cannot());
        }
        if backend.head()?.is_none() {
            return Err(from.not_found());
        }
        let ownership = match backend.own(Owner::current().named("mtsession convert --move")) {
            Ok(ownership) => Some(ownership),
            Err(error) if kind(&error) == Some(StoreErrorKind::Unsupported) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            backend,
            to: in_the_source(&args.to),
            goes_on: false,
            _ownership: ownership,
        })
    }

    /// The source says where its login is, and has no key any more: in one step, after the target was read back.
    pub(crate) fn end(self) -> Done {
        let Self { backend, to, .. } = &self;
        backend.update(&mut |record| {
            *record = without_keys(record, to);
            Ok(())
        })?;
        Ok(())
    }

    /// Makes a source that is being moved one that is in use again, as long as the target has nothing of it.
    pub(crate) fn undo(args: &ConvertArgs) -> Done {
        let moving = Self::open(args)?;
        let record = moving.backend.read()?;
        let record = record.ok_or_else(|| args.from.not_found())?;
        let state = record.login_state();
        if !matches!(state, LoginState::Moving { to, .. } if to == moving.to) {
            let words = owners::state_in_words(&state);
            let message = format!(
                "{} is not being moved to {}: it is {words}",
                args.from, args.to
            );
            return Err(Failure::Usage(message));
        }
        if args.to.is_taken()? && key(&args.to.load()?.record) == key(&record) {
            return Err(Failure::Usage(format!(
                "{} has the login already: run the command without --undo to end the move",
                args.to
            )));
        }
        moving.backend.set_login_state(LoginState::Active)?;
        Ok(())
    }

    /// Whether the target has the login, from an earlier run.
    pub(crate) fn is_there(&self, to: &Store, record: &SessionRecord) -> Result<bool, Failure> {
        Ok(self.goes_on && to.is_taken()? && key(&to.load()?.record) == key(record))
    }
}

fn kind(error: &io::Error) -> Option<StoreErrorKind> {
    StoreError::of(error).map(StoreError::kind)
}

fn key(record: &SessionRecord) -> Option<String> {
    let session = record.session();
    report::home_fingerprint(session.home_dc_id, &session.dcs)
}

/// The record that stays: what it was, without anything that logs in.
fn without_keys(record: &SessionRecord, to: &str) -> SessionRecord {
    let mut session = record.session().clone();
    for dc in &mut session.dcs {
        dc.auth_key = None;
        dc.first_salt = 0;
    }
    session.future_auth_token = None;
    let mut left = SessionRecord::from(session);
    left.set_account(record.account());
    let state = LoginState::Moved {
        at: dates::now(),
        to,
    };
    let Ok(()) = left.set_login_state(state);
    left
}

/// The target's name, as long as a session has room for.
fn in_the_source(to: &Store) -> String {
    let mut name = to.name();
    while name.len() > LOGIN_TEXT_MAX {
        name.pop();
    }
    name
}
