//! `mtsession accounts`, `backup` and `restore`.

use std::io::Write as _;

use mtsession::{Shown, SqliteBackend};

use crate::Done;
use crate::args::{AccountsArgs, BackupArgs, RestoreArgs};
use crate::failure::Failure;
use crate::output;
use crate::store::Store;

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

pub(crate) fn backup(args: &BackupArgs) -> Done {
    let (Store::File(path) | Store::Sqlite(path, _)) = &args.store else {
        let message = format!("{} is no SQLite database", args.store);
        return Err(Failure::Usage(message));
    };
    if !path.exists() {
        return Err(args.store.not_found());
    }
    if args.to.exists() {
        let message = format!("{} exists already; nothing is replaced", args.to.display());
        return Err(Failure::Usage(message));
    }
    SqliteBackend::back_up(path, &args.to)?;
    let (from, to) = (path.display(), args.to.display());
    writeln!(output::stdout(), "{from} backed up to {to}")?;
    Ok(())
}

pub(crate) fn restore(args: &RestoreArgs) -> Done {
    let (Store::File(path) | Store::Sqlite(path, _)) = &args.store else {
        let message = format!("{} is no SQLite database", args.store);
        return Err(Failure::Usage(message));
    };
    if !args.copy.exists() {
        let message = format!("no copy at {}", Shown(args.copy.display()));
        return Err(Failure::NotFound(message));
    }
    SqliteBackend::restore(&args.copy, path)?;
    let (from, to) = (Shown(args.copy.display()), Shown(path.display()));
    writeln!(output::stdout(), "{to} restored from {from}")?;
    Ok(())
}
