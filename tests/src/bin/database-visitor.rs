//! A process that visits a database: `database-visitor PATH load|count=N …`, one line for each command.
//! It runs as another user, or on a file system with faults.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic: that is how it fails"
)]

use std::io;

use mtsession::{LibSqlBackend, SessionBackend, SqliteBackend, UpdateStateChange};
use mtsession_tests::stores::{account_names, sqlite};

fn pts(backend: &dyn SessionBackend) -> io::Result<i32> {
    Ok(backend
        .load()?
        .map_or(-1, |session| session.updates_state.pts))
}

/// What every way of reading says.
fn load(path: &str) -> io::Result<String> {
    let read = [
        pts(&*mtsession::connect(path)?)?,
        pts(&SqliteBackend::open(path)?)?,
        pts(&LibSqlBackend::open_local(path)?)?,
    ];
    let accounts = account_names(sqlite(path))?;
    Ok(format!("pts {read:?}, accounts {accounts:?}"))
}

fn count(path: &str, pts: i32) -> io::Result<String> {
    let backend = mtsession::connect(path)?;
    let state = UpdateStateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    };
    backend.load()?;
    backend.apply_update_state(state)?;
    Ok("counted".to_owned())
}

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("a path");
    for command in args {
        let done = match command.split_once('=') {
            None => load(&path),
            Some((_, number)) => count(&path, number.parse().expect("a number")),
        };
        match done {
            Ok(line) => println!("{line}"),
            Err(error) => println!("{:?}: {error}", error.kind()),
        }
    }
}
