//! Owners of stores that no other process knows.

use std::io;
use std::sync::{Arc, Mutex};

use mtsession_core::wire::FencingToken;

use super::guard::{Lease, Ownership};
use super::refusal::{not_owner, owned};
use super::token;
use super::{Owner, OwnerInfo};
use crate::sync::lock;

/// Who owns the session: its token, compared by every writer under the lock that it writes under.
#[derive(Debug, Default)]
pub(crate) struct OwnedInProcess {
    owner: Arc<Mutex<Option<(FencingToken, OwnerInfo)>>>,
}

/// What one handle has of it.
#[derive(Debug, Default)]
pub(crate) struct Mine(Arc<Mutex<Option<(FencingToken, Lease)>>>);

impl OwnedInProcess {
    /// Makes `mine` the owner. Under the lock of writers.
    pub(crate) fn own(&self, mine: &Mine, owner: &Owner) -> io::Result<Ownership> {
        let mut held = lock(&self.owner);
        if let Some((_, by)) = &*held
            && !owner.takes_over()
        {
            return Err(owned(by.clone()));
        }
        let (token, lease) = (token::new(), Lease::of_lock());
        *held = Some((token, owner.info()));
        *lock(&mine.0) = Some((token, lease.clone()));
        let (owner, mine) = (Arc::clone(&self.owner), Arc::clone(&mine.0));
        Ok(Ownership::new(lease, move || {
            lock(&mine).take_if(|(mine, _)| *mine == token);
            lock(&owner).take_if(|(there, _)| *there == token);
            Ok(())
        }))
    }

    /// Refuses writers that are not the owner. Under the lock of writers.
    pub(crate) fn check(&self, mine: &Mine) -> io::Result<()> {
        let held = lock(&self.owner);
        match (&*held, &*lock(&mine.0)) {
            (None, None) => Ok(()),
            (Some((token, _)), Some((mine, _))) if token == mine => Ok(()),
            (held, Some((_, lease))) => {
                lease.lose();
                Err(not_owner(held.as_ref().map(|(_, by)| by.clone())))
            }
            (Some((_, by)), None) => Err(owned(by.clone())),
        }
    }

    pub(crate) fn info(&self) -> Option<OwnerInfo> {
        lock(&self.owner).as_ref().map(|(_, by)| by.clone())
    }
}

impl Mine {
    pub(crate) fn lease(&self) -> Option<Lease> {
        lock(&self.0).as_ref().map(|(_, lease)| lease.clone())
    }
}
