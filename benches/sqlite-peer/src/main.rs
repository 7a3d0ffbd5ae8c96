//! `ferogram-session`'s SQLite backend, to compare with.
//!
//! `sqlite-peer bench DIR` runs the workload: each line `OPERATION ITERATIONS` on standard input is
//! answered with the nanoseconds that it took. `sqlite-peer load FILE` loads a session, adds 1 to its
//! pts, stores it, and prints it as a native session string.

use ferogram_session as api;

mod workload;

use std::io::BufRead as _;

use api::{SessionBackend as _, SqliteBackend, UpdateStateChange};

fn main() {
    let mut args = std::env::args().skip(1);
    let command = args.next().expect("bench or load");
    let place = args.next().expect("a place");
    match command.as_str() {
        "bench" => bench(&place),
        "load" => load(&place),
        other => panic!("no command {other}"),
    }
}

fn bench(dir: &str) {
    let mut workload = workload::Workload::new(dir.as_ref());
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (operation, iterations) = line.split_once(' ').expect("two words");
        let iterations = iterations.parse().expect("a number");
        println!("{}", workload.run(operation, iterations).as_nanos());
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
