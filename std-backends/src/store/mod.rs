//! Stores of any number of accounts, and how they are opened.

mod accounts;
mod blobs;
mod chosen;
mod copy;
mod database;
mod directory;
mod file;
mod honoured;
mod limited;
mod limits;
mod memory;
mod open;
mod opened;
mod options;
mod reforms;
#[cfg(feature = "libsql-remote")]
mod server;

use core::fmt;
use core::ops::ControlFlow;
use std::io;
use std::sync::Arc;

use self::accounts::Accounts;
use self::blobs::BlobAccounts;
#[cfg(any(feature = "sqlite", feature = "libsql"))]
pub(crate) use self::directory::file_stem;
use self::honoured::Honours;
pub use self::limits::PeerLimits;
pub use self::options::StoreOptions;
use crate::address::{Address, IntoAddress, Location};
use crate::backend::SessionBackend;
use crate::blob::BlobStore;
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::owner::{Owner, OwnerInfo, Ownership};
use crate::record::SessionHead;

/// Where any number of sessions are kept, each under an account name: a database, a server, a directory of
/// session files. A session file is a store with one account, [`default`](Address::DEFAULT_ACCOUNT).
///
/// Clones are handles on the same store.
///
/// ```
/// use mtsession::{PersistedSession, SessionBackend, StoreOptions};
///
/// let dir = tempfile::tempdir()?;
/// let store = StoreOptions::new().open(format!("dir:{}", dir.path().join("accounts").display()))?;
/// for (name, home_dc_id) in [("alice", 2), ("bob", 4)] {
///     let backend = store.backend(name)?;
///     backend.save(&PersistedSession { home_dc_id, ..Default::default() })?;
/// }
/// store.rename("bob", "robert")?;
/// assert_eq!(store.names()?, ["alice", "robert"]);
/// assert!(store.verify()?.is_good());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    address: Address,
    options: StoreOptions,
    accounts: Box<dyn Accounts>,
    #[cfg(feature = "tokio")]
    threads: crate::writer::Threads,
}

/// One account of a store, as [`Store::for_each`] finds it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoreEntry {
    /// The account's name.
    pub name: String,
    /// All but its peers; `None` where it went while the store was listed.
    pub head: Option<SessionHead>,
    /// Who owns it.
    pub owner: Option<OwnerInfo>,
}

/// What [`Store::verify`] has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many accounts were read.
    pub accounts: usize,
    /// What is wrong, in sentences and in no particular order.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

impl Store {
    fn new(address: Address, options: StoreOptions, accounts: Box<dyn Accounts>) -> Self {
        Self {
            shared: Arc::new(Shared {
                address,
                options,
                accounts,
                #[cfg(feature = "tokio")]
                threads: crate::writer::Threads::of_store(),
            }),
        }
    }

    /// [`StoreOptions::open`] without options.
    ///
    /// # Errors
    /// As [`StoreOptions::open`].
    pub fn open(address: impl IntoAddress) -> io::Result<Self> {
        StoreOptions::new().open(address)
    }

    /// A store of any number of accounts in a place of your own: see [`BlobStore`].
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # fn example(vault: impl mtsession::blob::BlobStore + 'static) -> std::io::Result<()> {
    /// use mtsession::{SessionBackend, Store, StoreOptions};
    ///
    /// let store = Store::on_blobs(Arc::new(vault), StoreOptions::new())?;
    /// store.backend("alice")?.set_home_dc(2)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// `Unsupported` for an option that such a store cannot honour; `NotFound` where nothing is and
    /// [`create`](StoreOptions::create) is false; what listing the store gives.
    pub fn on_blobs(blobs: Arc<dyn BlobStore>, options: StoreOptions) -> io::Result<Self> {
        let address = Address::from(Location::Blobs(blobs.name().to_owned()));
        options.check(&address, Honours::Blobs)?;
        let accounts = BlobAccounts::new("blobs", blobs, &options);
        open::on_accounts(address, options, Box::new(accounts))
    }

    /// The store's address, without an account.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.address
    }

    /// The blobs of a store that has them; for tests of what such a store keeps to.
    #[doc(hidden)]
    #[must_use]
    pub fn blobs(&self) -> Option<Arc<dyn BlobStore>> {
        self.shared.accounts.blobs()
    }

    /// A handle on the session of one account, which need not be there.
    ///
    /// # Errors
    /// `InvalidInput` for a name that the store cannot have, `NotFound` for an account that is not there where
    /// [`create`](StoreOptions::create) is false; what looking at the store gives.
    pub fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        self.opened(name, &self.shared.options)
    }

    /// The same, also where the store was opened with the option `own`.
    fn unowned(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        let mut options = self.shared.options.clone();
        options.own = None;
        self.opened(name, &options)
    }

    fn opened(&self, name: &str, options: &StoreOptions) -> io::Result<Arc<dyn SessionBackend>> {
        let Shared {
            address, accounts, ..
        } = &*self.shared;
        open::account(
            &**accounts,
            address.clone().with_account(name),
            name,
            options,
        )
    }

    /// A queue in front of one account, for async clients. The writers of a store share four threads: a store
    /// that is slow for one account makes others wait only where all four do.
    ///
    /// # Errors
    /// As [`backend`](Self::backend).
    #[cfg(feature = "tokio")]
    pub fn writer(&self, name: &str) -> io::Result<crate::writer::SessionWriter> {
        let backend = self.backend(name)?;
        Ok(self
            .shared
            .threads
            .writer(backend, self.shared.options.events.clone()))
    }

    /// The names of all accounts, in order.
    ///
    /// # Errors
    /// What reading the store gives.
    pub fn names(&self) -> io::Result<Vec<String>> {
        self.within(|accounts| accounts.names())
    }

    /// Calls `each` with every account, in the order of their names, until it says to stop. Peers are not
    /// read.
    ///
    /// # Errors
    /// What listing the store gives; an account that cannot be read is left out, and the first such error is
    /// returned after the others were given.
    pub fn for_each(&self, each: &mut dyn FnMut(StoreEntry) -> ControlFlow<()>) -> io::Result<()> {
        let mut failure = None;
        for name in self.names()? {
            let head = self
                .within(|accounts| accounts.backend(&name))
                .and_then(|backend| Ok((backend.head()?, backend.owner()?)));
            match head {
                Ok((head, owner)) => {
                    if each(StoreEntry { name, head, owner }).is_break() {
                        break;
                    }
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Gives an account another name.
    ///
    /// A backend that is open for the account does not learn of it: its next write makes the account again.
    ///
    /// # Errors
    /// `NotFound` where there is no such account, `AlreadyExists` where the new name is taken, `Unsupported` for
    /// a session file, which has one account.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.changing("rename an account", |accounts| accounts.rename(from, to))
    }

    /// Removes an account as [`SessionBackend::delete`] does. It need not be there.
    ///
    /// # Errors
    /// As [`SessionBackend::delete`].
    pub fn delete(&self, name: &str) -> io::Result<()> {
        self.changing("delete an account", |accounts| {
            accounts.backend(name)?.delete()
        })
    }

    /// Copies all accounts into a store in which nothing is yet, while others go on using this one.
    ///
    /// From a database file to a file it is the whole database, as it was at one moment, and a path is a
    /// database whatever its name. Otherwise each account is copied as it was at one moment.
    ///
    /// # Errors
    /// `AlreadyExists` where something is; nothing is replaced.
    pub fn backup(&self, to: impl IntoAddress) -> io::Result<()> {
        let to = to.into_address()?;
        if self.within(|accounts| accounts.back_up(&to))? {
            return Ok(());
        }
        copy::back_up(self, to)
    }

    /// Puts a copy, as [`backup`](Self::backup) makes it, back: the store has all accounts of the copy
    /// afterwards, and no others. Other programs may have it open, and see the change.
    ///
    /// From a file into a database file it is one step. Otherwise each account is, after all of the copy was
    /// read once without an error.
    ///
    /// # Errors
    /// `NotFound` where there is no copy, `InvalidData` for one that is damaged, empty or somebody else's;
    /// nothing is changed then.
    pub fn restore(&self, from: impl IntoAddress) -> io::Result<()> {
        let from = from.into_address()?;
        if self.changing("restore", |accounts| accounts.restore(&from))? {
            return Ok(());
        }
        copy::restore(self, from)
    }

    /// Reads all that is there. Nothing is changed.
    ///
    /// # Errors
    /// What listing the store gives. An account that cannot be read is a problem in the report.
    pub fn verify(&self) -> io::Result<Report> {
        self.within(|accounts| accounts.verify())
    }

    /// Owns the first of these accounts that nobody owns: for several sessions of one Telegram
    /// account, of which each program takes another one. An owner that takes over gets the first one.
    ///
    /// # Errors
    /// Of the kind `Owned`, with the owner of the last one, where all are; `InvalidInput` without names;
    /// `Unsupported` where the store has no owners.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "as the backend's `own` takes it"
    )]
    pub fn claim(
        &self,
        names: &[&str],
        owner: Owner,
    ) -> io::Result<(Arc<dyn SessionBackend>, Ownership)> {
        let mut refused = None;
        for name in names {
            let backend = self.unowned(name)?;
            match backend.own(owner.clone()) {
                Ok(ownership) => return Ok((backend, ownership)),
                Err(error) if is_owned(&error) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| {
            let message = "the names of accounts to choose from are expected";
            self.error("claim an account", io::ErrorKind::InvalidInput, message)
        }))
    }

    fn within<R>(&self, call: impl FnOnce(&dyn Accounts) -> R) -> R {
        let events = &self.shared.options.events;
        events.within(|| call(&*self.shared.accounts))
    }

    fn changing<R>(
        &self,
        action: &'static str,
        change: impl FnOnce(&dyn Accounts) -> io::Result<R>,
    ) -> io::Result<R> {
        if self.shared.options.read_only {
            return Err(opened::read_only(&self.shared.address, action));
        }
        self.within(change)
    }

    fn error(&self, action: &'static str, kind: io::ErrorKind, message: &str) -> io::Error {
        let source = io::Error::new(kind, message);
        StoreError::io("store", self.shared.address.to_string(), action, source)
    }
}

fn is_owned(error: &io::Error) -> bool {
    StoreError::of(error).is_some_and(|error| error.kind() == StoreErrorKind::Owned)
}

/// The store, never what is in it.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("address", &self.shared.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod opening_tests;
#[cfg(test)]
mod option_tests;
#[cfg(test)]
mod tests;
