//! What causes mean: the only place that asks an error for its type.

use core::error::Error;
use std::io;

use mtsession_core::{Bug, DecodeError, DecodeErrorKind};

use crate::error::StoreError;
use crate::error::kind::{Outcome, StoreErrorKind};
use crate::error::told::Told;

/// The error of this type directly inside of an `io::Error`.
pub(crate) fn inside<E: Error + 'static>(error: &io::Error) -> Option<&E> {
    error.get_ref()?.downcast_ref()
}

/// The error of this type inside of an `io::Error`, perhaps with the store that it is about around it.
#[cfg(feature = "clients")]
pub(crate) fn cause<E: Error + 'static>(error: &io::Error) -> Option<&E> {
    match StoreError::of(error) {
        Some(store) => store.source.downcast_ref(),
        None => inside(error),
    }
}

/// What is wrong, and what became of the change, whatever is inside.
pub(crate) fn of_error(error: &io::Error) -> (StoreErrorKind, Outcome) {
    match error.get_ref() {
        Some(cause) => classify(cause, error.kind()),
        None => (StoreErrorKind::of_io(error.kind()), Outcome::Unchanged),
    }
}

/// What is wrong, and what became of the change, in an `io::Error` of this kind.
fn classify(cause: &(dyn Error + 'static), kind: io::ErrorKind) -> (StoreErrorKind, Outcome) {
    if let Some(store) = cause.downcast_ref::<StoreError>() {
        return (store.kind, store.outcome);
    }
    if let Some(told) = cause.downcast_ref::<Told>() {
        return (told.kind, told.outcome);
    }
    #[cfg(feature = "libsql-remote")]
    if let Some(remote) = cause.downcast_ref::<crate::backends::sql::RemoteError>() {
        return (remote.kind(kind), remote.outcome());
    }
    let kind = if let Some(error) = cause.downcast_ref::<DecodeError>() {
        of_decoding(error)
    } else if cause.is::<crate::backends::file::Newer>() {
        StoreErrorKind::Newer
    } else if cause.is::<Bug>() {
        StoreErrorKind::Bug
    } else {
        of_client(cause).unwrap_or_else(|| StoreErrorKind::of_io(kind))
    };
    (kind, Outcome::Unchanged)
}

fn of_decoding(error: &DecodeError) -> StoreErrorKind {
    match error.kind {
        kind if kind.is_newer() => StoreErrorKind::Newer,
        DecodeErrorKind::Foreign(_)
        | DecodeErrorKind::ForeignString(_)
        | DecodeErrorKind::SeveralStrings => StoreErrorKind::Foreign,
        _ => StoreErrorKind::Damaged,
    }
}

#[cfg(feature = "clients")]
fn of_client(cause: &(dyn Error + 'static)) -> Option<StoreErrorKind> {
    use crate::clients::ForeignError;

    Some(match cause.downcast_ref::<ForeignError>()? {
        ForeignError::Unknown | ForeignError::Own => StoreErrorKind::Foreign,
        ForeignError::NotLoggedIn | ForeignError::NoAccount { .. } => StoreErrorKind::Absent,
        ForeignError::KeyLength(_)
        | ForeignError::MissingColumn { .. }
        | ForeignError::Damaged(_)
        | ForeignError::UnknownDc(_) => StoreErrorKind::Damaged,
        ForeignError::UnknownVersion(_) => StoreErrorKind::Newer,
        ForeignError::Passcode | ForeignError::DatabaseKey | ForeignError::WrongPasscode => {
            StoreErrorKind::Sealed
        }
        ForeignError::NotReadable { .. } => StoreErrorKind::Unsupported,
        ForeignError::SeveralKeys(_) | ForeignError::Missing(_) | ForeignError::Unfit(_) => {
            StoreErrorKind::Invalid
        }
        error @ ForeignError::Text(_) if error.is_unknown() => StoreErrorKind::Foreign,
        ForeignError::Text(error) => of_decoding(error),
        ForeignError::Io(error) => StoreErrorKind::of_io(error.kind()),
        ForeignError::Sqlite(_) => return None,
    })
}

#[cfg(not(feature = "clients"))]
const fn of_client(_: &(dyn Error + 'static)) -> Option<StoreErrorKind> {
    None
}
