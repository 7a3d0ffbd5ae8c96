//! The libSQL backend.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use mtsession_core::{Change, PeerKey};

use super::accounts::{check_name, named};
use super::budget::Budgeted;
use super::database::Database;
#[cfg(feature = "libsql-remote")]
use super::libsql_server::{owners_on_server, server_store};
use super::local::{DEFAULT_BUSY_TIMEOUT, LocalConnection};
use super::ownership::{self, Court};
#[cfg(feature = "libsql-remote")]
use super::replica::Replica;
use super::store::{DEFAULT_ACCOUNT, SqlStore};
use super::whole;
use crate::backend::SessionBackend;
use crate::backends::retain::retain_by_pages;
use crate::drop_in::session::PersistedSession;
use crate::error::{StoreError, unsupported};
use crate::owner::{Lease, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, KnownPeer, PeerQuery, SessionHead, SessionRecord};
use crate::store::StoreOptions;
use crate::sync::lock;

pub(super) const NAME: &str = "libsql";

/// Keeps sessions in a libSQL database: a file, memory, or a server such as Turso and sqld; with a
/// server also a local copy to read from.
///
/// A libSQL file is an SQLite file, and is used as [`SqliteBackend`](crate::SqliteBackend) uses one;
/// both can have the same file open at once. Any number of accounts live in one database.
///
/// Nothing here needs an async runtime, and everything may be called inside of one: a call blocks for
/// as long as the file or the server takes. `SessionWriter` (feature `tokio`) does not.
///
/// # Servers
///
/// A `load` is one request when nothing was changed by others, a `save` and a batch of changes are one
/// each. Requests time out and are repeated within the deadline of the call ([`RemoteOptions`](crate::RemoteOptions)); a write
/// is carried out once, however often it was sent. When a change fails, the error says whether nothing
/// was changed or whether that is unknown.
///
/// "No session" is the answer of a transaction that was carried out whole, never of a server that is
/// busy, blocked or broken. A backend that answered so only makes a session: should another login have
/// appeared meanwhile, its first `save` is an error, and a second one replaces that login.
///
/// `http://` and `ws://` lead only to this machine, and no proxy is used, unless the options say so.
///
/// Writers notice each other by a table that all of them keep (`server_write`). Rows that are edited
/// by hand, with SQL, are seen by backends that are opened afterwards.
///
/// # Replicas
///
/// [`open_replica`](Self::open_replica) reads from a local file and writes to the server first.
/// It is not libSQL's replication of frames: the file holds one account, as it was when it was last
/// written through this replica or [synchronised](Self::sync). Reads work offline, writes are refused
/// then.
///
/// ```
/// use mtsession::{LibSqlBackend, PersistedSession, SessionBackend};
///
/// let backend = LibSqlBackend::in_memory()?;
/// backend.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
/// assert_eq!(backend.load()?.expect("saved above").home_dc_id, 2);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct LibSqlBackend {
    pub(super) name: String,
    pub(super) patience: Duration,
    /// Held by every writer, before the database itself: the last attempt of an update holds it while the
    /// caller's code runs, which may still read.
    pub(super) turn: Mutex<()>,
    pub(super) database: Budgeted<Database>,
    /// Another handle on the account, which knows nothing of owners.
    pub(super) another: Box<dyn Fn() -> io::Result<SqlStore> + Send + Sync>,
}

impl LibSqlBackend {
    /// Opens the account `default` of a local file. Nothing is made before the first write.
    ///
    /// # Errors
    /// `InvalidData` for what is no database of ours, `Unsupported` for one of a newer release.
    pub fn open_local(path: impl Into<PathBuf>) -> io::Result<Self> {
        let backend = Self::configured(&path.into(), DEFAULT_ACCOUNT, &StoreOptions::new())?;
        backend.look()?;
        Ok(backend)
    }

    /// A database in memory; it is gone with the backend.
    pub fn in_memory() -> io::Result<Self> {
        let store = SqlStore::new(Box::new(LocalConnection::memory()), DEFAULT_ACCOUNT);
        Ok(Self::of(":memory:".to_owned(), DEFAULT_ACCOUNT, store))
    }

    /// One account of a local file with options, which were checked.
    pub(crate) fn configured(
        path: &Path,
        account: &str,
        options: &StoreOptions,
    ) -> io::Result<Self> {
        let name = path.display().to_string();
        check_name(account).map_err(|error| StoreError::io(NAME, &name, "open", error))?;
        let connection = LocalConnection::file(path)
            .with_busy_timeout(options.deadline.unwrap_or(DEFAULT_BUSY_TIMEOUT))
            .with_journal_sync(options.flush.unwrap_or_default());
        let mut store = SqlStore::new(Box::new(connection), account);
        store.court = Court::File(path.to_owned());
        let mut backend = Self::of(name, account, store).patient(options);
        let (path, account, patience) = (path.to_owned(), account.to_owned(), backend.patience);
        backend.with_owners(move || {
            let connection = LocalConnection::file(&path).with_busy_timeout(patience);
            let mut store = SqlStore::new(Box::new(connection), &account);
            store.court = Court::File(path.clone());
            Ok(store)
        });
        Ok(backend)
    }

    /// Looks whether it can be a database of ours.
    pub(crate) fn look(&self) -> io::Result<()> {
        self.with("open", |database| database.primary().check_layout())
    }

    /// The names of all accounts.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        self.with("list the accounts", |database| {
            database.primary().accounts()
        })
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.with_change("rename an account", |database| {
            check_name(to)?;
            database.primary().rename_other(from, to)
        })
    }

    /// What is wrong with these accounts.
    pub(crate) fn problems_of(&self, accounts: &[String]) -> Vec<String> {
        self.database.lock().primary().problems_of(accounts)
    }

    pub(crate) fn error(&self, action: &'static str) -> impl Fn(io::Error) -> io::Error + '_ {
        move |source| StoreError::io(NAME, &self.name, action, source)
    }

    pub(super) fn with_database(name: String, database: Database) -> Self {
        Self {
            name,
            patience: DEFAULT_BUSY_TIMEOUT,
            turn: Mutex::new(()),
            database: Budgeted::new(database),
            another: Box::new(|| Err(no_owners())),
        }
    }

    /// Waits for others as long as the options say.
    fn patient(self, options: &StoreOptions) -> Self {
        let patience = options.deadline.unwrap_or(self.patience);
        Self { patience, ..self }
    }

    /// The same for a server.
    #[cfg(feature = "libsql-remote")]
    fn patient_as_requests(self, options: &StoreOptions) -> Self {
        let patience = options.requests.unwrap_or_default().deadline;
        Self { patience, ..self }.patient(options)
    }

    pub(super) fn of(place: String, account: &str, store: SqlStore) -> Self {
        Self::with_database(named(place, account), Database::One(Box::new(store)))
    }

    fn with_owners(&mut self, another: impl Fn() -> io::Result<SqlStore> + Send + Sync + 'static) {
        self.another = Box::new(another);
    }

    pub(super) fn with<R>(
        &self,
        action: &'static str,
        f: impl FnOnce(&mut Database) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut database = self.database.lock();
        #[cfg(feature = "libsql-remote")]
        database.primary().start_call();
        f(&mut database).map_err(|error| StoreError::io(NAME, &self.name, action, error))
    }

    /// The same for a change: an error says that nothing was changed where that is known.
    pub(super) fn with_change(
        &self,
        action: &'static str,
        f: impl FnOnce(&mut Database) -> io::Result<()>,
    ) -> io::Result<()> {
        let _turn = lock(&self.turn);
        self.in_turn(action, f)
    }

    /// The same for one whose turn it is.
    pub(super) fn in_turn<R>(
        &self,
        action: &'static str,
        f: impl FnOnce(&mut Database) -> io::Result<R>,
    ) -> io::Result<R> {
        #[cfg(feature = "libsql-remote")]
        let f = |database: &mut Database| f(database).map_err(super::remote::in_change);
        self.with(action, f)
    }
}

/// A database on a server.
#[cfg(feature = "libsql-remote")]
impl LibSqlBackend {
    /// Opens the account `default` on a server and sees whether it answers.
    ///
    /// `url` is `libsql://…`, `https://…` or `http://…`; `token` may be empty where the server asks for
    /// none.
    ///
    /// # Errors
    /// `PermissionDenied` for a wrong token; what the network gives; as
    /// [`open_local`](Self::open_local).
    pub fn open_remote(url: impl Into<String>, token: impl Into<String>) -> io::Result<Self> {
        let options = StoreOptions::new().auth_token(token);
        let backend = Self::server(&url.into(), DEFAULT_ACCOUNT, &options)?;
        backend.look()?;
        Ok(backend)
    }

    /// One account on a server with options, which were checked. Nothing is asked yet.
    pub(crate) fn server(url: &str, account: &str, options: &StoreOptions) -> io::Result<Self> {
        let (place, store) = server_store(url, account, options)?;
        let mut backend = Self::of(place, account, store).patient_as_requests(options);
        backend.with_owners(owners_on_server(url, account, options));
        Ok(backend)
    }

    /// A local copy of one account on a server, brought up to date if that can be reached.
    pub(crate) fn replica(
        path: &Path,
        url: &str,
        account: &str,
        options: &StoreOptions,
    ) -> io::Result<Self> {
        let (place, primary) = server_store(url, account, options)?;
        let copy = SqlStore::new(Box::new(LocalConnection::file(path)), account);
        let place = format!("{} (replica of {place})", path.display());
        let name = named(place, account);
        let replica = Replica::open(primary, copy)
            .map_err(|error| StoreError::io(NAME, &name, "open", error))?;
        let database = Database::Replica(Box::new(replica));
        let mut backend = Self::with_database(name, database).patient_as_requests(options);
        backend.with_owners(owners_on_server(url, account, options));
        Ok(backend)
    }

    /// Opens a local copy of the account `default` on a server, and synchronises it.
    ///
    /// Without the server, what the file has is used; see [`sync`](Self::sync).
    ///
    /// # Errors
    /// When there is nothing in the file and the server cannot be reached.
    pub fn open_replica(
        path: impl Into<PathBuf>,
        url: impl Into<String>,
        token: impl Into<String>,
    ) -> io::Result<Self> {
        let options = StoreOptions::new().auth_token(token);
        Self::replica(&path.into(), &url.into(), DEFAULT_ACCOUNT, &options)
    }

    /// Brings a replica up to what the server has, deletions included. Other backends always are.
    ///
    /// # Errors
    /// What the network gives; the local copy stays as it was.
    pub fn sync(&self) -> io::Result<()> {
        self.with("synchronise", |database| match database {
            Database::One(_) => Ok(()),
            Database::Replica(replica) => replica.sync(),
        })
    }
}

fn no_owners() -> io::Error {
    unsupported("a database in memory has one handle, and no owners".to_owned())
}

impl SessionBackend for LibSqlBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.with_change("save", |database| match database {
            Database::One(store) => store.save(session),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.save(session),
        })
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.with("load", |database| match database {
            Database::One(store) => store.load(),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.load(),
        })
    }

    fn delete(&self) -> io::Result<()> {
        self.with_change("delete", |database| match database {
            Database::One(store) => store.delete(),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.delete(),
        })
    }

    /// The path or the url, with `#` and the account's name where it is not `default`.
    fn name(&self) -> &str {
        &self.name
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        self.with_change("apply changes", |database| match database {
            Database::One(store) => store.apply(changes),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.apply(changes),
        })
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.with("load", Database::read)
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        whole::update(self, change)
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        self.with("load", |database| match database {
            Database::One(store) => store.head(),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.head(),
        })
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        self.with("find a peer", |database| {
            database.nearest()?.find_peer(query)
        })
    }

    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        self.with("list the peers", |database| {
            database.nearest()?.peers_after(after, limit)
        })
    }

    fn retain_peers(&self, keep: &mut dyn FnMut(&KnownPeer) -> bool) -> io::Result<()> {
        retain_by_pages(self, keep)
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }

    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        let owned = self.database.lock().primary().owned.clone();
        let own = || ownership::own(&owned, (self.another)()?, &owner);
        own().map_err(self.error("own"))
    }

    fn lease(&self) -> Option<Lease> {
        self.database.lock().primary().owned.lease()
    }

    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        let find = || match (self.another)() {
            Ok(mut store) => store.find_owner(),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(None),
            Err(error) => Err(error),
        };
        find().map_err(self.error("look who owns"))
    }
}

/// The store, never what is in it.
impl core::fmt::Debug for LibSqlBackend {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("LibSqlBackend")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
