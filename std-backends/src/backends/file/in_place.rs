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
//! The first flush acknowledges: a reader that finds the footer reads the copy, and a writer goes on with 2 before
//! it does anything else. While 2 runs after a power cut, a program that does not know footers cannot read the
//! file. Until the first flush, the old session is what it was, with the beginning of the copy after it; an empty
//! file has none, and what a cut leaves of the first one is not a session.

use std::io;

use mtsession_core::wire::Crc32c;
use mtsession_core::wire::session_file::{BLOCK, FOOTER_LEN, Footer};
use mtsession_core::{DecodeErrorKind, SessionBytes};

use super::lock::{Held, Settings};
use super::new_file::{NewFile, opening};
use super::paths::Paths;
use super::positioned::write_at;
use super::snapshot::{Fsync, make_private};
use crate::error::reworded::stored_unflushed;
use crate::fs::disk::{Disk as _, File, OpenFile as _, disk};
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
    if let Ok(named) = disk().link_status(&paths.snapshot)
        && !named.is_file()
    {
        return Err(cause);
    }
    make_private(file);
    let old_len = file.status()?.len;
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
    let written = put(file, &new.snapshot, &new.opening, at)
        .and_then(|()| write_at(file, &footer.to_bytes(), at.saturating_add(new.len())))
        .and_then(|()| flush(file, fsync));
    if let Err(error) = written {
        // Nothing before the old end was touched.
        let _ = file.set_length(old_len);
        return Err(error);
    }
    // From here on the new session is stored: what fails leaves the footer, and the next writer goes on.
    let settled = settle(file, &new.snapshot, &new.opening, fsync);
    let open = || open_owned(&paths.snapshot, Access::Write, Some(&paths.snapshot));
    Ok(settled.and_then(|()| open()).ok())
}

/// Makes a session file empty that cannot be removed. An empty file is not a session.
///
/// # Errors
/// Nothing was changed.
pub(super) fn empty_in_place(file: &File, salt: u64, fsync: Fsync) -> io::Result<()> {
    let old_len = file.status()?.len;
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
        let _ = file.set_length(old_len);
        return Err(error);
    }
    // From here on it is deleted.
    erase_all(file, at, fsync).map_err(|error| {
        let message = format!(
            "the session is deleted, but the key in the file could not be overwritten: {error}"
        );
        stored_unflushed(&error, message)
    })
}

/// Goes on with what a writer had acknowledged and was kept from finishing; false where there is nothing of
/// the kind. Before anything else is written: the footer counts only at the end of the file.
///
/// # Errors
/// The session is what it was, and so is the file as far as it says what that is.
pub(super) fn finish(file: &File, bytes: &[u8], fsync: Fsync) -> io::Result<bool> {
    match SessionBytes::parse(bytes) {
        Ok(copy) if copy.is_unfinished() => {
            let Some(header) = copy.tail_header() else {
                return Ok(false);
            };
            let opening = opening(copy.bytes().len(), header);
            settle(file, copy.bytes(), &opening, fsync)?;
        }
        Ok(found) if found.has_copy() => {
            // A flush of it may have failed. The copy stays until then, and goes with what follows the tail.
            let Some(header) = found.tail_header() else {
                return Ok(false);
            };
            put(
                file,
                found.bytes(),
                &opening(found.bytes().len(), header),
                0,
            )?;
            flush(file, fsync)?;
        }
        Err(error) if error.kind == DecodeErrorKind::Empty && !bytes.is_empty() => {
            // The footer is overwritten last.
            let before_footer = bytes.len().saturating_sub(FOOTER_LEN);
            erase_all(file, file_len(before_footer), fsync)?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Writes a new file to the beginning, after it is stored at the end.
fn settle(file: &File, snapshot: &[u8], opening: &[u8], fsync: Fsync) -> io::Result<()> {
    put(file, snapshot, opening, 0)?;
    flush(file, fsync)?;
    file.set_length(file_len(snapshot.len()).saturating_add(file_len(opening.len())))?;
    fsync.file(file)
}

/// Overwrites the first `len` bytes, and then makes the file empty.
fn erase_all(file: &File, len: u64, fsync: Fsync) -> io::Result<()> {
    let zeros = [0; BLOCK];
    let mut done = 0;
    while done < len {
        let left = usize::try_from(len.saturating_sub(done)).unwrap_or(usize::MAX);
        let block = zeros.get(..left).unwrap_or(&zeros);
        write_at(file, block, done)?;
        done = done.saturating_add(file_len(block.len()));
    }
    flush(file, fsync)?;
    file.set_length(0)?;
    fsync.file(file)
}

fn put(file: &File, snapshot: &[u8], opening: &[u8], at: u64) -> io::Result<()> {
    write_at(file, snapshot, at)?;
    let opening_at = at.saturating_add(file_len(snapshot.len()));
    write_at(file, opening, opening_at)
}

fn flush(file: &File, fsync: Fsync) -> io::Result<()> {
    match fsync {
        Fsync::Yes => file.flush_data(),
        Fsync::No => Ok(()),
    }
}

/// The length rounded up to whole blocks.
fn rounded(len: u64) -> u64 {
    let block = file_len(BLOCK);
    len.checked_next_multiple_of(block).unwrap_or(u64::MAX)
}
