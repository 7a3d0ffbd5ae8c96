//! The SQLite backend.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use mtsession_core::{Change, PeerKey};

use super::accounts::{check_name, named};
use super::budget::{Budget, Budgeted};
use super::contended::contended;
use super::export;
use super::local::{self, LocalConnection};
use super::ownership::{self, Court};
use super::store::{DEFAULT_ACCOUNT, SqlStore};
use super::whole::{self, Whole};
use crate::backend::SessionBackend;
use crate::backends::retain::retain_by_pages;
use crate::drop_in::session::PersistedSession;
use crate::error::StoreError;
use crate::flush::FlushPolicy;
use crate::owner::{Lease, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, KnownPeer, PeerQuery, SessionHead, SessionRecord, check};
use crate::store::StoreOptions;
use crate::sync::lock;

const NAME: &str = "sqlite";

/// Keeps sessions in an SQLite database: any number of accounts in one file.
///
/// Small changes are single statements, a `save` writes only the rows that differ. The file is in
/// write-ahead mode, so readers do not wait for a writer, and any number of threads, backends and
/// processes may use it at once.
///
/// All backends of one file in a process share its connections, whatever name of the file they were given, and
/// with `LibSqlBackend`: a thousand accounts need seven descriptors, as one does. Changes
/// that find another one being stored are stored together, in one commit after it; each call returns when its own
/// change is, and an error is of the change that failed alone.
///
/// | call | cost | safe against a power cut |
/// |---|---|---|
/// | `save`, `update_dc`, `set_home_dc` | what changed, flushed in the log and in the main file | when acknowledged |
/// | `apply_update_state`, `cache_peer` | one statement | see [`FlushPolicy`] |
///
/// After a `save`, and after a change of a key, the home DC or a token, the main file has it without
/// the files `-wal` and `-shm`. A program that keeps a read transaction open holds that up: such a call
/// waits for it, for a second at most and not again within 10 seconds. The log has what was acknowledged
/// then, and every later change and the end of the backend catch up. A main file that has lost its log, and with it everything, is an error that names the
/// log, never a database without a session.
///
/// Files are created with mode 0600. Databases of `layer-client`, `ferogram` and `ferogram-session`,
/// and those of our release before, are read as they are; the first write migrates them and keeps a
/// copy beside the file, in `<file>.pre-mtsession`, with mode 0600 too. It goes when an account is
/// deleted. Programs that still use the older release have to be stopped before that; those that are
/// not get errors.
///
/// A database whose schema is not exactly ours is refused, and so is one in which something else
/// mentions our tables: a trigger, a view, an index. Tables of other programs in the same file are left
/// alone. Rows with a key carry a checksum: one that does not fit is an error that names table and row.
/// See SCHEMA.md of this crate.
///
/// `ferogram-session` fails on a database of ours, instead of making an empty session in it. A login
/// that it made beside ours, in a database of our release before, is the account
/// `default@ferogram-session`, and goes when the account `default` is deleted.
///
/// What this crate reads and writes of keys is wiped from memory. SQLite's own copies, in its page cache and
/// of the values that it was given, are not: after a backend is dropped some of them stay in freed memory
/// until it is used again.
///
/// Every change of an account gives it a new revision, by which an open backend sees what others have changed,
/// without reading the account again when they have changed another one. A program that edits rows with SQL does
/// the same in its transaction, `UPDATE accounts SET revisions = lower(hex(randomblob(8)))`; otherwise its
/// changes are seen by backends that are opened afterwards.
///
/// An account that was renamed or deleted while a backend is open for it comes back with that
/// backend's next write.
///
/// ```
/// use mtsession::{PersistedSession, SessionBackend, SqliteBackend, Store, UpdateStateChange};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("accounts.db");
/// let store = Store::open(format!("sqlite:{}", path.display()))?;
/// for (name, home_dc_id) in [("alice", 2), ("bob", 4)] {
///     let backend = store.backend(name)?;
///     backend.save(&PersistedSession { home_dc_id, ..Default::default() })?;
///     backend.apply_update_state(UpdateStateChange::Secondary { qts: 7 })?;
/// }
/// assert_eq!(store.names()?, ["alice", "bob"]);
/// assert!(SqliteBackend::open(&path)?.load()?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct SqliteBackend {
    pub(super) options: Options,
    name: String,
    /// Held by every writer, before the store itself: the last attempt of an update holds it while the
    /// caller's code runs, which may still read.
    turn: Mutex<()>,
    pub(super) store: Budgeted<SqlStore>,
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    /// `None` is in memory.
    pub(super) path: Option<PathBuf>,
    pub(super) account: String,
    pub(super) busy_timeout: Duration,
    pub(super) journal_sync: FlushPolicy,
}

impl Options {
    /// The account `default` of a file, or of a database in memory.
    pub(super) fn at(path: Option<PathBuf>) -> Self {
        Self {
            path,
            account: DEFAULT_ACCOUNT.to_owned(),
            busy_timeout: local::DEFAULT_BUSY_TIMEOUT,
            journal_sync: FlushPolicy::default(),
        }
    }

    fn store(&self) -> SqlStore {
        let connection = match &self.path {
            Some(path) => LocalConnection::file(path),
            None => LocalConnection::memory(),
        };
        let connection = connection
            .with_busy_timeout(self.busy_timeout)
            .with_journal_sync(self.journal_sync);
        let mut store = SqlStore::new(Box::new(connection), &self.account);
        if let Some(path) = &self.path {
            store.court = Court::File(path.clone());
        }
        store
    }
}

impl SqliteBackend {
    /// Opens the account `default` of a database; one of an older release is that account.
    ///
    /// What is there is looked at now, so that a wrong file is found at once. Nothing is made or
    /// migrated before the first write.
    ///
    /// # Errors
    /// `InvalidData` for what is no database of ours, `Unsupported` for one of a newer release.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Self> {
        let backend = Self::configured(&path.into(), DEFAULT_ACCOUNT, &StoreOptions::new())?;
        backend.look()?;
        Ok(backend)
    }

    /// A database in memory; it is gone with the backend.
    pub fn in_memory() -> io::Result<Self> {
        Ok(Self::with_options(Options::at(None)))
    }

    /// Writes a session into a new database for `ferogram-session` 0.6.5 and 0.6.6.
    ///
    /// Returns how many entries that release has no place for: it knows a bare id only once, also
    /// where a user and a channel share it. The first of each is kept.
    ///
    /// ```
    /// use mtsession::{PersistedSession, SessionBackend, SqliteBackend};
    ///
    /// let dir = tempfile::tempdir()?;
    /// let path = dir.path().join("downgraded.db");
    /// let session = PersistedSession { home_dc_id: 2, ..Default::default() };
    /// assert_eq!(SqliteBackend::export_ferogram(&session, &path)?, 0);
    /// assert_eq!(SqliteBackend::open(&path)?.load()?, Some(session));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// `AlreadyExists` when there is such a file.
    pub fn export_ferogram(
        session: &PersistedSession,
        path: impl Into<PathBuf>,
    ) -> io::Result<usize> {
        let path = path.into();
        check(session)
            .map_err(io::Error::from)
            .and_then(|()| export::write(&path, session))
            .map_err(|error| StoreError::io(NAME, path.display().to_string(), "export", error))?;
        Ok(export::left_out(session))
    }

    /// One account of a database with options, which were checked.
    pub(crate) fn configured(
        path: &Path,
        account: &str,
        options: &StoreOptions,
    ) -> io::Result<Self> {
        let named = |error| StoreError::io(NAME, path.display().to_string(), "open", error);
        check_name(account).map_err(named)?;
        Ok(Self::with_options(Options {
            path: Some(path.to_owned()),
            account: account.to_owned(),
            busy_timeout: options.deadline.unwrap_or(local::DEFAULT_BUSY_TIMEOUT),
            journal_sync: options.flush.unwrap_or_default(),
        }))
    }

    /// The same within a budget of memory.
    pub(crate) fn within(self, budget: Option<Arc<Budget>>) -> Self {
        Self {
            store: self.store.within(budget),
            ..self
        }
    }

    /// Looks whether the file can be a database of ours.
    pub(crate) fn look(&self) -> io::Result<()> {
        let looked = self.store.lock().check_layout();
        looked.map_err(self.error("open"))
    }

    /// The names of all accounts.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let names = self.store.lock().accounts();
        names.map_err(self.error("list the accounts"))
    }

    pub(crate) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.write("rename an account", |store| {
            check_name(to)?;
            store.rename_other(from, to)
        })
    }

    /// What is wrong with these accounts.
    pub(crate) fn problems_of(&self, accounts: &[String]) -> Vec<String> {
        self.store.lock().problems_of(accounts)
    }

    pub(super) fn with_options(options: Options) -> Self {
        let place = match &options.path {
            Some(path) => path.display().to_string(),
            None => ":memory:".to_owned(),
        };
        Self {
            name: named(place, &options.account),
            turn: Mutex::new(()),
            store: Budgeted::new(options.store()),
            options,
        }
    }

    fn write(
        &self,
        action: &'static str,
        write: impl FnOnce(&mut SqlStore) -> io::Result<()>,
    ) -> io::Result<()> {
        let _turn = lock(&self.turn);
        write(&mut self.store.lock()).map_err(self.error(action))
    }

    pub(crate) fn error(&self, action: &'static str) -> impl Fn(io::Error) -> io::Error + '_ {
        move |source| StoreError::io(NAME, &self.name, action, source)
    }
}

impl Whole for SqliteBackend {
    fn turn(&self) -> &Mutex<()> {
        &self.turn
    }

    fn read_whole(&self) -> io::Result<(Option<SessionRecord>, u64)> {
        let read = self.store.lock().read_record();
        read.map_err(self.error("load"))
    }

    fn store_whole(&self, record: &SessionRecord, stamp: u64) -> io::Result<bool> {
        self.with_locks(|store| store.replace_read(record, stamp))
    }

    fn with_locks<R>(&self, call: impl FnOnce(&mut SqlStore) -> io::Result<R>) -> io::Result<R> {
        call(&mut self.store.lock()).map_err(self.error("update"))
    }

    fn patience(&self) -> Duration {
        self.options.busy_timeout
    }

    fn give_up(&self) -> io::Error {
        self.error("update")(contended())
    }
}

impl SessionBackend for SqliteBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.write("save", |store| store.save(session))
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        self.store.lock().load().map_err(self.error("load"))
    }

    fn delete(&self) -> io::Result<()> {
        self.write("delete", SqlStore::delete)
    }

    /// The path of the database, with `#` and the account's name where it is not `default`.
    fn name(&self) -> &str {
        &self.name
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        self.write("apply changes", |store| store.apply(changes))
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.store.lock().read().map_err(self.error("load"))
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        whole::update(self, change)
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        self.store.lock().head().map_err(self.error("load"))
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        let found = self.store.lock().find_peer(query);
        found.map_err(self.error("find a peer"))
    }

    fn peers_after(&self, after: Option<PeerKey>, limit: usize) -> io::Result<Vec<KnownPeer>> {
        let page = self.store.lock().peers_after(after, limit);
        page.map_err(self.error("list the peers"))
    }

    fn retain_peers(&self, keep: &mut dyn FnMut(&KnownPeer) -> bool) -> io::Result<()> {
        retain_by_pages(self, keep)
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }

    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        let owned = self.store.lock().owned.clone();
        let own = ownership::own(&owned, self.options.store(), &owner);
        own.map_err(self.error("own"))
    }

    fn lease(&self) -> Option<Lease> {
        self.store.lock().owned.lease()
    }

    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        let found = self.options.store().find_owner();
        found.map_err(self.error("look who owns"))
    }
}

/// The store, never what is in it.
impl core::fmt::Debug for SqliteBackend {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SqliteBackend")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
