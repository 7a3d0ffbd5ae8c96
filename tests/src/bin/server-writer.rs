//! A process that appends channels to an account of a server until it is killed, and prints each that was
//! acknowledged: `server-writer ADDRESS FIRST`.

#[cfg(feature = "full")]
fn main() {
    use std::io::Write as _;

    use mtsession::{Address, Change, SessionBackend as _, UpdateChange};
    use mtsession_tests::servers::options;

    let mut args = std::env::args().skip(1);
    let address: Address = args.next().unwrap().parse().unwrap();
    let first: i64 = args.next().unwrap().parse().unwrap();
    let backend = options(&address).connect(address).unwrap();
    for id in first.. {
        let change = Change::Update(UpdateChange::PushChannel { id, pts: 1 });
        backend.apply(&[change]).unwrap();
        if writeln!(std::io::stdout(), "{id}").is_err() {
            return;
        }
    }
}

#[cfg(not(feature = "full"))]
fn main() {}
