//! Saying what lies where a session of ours should be.

use std::fs;
use std::io;
use std::path::Path;

use mtsession_core::clients::{StringFormat, detect};
use mtsession_core::{DecodeError, DecodeErrorKind};
use zeroize::Zeroizing;

use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::pasted::pasted_text;
use crate::sqlite_file::open_databases::LockSafeFile;

/// Text that somebody pasted a string into is shorter.
const LONGEST_TEXT: u64 = 1 << 20;

/// The library and version of the session at `path`, when `error` says that it is none of ours; of a
/// session string, also what to do with it.
///
/// Libraries only with the feature `foreign`, which knows them; the first bytes are named in any case.
pub(crate) fn describe_found(error: &io::Error, path: &Path) -> Option<String> {
    let is_content = matches!(
        error.kind(),
        io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory
    );
    if !is_content {
        return None;
    }
    let found = describe(path);
    let is_string = |found: &str| {
        StringFormat::ALL
            .iter()
            .any(|format| format.name() == found)
    };
    if found.as_deref().is_some_and(|found| !is_string(found)) {
        return found;
    }
    string_in_text(path).or(found)
}

#[cfg(feature = "clients")]
fn describe(path: &Path) -> Option<String> {
    crate::clients::describe(path)
}

#[cfg(not(feature = "clients"))]
fn describe(_: &Path) -> Option<String> {
    None
}

/// The session string that somebody keeps in a text file at `path`, and who reads it.
fn string_in_text(path: &Path) -> Option<String> {
    let found = fs::metadata(path).ok()?;
    if !found.is_file() || found.len() > LONGEST_TEXT {
        return None;
    }
    let bytes = LockSafeFile::open(path).ok()?.read_all().ok()?;
    let string = match string_in(&bytes)? {
        Ok(format) => format.name(),
        Err(error) => return Some(format!("text: {error}")),
    };
    let path = path.display();
    Some(format!(
        "{string} in a text file: the command reads it as string:{path}, and `mtsession convert \
         string:{path} NEW` makes a session file of it"
    ))
}

/// The session string that is in a text, or what is wrong with it.
fn string_in(bytes: &[u8]) -> Option<Result<StringFormat, DecodeError>> {
    let text = pasted_text(bytes)?;
    let mut buffer = Zeroizing::new(vec![0; text.len()]);
    match detect(&text, &mut buffer) {
        Ok(string) => Some(Ok(string.format())),
        Err(error) => matches!(
            error.kind,
            DecodeErrorKind::DamagedString(..)
                | DecodeErrorKind::SeveralStrings
                | DecodeErrorKind::NotLoggedIn
        )
        .then_some(Err(error)),
    }
}

/// Whether a file is a text with a session string, whatever it looks like as a session.
pub(crate) fn is_string(bytes: &[u8]) -> bool {
    string_in(bytes).is_some()
}

/// Refuses a text file with a session string. It is not a damaged session, and must not become one.
///
/// # Errors
/// `InvalidData`, saying what it is.
pub(crate) fn refuse_string(path: &Path) -> io::Result<()> {
    let message = "it is text, not a session file";
    let error = told(StoreErrorKind::Foreign, message);
    match string_in_text(path).and_then(|_| describe_found(&error, path)) {
        None => Ok(()),
        found => Err(crate::StoreError::io_finding(
            "session",
            path.display().to_string(),
            "open",
            error,
            found,
        )),
    }
}
