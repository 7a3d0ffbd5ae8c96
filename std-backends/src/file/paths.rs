//! Which files make up one session.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::open_databases;

/// Most symbolic links that are followed, as in the kernel.
const MAX_LINKS: usize = 40;

/// Marks temporary files; see [`Paths::is_stale_temp`].
pub(super) const TEMP_SUFFIX: &str = ".mtsession-tmp";

/// The files of one session. All of them lie beside the snapshot itself, wherever symbolic links
/// lead, so that two links to one session share its journal and its lock.
#[derive(Clone, Debug)]
pub(super) struct Paths {
    /// The session file.
    pub(super) snapshot: PathBuf,
    /// Changes since the snapshot; also the lock.
    pub(super) journal: PathBuf,
    /// A complete session that is being written into a snapshot that cannot be renamed over.
    pub(super) pending: PathBuf,
    /// The directory of all three.
    pub(super) dir: PathBuf,
    /// How names of temporary files begin.
    pub(super) temp_prefix: OsString,
    /// Whether the path that was given is a symbolic link, which can lead elsewhere tomorrow.
    pub(super) is_link: bool,
}

impl Paths {
    /// Resolves the last component of `path`; nothing needs to exist.
    pub(super) fn resolve(path: &Path) -> io::Result<Self> {
        let snapshot = follow_links(path)?;
        open_databases::refuse_open(&snapshot)?;
        let Some(name) = snapshot.file_name() else {
            let message = format!("{} names no file", path.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        };
        let dir = match snapshot.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let hidden = |suffix: &str| {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(suffix);
            hidden
        };
        let mut journal = name.to_os_string();
        journal.push(".journal");
        Ok(Self {
            journal: snapshot.with_file_name(journal),
            pending: snapshot.with_file_name(hidden(".mtsession-pending")),
            temp_prefix: hidden("."),
            is_link: snapshot != path,
            dir,
            snapshot,
        })
    }

    /// Whether a file of this name is a temporary file of this session. Only its writer, which holds
    /// the lock, has a living one.
    fn is_stale_temp(&self, name: &OsStr) -> bool {
        let (name, prefix) = (name.as_encoded_bytes(), self.temp_prefix.as_encoded_bytes());
        let random = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_suffix(TEMP_SUFFIX.as_bytes()));
        random.is_some_and(|random| random.iter().all(u8::is_ascii_alphanumeric))
    }

    /// Removes what writers left behind that were killed. Only under the lock.
    pub(super) fn remove_stale_temps(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if self.is_stale_temp(&entry.file_name()) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&path) {
            // A relative link is relative to the directory that it lies in.
            Ok(target) => path = path.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(path),
        }
    }
    let message = format!("{} leads through too many symbolic links", path.display());
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
