//! A process that writes to an SQLite session: `sqlite-writer PATH FIRST` counts up from a number until
//! it is killed, `sqlite-writer PATH WRITER:SECONDS` writes for a while and ends.
//!
//! Every acknowledged write is reported as one line on standard output before the next begins.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    reason = "a test may panic: that is how it fails"
)]

use std::io::Write as _;
use std::time::{Duration, Instant};

use mtsession::{Change, SessionBackend, SqliteBackend, UpdateChange, UpdateStateChange};
use mtsession_tests::random::sized;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().expect("a path");
    let mode = args.next().expect("a mode");
    let backend = SqliteBackend::open(path).expect("open");
    match mode.split_once(':') {
        None => count_up(&backend, mode.parse().expect("a number")),
        Some((writer, seconds)) => {
            let time = Duration::from_secs(seconds.parse().expect("a number"));
            write_own(&backend, writer.parse().expect("a number"), time);
        }
    }
}

/// Counts pts up; saves and batches carry the number in several rows, which must not be torn apart.
fn count_up(backend: &dyn SessionBackend, first: i32) {
    for n in first.. {
        match n % 4 {
            0 => {
                let mut session = sized(3, 300, 5, 5);
                session.updates_state.pts = n;
                session.updates_state.date = n;
                session.updates_state.seq = n;
                for peer in &mut session.peers {
                    peer.access_hash = n.into();
                }
                session.updates_state.channels = vec![(1, n)];
                backend.save(&session).expect("save");
            }
            1 => {
                let state = UpdateStateChange::Primary {
                    pts: n,
                    date: n,
                    seq: n,
                };
                backend.apply_update_state(state).expect("apply");
            }
            _ => backend
                .apply(&[
                    Change::Update(UpdateChange::Primary {
                        pts: n,
                        date: n,
                        seq: n,
                    }),
                    Change::Update(UpdateChange::Channel { id: 1, pts: n }),
                ])
                .expect("apply"),
        }
        acknowledge(n);
    }
}

/// Writes channels that no other writer has, and saves in between.
fn write_own(backend: &dyn SessionBackend, writer: i64, time: Duration) {
    let start = Instant::now();
    let mut count = 0;
    while start.elapsed() < time {
        let id = writer * 1_000_000 + count;
        let change = UpdateStateChange::Channel { id, pts: 1 };
        backend.apply_update_state(change).expect("apply");
        count += 1;
    }
    println!("{count}");
}

fn acknowledge(n: i32) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{n}")
        .and_then(|()| out.flush())
        .expect("a reader");
}
