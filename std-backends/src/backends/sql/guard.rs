//! Keeps a database from elsewhere from running code of its own, and from taking all time and memory.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;

/// No value of ours is longer; lists that are written as one text are half of that.
const LONGEST_VALUE: i32 = 4 * 1024 * 1024;

/// How long a query may run without giving a row.
const PATIENCE: Duration = Duration::from_secs(5);

/// Steps of SQLite's machine between two looks at the clock.
const STEPS: c_int = 100_000;

/// Releases before it could lose what was committed, when a log was begun anew while it was copied.
const OLDEST_SQLITE: (i32, &str) = (3_051_003, "3.51.3");

/// Refuses an SQLite library that can lose what was acknowledged.
pub(super) fn check_version() -> io::Result<()> {
    check_version_number(rusqlite::version_number(), rusqlite::version())
}

fn check_version_number(number: i32, name: &str) -> io::Result<()> {
    let (oldest, oldest_name) = OLDEST_SQLITE;
    if number >= oldest {
        return Ok(());
    }
    let message = format!(
        "this program is linked with SQLite {name}, which can lose what was committed (\"WAL-reset bug\"); \
         link it with SQLite {oldest_name} or newer, for example with the feature `bundled` of rusqlite"
    );
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

/// Counts the rows that queries give, so that one which gives none for long can be stopped.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress(Arc<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// Of all queries: a number that came back in a later one would look like one that had not moved since.
    rows: AtomicU64,
    is_reading: AtomicBool,
}

impl Progress {
    /// Something was read.
    pub(super) fn is_made(&self) {
        self.0.rows.fetch_add(1, Ordering::Relaxed);
        self.0.is_reading.store(true, Ordering::Relaxed);
    }

    /// Nothing is read any more: what is between two queries, and every write, takes as long as it takes.
    pub(super) fn ends(&self) {
        self.0.is_reading.store(false, Ordering::Relaxed);
    }

    /// Says from now on whether a query has to be stopped.
    fn watch(&self, patience: Duration) -> impl FnMut() -> bool + use<> {
        let counted = Arc::clone(&self.0);
        let mut last = (0, Instant::now());
        move || {
            let now = counted.rows.load(Ordering::Relaxed);
            if !counted.is_reading.load(Ordering::Relaxed) || now != last.0 {
                last = (now, Instant::now());
                return false;
            }
            last.1.elapsed() >= patience
        }
    }
}

/// Sets the limits of a connection.
pub(super) fn limit(
    database: &mut rusqlite::Connection,
    progress: &Progress,
) -> rusqlite::Result<()> {
    let switches = [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        // Otherwise the tables of others could forbid what we do with ours.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false),
    ];
    for (switch, is_on) in switches {
        database.set_db_config(switch, is_on)?;
    }
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, LONGEST_VALUE)?;
    database.execute_batch("PRAGMA cell_size_check = ON")?;
    database.progress_handler(STEPS, Some(progress.watch(PATIENCE)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

    use super::*;

    #[test]
    fn an_older_sqlite_is_refused_in_words() {
        assert!(check_version().is_ok());
        let error = check_version_number(3_047_000, "3.47.0").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("SQLite 3.47.0") && text.contains("3.51.3"),
            "{text}"
        );
    }

    /// SQLite asks once in many steps, so that the last time may have been in another query.
    #[test]
    fn a_query_that_has_just_begun_is_not_stopped_for_one_long_ago() {
        let progress = Progress::default();
        let mut has_to_stop = progress.watch(Duration::ZERO);
        for _ in 0..3 {
            progress.is_made();
            assert!(!has_to_stop());
            progress.ends();
        }
        progress.is_made();
        assert!(!has_to_stop() && has_to_stop());
    }

    #[test]
    fn a_query_that_never_ends_is_stopped_and_one_that_ends_is_not() {
        const ENDLESS: &str =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        let mut database = rusqlite::Connection::open_in_memory().unwrap();
        let progress = Progress::default();
        limit(&mut database, &progress).unwrap();
        // Without patience, the first look at the clock ends it.
        database
            .progress_handler(1000, Some(progress.watch(Duration::ZERO)))
            .unwrap();
        progress.is_made();
        let stopped = database.query_row(ENDLESS, [], |row| row.get::<_, i64>(0));
        let code = stopped.unwrap_err().sqlite_error_code();
        assert_eq!(code, Some(rusqlite::ErrorCode::OperationInterrupted));

        database
            .progress_handler(1000, Some(progress.watch(Duration::from_secs(60))))
            .unwrap();
        let limited = format!("{ENDLESS} WHERE i < 100000")
            .replace("i + 1 FROM n)", "i + 1 FROM n WHERE i < 100000)");
        progress.is_made();
        let ended = database.query_row(&limited, [], |row| row.get::<_, i64>(0));
        assert_eq!(ended, Ok(99_999));
    }
}
