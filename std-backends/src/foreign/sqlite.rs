//! Opens foreign databases without changing them, and reads their tables by column names.
//!
//! Columns are always named: several libraries add columns with `ALTER TABLE`, so that the order in a
//! fresh file differs from that in a migrated one.

use core::fmt::Write as _;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use mtsession_core::Counters;
use rusqlite::types::FromSql;
use rusqlite::{Connection, OpenFlags, Row};
use tempfile::TempDir;

use super::error::ForeignError;
use super::private;

/// A foreign database, opened for reading.
pub(super) struct Db {
    connection: Connection,
    tables: BTreeSet<String>,
    /// Kept until the connection is closed.
    _copy: Option<Copy>,
}

impl Db {
    /// Opens the database at `path`. A file without a log beside it is opened as immutable: SQLite then
    /// creates nothing beside it and takes no lock. One with a log, whose content is part of the
    /// session, is copied first.
    pub(super) fn open(path: &Path) -> Result<Self, ForeignError> {
        let logs = ["-wal", "-journal"].map(|suffix| with_suffix(path, suffix));
        let has_log = logs
            .iter()
            .any(|log| fs::metadata(log).is_ok_and(|log| log.len() > 0));
        let (connection, copy) = if has_log {
            let copy = Copy::of(path, &logs)?;
            (Connection::open(&copy.database)?, Some(copy))
        } else {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
            let uri = format!("file:{}?immutable=1", percent_encoded(path)?);
            (Connection::open_with_flags(uri, flags)?, None)
        };
        let tables = connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Self {
            connection,
            tables,
            _copy: copy,
        })
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains(table)
    }

    pub(super) fn columns(&self, table: &str) -> Result<BTreeSet<String>, ForeignError> {
        let mut statement = self
            .connection
            .prepare("SELECT name FROM pragma_table_info(?1)")?;
        let names = statement.query_map([table], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    pub(super) fn has_column(&self, table: &str, column: &str) -> Result<bool, ForeignError> {
        Ok(self.columns(table)?.contains(column))
    }

    /// Makes sure that `table` has what no version of its library can do without.
    pub(super) fn require(
        &self,
        table: &'static str,
        columns: &[&'static str],
    ) -> Result<(), ForeignError> {
        let known = self.columns(table)?;
        match columns.iter().find(|column| !known.contains(**column)) {
            Some(column) => Err(ForeignError::MissingColumn { table, column }),
            None => Ok(()),
        }
    }

    /// Reads every row of `table` in the order it was written; columns that the table lacks read as
    /// NULL.
    pub(super) fn rows<T>(
        &self,
        table: &'static str,
        columns: &[&'static str],
        mut read: impl FnMut(&Cells<'_>) -> Result<T, ForeignError>,
    ) -> Result<Vec<T>, ForeignError> {
        let known = self.columns(table)?;
        let list: Vec<String> = columns
            .iter()
            .map(|column| {
                let value = if known.contains(*column) {
                    format!("\"{column}\"")
                } else {
                    "NULL".to_owned()
                };
                format!("{value} AS \"{column}\"")
            })
            .collect();
        let sql = format!("SELECT {} FROM \"{table}\"", list.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read(&Cells {
                row,
                table,
                number: found.len(),
            })?);
        }
        Ok(found)
    }

    /// The number that a program may keep in the database's header.
    pub(super) fn user_version(&self) -> Result<i64, ForeignError> {
        let version = self
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(version)
    }

    /// Reads the only row of `table`.
    pub(super) fn only_row<T>(
        &self,
        table: &'static str,
        columns: &[&'static str],
        read: impl FnMut(&Cells<'_>) -> Result<T, ForeignError>,
    ) -> Result<T, ForeignError> {
        let mut rows = self.rows(table, columns, read)?;
        match (rows.len(), rows.pop()) {
            (1, Some(row)) => Ok(row),
            (count, _) => Err(ForeignError::Rows { table, count }),
        }
    }
}

/// The cells of one row.
pub(super) struct Cells<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    number: usize,
}

impl Cells<'_> {
    pub(super) fn get<T: FromSql>(&self, column: &str) -> Result<T, ForeignError> {
        self.row.get(column).map_err(|_| self.damaged(column))
    }

    /// The columns `pts`, `qts`, `date` and `seq`; what is NULL is zero.
    pub(super) fn counters(&self) -> Result<Counters, ForeignError> {
        let number = |column| {
            self.get::<Option<i32>>(column)
                .map(Option::unwrap_or_default)
        };
        Ok(Counters {
            pts: number("pts")?,
            qts: number("qts")?,
            date: number("date")?,
            seq: number("seq")?,
        })
    }

    /// Says where, not what.
    pub(super) fn damaged(&self, column: &str) -> ForeignError {
        let Self { table, number, .. } = self;
        ForeignError::damaged(format!("{table}.{column} in row {number}"))
    }
}

/// A private copy of a database and its log. Wiped and removed on drop.
struct Copy {
    dir: TempDir,
    database: PathBuf,
}

impl Copy {
    fn of(path: &Path, logs: &[PathBuf]) -> Result<Self, ForeignError> {
        let dir = private::directory_in(&std::env::temp_dir())?;
        let database = dir.path().join("copy");
        copy_content(path, &database)?;
        for log in logs {
            let suffix = if log.to_string_lossy().ends_with("-wal") {
                "-wal"
            } else {
                "-journal"
            };
            if log.exists() {
                copy_content(log, &with_suffix(&database, suffix))?;
            }
        }
        Ok(Self { dir, database })
    }
}

/// Copies a file without its permissions: SQLite has to write to the copy, and so has whoever wipes it.
fn copy_content(from: &Path, to: &Path) -> io::Result<()> {
    io::copy(&mut File::open(from)?, &mut File::create_new(to)?)?;
    Ok(())
}

impl Drop for Copy {
    fn drop(&mut self) {
        // Best effort: the directory is removed in any case.
        let Ok(entries) = fs::read_dir(self.dir.path()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let _ = overwrite(&path);
        }
    }
}

fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let mut left = file.metadata()?.len();
    let zeros = [0; 4096];
    while left > 0 {
        let len = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
        file.write_all(zeros.get(..len).unwrap_or_default())?;
        left = left.saturating_sub(u64::try_from(len).unwrap_or(u64::MAX));
    }
    file.sync_all()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A path as a URI has it.
fn percent_encoded(path: &Path) -> Result<String, ForeignError> {
    let path = std::path::absolute(path)?;
    let text = path
        .to_str()
        .ok_or_else(|| ForeignError::damaged("path that is not UTF-8"))?;
    let mut uri = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            b'\\' if cfg!(windows) => uri.push('/'),
            b':' if cfg!(windows) => uri.push(':'),
            other => {
                // Writing to a string cannot fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    if cfg!(windows) {
        uri.insert(0, '/');
    }
    Ok(uri)
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// SQLite has to write to the copy, and it has to be wiped.
    #[test]
    fn the_copy_of_a_read_only_database_can_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("theirs");
        let wal = with_suffix(&path, "-wal");
        for file in [&path, &wal] {
            fs::write(file, "theirs").unwrap();
            fs::set_permissions(file, Permissions::from_mode(0o444)).unwrap();
        }
        let copy = Copy::of(&path, &[wal]).unwrap();
        for file in [&copy.database, &with_suffix(&copy.database, "-wal")] {
            assert_eq!(fs::read(file).unwrap(), b"theirs");
            let mode = fs::metadata(file).unwrap().permissions().mode();
            assert_eq!(mode & 0o600, 0o600, "{}", file.display());
        }
    }
}
