//! The accounts of a database, by name.

use std::io;

use super::connection::Durability;
use super::schema::Layout;
use super::store::{DEFAULT_ACCOUNT, SECOND_SESSION, SqlStore};
use super::{legacy, tables};
pub(super) use crate::address::check_name;

/// What an account in a database is called.
pub(super) fn named(mut place: String, account: &str) -> String {
    if account != DEFAULT_ACCOUNT {
        place.push('#');
        place.push_str(account);
    }
    place
}

impl SqlStore {
    /// The names of all accounts.
    pub(super) fn accounts(&mut self) -> io::Result<Vec<String>> {
        // What is read here is newer than what is known.
        self.known = None;
        let layout = self.look().map_err(|error| self.naming(error))?;
        let mut names = match &layout {
            Layout::Empty | Layout::Legacy(_) => Vec::new(),
            Layout::Ours | Layout::Schema10(_) => self.account_names()?,
        };
        let old_name = match &layout {
            Layout::Legacy(_) => DEFAULT_ACCOUNT,
            _ => SECOND_SESSION,
        };
        if let Layout::Legacy(tables) | Layout::Schema10(tables) = &layout
            && tables.are_whole()
            && legacy::read(&mut *self.connection, tables)?.is_some()
        {
            names.push(old_name.to_owned());
        }
        Ok(names)
    }

    pub(super) fn account_names(&mut self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        self.read_rows([tables::select_names()], |_, row| {
            names.push(row.text(0)?.to_owned());
            Ok(())
        })?;
        Ok(names)
    }

    /// Gives the account another name.
    pub(super) fn rename(&mut self, to: &str) -> io::Result<()> {
        let error = |kind, what: &str, name: &str| {
            io::Error::new(kind, format!("{what} account named {name:?}"))
        };
        self.prepare()?;
        self.connection.read_the_newest();
        loop {
            let names = self.accounts()?;
            if !names.contains(&self.account) {
                return Err(error(io::ErrorKind::NotFound, "there is no", &self.account));
            }
            if names.iter().any(|name| name == to) {
                return Err(error(io::ErrorKind::AlreadyExists, "there is an", to));
            }
            let statements = tables::rename(&self.account, to).collect();
            if self.write_if_nothing_changed(statements, Durability::Now)? {
                self.known = None;
                to.clone_into(&mut self.account);
                return Ok(());
            }
        }
    }

    /// Gives another account another name.
    pub(super) fn rename_other(&mut self, from: &str, to: &str) -> io::Result<()> {
        let own = core::mem::replace(&mut self.account, from.to_owned());
        let renamed = self.rename(to);
        self.account = own;
        self.forget();
        renamed
    }
}
