//! Ways to open a database file: in place, or aside where it cannot be used there.

use std::io;
use std::path::Path;

use rusqlite::OpenFlags;

use super::aside::{self, Aside};
use super::guard;
use super::local::LocalConnection;
use super::local_error::{explain, only_readable};
use super::local_file::has_second_name;
use super::local_open::{Open, Source};
use super::locks;
use super::owners::refuse_planted;
use super::recognise::refuse_others;
use crate::sqlite_file::open_databases::{Announced, FileId};

/// How often a file is opened again because another one took its place meanwhile.
const OPENINGS: usize = 10;

impl LocalConnection {
    /// Opens what is there to read it, in whichever way it can be read.
    pub(super) fn connect(&self) -> io::Result<Open> {
        guard::check_version()?;
        let Some(path) = &self.path else {
            let database = rusqlite::Connection::open_in_memory();
            return self.open(database.map_err(|error| explain(&error))?, Source::Memory);
        };
        refuse_planted(path)?;
        refuse_others(path)?;
        if has_second_name(path)? {
            return self.connect_to_copy(path);
        }
        if let Some((database, aside)) = Aside::immutable(path)? {
            return self.open(database, Source::Aside(aside));
        }
        let open = self.connect_in_place(path)?;
        match aside::try_to_read(&open.database) {
            Err(error) if aside::helps(&error) || locks::are_missing(&error, path) => {
                drop(open);
                self.connect_to_copy(path)
            }
            // Whatever else is wrong, the read itself says.
            _ => Ok(open),
        }
    }

    fn connect_to_copy(&self, path: &Path) -> io::Result<Open> {
        let (database, aside) = Aside::copy_of(path)?;
        self.open(database, Source::Aside(aside))
    }

    /// Opens the file to write to it; one whose log cannot be used here goes on without.
    pub(super) fn connect_to_write(&self, path: &Path) -> io::Result<Open> {
        let mut open = self.connect_in_place(path)?;
        match aside::try_to_read(&open.database) {
            Err(error) if aside::lacks_shared_memory(&error) => {
                // A connection that has tried to share memory goes on trying.
                drop(open);
                open = self.connect_in_place(path)?;
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

    fn connect_in_place(&self, path: &Path) -> io::Result<Open> {
        // The mutex around every store is enough.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        for _ in 0..OPENINGS {
            let file = FileId::of(path)?.ok_or(io::ErrorKind::NotFound)?;
            let announced = Announced::new(file)?;
            let database = rusqlite::Connection::open_with_flags(path, flags)
                .map_err(|error| explain(&error))?;
            // Otherwise another file took its place in between, and that one was not announced.
            if FileId::of(path)? == Some(file) {
                return self.open(database, Source::File(announced));
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "other programs keep replacing the file",
        ))
    }

    fn open(&self, database: rusqlite::Connection, source: Source) -> io::Result<Open> {
        Open::new(database, source, self.busy_timeout)
    }
}
