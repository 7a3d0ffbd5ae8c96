//! Temporary files that hold keys: one prefix for all of them, and one rule for those that a killed
//! process left.
//!
//! The file's maker keeps it locked for as long as it has its temporary name. A file that can be locked
//! was therefore left over, and the next one that makes one in the same directory removes it. That is looked
//! for once per directory and process: listing a directory takes as long as it has files.

use core::time::Duration;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::disk::{Disk as _, File, OpenFile as _, disk, write_all_at};
use super::erase;
use super::file_len;
use super::owned::{Access, belongs_to_same, directory_of, is_own, open_owned};
use crate::sync::lock;

/// How the name of every temporary file begins.
pub(super) const PREFIX: &str = ".mtsession-tmp-";
pub(super) const RANDOM_CHARACTERS: usize = 12;

/// Where locks do not tell, a file that nobody has written to for so long was left over.
const LONG_AGO: Duration = Duration::from_secs(3_600);

/// A temporary file alongside the one that it is to become, private to its owner. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Temp {
    file: File,
    name: TempName,
    /// Bytes that were written.
    len: u64,
}

/// A name that goes when this is dropped.
#[derive(Debug)]
struct TempName(Option<PathBuf>);

impl TempName {
    fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }
}

impl Drop for TempName {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            let _ = disk().remove_file(path);
        }
    }
}

impl Temp {
    /// Makes one in the directory of `target`.
    pub(crate) fn beside(target: &Path) -> io::Result<Self> {
        clean_once(directory_of(target));
        Self::with_mode(target, 0o600)
    }

    /// The same with another mode, and without looking for what killed processes left.
    pub(crate) fn with_mode(target: &Path, mode: u32) -> io::Result<Self> {
        const ATTEMPTS: u32 = 8;

        let dir = directory_of(target);
        for _ in 0..ATTEMPTS {
            let (file, path) = disk().make_temporary(dir, PREFIX, RANDOM_CHARACTERS, mode)?;
            let name = TempName(Some(path));
            if claim(&file)? {
                return Ok(Self { file, name, len: 0 });
            }
        }
        let message = format!(
            "temporary files in {} are removed as soon as they are made: whatever cleans the directory must \
             leave {PREFIX}* alone",
            dir.display()
        );
        Err(io::Error::other(message))
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    pub(crate) fn path(&self) -> &Path {
        self.name.path()
    }

    /// Gives it the name `target`, in the place of a file that may have it, or back where that fails.
    #[cfg(any(feature = "seal", test))]
    pub(crate) fn replace(self, target: &Path) -> Result<File, (io::Error, Self)> {
        self.replace_locked(target).map(release)
    }

    /// The same with the lock that it has, which the caller releases.
    pub(crate) fn replace_locked(self, target: &Path) -> Result<File, (io::Error, Self)> {
        let mut wait = FIRST_WAIT;
        loop {
            match disk().rename(self.path(), target) {
                Ok(()) => return Ok(self.named()),
                Err(error) if is_held(&error) && wait < LONGEST_WAIT => {
                    disk().pause(wait);
                    wait = wait.saturating_mul(2);
                }
                Err(error) => return Err((error, self)),
            }
        }
    }

    /// The file, which has another name now.
    fn named(self) -> File {
        let Self { file, mut name, .. } = self;
        name.0 = None;
        file
    }

    /// The same where no file may have that name.
    pub(crate) fn keep_as(self, target: &Path) -> Result<File, (io::Error, Self)> {
        match disk().rename_new(self.path(), target) {
            Ok(()) => Ok(release(self.named())),
            Err(error) => Err((error, self)),
        }
    }
}

impl io::Write for Temp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        write_all_at(&self.file, bytes, self.len)?;
        self.len = self.len.saturating_add(file_len(bytes.len()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long a file that somebody else has open is waited for, together about twice the longest: a virus
/// scanner or an indexer reads each new file for some milliseconds.
const FIRST_WAIT: Duration = Duration::from_millis(5);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Whether a name cannot be given away because somebody has the file open. Only Windows refuses that.
fn is_held(error: &io::Error) -> bool {
    const ACCESS_DENIED: i32 = 5;
    const SHARING_VIOLATION: i32 = 32;

    cfg!(windows)
        && error
            .raw_os_error()
            .is_some_and(|code| [ACCESS_DENIED, SHARING_VIOLATION].contains(&code))
}

/// Locks a new file, so that nobody takes it for one that was left over. False when somebody just did.
///
/// Not where a lock would keep readers out.
fn claim(file: &File) -> io::Result<bool> {
    #[cfg(unix)]
    {
        match file.lock_now() {
            Ok(()) => Ok(file.status()?.links > 0),
            Err(TryLockError::WouldBlock) => Ok(false),
            // Its age has to do.
            Err(TryLockError::Error(_)) => Ok(true),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(true)
    }
}

fn release(file: File) -> File {
    #[cfg(unix)]
    let _ = file.release();
    file
}

/// Removes what killed processes left in `dir`, unless this process has done so before. Best effort: a
/// directory that cannot be listed can still be written to.
pub(crate) fn clean_once(dir: &Path) {
    static CLEANED: Mutex<Option<HashSet<PathBuf>>> = Mutex::new(None);

    let is_first = lock(&CLEANED)
        .get_or_insert_default()
        .insert(dir.to_path_buf());
    if is_first {
        let _ = clean(dir, None, |_| false);
    }
}

/// Removes what killed processes left in `dir`, and also the regular files whose names `is_left` knows
/// to be such, for the session `beside` them. Whatever cannot be removed stays.
pub(crate) fn clean(
    dir: &Path,
    beside: Option<&Path>,
    is_left: impl Fn(&OsStr) -> bool,
) -> io::Result<()> {
    for name in disk().names(dir)? {
        if is_left(&name) {
            let _ = remove(&dir.join(name), beside, |_| true);
        } else if let Some(evidence) = Evidence::needed(&name) {
            let _ = remove(&dir.join(name), None, |file| evidence.is_there(file));
        }
    }
    Ok(())
}

/// What shows that a temporary file was left over.
#[derive(Clone, Copy)]
enum Evidence {
    /// It is not locked.
    Lock,
    /// It is old: earlier releases did not lock theirs.
    Age,
}

impl Evidence {
    /// For a file of this name; `None` when it is not a temporary one.
    fn needed(name: &OsStr) -> Option<Self> {
        let is_random =
            |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric);
        let name = name.as_encoded_bytes();
        if let Some(random) = name.strip_prefix(PREFIX.as_bytes()) {
            return is_random(random).then_some(Self::Lock);
        }
        let by_command = name
            .strip_prefix(b".mtsession-")
            .map(|rest| rest.strip_prefix(b"backup-").unwrap_or(rest))
            .is_some_and(|random| random.len() == 6 && is_random(random));
        let by_file_store = name.starts_with(b".")
            && name
                .strip_suffix(b".mtsession-tmp")
                .and_then(|rest| rest.rsplit(|byte| *byte == b'.').next())
                .is_some_and(|random| random.len() == 12 && is_random(random));
        (by_command || by_file_store).then_some(Self::Age)
    }

    fn is_there(self, file: &File) -> bool {
        let is_old = || {
            let modified = file.status().ok().and_then(|found| found.modified);
            let age = modified.and_then(|at| disk().wall_clock().duration_since(at).ok());
            age.is_some_and(|age| age >= LONG_AGO)
        };
        match self {
            Self::Lock if cfg!(unix) => match file.lock_now() {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => false,
                Err(TryLockError::Error(_)) => is_old(),
            },
            Self::Lock | Self::Age => is_old(),
        }
    }
}

/// Removes a file, or a directory of them, that `is_left` says was left over. Only of this user's own,
/// or of the session's that root works on.
fn remove(path: &Path, beside: Option<&Path>, is_left: impl Fn(&File) -> bool) -> io::Result<()> {
    let found = disk().link_status(path)?;
    if !is_own(&found) && !belongs_to_same(&found, beside) {
        return Ok(());
    }
    if found.is_dir() {
        let dir = disk().open_directory(path)?;
        return if is_left(&dir) {
            disk().remove_directory(path)
        } else {
            Ok(())
        };
    }
    let file = open_owned(path, Access::Write, beside)?;
    if is_left(&file) {
        let _ = erase(&file);
        disk().remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    /// Scanners open a file so that its name cannot be given away meanwhile.
    #[cfg(windows)]
    #[test]
    fn a_file_that_a_scanner_has_open_is_waited_for() {
        use std::os::windows::fs::OpenOptionsExt as _;

        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        fs::write(&target, b"old").unwrap();
        let alone = fs::OpenOptions::new()
            .read(true)
            .share_mode(0)
            .open(&target);
        let mut new = Temp::beside(&target).unwrap();
        new.write_all(b"new").unwrap();
        // As long as it is open, nothing is changed.
        let (error, new) = new.replace(&target).unwrap_err();
        assert!(is_held(&error), "{error}");
        let replacing = std::thread::spawn(move || new.replace(&target).map(|_| target));
        drop(alone.unwrap());
        let target = replacing
            .join()
            .unwrap()
            .map_err(|(error, _)| error)
            .unwrap();
        assert_eq!(fs::read(target).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_in_use_stays_and_what_was_left_behind_goes() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        let mut living = Temp::beside(&target).unwrap();
        living.write_all(b"new").unwrap();
        for name in [".mtsession-tmp-abcdefghijkl", ".mtsession-tmp-0"] {
            fs::write(dir.path().join(name), b"left").unwrap();
        }
        // Those of earlier releases are not locked: only their age tells.
        let old = [
            ".mtsession-backup-Ab12Cd",
            ".mtsession-Ab12Cd",
            ".s.abcDEF123456.mtsession-tmp",
        ];
        for name in old {
            fs::write(dir.path().join(name), b"perhaps in use").unwrap();
        }
        fs::create_dir(dir.path().join(".mtsession-tmp-directory")).unwrap();
        fs::write(dir.path().join(".mtsession-tmp-directory/a"), b"left").unwrap();
        let others = [
            ".mtsession-tmp-",
            ".mtsession-tmp-a.b",
            ".mtsession-",
            "mtsession-tmp-a",
        ];
        for name in others {
            fs::write(dir.path().join(name), b"not ours").unwrap();
        }
        clean(dir.path(), None, |_| false).unwrap();
        assert_eq!(names(dir.path()).len(), 1 + old.len() + others.len());
        let long_ago = std::time::SystemTime::now() - 2 * LONG_AGO;
        for name in old {
            let file = File::options()
                .write(true)
                .open(dir.path().join(name))
                .unwrap();
            file.set_modified(long_ago).unwrap();
        }
        clean(dir.path(), None, |_| false).unwrap();
        assert_eq!(names(dir.path()).len(), 1 + others.len());

        living.replace(&target).map_err(|(error, _)| error).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        let again = Temp::beside(&target).unwrap();
        let (error, again) = again.keep_as(&target).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        drop(again);
        assert_eq!(names(dir.path()).len(), 1 + others.len());
    }
}
