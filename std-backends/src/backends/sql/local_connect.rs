//! Ways to open a database file: in place, or aside where it cannot be used there.

use core::time::Duration;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::aside::{self, Aside};
use super::guard;
use super::local_error::{explain, only_readable};
use super::local_file::has_second_name;
use super::local_open::Open;
use super::locks;
use super::owners::refuse_planted;
use super::recognise::refuse_others;
use super::shared::{Shared, Source};
use crate::sqlite_file::open_databases::{Announced, FileId};

/// How often a file is opened again because another one took its place meanwhile.
const OPENINGS: usize = 10;

/// Opens what is there to read it, in whichever way it can be read.
pub(super) fn to_read(path: &Path, busy_timeout: Duration) -> io::Result<Shared> {
    guard::check_version()?;
    refuse_planted(path)?;
    refuse_others(path)?;
    if has_second_name(path)? {
        return copy_to_read(path, busy_timeout);
    }
    if let Some((database, aside)) = Aside::immutable(path)? {
        return reading_aside(path, database, aside, busy_timeout);
    }
    let (announced, open) = announced(path, |file| {
        let database = in_place(path, file)?;
        database
            .map(|database| Open::new(database, busy_timeout))
            .transpose()
    })?;
    match aside::try_to_read(&open.database) {
        Err(error) if aside::helps(&error) || locks::are_missing(&error, path) => {
            drop(open);
            drop(announced);
            copy_to_read(path, busy_timeout)
        }
        // Whatever else is wrong, the read itself says.
        _ => Ok(Shared::reading_from(Source::File(announced), path, open)),
    }
}

fn copy_to_read(path: &Path, busy_timeout: Duration) -> io::Result<Shared> {
    let (database, aside) = Aside::copy_of(path)?;
    reading_aside(path, database, aside, busy_timeout)
}

fn reading_aside(
    path: &Path,
    database: Connection,
    aside: Aside,
    busy_timeout: Duration,
) -> io::Result<Shared> {
    let open = Open::new(database, busy_timeout)?;
    Ok(Shared::reading_from(Source::Aside(aside), path, open))
}

/// Opens a file in place that is read aside, to write to it.
pub(super) fn in_place_of_aside(path: &Path, busy_timeout: Duration) -> io::Result<Shared> {
    let (announced, open) = announced(path, |file| {
        let mut is_there = true;
        let open = to_write(path, || {
            let database = in_place(path, file)?;
            is_there = database.is_some();
            let database = database.ok_or(io::ErrorKind::NotFound)?;
            Open::new(database, busy_timeout)
        });
        if is_there { open.map(Some) } else { Ok(None) }
    })?;
    Ok(Shared::writing_to(announced, path, open))
}

/// A connection that can write; a database whose log cannot be used here goes on without.
pub(super) fn to_write(
    path: &Path,
    mut connect: impl FnMut() -> io::Result<Open>,
) -> io::Result<Open> {
    let mut open = connect()?;
    match aside::try_to_read(&open.database) {
        Err(error) if aside::lacks_shared_memory(&error) => {
            // A connection that has tried to share memory goes on trying.
            drop(open);
            open = connect()?;
            aside::leave_wal(&open.database)
        }
        read => read,
    }
    .map_err(|error| match explain(&error) {
        // What was found to be readable is there.
        _ if aside::helps(&error) => only_readable(),
        _ if locks::are_missing(&error, path) => locks::explain_missing(path),
        explained => explained,
    })?;
    Ok(open)
}

/// Opens the file at `path`; `None` where that is not `file` any more, which was announced.
pub(super) fn in_place(path: &Path, file: FileId) -> io::Result<Option<Connection>> {
    // The mutex around every connection is enough.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(|error| explain(&error))?;
    // Otherwise another file took its place in between, and that one was not announced.
    Ok((FileId::of(path)? == Some(file)).then_some(database))
}

/// Announces the file at `path` and opens it.
fn announced<T>(
    path: &Path,
    mut open: impl FnMut(FileId) -> io::Result<Option<T>>,
) -> io::Result<(Announced, T)> {
    for _ in 0..OPENINGS {
        let file = FileId::of(path)?.ok_or(io::ErrorKind::NotFound)?;
        let announced = Announced::new(file)?;
        if let Some(open) = open(file)? {
            return Ok((announced, open));
        }
    }
    Err(io::Error::new(
        io::ErrorKind::WouldBlock,
        "other programs keep replacing the file",
    ))
}
