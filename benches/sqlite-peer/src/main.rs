//! Runs the workload on `ferogram-session`'s SQLite backend: `sqlite-peer DIR`, then lines
//! `OPERATION ITERATIONS` on standard input; each is answered with the nanoseconds that it took.

use ferogram_session as api;

mod workload;

use std::io::BufRead as _;

fn main() {
    let dir = std::env::args().nth(1).expect("a directory");
    let mut workload = workload::Workload::new(dir.as_ref());
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (operation, iterations) = line.split_once(' ').expect("two words");
        let iterations = iterations.parse().expect("a number");
        println!("{}", workload.run(operation, iterations).as_nanos());
    }
}
