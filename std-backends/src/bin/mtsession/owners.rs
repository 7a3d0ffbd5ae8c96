//! Who owns a session: what is shown of it, and what is not done to it without `--in-use`.

use mtsession::codec::LoginState;
use mtsession::{OwnerInfo, Shown};
use serde_json::{Value, json};

use crate::Done;
use crate::dates;
use crate::failure::Failure;
use crate::store::{Loaded, Origin, Store};

/// Who owns a session that was read, where its store has owners.
pub(crate) fn of_loaded(store: &Store, loaded: &Loaded) -> Result<Option<OwnerInfo>, Failure> {
    if !matches!(loaded.origin, Origin::File(_) | Origin::Database) {
        return Ok(None);
    }
    of(store)
}

fn of(store: &Store) -> Result<Option<OwnerInfo>, Failure> {
    Ok(match store.backend()? {
        Some(backend) => backend.owner()?,
        None => None,
    })
}

/// Refuses to copy or remove what a program is using, unless that is what is wanted.
pub(crate) fn refuse_in_use(store: &Store, loaded: &Loaded, in_use: bool) -> Done {
    match of_loaded(store, loaded)? {
        Some(by) if !in_use => Err(is_in_use(store, &by)),
        _ => Ok(()),
    }
}

pub(crate) fn is_in_use(store: &Store, by: &OwnerInfo) -> Failure {
    Failure::Usage(format!(
        "{store} is in use by {}: two programs with one key end each other's login. End that one first, or say \
         --in-use",
        in_words(by)
    ))
}

pub(crate) fn in_words(by: &OwnerInfo) -> String {
    format!("{by}, since {}", dates::date_and_time(by.since))
}

pub(crate) fn in_json(by: Option<&OwnerInfo>) -> Value {
    by.map_or(
        Value::Null,
        |by| json!({ "program": by.program, "pid": by.pid, "host": by.host, "since": by.since }),
    )
}

/// Whether a login holds, in a word.
pub(crate) const fn state(state: &LoginState<'_>) -> &'static str {
    match state {
        LoginState::Revoked { .. } => "revoked",
        LoginState::Moving { .. } => "moving",
        LoginState::Moved { .. } => "moved",
        _ => "active",
    }
}

/// The same in a sentence.
pub(crate) fn state_in_words(of: &LoginState<'_>) -> String {
    let since = dates::date_and_time(of.at());
    let text = Shown(of.text());
    match of {
        LoginState::Revoked { .. } => format!("revoked: {text}, found on {since}"),
        LoginState::Moving { .. } => {
            format!("being moved to {text}, since {since}: run the same command again, or --undo")
        }
        LoginState::Moved { .. } => format!("moved to {text} on {since}: it has no key any more"),
        _ => "in use, as far as is known".to_owned(),
    }
}
