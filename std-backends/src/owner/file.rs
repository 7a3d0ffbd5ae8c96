//! The owner of a file: who holds the lock of another file alongside it, which the system gives up when the
//! process ends.
//!
//! The lock decides; what the file says is for people, and tells its owner whether it is still there. A take-over
//! puts another file in the place of the locked one, so that the owner before keeps a lock that nobody asks for.

use core::time::Duration;
use std::fs::TryLockError;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use mtsession_core::wire::FencingToken;

use super::refusal::owned;
use super::{OwnerInfo, text};
use crate::fs::disk::{Disk as _, File, OpenFile, ReadFrom, disk};
use crate::fs::{Access, NotLocked, Temp, is_strangers, lock_in_time, open_owned};

/// Programs that only look at an owner hold its lock for a moment.
const LOOKING: Duration = Duration::from_millis(100);

/// No owner file of ours is longer.
const LONGEST: u64 = 4096;

/// What an owner file says, and whether somebody holds its lock.
pub(crate) struct Found {
    pub(crate) info: OwnerInfo,
    pub(crate) token: Option<FencingToken>,
    pub(crate) is_held: bool,
}

/// What the owner file at `path` of `owned` says; `None` where there is none, or where a stranger has put it there.
///
/// # Errors
/// What keeps it from being looked at: that is not the same as nobody.
pub(crate) fn look(path: &Path, owned: &Path) -> io::Result<Option<Found>> {
    let file = match open_owned(path, Access::Read, Some(owned)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let found = disk().link_status(path)?;
            // Programs that can make files there could keep every writer out.
            return if is_strangers(&found, path)? {
                Ok(None)
            } else {
                Err(error)
            };
        }
    };
    let is_held = match file.lock_shared_now() {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => return Err(error),
    };
    let mut said = Vec::new();
    // Where a lock keeps readers out, nothing is known of its owner.
    let _ = (ReadFrom { file: &file, at: 0 })
        .take(LONGEST)
        .read_to_end(&mut said);
    let (info, token) = text::from_text(&String::from_utf8_lossy(&said));
    Ok(Some(Found {
        info,
        token,
        is_held,
    }))
}

/// Who owns the file `owned`, whose owner file is at `path`.
///
/// # Errors
/// As [`look`].
pub(crate) fn owner_at(path: &Path, owned: &Path) -> io::Result<Option<OwnerInfo>> {
    let found = look(path, owned)?;
    Ok(found.filter(|found| found.is_held).map(|found| found.info))
}

/// An owner file that has no name yet. Until it has, nothing is owned.
pub(crate) struct NewOwnerFile {
    temp: Temp,
    path: PathBuf,
    owned: PathBuf,
    token: FencingToken,
}

impl NewOwnerFile {
    /// Makes one where nobody has the lock, or to take over. The caller holds the lock of writers.
    ///
    /// # Errors
    /// Of the kind `Owned`, with the owner.
    pub(crate) fn prepare(
        path: &Path,
        owned: &Path,
        takes_over: bool,
        info: &OwnerInfo,
        token: FencingToken,
    ) -> io::Result<Self> {
        if !takes_over {
            refuse_owned(path, owned)?;
        }
        let mut temp = Temp::beside(path)?;
        give_to_owner_of(owned, temp.file());
        temp.write_all(text::to_text(info, &token).as_bytes())?;
        Ok(Self {
            temp,
            path: path.to_owned(),
            owned: owned.to_owned(),
            token,
        })
    }

    /// Gives it its name. From here on it is owned.
    pub(crate) fn put(self) -> io::Result<OwnerFile> {
        let replaced = self.temp.replace_locked(&self.path);
        let file = replaced.map_err(|(error, _)| error)?;
        #[cfg(not(unix))]
        file.lock_now()?;
        Ok(OwnerFile {
            file,
            path: self.path,
            owned: self.owned,
            token: self.token,
        })
    }
}

/// Who looks at an owner holds the lock as well, but not for long.
fn refuse_owned(path: &Path, session: &Path) -> io::Result<()> {
    let file = match open_owned(path, Access::Read, Some(session)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match lock_in_time(&file, LOOKING, OpenFile::lock_shared_now) {
        Ok(()) => Ok(()),
        Err(NotLocked::Busy) => match look(path, session)? {
            Some(found) => Err(owned(found.info)),
            None => Ok(()),
        },
        Err(NotLocked::Unsupported(error) | NotLocked::Failed(error)) => Err(error),
    }
}

/// Leaves it to whom the session belongs: an administrator who owned it for a while must not keep its service
/// out. As far as this process may.
fn give_to_owner_of(session: &Path, file: &File) {
    if let Ok(found) = disk().status(session) {
        let _ = file.give_to(&found);
    }
}

/// The file of an owner, whose lock is held for as long as this is there.
#[derive(Debug)]
pub(crate) struct OwnerFile {
    file: File,
    path: PathBuf,
    owned: PathBuf,
    token: FencingToken,
}

impl OwnerFile {
    /// Gives the lock up, and removes the file unless another owner has put theirs there.
    pub(crate) fn remove(self) {
        let is_ours = look(&self.path, &self.owned)
            .ok()
            .flatten()
            .is_some_and(|found| found.token == Some(self.token));
        if is_ours {
            let _ = disk().remove_file(&self.path);
        }
        drop(self.file);
    }
}
