//! What is said to those who are not the owner.

use std::io;

use super::{OwnerInfo, text};
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;

/// Somebody else owns the session.
pub(crate) fn owned(by: OwnerInfo) -> io::Error {
    let message = format!(
        "{by} has owned it since {}: nothing was changed; end that program, or take the session over with \
         `Owner::take_over`",
        text::date(by.since)
    );
    let error = StoreError::new(StoreErrorKind::Owned, message);
    error.with_owner(by).into()
}

/// This handle has lost the session to somebody, who may be known.
pub(crate) fn not_owner(by: Option<OwnerInfo>) -> io::Error {
    const LOST: &str = "nothing was changed; disconnect this client, and connect anew where it is to own the \
                        session again";
    let error = |message| StoreError::new(StoreErrorKind::NotOwner, message);
    match by {
        Some(by) => {
            let message = format!(
                "{by} has taken it over, at {}: {LOST}",
                text::date(by.since)
            );
            error(message).with_owner(by).into()
        }
        None => error(format!("it was taken over meanwhile: {LOST}")).into(),
    }
}
