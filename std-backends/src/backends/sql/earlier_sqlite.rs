//! Names of earlier examples. [`StoreOptions`](crate::StoreOptions) and [`Store`](crate::Store) have all that
//! they do.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};

use mtsession_core::Certain as _;

use super::accounts::check_name;
use super::sqlite::{Options, SqliteBackend};
use super::store::DEFAULT_ACCOUNT;
use super::{local, local_whole};
use crate::backend::SessionBackend as _;
use crate::flush::FlushPolicy;
use crate::sync::lock;

impl SqliteBackend {
    /// Like [`open`](Self::open), but looks at the file when it is first used.
    #[doc(hidden)]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_options(Options {
            path: Some(path.into()),
            account: DEFAULT_ACCOUNT.to_owned(),
            busy_timeout: local::DEFAULT_BUSY_TIMEOUT,
            journal_sync: FlushPolicy::default(),
        })
    }

    /// Opens one account of many.
    ///
    /// # Errors
    /// As [`open`](Self::open); `InvalidInput` for an empty name.
    #[doc(hidden)]
    pub fn open_account(path: impl Into<PathBuf>, name: &str) -> io::Result<Self> {
        let backend = Self::account_of(path, name)?;
        lock(&backend.store)
            .check_layout()
            .map_err(backend.error("open"))?;
        Ok(backend)
    }

    /// The names of all accounts in a database, in order. None where there is no database.
    #[doc(hidden)]
    pub fn accounts(path: impl Into<PathBuf>) -> io::Result<Vec<String>> {
        let backend = Self::new(path);
        lock(&backend.store)
            .accounts()
            .map_err(backend.error("list the accounts"))
    }

    /// Gives an account another name.
    ///
    /// # Errors
    /// `NotFound` when there is no such account, `AlreadyExists` when the new name is taken.
    #[doc(hidden)]
    pub fn rename_account(path: impl Into<PathBuf>, from: &str, to: &str) -> io::Result<()> {
        let backend = Self::account_of(path, from)?;
        check_name(to)
            .and_then(|()| lock(&backend.store).rename(to))
            .map_err(backend.error("rename the account"))
    }

    /// Removes an account as [`SessionBackend::delete`] does. It need not exist.
    ///
    /// # Errors
    /// Nothing was changed, unless the error says that the account is deleted: then bytes of it may
    /// stay on the disk, and deleting it again removes them.
    #[doc(hidden)]
    pub fn delete_account(path: impl Into<PathBuf>, name: &str) -> io::Result<()> {
        Self::account_of(path, name)?.delete()
    }

    /// Copies the whole database, all accounts, into a new file, while others go on using it.
    ///
    /// # Errors
    /// `AlreadyExists` when there is such a file.
    #[doc(hidden)]
    pub fn back_up(path: impl Into<PathBuf>, to: impl AsRef<Path>) -> io::Result<()> {
        let backend = Self::open(path)?;
        let path = backend.options.path.clone();
        let path = path.certain("it was opened by its path");
        local_whole::back_up_to(&path, to.as_ref()).map_err(backend.error("back up"))
    }

    /// Puts a copy, as [`back_up`](Self::back_up) makes it, back: the database at `path` has all accounts
    /// of the copy afterwards, and no others. Other programs may have it open, and see the change.
    ///
    /// The copy is written *into* the database. A file that is only put in its place meets the log
    /// (`-wal`) of the old one, which SQLite then applies to it.
    ///
    /// # Errors
    /// `InvalidData` for a copy that is damaged, empty or somebody else's, and for a database that is
    /// somebody else's; nothing is changed then.
    #[doc(hidden)]
    pub fn restore(copy: impl Into<PathBuf>, path: impl Into<PathBuf>) -> io::Result<()> {
        let copy = Self::open(copy)?;
        let from = copy.options.path.clone();
        let from = from.certain("it was opened by its path");
        let backend = Self::new(path);
        let path = backend.options.path.as_deref().unwrap_or(Path::new(""));
        local_whole::restore_from(&from, path).map_err(backend.error("restore"))
    }

    /// Checks a whole database: pages, rows and indexes, and whether every account can be loaded. Says
    /// what is wrong, in no particular order; nothing is changed.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    #[doc(hidden)]
    pub fn check(path: impl Into<PathBuf>) -> io::Result<Vec<String>> {
        let backend = Self::open(path)?;
        let path = backend.options.path.clone();
        let path = path.certain("it was opened by its path");
        let mut problems = local_whole::problems_of(&path).map_err(backend.error("check"))?;
        let accounts = match Self::accounts(&path) {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                problems.push(error.to_string());
                Vec::new()
            }
            accounts => accounts?,
        };
        problems.extend(backend.problems_of(&accounts));
        Ok(problems)
    }

    /// Chooses how long to wait for other programs; 5 seconds otherwise.
    #[doc(hidden)]
    #[must_use]
    pub fn with_busy_timeout(self, busy_timeout: Duration) -> Self {
        Self::with_options(Options {
            busy_timeout,
            ..self.options
        })
    }

    /// Chooses when counters and peers are flushed to the disk.
    #[doc(hidden)]
    #[must_use]
    pub fn with_journal_sync(self, journal_sync: FlushPolicy) -> Self {
        Self::with_options(Options {
            journal_sync,
            ..self.options
        })
    }
}
