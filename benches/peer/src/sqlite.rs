//! `ferogram-session`'s SQLite backend, to compare with.
//!
//! `peer-sqlite bench DATABASE SESSION` carries out what standard input asks for, see `serve`;
//! `peer-sqlite load DATABASE` loads a session, adds 1 to its pts, stores it, and prints it as a native
//! session string.

use ferogram_session as api;

mod serve;
#[path = "../../src/workload.rs"]
mod workload;

use api::{SessionBackend as _, SqliteBackend, UpdateStateChange};

fn main() {
    let args: Vec<_> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["bench", database, session] => {
            let database = database.to_owned();
            serve::serve(session, move || {
                Ok(Box::new(SqliteBackend::open(database.as_str())?))
            });
        }
        ["load", database] => load(database),
        _ => panic!("bench DATABASE SESSION or load DATABASE"),
    }
}

fn load(file: &str) {
    let backend = SqliteBackend::open(file).expect("open");
    let session = backend.load().expect("load").expect("a session");
    let state = &session.updates_state;
    let change = UpdateStateChange::Primary {
        pts: state.pts + 1,
        date: state.date,
        seq: state.seq,
    };
    backend.apply_update_state(change).expect("apply");
    backend.save(&backend.load().expect("load").expect("a session")).expect("save");
    println!("{session}");
}
