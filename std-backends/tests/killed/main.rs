//! A conversion that is killed before any of its system calls leaves the old session or the new one, whole.
//!
//! `strace` kills the command when it enters a call that can change something; one run for each of them.
//! A usual run tries a few calls of each kind, `MTSESSION_KILL=all` every one of them, between all pairs of
//! stores.

#![cfg(target_os = "linux")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

mod case;
mod forms;
mod place;
mod read_back;
mod record;
mod stores;
mod strace;

use crate::case::Case;
use crate::record::Login::{Another, Bare, Revoked, Whole};
use crate::stores::Kind;

/// Whether everything is to be tried, which takes long.
fn is_thorough() -> bool {
    std::env::var_os("MTSESSION_KILL").is_some_and(|value| value == "all")
}

fn run(cases: impl IntoIterator<Item = Case>) {
    if !strace::is_there() {
        return;
    }
    for case in cases {
        case.run();
    }
}

/// In the place of a session that knows more, less, or another account, or of none.
fn over_old_sessions(target: Kind) -> Vec<Case> {
    [
        (None, Whole),
        (Some(Another), Bare),
        (Some(Bare), Whole),
        (Some(Revoked), Whole),
        (Some(Whole), Revoked),
    ]
    .into_iter()
    .map(|(old, new)| Case::convert(Kind::File, new, target, old))
    .collect()
}

#[test]
fn a_file_has_the_old_session_or_the_new_one() {
    run(over_old_sessions(Kind::File));
}

#[test]
fn a_string_has_the_old_session_or_the_new_one() {
    run(over_old_sessions(Kind::String));
}

#[test]
fn an_sqlite_database_has_the_old_session_or_the_new_one() {
    run(over_old_sessions(Kind::Sqlite));
}

#[test]
fn a_libsql_database_has_the_old_session_or_the_new_one() {
    run(over_old_sessions(Kind::LibSql));
}

#[test]
fn a_flash_image_has_the_old_session_or_the_new_one() {
    run(over_old_sessions(Kind::Flash));
}

#[test]
fn a_session_of_another_library_is_whole_or_not_there() {
    run(Kind::LIBRARIES.map(|target| Case::convert(Kind::File, Whole, target, None)));
}

#[test]
fn no_source_is_changed() {
    let sources = Kind::SOURCES.into_iter();
    run(sources.map(|source| Case::convert(source, Whole, Kind::File, Some(Another))));
}

#[test]
fn an_imported_string_is_there_whole_or_not_at_all() {
    let targets = [Kind::File, Kind::Sqlite, Kind::LibSql, Kind::String];
    run(targets.into_iter().flat_map(|target| {
        [(None, Whole), (Some(Another), Bare), (Some(Bare), Whole)]
            .map(|(old, new)| Case::import(new, target, old))
    }));
}

/// Every store as the source of every other one.
#[test]
fn between_all_pairs_of_stores() {
    if !is_thorough() {
        println!("skipped: all pairs of stores take long; MTSESSION_KILL=all tries them");
        return;
    }
    let sources = Kind::SOURCES.into_iter();
    run(sources.flat_map(|source| {
        let targets = Kind::OURS.into_iter().chain(Kind::LIBRARIES);
        targets.map(move |target| {
            let old = target.is_replaceable().then_some(Another);
            Case::convert(source, Whole, target, old)
        })
    }));
}
