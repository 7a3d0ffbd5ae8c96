//! Copies of whole databases: made, checked and put back.

use core::time::Duration;
use std::io;
use std::path::Path;

use rusqlite::backup::Backup;

use super::local_error::explain;

/// Copies with what is still in the write-ahead log, and checks the copy.
pub(super) fn copy(from: &rusqlite::Connection, to: &Path) -> io::Result<()> {
    const PAGES_AT_ONCE: i32 = 1000;

    let copy = || {
        let mut to = rusqlite::Connection::open(to)?;
        Backup::new(from, &mut to)?.run_to_completion(PAGES_AT_ONCE, Duration::ZERO, None)?;
        Ok(to)
    };
    let to = copy().map_err(|error| explain(&error))?;
    check_integrity(&to)?;
    to.close().map_err(|(_, error)| explain(&error))
}

/// Refuses a damaged database.
pub(super) fn check_integrity(database: &rusqlite::Connection) -> io::Result<()> {
    let problems = problems(database).map_err(|error| explain(&error))?;
    match problems.first() {
        None => Ok(()),
        Some(first) => {
            let message = format!("the database is damaged ({first}): restore a backup");
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }
}

/// What SQLite's own check of pages, rows and indexes finds.
pub(super) fn problems(database: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = database.prepare("PRAGMA integrity_check(20)")?;
    let found = check.query_map([], |row| row.get::<_, String>(0))?;
    let found: Vec<_> = found.collect::<rusqlite::Result<_>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}

/// Rows that belong to no account; no command leads to them, and no deletion takes them along.
pub(super) fn rows_without_account(
    database: &rusqlite::Connection,
) -> rusqlite::Result<Vec<String>> {
    let has = |table: &str| database.table_exists(Some("main"), table);
    let mut problems = Vec::new();
    if !has("accounts")? {
        return Ok(problems);
    }
    for table in ["dc", "channel", "peer", "min_peer", "names"] {
        if !has(table)? {
            continue;
        }
        let sql =
            format!("SELECT count(*) FROM {table} WHERE account NOT IN (SELECT id FROM accounts)");
        let rows: i64 = database.query_row(&sql, [], |row| row.get(0))?;
        if rows > 0 {
            problems.push(format!("{rows} rows of table {table} belong to no account"));
        }
    }
    Ok(problems)
}

/// Writes the whole database `from` into the open database `to`, under its lock and through its log. A
/// file put in its place would meet the log of the old one.
pub(super) fn write_into(
    from: &rusqlite::Connection,
    to: &mut rusqlite::Connection,
    timeout: Duration,
) -> io::Result<()> {
    const ALL: core::ffi::c_int = -1;
    const PAUSE: Duration = Duration::from_millis(5);

    let start = std::time::Instant::now();
    let mut write = || {
        let backup = Backup::new(from, to)?;
        loop {
            match backup.step(ALL)? {
                rusqlite::backup::StepResult::Done => return Ok(true),
                _ if start.elapsed() >= timeout => return Ok(false),
                _ => std::thread::sleep(PAUSE),
            }
        }
    };
    if !write().map_err(|error| explain(&error))? {
        let message =
            "another program keeps the database locked; nothing was changed: stop it first";
        return Err(io::Error::new(io::ErrorKind::WouldBlock, message));
    }
    Ok(())
}

/// Refuses to put a database back into itself.
pub(super) fn check_places(copy: &Path, to: &Path) -> io::Result<()> {
    let same = std::fs::canonicalize(copy)? == std::fs::canonicalize(to).unwrap_or_default();
    if same {
        let message = "the copy and the database are one file";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    Ok(())
}
