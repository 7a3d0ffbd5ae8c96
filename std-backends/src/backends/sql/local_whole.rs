//! Whole database files: copied, put back and checked.

use std::io;
use std::path::Path;

use super::accounts::check_name;
use super::copies;
use super::local::{DEFAULT_BUSY_TIMEOUT, LocalConnection};
use super::local_error::explain;
use super::local_file::private_copy;
use super::owners::refuse_to_hand_over;
use super::store::SqlStore;
use crate::shown::Shown;

/// Copies the database at `path` into a new file.
pub(crate) fn back_up_to(path: &Path, to: &Path) -> io::Result<()> {
    let mut connection = LocalConnection::file(path);
    let Some(shared) = connection.existing()? else {
        return Err(io::ErrorKind::NotFound.into());
    };
    shared
        .look(|open| private_copy(&open.database, to))?
        .keep_as(to)
        .map(|_| ())
        .map_err(|(error, _)| error)
}

/// Puts the copy of a database back into the database at `path`, which is made where there is none.
pub(crate) fn restore_from(copy: &Path, path: &Path) -> io::Result<()> {
    copies::check_places(copy, path)?;
    let mut from = LocalConnection::file(copy);
    let Some(from) = from.existing()? else {
        return Err(io::ErrorKind::NotFound.into());
    };
    from.look(|from| {
        copies::check_integrity(&from.database)?;
        if from.is_empty().map_err(|error| explain(&error))? {
            let message = "the copy has no tables: nothing was changed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        refuse_to_hand_over(path)?;
        let to = LocalConnection::file(path).writable()?;
        to.alone(DEFAULT_BUSY_TIMEOUT, |to| to.replace_by(from))
    })
}

/// What is wrong with the file at `path` apart from what is in its rows.
pub(crate) fn problems_of(path: &Path) -> io::Result<Vec<String>> {
    match LocalConnection::file(path).existing()? {
        None => Ok(Vec::new()),
        Some(shared) => {
            let found = shared.look(|open| {
                Ok([
                    copies::problems(&open.database),
                    copies::rows_without_account(&open.database),
                ])
            })?;
            let mut problems = Vec::new();
            for found in found {
                match found.map_err(|error| explain(&error)) {
                    Ok(found) => problems.extend(found),
                    // A check that damage ends is a finding as well.
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                        problems.push(error.to_string());
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(problems)
        }
    }
}

impl SqlStore {
    /// What is wrong with these accounts. One connection for all of them: there may be a great many.
    pub(super) fn problems_of(&mut self, accounts: &[String]) -> Vec<String> {
        let problem = |account: &String| {
            let error = self.check_account(account).err()?;
            Some(format!("account {}: {error}", Shown(account)))
        };
        accounts.iter().filter_map(problem).collect()
    }

    /// Reads all that an account has, to see whether it can be read.
    fn check_account(&mut self, account: &str) -> io::Result<()> {
        check_name(account)?;
        account.clone_into(&mut self.account);
        self.known = None;
        self.current()?;
        self.read_record().map(drop)
    }
}
