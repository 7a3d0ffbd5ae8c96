//! What is kept of a damaged session when it is replaced.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::PathBuf;

use super::paths::{Paths, with_suffix};
use crate::event::{self, Event};
use crate::fs::Temp;
use crate::fs::disk::OpenFile as _;

/// More of them are not kept: something else is wrong then.
const MOST: u32 = 999;

/// Keeps `bytes` as `<file>.damaged-N`, and a journal of the release before that may continue them as
/// `<file>.damaged-N.journal`. `mtsession recover` reads both.
///
/// # Errors
/// Nothing was kept, so that nothing may be replaced.
pub(super) fn keep(paths: &Paths, bytes: &[u8], journal: &[u8]) -> io::Result<PathBuf> {
    let mut copy = Temp::beside(&paths.snapshot)?;
    copy.write_all(bytes)?;
    copy.file().flush_all()?;
    for number in 1..=MOST {
        let path = with_suffix(&paths.snapshot, &format!(".damaged-{number}"));
        match copy.keep_as(&path) {
            Ok(_) => {
                if !journal.is_empty() {
                    let _ = keep_journal(&path, journal);
                }
                event::emit(|| Event::DamagedKept { path: path.clone() });
                return Ok(path);
            }
            Err((error, kept)) if error.kind() == io::ErrorKind::AlreadyExists => copy = kept,
            Err((error, _)) => return Err(error),
        }
    }
    let message = format!(
        "{} was damaged {MOST} times, and all of these are kept: remove some of its .damaged files",
        paths.snapshot.display()
    );
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

fn keep_journal(path: &std::path::Path, journal: &[u8]) -> io::Result<()> {
    let path = with_suffix(path, ".journal");
    let mut copy = Temp::beside(&path)?;
    copy.write_all(journal)?;
    copy.keep_as(&path).map_err(|(error, _)| error)?;
    Ok(())
}

/// Whether a file of this name is such a copy of this session.
pub(super) fn is_copy_of(paths: &Paths, name: &OsStr) -> bool {
    let session = paths.snapshot.file_name().unwrap_or_default();
    let number = name
        .as_encoded_bytes()
        .strip_prefix(session.as_encoded_bytes())
        .and_then(|rest| rest.strip_prefix(b".damaged-"))
        .map(|rest| rest.strip_suffix(b".journal").unwrap_or(rest));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}
