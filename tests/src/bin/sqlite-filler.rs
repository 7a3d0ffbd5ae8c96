//! A process whose files may not grow: saves more than fits, says what came of it, and whether what was
//! there before is still there.

#![allow(clippy::expect_used, reason = "a test may panic: that is how it fails")]

use mtsession::{SessionBackend, SqliteBackend};
use mtsession_tests::random::sized;

fn main() {
    let path = std::env::args().nth(1).expect("a path");
    let backend = SqliteBackend::open(path).expect("open");
    let before = backend.load().expect("load");
    match backend.save(&sized(5, 50_000, 100, 100)) {
        Ok(()) => println!("saved"),
        Err(error) => println!("{error}"),
    }
    if backend.load().expect("load") == before {
        println!("kept");
    }
    backend.set_home_dc(2).expect("a small change fits");
    if let Some(mut before) = before {
        backend.save(&before).expect("the old session fits");
        before.home_dc_id = 0;
    }
}
