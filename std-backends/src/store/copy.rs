//! Copies of stores, account by account.

use std::io;

use super::Store;
use super::accounts::exists;
use crate::address::Address;
use crate::backend::SessionBackendExt as _;

/// Copies all accounts into a store in which nothing is yet.
pub(super) fn back_up(from: &Store, to: Address) -> io::Result<()> {
    const ACTION: &str = "back up";

    let names = from.names()?;
    if names.is_empty() {
        return Err(from.error(ACTION, io::ErrorKind::NotFound, "there is no account"));
    }
    let to = from.shared.options.of_copy(&to)?.open(to)?;
    if !to.names()?.is_empty() {
        let message = "something is there already, and nothing is replaced";
        return Err(to.error(ACTION, io::ErrorKind::AlreadyExists, message));
    }
    // Before anything is written: a session file has no place for a second account.
    let targets: io::Result<Vec<_>> = names.iter().map(|name| to.backend(name)).collect();
    for (name, target) in names.iter().zip(targets?) {
        let Some(record) = from.backend(name)?.read()? else {
            continue;
        };
        target.edit(|there| {
            if !there.is_new() {
                return Err(exists(name));
            }
            there.clone_from(&record);
            Ok(())
        })?;
    }
    Ok(())
}

/// Makes the accounts of a store those of a copy.
pub(super) fn restore(to: &Store, from: Address) -> io::Result<()> {
    const ACTION: &str = "restore";

    // A plain copy does not pass for one of a sealed store; one that is older than its anchor is what is wanted.
    let options = to.shared.options.of_copy(&from)?;
    let from = options.read_only().open(from)?;
    let names = from.names()?;
    if names.is_empty() {
        let message = "the copy has no account: nothing was changed";
        return Err(from.error(ACTION, io::ErrorKind::NotFound, message));
    }
    let targets: io::Result<Vec<_>> = names.iter().map(|name| to.backend(name)).collect();
    for name in &names {
        from.backend(name)?.read()?;
    }
    for (name, target) in names.iter().zip(targets?) {
        if let Some(record) = from.backend(name)?.read()? {
            target.replace(&record)?;
        }
    }
    for name in to.names()? {
        if !names.contains(&name) {
            to.delete(&name)?;
        }
    }
    Ok(())
}
