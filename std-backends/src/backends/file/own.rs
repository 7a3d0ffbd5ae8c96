//! Owning a session file.

use std::io;
use std::sync::{Arc, Mutex};

use mtsession_core::wire::FencingToken;

use super::backend::BinaryFileBackend;
use super::content::{Content, read_locked};
use super::fence::Fence;
use super::fold::{Written, write_changed};
use super::lock::{Settings, remove_empty, with_lock};
use super::paths::Paths;
use super::read;
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::fs::disk::{Disk as _, disk};
use crate::owner::file::{NewOwnerFile, OwnerFile, owner_at};
use crate::owner::{Lease, Owner, OwnerInfo, Ownership, token};
use crate::sync::lock;

/// What makes a backend the owner of its session.
#[derive(Clone, Debug, Default)]
pub(super) struct Owned(Arc<Mutex<Option<Held>>>);

#[derive(Debug)]
struct Held {
    token: FencingToken,
    lease: Lease,
    file: OwnerFile,
    /// A child process that was forked is not the owner.
    pid: u32,
}

impl Owned {
    pub(super) fn fence(&self) -> Fence {
        match &*lock(&self.0) {
            Some(held) if held.pid == disk().process() => Fence::Owner(held.token),
            _ => Fence::Nobody,
        }
    }

    pub(super) fn lease(&self) -> Option<Lease> {
        lock(&self.0).as_ref().map(|held| held.lease.clone())
    }

    /// Tells the lease that it is lost, where that is what the error says.
    pub(super) fn note(&self, error: &io::Error) {
        let is_lost =
            StoreError::of(error).is_some_and(|error| error.kind() == StoreErrorKind::NotOwner);
        if is_lost && let Some(held) = &*lock(&self.0) {
            held.lease.lose();
        }
    }

    /// Takes the token out of the file, if it is still there, and gives up the lock.
    fn release(&self, token: FencingToken, paths: &Paths, settings: Settings) -> io::Result<()> {
        let Some(held) = lock(&self.0).take_if(|held| held.token == token) else {
            return Ok(());
        };
        let settings = Settings {
            fence: Fence::Becoming(None),
            ..settings
        };
        let freed = free(paths, settings, token);
        held.file.remove();
        freed
    }
}

impl BinaryFileBackend {
    /// What a writer is to go by.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            fence: self.owned.fence(),
            ..self.settings
        }
    }

    pub(super) fn find_owner(&self) -> io::Result<Option<OwnerInfo>> {
        let paths = Paths::resolve(&self.path)?;
        owner_at(&paths.owner, &paths.snapshot)
    }

    /// Under the lock of the file, under which every writer compares its token: first the token, then the name
    /// of the owner file. Where the second fails, nobody owns the session, the owner before included.
    pub(super) fn own_locked(&self, owner: &Owner) -> io::Result<Ownership> {
        let mut state = self.state();
        let paths = self.prepare(&mut state)?;
        let token = token::new();
        let settings = Settings {
            fence: Fence::Becoming(Some(token)),
            ..self.settings
        };
        let file = with_lock(&paths, settings, |held| {
            let found = read_locked(held, &paths, settings)?;
            let new = NewOwnerFile::prepare(
                &paths.owner,
                &paths.snapshot,
                owner.takes_over(),
                &owner.info(),
                token,
            )?;
            if found.content.is_some() {
                let written = write_changed(&paths, held, found, settings, &mut |_| Ok(()))?;
                if matches!(written, Written::Moved) {
                    return Ok(None);
                }
            }
            let file = new.put()?;
            if held.is_new {
                remove_empty(held.file, &paths);
            }
            Ok(Some(file))
        })?;
        let lease = Lease::of_lock();
        *lock(&self.owned.0) = Some(Held {
            token,
            lease: lease.clone(),
            file,
            pid: disk().process(),
        });
        let (owned, settings) = (self.owned.clone(), self.settings);
        Ok(Ownership::new(lease, move || {
            owned.release(token, &paths, settings)
        }))
    }
}

/// Writes the session without the token, so that older releases read it again.
fn free(paths: &Paths, settings: Settings, token: FencingToken) -> io::Result<()> {
    let is_owned = |content: &Content| content.owner == Some(token);
    if !read::read(paths, settings)?.is_some_and(|content| is_owned(&content)) {
        return Ok(());
    }
    with_lock(paths, settings, |held| {
        let found = read_locked(held, paths, settings)?;
        if found.content.as_ref().is_some_and(is_owned) {
            let written = write_changed(paths, held, found, settings, &mut |_| Ok(()))?;
            return Ok(written.if_not_moved().map(drop));
        }
        if held.is_new {
            remove_empty(held.file, paths);
        }
        Ok(Some(()))
    })
}
