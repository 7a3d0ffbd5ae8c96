//! Storing a session in its old file, where no other file can take its name: a mount point of a single file,
//! or a directory that this process may not write to.
//!
//! ```text
//! E = length of the file rounded up to 4096, N = the new file
//! 1.  N at max(E, length of N rounded up), then the footer; flush    nothing before the old end is touched
//! 2.  N over the head; flush
//! 3.  cut to the length of N; flush
//! ```
//!
//! The first flush acknowledges: a reader that finds the footer reads the copy, and a writer stores the session
//! anew. While 2
//! runs after a power cut, a program that does not know footers cannot read the file.

use std::fs::{self, File};
use std::io;

use mtsession_core::wire::Crc32c;
use mtsession_core::wire::session_file::{BLOCK, Footer};

use super::lock::{Held, Settings};
use super::new_file::NewFile;
use super::paths::Paths;
use super::positioned::write_at;
use super::snapshot::{Fsync, make_private};
use crate::error::reworded::stored_unflushed;
use crate::fs::{Access, file_len, open_owned};

/// Writes the new file into the old one. Gives the file, opened anew; `None` where it is stored, but must be
/// read again.
///
/// # Errors
/// Nothing was changed; `cause` is why the file could not be replaced.
pub(super) fn write_in_place(
    paths: &Paths,
    held: Held<'_>,
    new: &NewFile,
    salt: u64,
    settings: Settings,
    cause: io::Error,
) -> io::Result<Option<File>> {
    let Settings { fsync, .. } = settings;
    let file = held.file;
    if let Ok(named) = fs::symlink_metadata(&paths.snapshot)
        && !named.is_file()
    {
        return Err(cause);
    }
    make_private(file);
    let old_len = file.metadata()?.len();
    let at = rounded(old_len.max(new.len()));
    let footer = Footer {
        at,
        len: new.len(),
        salt,
        crc: {
            let mut crc = Crc32c::new();
            crc.update(&new.snapshot);
            crc.update(&new.opening);
            crc.value()
        },
    };
    let written = put(file, new, at)
        .and_then(|()| write_at(file, &footer.to_bytes(), at.saturating_add(new.len())))
        .and_then(|()| flush(file, fsync));
    if let Err(error) = written {
        // Nothing before the old end was touched.
        let _ = file.set_len(old_len);
        return Err(error);
    }
    // From here on the new session is stored: what fails leaves the footer, and the next writer goes on.
    let settled = put(file, new, 0)
        .and_then(|()| flush(file, fsync))
        .and_then(|()| file.set_len(new.len()))
        .and_then(|()| fsync.file(file));
    match settled {
        Ok(()) => open_owned(&paths.snapshot, Access::Write, Some(&paths.snapshot)).map(Some),
        Err(_) => Ok(None),
    }
}

/// Makes a session file empty that cannot be removed. An empty file is not a session.
///
/// # Errors
/// Nothing was changed.
pub(super) fn empty_in_place(file: &File, salt: u64, fsync: Fsync) -> io::Result<()> {
    let old_len = file.metadata()?.len();
    if old_len == 0 {
        return Ok(());
    }
    let at = rounded(old_len);
    let footer = Footer {
        at,
        len: 0,
        salt,
        crc: 0,
    };
    let marked = write_at(file, &footer.to_bytes(), at).and_then(|()| flush(file, fsync));
    if let Err(error) = marked {
        let _ = file.set_len(old_len);
        return Err(error);
    }
    // From here on it is deleted.
    let zeros = vec![0; BLOCK];
    let mut done = 0;
    let erased = loop {
        if done >= at {
            break flush(file, fsync);
        }
        if let Err(error) = write_at(file, &zeros, done) {
            break Err(error);
        }
        done = done.saturating_add(file_len(BLOCK));
    };
    erased
        .and_then(|()| file.set_len(0))
        .and_then(|()| fsync.file(file))
        .map_err(|error| {
            let message = format!(
                "the session is deleted, but the key in the file could not be overwritten: {error}"
            );
            stored_unflushed(&error, message)
        })
}

fn put(file: &File, new: &NewFile, at: u64) -> io::Result<()> {
    write_at(file, &new.snapshot, at)?;
    let opening_at = at.saturating_add(file_len(new.snapshot.len()));
    write_at(file, &new.opening, opening_at)
}

fn flush(file: &File, fsync: Fsync) -> io::Result<()> {
    match fsync {
        Fsync::Yes => file.sync_data(),
        Fsync::No => Ok(()),
    }
}

/// The length rounded up to whole blocks.
fn rounded(len: u64) -> u64 {
    let block = file_len(BLOCK);
    len.checked_next_multiple_of(block).unwrap_or(u64::MAX)
}
