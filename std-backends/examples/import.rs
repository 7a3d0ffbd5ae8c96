//! A session of another client library into any store, and a look at bytes of our own.
//!
//! ```text
//! cargo run -p mtsession --features clients,sqlite --example import -- me.session sqlite:accounts.db#me
//! ```

use std::io;
use std::path::Path;

use mtsession::codec::{SessionBytes, SessionMut as _};
use mtsession::{SessionBackendExt, SessionRecord, clients, connect};

/// Takes a session over, unless one is there already.
pub(crate) fn run(from: &Path, to: &str) -> io::Result<()> {
    let import = clients::read(from)?;
    for left_out in &import.left_out {
        eprintln!("not taken over: {left_out}");
    }
    let record = import.record()?;
    connect(to)?.edit(|stored| {
        if !stored.is_new() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        stored.clone_from(&record);
        Ok(())
    })
}

/// What a file of our own holds.
pub(crate) fn whole(bytes: &[u8]) -> io::Result<SessionRecord> {
    let mut record = SessionRecord::default();
    match SessionBytes::parse(bytes).map_err(io::Error::other)? {
        SessionBytes::Plain(file) => match file.complete() {
            Some(session) => {
                let Ok(()) = record.copy_from(&session);
            }
            None => {
                return Err(io::Error::other(
                    "it has changes after its snapshot: `connect` reads it",
                ));
            }
        },
        _ => {
            return Err(io::Error::other(
                "a sealed session, or one of a newer release",
            ));
        }
    }
    Ok(record)
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [file] => {
            let head = whole(&std::fs::read(file)?)?.head();
            println!("{file}: DC {}, {} peers", head.home_dc_id, head.peers);
        }
        [from, to] => {
            run(Path::new(from), to)?;
            println!("{from} is at {to} as well: use only one of them");
        }
        _ => return Err(io::Error::other("usage: import FILE STORE, import FILE")),
    }
    Ok(())
}
