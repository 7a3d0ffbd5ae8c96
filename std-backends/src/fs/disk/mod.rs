//! The system calls that session files are made of, in one trait.
//!
//! A store on files asks the system for nothing that is not here, so that tests can put a disk in its place
//! that is worse than any real one: one that loses, tears and reorders what was not flushed, at any call
//! (`simulated`). Programs have [`System`] alone, which is of no size: nothing is dispatched at run time.

use core::time::Duration;
use std::ffi::OsString;
use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use super::owned::Access;

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod either;
#[cfg(test)]
#[cfg(unix)]
pub(crate) mod simulated;
mod system;

#[cfg(test)]
#[cfg(unix)]
use either::Either as Current;
#[cfg(not(all(test, unix)))]
use system::System as Current;

/// An open file.
pub(crate) type File = <Current as Disk>::File;

/// The disk that this thread works on.
pub(crate) fn disk() -> Current {
    Current::here()
}

/// Names, and what time it is.
pub(crate) trait Disk: Copy {
    type File: OpenFile;

    /// The disk that this thread works on.
    fn here() -> Self;

    /// Opens what `path` itself names: no link is followed, and a pipe does not block.
    fn open(self, path: &Path, access: Access) -> io::Result<Self::File>;
    /// Opens a directory, to flush the names in it.
    fn open_directory(self, path: &Path) -> io::Result<Self::File>;
    /// Makes a file under a name that nobody has, beginning with `prefix` and `random` characters long after
    /// that.
    fn make_temporary(
        self,
        dir: &Path,
        prefix: &str,
        random: usize,
        mode: u32,
    ) -> io::Result<(Self::File, PathBuf)>;
    /// What `path` leads to.
    fn status(self, path: &Path) -> io::Result<Status>;
    /// What `path` itself names.
    fn link_status(self, path: &Path) -> io::Result<Status>;
    fn read_link(self, path: &Path) -> io::Result<PathBuf>;
    /// Gives a file another name, in the place of one that may have it.
    fn rename(self, from: &Path, to: &Path) -> io::Result<()>;
    /// The same where no file may have that name.
    fn rename_new(self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove_file(self, path: &Path) -> io::Result<()>;
    /// Removes a directory and what is in it.
    fn remove_directory(self, path: &Path) -> io::Result<()>;
    /// The names in a directory.
    fn names(self, dir: &Path) -> io::Result<Vec<OsString>>;

    fn now(self) -> Instant;
    fn wall_clock(self) -> SystemTime;
    fn pause(self, how_long: Duration);
    /// Lets others go on.
    fn give_way(self);
    /// The number of this process.
    fn process(self) -> u32;
}

/// What an open file is asked for. Bytes are read and written at a place: there is no cursor, and nothing
/// appends by itself.
pub(crate) trait OpenFile: Sized {
    fn status(&self) -> io::Result<Status>;
    /// Reads some bytes; 0 at the end.
    fn read_some_at(&self, into: &mut [u8], at: u64) -> io::Result<usize>;
    /// Writes some bytes, perhaps fewer than all of them.
    fn write_some_at(&self, bytes: &[u8], at: u64) -> io::Result<usize>;
    fn set_length(&self, len: u64) -> io::Result<()>;
    /// Makes content and length durable, and what the file system keeps of the file.
    fn flush_all(&self) -> io::Result<()>;
    /// Makes content and length durable.
    fn flush_data(&self) -> io::Result<()>;
    fn lock_now(&self) -> Result<(), TryLockError>;
    fn lock_shared_now(&self) -> Result<(), TryLockError>;
    fn release(&self) -> io::Result<()>;
    /// Another handle on the same open file, with the same lock.
    fn duplicate(&self) -> io::Result<Self>;
    /// Takes it away from everybody but its owner.
    fn make_private(&self) -> io::Result<()>;
    fn give_to(&self, owner: &Status) -> io::Result<()>;
    /// Whether it is certain that an open file tells of a rename over it: network file systems rename it to
    /// another name instead, or ask their server only now and then.
    fn is_local(&self) -> bool;
    /// Closes it. Not as dropping does it: it may be a database that another thread has opened meanwhile, whose
    /// locks would go.
    fn close(self);
    /// The file of the system, if it is one.
    #[cfg_attr(
        windows,
        expect(dead_code, reason = "locks are looked into on Unix alone")
    )]
    fn system(&self) -> Option<&std::fs::File>;
}

/// What kind of thing a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// What a disk knows of a file. Where a system does not tell, numbers are 0, and a file has one name.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    windows,
    expect(dead_code, reason = "nobody asks for what Windows does not have")
)]
pub(crate) struct Status {
    pub(crate) kind: Kind,
    pub(crate) len: u64,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// How many names it has: none when it was deleted or renamed over, several when somebody keeps a copy by
    /// link.
    pub(crate) links: u64,
    pub(crate) user: u32,
    pub(crate) group: u32,
    pub(crate) mode: u32,
    /// When it was written.
    pub(crate) modified: Option<SystemTime>,
    /// When anything of it was changed.
    pub(crate) changed: Option<SystemTime>,
}

impl Status {
    pub(crate) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.kind == Kind::Directory
    }

    pub(crate) fn is_link(&self) -> bool {
        self.kind == Kind::Link
    }

    /// Whether both are states of one file.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

/// Reads a file from a place on.
#[derive(Debug)]
pub(crate) struct ReadFrom<'f> {
    pub(crate) file: &'f File,
    pub(crate) at: u64,
}

impl io::Read for ReadFrom<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_some_at(into, self.at)?;
        self.at = self.at.saturating_add(super::file_len(read));
        Ok(read)
    }
}

/// Writes all of `bytes` at a place.
pub(crate) fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    let (mut rest, mut at) = (bytes, at);
    while !rest.is_empty() {
        match file.write_some_at(rest, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => {
                rest = rest.get(written..).unwrap_or_default();
                at = at.saturating_add(super::file_len(written));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
