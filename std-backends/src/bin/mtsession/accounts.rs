//! `mtsession accounts`, `rename`, `backup` and `restore`.

use std::io::Write as _;
use std::path::Path;

use mtsession::{Address, Shown};

use crate::Done;
use crate::failure::Failure;
use crate::keys;
use crate::output;
use crate::store::Store;

#[derive(Debug, clap::Args)]
pub(crate) struct RenameArgs {
    /// The account, as `sqlite:FILE#NAME`, say
    pub(crate) store: Store,
    /// Its new name, which no other account has
    pub(crate) name: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountsArgs {
    /// The database
    pub(crate) store: Store,
    /// Print a JSON array instead of lines
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArgs {
    /// The copy, as `mtsession backup` makes it
    pub(crate) copy: Store,
    /// The store
    pub(crate) store: Store,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArgs {
    /// The store: a database, a directory, a server or a session file
    pub(crate) store: Store,
    /// The store to copy it to, in which nothing may be yet
    pub(crate) to: Store,
}

pub(crate) fn list(args: &AccountsArgs) -> Done {
    keys::refuse_unsealed(&args.store)?;
    let accounts = args.store.accounts()?;
    if args.json {
        output::json(&serde_json::json!(accounts))?;
    } else {
        let mut out = output::stdout();
        accounts
            .iter()
            .try_for_each(|name| writeln!(out, "{}", Shown(name)))?;
    }
    Ok(())
}

pub(crate) fn rename(args: &RenameArgs) -> Done {
    let from = args.store.account_name();
    args.store.open()?.rename(&from, &args.name)?;
    let (store, name) = (&args.store, Shown(&args.name));
    writeln!(output::stdout(), "{store} is the account {name} now")?;
    Ok(())
}

/// Where accounts are copied to or from; other libraries' files and strings hold no accounts of ours.
fn address_of(store: &Store) -> Result<Address, Failure> {
    store.address().ok_or_else(|| {
        let message = format!(
            "{store} is no store of accounts: name a file, a directory, a database or a server"
        );
        Failure::Usage(message)
    })
}

pub(crate) fn backup(args: &BackupArgs) -> Done {
    let store = args.store.open()?;
    let to = address_of(&args.to)?;
    if to.path().is_some_and(Path::exists) && args.to.is_taken()? {
        let message = format!("{} exists already; nothing is replaced", args.to);
        return Err(Failure::Usage(message));
    }
    keys::refuse_unsealed(&args.store)?;
    store.backup(to)?;
    let (from, to) = (&args.store, &args.to);
    writeln!(output::stdout(), "{from} backed up to {to}")?;
    Ok(())
}

pub(crate) fn restore(args: &RestoreArgs) -> Done {
    let copy = address_of(&args.copy)?;
    if copy.path().is_some_and(|path| !path.exists()) {
        return Err(Failure::NotFound(format!("no copy at {}", args.copy)));
    }
    args.store.open_or_new()?.restore(copy)?;
    let (from, to) = (&args.copy, &args.store);
    writeln!(output::stdout(), "{to} restored from {from}")?;
    Ok(())
}
