//! `mtsession accounts`, `rename`, `backup` and `restore`.

use std::io::Write as _;

use mtsession::Shown;

use crate::Done;
use crate::args::{AccountsArgs, BackupArgs, RenameArgs, RestoreArgs};
use crate::failure::Failure;
use crate::output;

pub(crate) fn list(args: &AccountsArgs) -> Done {
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

pub(crate) fn backup(args: &BackupArgs) -> Done {
    let store = args.store.open()?;
    if args.to.exists() {
        let message = format!("{} exists already; nothing is replaced", args.to.display());
        return Err(Failure::Usage(message));
    }
    store.backup(&args.to)?;
    let (from, to) = (&args.store, Shown(args.to.display()));
    writeln!(output::stdout(), "{from} backed up to {to}")?;
    Ok(())
}

pub(crate) fn restore(args: &RestoreArgs) -> Done {
    if !args.copy.exists() {
        let message = format!("no copy at {}", Shown(args.copy.display()));
        return Err(Failure::NotFound(message));
    }
    args.store.open_or_new()?.restore(&args.copy)?;
    let (from, to) = (Shown(args.copy.display()), &args.store);
    writeln!(output::stdout(), "{to} restored from {from}")?;
    Ok(())
}
