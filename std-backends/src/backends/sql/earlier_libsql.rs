//! Names of earlier examples. [`StoreOptions`](crate::StoreOptions) and [`Store`](crate::Store) have all that
//! they do.

use std::io;
use std::path::PathBuf;
#[cfg(feature = "libsql-remote")]
use std::sync::Mutex;

use super::accounts::check_name;
#[cfg(feature = "libsql-remote")]
use super::database::Database;
use super::libsql::LibSqlBackend;
#[cfg(feature = "libsql-remote")]
use super::libsql::{NAME, named, remote_store};
use super::local::LocalConnection;
#[cfg(feature = "libsql-remote")]
use super::remote::RemoteOptions;
#[cfg(feature = "libsql-remote")]
use super::replica::Replica;
use super::store::{DEFAULT_ACCOUNT, SqlStore};
#[cfg(feature = "libsql-remote")]
use crate::error::StoreError;
use crate::store::StoreOptions;

impl LibSqlBackend {
    /// Opens one account of a local file.
    ///
    /// # Errors
    /// As [`open_local`](Self::open_local).
    #[doc(hidden)]
    pub fn open_local_account(path: impl Into<PathBuf>, account: &str) -> io::Result<Self> {
        let backend = Self::configured(&path.into(), account, &StoreOptions::new())?;
        backend.look()?;
        Ok(backend)
    }

    /// Like [`open_local`](Self::open_local), but looks at the file when it is first used.
    #[doc(hidden)]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let store = SqlStore::new(Box::new(LocalConnection::file(&path)), DEFAULT_ACCOUNT);
        Self::of(path.display().to_string(), DEFAULT_ACCOUNT, store)
    }

    /// The names of all accounts in the database.
    #[doc(hidden)]
    pub fn accounts(&self) -> io::Result<Vec<String>> {
        self.with("list the accounts", |database| {
            database.primary().accounts()
        })
    }

    /// Gives another name to the account `from`.
    ///
    /// # Errors
    /// `NotFound` when there is no such account, `AlreadyExists` when the new name is taken.
    #[doc(hidden)]
    pub fn rename_account(&self, from: &str, to: &str) -> io::Result<()> {
        self.with_change("rename the account", |database| {
            check_name(to)?;
            database.primary().rename_other(from, to)
        })
    }
}

#[cfg(feature = "libsql-remote")]
impl LibSqlBackend {
    /// Opens one account on a server.
    ///
    /// # Errors
    /// As [`open_remote`](Self::open_remote).
    #[doc(hidden)]
    pub fn open_remote_account(
        url: impl AsRef<str>,
        token: impl AsRef<str>,
        account: &str,
        options: RemoteOptions,
    ) -> io::Result<Self> {
        let backend = Self::remote_account(url, token, account, options)?;
        backend.with("open", |database| database.primary().check_layout())?;
        Ok(backend)
    }

    /// Like [`open_remote`](Self::open_remote), but asks the server when it is first used.
    ///
    /// # Errors
    /// `InvalidInput` for what is no url or no token.
    #[doc(hidden)]
    pub fn remote(url: impl AsRef<str>, token: impl AsRef<str>) -> io::Result<Self> {
        Self::remote_account(url, token, DEFAULT_ACCOUNT, RemoteOptions::default())
    }

    /// Like [`open_remote_account`](Self::open_remote_account), but asks the server when it is first
    /// used.
    ///
    /// # Errors
    /// `InvalidInput` for what is no url, no token or no name.
    #[doc(hidden)]
    pub fn remote_account(
        url: impl AsRef<str>,
        token: impl AsRef<str>,
        account: &str,
        options: RemoteOptions,
    ) -> io::Result<Self> {
        let (place, store) = remote_store(url.as_ref(), token.as_ref(), account, options)?;
        Ok(Self::of(place, account, store))
    }

    /// Opens a local copy of one account on a server, and synchronises it.
    ///
    /// # Errors
    /// As [`open_replica`](Self::open_replica).
    #[doc(hidden)]
    pub fn open_replica_account(
        path: impl Into<PathBuf>,
        url: impl AsRef<str>,
        token: impl AsRef<str>,
        account: &str,
        options: RemoteOptions,
    ) -> io::Result<Self> {
        let path = path.into();
        let (place, primary) = remote_store(url.as_ref(), token.as_ref(), account, options)?;
        let copy = SqlStore::new(Box::new(LocalConnection::file(&path)), account);
        let place = format!("{} (replica of {place})", path.display());
        let name = named(place, account);
        let replica = Replica::open(primary, copy)
            .map_err(|error| StoreError::io(NAME, &name, "open", error))?;
        Ok(Self {
            name,
            database: Mutex::new(Database::Replica(Box::new(replica))),
        })
    }
}
