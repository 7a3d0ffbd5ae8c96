//! A session that is sealed and has one owner: a copy of the file is worth nothing, and a second program that
//! wants it is told who has it. Without the feature `seal` the first of the two is an error that says so, and
//! nothing is stored.
//!
//! ```text
//! cargo run -p mtsession --example sealed_owned -- bot.session
//! ```

use std::io;
use std::path::Path;

use mtsession::codec::{Change, UpdateChange};
use mtsession::seal::{Kek, KeySlot, KeySource, NewSlot, StoreId};
use mtsession::{Owner, SessionBackend as _, StoreError, StoreOptions};

/// A key that a service manager has put into this process.
struct Credential([u8; 32]);

impl KeySource for Credential {
    fn kek(&self, _: &StoreId, slot: &KeySlot<'_>) -> io::Result<Option<Kek>> {
        Ok((slot.parameters == b"credential").then(|| Kek::new(self.0)))
    }

    fn new_slot(&self, _: &StoreId) -> io::Result<NewSlot> {
        Ok(NewSlot::new(Kek::new(self.0), b"credential".to_vec()))
    }
}

/// Opens the session and stores a change. What is returned is to be shown.
pub(crate) fn run(path: &Path) -> io::Result<String> {
    let options = StoreOptions::new()
        .key(Credential([7; 32]))
        .own(Owner::current().named("bot"));
    let backend = match options.connect(path) {
        Ok(backend) => backend,
        Err(error) => {
            let known = StoreError::of(&error);
            return match known.and_then(StoreError::owner) {
                Some(owner) => Ok(format!("in use by {owner}")),
                None => Err(error),
            };
        }
    };
    backend.apply(&[Change::Update(UpdateChange::Secondary { qts: 5 })])?;
    Ok("sealed and owned".to_owned())
}

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or("bot.session".to_owned());
    println!("{}", run(Path::new(&path))?);
    Ok(())
}
