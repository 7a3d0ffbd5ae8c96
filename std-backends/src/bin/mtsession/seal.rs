//! `mtsession seal`, `unseal` and `reseal`.

use std::io::Write as _;
use std::sync::Arc;

use mtsession::seal::KeySource;

use crate::Done;
use crate::args::{ResealArgs, SealArgs};
use crate::failure::Failure;
use crate::keys::{self, Shared};
use crate::output;

pub(crate) fn seal(args: &SealArgs) -> Done {
    let store = &args.store;
    let opened = store.open_plain()?;
    opened.seal(&sources(needed(keys::all())?))?;
    if let Some(path) = store.database() {
        keys::warn_of_neighbours(path);
    }
    writeln!(
        output::stdout(),
        "{store} sealed; what was plain before may be in backups and in freed blocks of the disk"
    )?;
    Ok(())
}

pub(crate) fn unseal(args: &SealArgs) -> Done {
    needed(keys::all())?;
    let store = &args.store;
    store.open()?.unseal()?;
    writeln!(output::stdout(), "{store} is plain: everyone who has it owns its logins")?;
    Ok(())
}

pub(crate) fn reseal(args: &ResealArgs) -> Done {
    needed(keys::all())?;
    let store = &args.store;
    let opened = store.open()?;
    let mut new = keys::keys_in(&args.new_key_file)?;
    if args.new_passphrase {
        new.push(Shared::of(Arc::new(keys::asked("New passphrase: ")?)));
    }
    if new.is_empty() {
        let message = "name the keys that are to open it: --new-key-file or --new-passphrase";
        return Err(Failure::Usage(message.to_owned()));
    }
    opened.reseal(&sources(&new))?;
    let many = new.len();
    writeln!(
        output::stdout(),
        "{store} sealed anew, for {many} of the new keys alone; copies of it that were made before open with \
         the old ones"
    )?;
    Ok(())
}

fn needed(keys: &[Shared]) -> Result<&[Shared], Failure> {
    if keys.is_empty() {
        let message = "a key is needed: --key-file FILE (`mtsession keygen FILE` makes one) or --passphrase";
        return Err(Failure::Usage(message.to_owned()));
    }
    Ok(keys)
}

fn sources(keys: &[Shared]) -> Vec<&dyn KeySource> {
    keys.iter().map(|key| -> &dyn KeySource { key }).collect()
}
