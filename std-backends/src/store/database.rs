//! Database files: SQLite's and libSQL's.

#![cfg(any(feature = "sqlite", feature = "libsql"))]

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::accounts::Accounts;
use super::{Report, StoreOptions};
use crate::address::{Address, DEFAULT_ACCOUNT, Location};
use crate::backend::SessionBackend;
#[cfg(feature = "libsql")]
use crate::backends::sql::LibSqlBackend;
#[cfg(feature = "sqlite")]
use crate::backends::sql::SqliteBackend;
use crate::backends::sql::{Budget, back_up_file, restore_file, verify_file};

/// The file of an address that can be a copy of a database.
fn file_of(address: &Address) -> Option<&Path> {
    match address.location() {
        Location::Path(path) | Location::Sqlite(path) | Location::LibSql(path) => Some(path),
        _ => None,
    }
}

macro_rules! database_file {
    ($(#[$feature:meta])? $store:ident, $backend:ident) => {
        $(#[$feature])?
        pub(super) struct $store {
            path: PathBuf,
            options: StoreOptions,
            /// What all accounts may keep in memory.
            budget: Option<Arc<Budget>>,
            /// For what is about the whole file.
            manager: $backend,
        }

        $(#[$feature])?
        impl $store {
            pub(super) fn new(path: &Path, options: &StoreOptions) -> io::Result<Self> {
                Ok(Self {
                    path: path.to_owned(),
                    options: options.clone(),
                    budget: options.memory_budget.map(Budget::new),
                    manager: $backend::configured(path, DEFAULT_ACCOUNT, options)?,
                })
            }
        }

        $(#[$feature])?
        impl Accounts for $store {
            fn look(&self) -> io::Result<bool> {
                self.manager.look()?;
                Ok(self.path.exists())
            }

            fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
                let backend = $backend::configured(&self.path, name, &self.options)?
                    .within(self.budget.clone());
                backend.look()?;
                Ok(Arc::new(backend))
            }

            fn names(&self) -> io::Result<Vec<String>> {
                self.manager.names()
            }

            fn rename(&self, from: &str, to: &str) -> io::Result<()> {
                self.manager.rename(from, to)
            }

            fn back_up(&self, to: &Address) -> io::Result<bool> {
                let Some(to) = file_of(to) else {
                    return Ok(false);
                };
                self.manager.look()?;
                back_up_file(&self.path, to).map_err(self.manager.error("back up"))?;
                Ok(true)
            }

            fn restore(&self, from: &Address) -> io::Result<bool> {
                let Some(from) = file_of(from) else {
                    return Ok(false);
                };
                $backend::configured(from, DEFAULT_ACCOUNT, &StoreOptions::new())?.look()?;
                restore_file(from, &self.path).map_err(self.manager.error("restore"))?;
                Ok(true)
            }

            fn verify(&self) -> io::Result<Report> {
                self.manager.look()?;
                let mut report = Report::default();
                report.problems = verify_file(&self.path).map_err(self.manager.error("check"))?;
                let names = match self.names() {
                    Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                        report.problems.push(error.to_string());
                        Vec::new()
                    }
                    names => names?,
                };
                report.accounts = names.len();
                report.problems.extend(self.manager.problems_of(&names));
                Ok(report)
            }
        }
    };
}

database_file!(
    #[cfg(feature = "sqlite")]
    Sqlite,
    SqliteBackend
);
database_file!(
    #[cfg(feature = "libsql")]
    LibSql,
    LibSqlBackend
);
