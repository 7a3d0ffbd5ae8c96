//! SQLite's errors in words that say what to do.

use std::io;

use rusqlite::ErrorCode;

use super::schema::{FENCE, somebody_elses, too_many_dcs};
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;

/// A condition of a table. Of those that a value of ours can break there is one: the number of DC entries.
const SQLITE_CONSTRAINT_CHECK: i32 = 275;

/// What the token of another owner does to the statement that changes an account.
const SQLITE_CONSTRAINT_NOTNULL: i32 = 1299;

/// Translates an error. SQLite's messages name tables and columns, never values.
pub(super) fn explain(error: &rusqlite::Error) -> io::Error {
    let Some(code) = error.sqlite_error_code() else {
        return io::Error::other(error.to_string());
    };
    let extended = error.sqlite_error().map(|error| error.extended_code);
    if extended == Some(SQLITE_CONSTRAINT_CHECK) {
        return too_many_dcs();
    }
    let text = error.to_string();
    if extended == Some(SQLITE_CONSTRAINT_NOTNULL) && text.contains(FENCE) {
        return somebody_elses();
    }
    let (kind, message) = match code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => (
            io::ErrorKind::WouldBlock,
            "another program keeps the database locked for longer than the timeout".to_owned(),
        ),
        ErrorCode::NotADatabase => {
            let message = "it is not an SQLite database, or it is encrypted";
            return told(StoreErrorKind::Foreign, message);
        }
        ErrorCode::DatabaseCorrupt => (
            io::ErrorKind::InvalidData,
            format!(
                "the database is damaged ({text}): restore a backup, or try `sqlite3 .recover`"
            ),
        ),
        ErrorCode::TooBig => (
            io::ErrorKind::InvalidData,
            "a value in it is larger than any that a session database has".to_owned(),
        ),
        ErrorCode::OperationInterrupted => (
            io::ErrorKind::InvalidData,
            "reading it was given up, because a query did not come to an end".to_owned(),
        ),
        ErrorCode::DiskFull => (
            io::ErrorKind::StorageFull,
            "the disk is full; nothing was changed".to_owned(),
        ),
        ErrorCode::ReadOnly => return only_readable(),
        ErrorCode::CannotOpen if has_no_descriptors() => (
            io::ErrorKind::Other,
            "the program has too many files open; nothing was changed: close some, or raise its limit \
             (`ulimit -n`)"
                .to_owned(),
        ),
        ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied => (
            io::ErrorKind::PermissionDenied,
            format!("no permission for the database or its directory ({text})"),
        ),
        ErrorCode::SystemIoFailure => (
            io::ErrorKind::Other,
            format!("reading or writing the disk failed ({text})"),
        ),
        _ => (io::ErrorKind::Other, text),
    };
    io::Error::new(kind, message)
}

/// Whether this process cannot open anything now. SQLite says "unable to open" then, whatever it is.
fn has_no_descriptors() -> bool {
    #[cfg(unix)]
    if let Err(error) = std::fs::File::open("/dev/null") {
        let code = error.raw_os_error();
        let full = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE];
        return full.iter().any(|errno| code == Some(errno.raw_os_error()));
    }
    false
}

/// What is said to a writer where there can only be readers.
pub(super) fn only_readable() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the database or its directory can only be read; nothing was changed",
    )
}

/// An error that nobody ever sees.
pub(super) fn bug(what: &str) -> io::Error {
    debug_assert!(false, "{what}");
    told(StoreErrorKind::Bug, what)
}
