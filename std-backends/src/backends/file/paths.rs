//! Which files make up one session.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::fs::{directory_of, follow_links};
use crate::seal::Sealing;
use crate::sqlite_file::open_databases;

/// The files of one session. All of them lie alongside the session file itself, wherever symbolic links
/// lead.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The session file.
    pub(crate) snapshot: PathBuf,
    /// Where the release before kept the changes after the snapshot; it also was the lock.
    pub(crate) journal: PathBuf,
    /// Where the release before kept a complete session that was being written in place.
    pub(crate) pending: PathBuf,
    /// What the owner of the session holds the lock of.
    pub(crate) owner: PathBuf,
    /// The lock, where that of the session file would keep readers out.
    #[cfg(not(unix))]
    pub(super) lock: PathBuf,
    /// The directory of all of them.
    pub(crate) dir: PathBuf,
    /// Whether the path that was given is a symbolic link, which can lead elsewhere tomorrow.
    pub(super) is_link: bool,
    /// What opens the session, where it is sealed.
    pub(super) seal: Option<Arc<Sealing>>,
}

impl Paths {
    /// Resolves the last component of `path`; nothing needs to exist.
    ///
    /// # Errors
    /// What keeps it from being looked at: that is not the same as nothing being there.
    pub(crate) fn resolve(path: &Path) -> io::Result<Self> {
        let snapshot = follow_links(path)?;
        open_databases::refuse_open(&snapshot)?;
        let Some(name) = snapshot.file_name() else {
            let message = format!("{} names no file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let hidden = |suffix| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            snapshot.with_file_name(hidden)
        };
        Ok(Self {
            journal: with_suffix(&snapshot, ".journal"),
            pending: hidden(".mtsession-pending"),
            owner: with_suffix(&snapshot, ".owner"),
            #[cfg(not(unix))]
            lock: hidden(".mtsession-lock"),
            dir: directory_of(&snapshot).to_path_buf(),
            is_link: snapshot != path,
            seal: None,
            snapshot,
        })
    }

    /// The same session, sealed.
    pub(super) fn sealed_by(self, seal: Option<Arc<Sealing>>) -> Self {
        Self { seal, ..self }
    }

    /// Whether a file of this name is what a killed writer of this session left, in a release
    /// that named temporary files after their session. Only the holder of the lock had a living one.
    pub(super) fn is_old_temp(&self, name: &OsStr) -> bool {
        let Some(session) = self.snapshot.file_name() else {
            return false;
        };
        let random = name
            .as_encoded_bytes()
            .strip_prefix(b".")
            .and_then(|rest| rest.strip_prefix(session.as_encoded_bytes()))
            .and_then(|rest| rest.strip_prefix(b"."))
            .and_then(|rest| rest.strip_suffix(b".mtsession-tmp"));
        random.is_some_and(|random| random.iter().all(u8::is_ascii_alphanumeric))
    }
}

/// The path with something after its name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    name.into()
}
