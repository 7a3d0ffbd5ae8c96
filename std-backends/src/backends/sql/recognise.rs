//! Telling the databases of others from ours before SQLite opens them for writing: opening and closing
//! alone would change them.

use std::io;
use std::path::Path;

use super::local_error::explain;
use super::schema::{self, Findings};
use super::shape::Object;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::sqlite_file::MAGIC;
use crate::sqlite_file::open_databases::{LockSafeFile, is_open};
use crate::sqlite_file::untouched::{Error, Untouched};

/// Where a database's header has the id of its program, and ours.
const APPLICATION_ID: (usize, &[u8]) = (68, b"MTSX");

/// Length of a database's header.
const HEADER_LEN: u64 = 100;

/// Refuses what is no database of ours or of an older release, without a change to it.
///
/// # Errors
/// `InvalidData` for somebody else's database and for what is none, `Unsupported` for one of a newer
/// release.
pub(super) fn refuse_others(path: &Path) -> io::Result<()> {
    // What this program has open was recognised when it was opened.
    if is_open(path) {
        return Ok(());
    }
    let header = LockSafeFile::open(path).and_then(|file| file.head(HEADER_LEN));
    let header = header.map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let message = format!("no permission for the database ({error})");
            io::Error::new(io::ErrorKind::PermissionDenied, message)
        }
        _ => error,
    })?;
    // A file that was only just made.
    if header.is_empty() {
        return Ok(());
    }
    if !header.starts_with(MAGIC) {
        let message = "it is not an SQLite database, or encrypted";
        return Err(told(StoreErrorKind::Foreign, message));
    }
    let (at, ours) = APPLICATION_ID;
    if header.get(at..).is_some_and(|id| id.starts_with(ours)) {
        return Ok(());
    }
    // One of an older release, one of ours whose mark is still in its log, or somebody else's.
    let found = look(path).map_err(|error| match error {
        Error::Io(error) => error,
        Error::Sqlite(error) => explain(&error),
    })?;
    found.layout().map(drop)
}

fn look(path: &Path) -> Result<Findings, Error> {
    let database = Untouched::open(path)?;
    let mut findings = Findings::default();
    for (index, select) in schema::look().iter().enumerate() {
        let mut statement = database.connection.prepare(&select.sql())?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            match index {
                0 => findings.user_version = row.get(0)?,
                1 => findings.objects.push(Object {
                    name: row.get(0)?,
                    kind: row.get(1)?,
                    sql: row.get(2)?,
                }),
                _ => findings.peer_columns.push(row.get(0)?),
            }
        }
    }
    Ok(findings)
}
