//! A session that is sealed and has one owner. Where a build has neither or one of the two, it says so instead of
//! storing a session that anybody can read and use: sealing needs the feature `seal`, and no store of this release
//! has owners.
//!
//! ```text
//! cargo run -p mtsession --example sealed_owned -- bot.session
//! ```

use std::io;
use std::path::Path;

use mtsession::seal::{Kek, KeySlot, KeySource, NewSlot, StoreId};
use mtsession::{Owner, StoreError, StoreErrorKind, StoreOptions};

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

/// What there is to know where a store cannot be sealed, or is somebody else's.
pub(crate) fn run(path: &Path) -> io::Result<String> {
    let owner = Owner::current().named("bot");
    for options in [
        StoreOptions::new().key(Credential([7; 32])),
        StoreOptions::new().key(Credential([7; 32])).own(owner),
    ] {
        let Err(error) = options.connect(path) else {
            continue;
        };
        let Some(known) = StoreError::of(&error) else {
            return Err(error);
        };
        match (known.kind(), known.owner()) {
            (_, Some(owner)) => return Ok(format!("in use by {owner}")),
            (StoreErrorKind::Unsupported, _) => return Ok(error.to_string()),
            _ => return Err(error),
        }
    }
    Ok("sealed and owned".to_owned())
}

fn main() -> io::Result<()> {
    let path = std::env::args().nth(1).unwrap_or("bot.session".to_owned());
    println!("{}", run(Path::new(&path))?);
    Ok(())
}
