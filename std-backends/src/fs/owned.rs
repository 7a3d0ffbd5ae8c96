//! Opening files that other users of the machine cannot have put there.
//!
//! A directory that others can write to is a place where they can leave a file under a name that this
//! crate is about to use: a complete session, a journal whose lock they hold, a link to somewhere else,
//! a pipe that blocks the program that opens it. Such a file is never read, written or waited for. It is refused
//! by name, so that its owner can be told.

use std::io;
use std::path::Path;

use super::disk::{Disk as _, File, OpenFile as _, Status, disk};

/// What an opened file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It is only read.
    Read,
    /// It is read and written.
    Write,
    /// The same, and it is made, private to its owner, where it does not exist.
    #[cfg_attr(
        unix,
        allow(dead_code, reason = "a file alongside is the lock elsewhere")
    )]
    Create,
    /// It is made, private to its owner, and must not exist.
    New,
}

/// Opens the file that `path` itself names: no link is followed, and a pipe does not block.
///
/// # Errors
/// Refuses what is not a regular file and what [a stranger](is_strangers) put there, unless it is as
/// much theirs as `beside`, the session that it belongs to, which the administrator works on.
pub(crate) fn open_owned(path: &Path, access: Access, beside: Option<&Path>) -> io::Result<File> {
    let file = disk()
        .open(path, access)
        .map_err(|error| refused_to_open(error, path))?;
    let found = file.status().map_err(|error| about(error, path))?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        let message = format!(
            "{} is a pipe or a device, not a file: move it away",
            path.display()
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    if is_strangers(&found, path)? && !belongs_to_same(&found, beside) {
        return Err(strangers(&found, path));
    }
    Ok(file)
}

/// Refuses a file, or a link, that [a stranger](is_strangers) put there, unless it is as much theirs as
/// `beside`; nothing needs to be there.
pub(crate) fn refuse_strangers(path: &Path, beside: Option<&Path>) -> io::Result<()> {
    match disk().link_status(path) {
        Ok(found) if is_strangers(&found, path)? && !belongs_to_same(&found, beside) => {
            Err(strangers(&found, path))
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(about(error, path)),
        _ => Ok(()),
    }
}

/// Says which file the system's words are about.
pub(crate) fn about(error: io::Error, path: &Path) -> io::Error {
    if error.kind() == io::ErrorKind::NotFound || error.get_ref().is_some() {
        return error;
    }
    let message = format!("{}: {error}", path.display());
    io::Error::new(error.kind(), message)
}

fn refused_to_open(error: io::Error, path: &Path) -> io::Error {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        let message = format!(
            "{} is a symbolic link, which is not followed there: move it away",
            path.display()
        );
        return io::Error::new(io::ErrorKind::InvalidInput, message);
    }
    match error.kind() {
        // The callers' own words say more.
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => error,
        _ => about(error, path),
    }
}

/// Whether a file belongs to somebody who could have put it there against the will of the user that
/// this process runs as.
///
/// Not this user's own files, nor root's, nor those of the directory's owner, who can do anything in
/// it. Others' files are strange only where others can make files: what lies in a directory that only
/// its owner can write to was put there, or given away, by that owner.
#[cfg(unix)]
pub(crate) fn is_strangers(found: &Status, path: &Path) -> io::Result<bool> {
    const OTHERS_WRITE: u32 = 0o022;

    if found.user == own_uid() || found.user == 0 {
        return Ok(false);
    }
    let dir = disk()
        .status(directory_of(path))
        .map_err(|error| about(error, path))?;
    Ok(found.user != dir.user && dir.mode & OTHERS_WRITE != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_strangers(_: &Status, _: &Path) -> io::Result<bool> {
    Ok(false)
}

/// Root works on the sessions of others: what lies alongside one of them may be the same user's.
#[cfg(unix)]
pub(super) fn belongs_to_same(found: &Status, beside: Option<&Path>) -> bool {
    own_uid() == 0
        && beside
            .and_then(|beside| disk().link_status(beside).ok())
            .is_some_and(|beside| beside.user == found.user)
}

#[cfg(not(unix))]
pub(super) fn belongs_to_same(_: &Status, _: Option<&Path>) -> bool {
    true
}

#[cfg(unix)]
fn strangers(found: &Status, path: &Path) -> io::Error {
    let message = format!(
        "{} belongs to another user (uid {}), who may have put it there, because others can write to \
         its directory: move it away, or give it to the user that this program runs as",
        path.display(),
        found.user
    );
    io::Error::new(io::ErrorKind::PermissionDenied, message)
}

#[cfg(not(unix))]
fn strangers(_: &Status, _: &Path) -> io::Error {
    io::ErrorKind::PermissionDenied.into()
}

/// Whether a file belongs to the user that this process runs as.
#[cfg(unix)]
pub(super) fn is_own(found: &Status) -> bool {
    found.user == own_uid()
}

#[cfg(not(unix))]
pub(super) fn is_own(_: &Status) -> bool {
    true
}

#[cfg(unix)]
fn own_uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The directory that a file lies in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}
