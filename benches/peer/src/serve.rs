//! Answers each line `OPERATION<tab>ITERATIONS` on standard input with the nanoseconds that it took and
//! the bytes that were written meanwhile.

use std::io::BufRead as _;

use crate::workload::{Open, Workload};

pub fn serve(session: &str, open: impl Fn() -> Open + 'static) {
    let session = std::fs::read(session).expect("a session");
    let mut workload = Workload::new(&session, Box::new(open));
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line");
        let (operation, iterations) = line.split_once('\t').expect("two words");
        let took = workload.run(operation, iterations.parse().expect("a number"));
        println!("{}\t{}", took.time.as_nanos(), took.written);
    }
}
