//! `mtsession seal`, `unseal` and `reseal`.

use std::io::Write as _;

use mtsession::Location;
use mtsession::seal::KeySource;

use crate::Done;
use crate::failure::Failure;
use crate::keys::{self, Asking, Shared};
use crate::output;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct SealArgs {
    /// The session file, or the directory as `dir:PATH`
    pub(crate) store: Store,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ResealArgs {
    /// The session file, or the directory as `dir:PATH`
    pub(crate) store: Store,
    /// A file with a key that is to open it from now on
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key_file: Vec<std::path::PathBuf>,
    /// Ask for a passphrase that is to open it from now on
    #[arg(long)]
    pub(crate) new_passphrase: bool,
}

pub(crate) fn seal(args: &SealArgs) -> Done {
    let store = &args.store;
    let keys = keys::needed()?;
    if is_one_session(store) && keys::is_sealed_store(store) {
        let message = format!("{store} is sealed already: `mtsession reseal` changes its keys");
        return Err(Failure::Usage(message));
    }
    store.open_plain()?.seal(&sources(&keys))?;
    keys::warn_of_neighbours(store, &keys::files());
    writeln!(
        output::stdout(),
        "{store} is sealed; what was plain before may be in backups and in freed blocks of the disk"
    )?;
    Ok(())
}

pub(crate) fn unseal(args: &SealArgs) -> Done {
    let store = &args.store;
    refuse_unsealed(store)?;
    store.open()?.unseal()?;
    writeln!(
        output::stdout(),
        "{store} is plain: everyone who has it owns its logins"
    )?;
    Ok(())
}

pub(crate) fn reseal(args: &ResealArgs) -> Done {
    let store = &args.store;
    let mut new = keys::keys_in(&args.new_key_file)?;
    if args.new_passphrase {
        new.push(keys::asked("New passphrase", Asking::Twice)?);
    }
    if new.is_empty() {
        let message = "name the keys that are to open it: --new-key-file or --new-passphrase";
        return Err(Failure::Usage(message.to_owned()));
    }
    refuse_unsealed(store)?;
    store.open()?.reseal(&sources(&new))?;
    keys::warn_of_neighbours(store, &args.new_key_file);
    writeln!(
        output::stdout(),
        "{store} is sealed anew, and only the new keys open it; copies of it that were made before open with the \
         old ones"
    )?;
    Ok(())
}

/// A key must be there, and something that it can open.
fn refuse_unsealed(store: &Store) -> Done {
    if !store.names_a_key() {
        keys::needed()?;
    }
    if store.is_taken()? && !keys::is_sealed_store(store) {
        return Err(Failure::Usage(format!("{store} is not sealed")));
    }
    Ok(())
}

fn is_one_session(store: &Store) -> bool {
    let address = store.address();
    address.is_some_and(|address| matches!(address.location(), Location::Path(_)))
}

fn sources(keys: &[Shared]) -> Vec<&dyn KeySource> {
    keys.iter().map(|key| -> &dyn KeySource { key }).collect()
}
