//! How a store is opened.

use core::fmt;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use mtsession_core::PeerKey;
use zeroize::Zeroizing;

use super::limits::PeerLimits;
use super::{Store, open};
use crate::address::IntoAddress;
use crate::backend::SessionBackend;
#[cfg(feature = "libsql-remote")]
use crate::backends::sql::RemoteOptions;
use crate::event::{Event, Events};
use crate::flush::FlushPolicy;
use crate::owner::Owner;
use crate::seal::{Anchor, KeySource};

/// How a store is opened: chosen one by one, then [`open`](Self::open) or [`connect`](Self::connect).
///
/// An option that a store cannot honour is an error that names it: none is ignored. What an address says of
/// the same thing goes before what is said here.
///
/// | option | session file, `dir:` | SQLite, libSQL file | libSQL server | Redis, PostgreSQL | S3 | memory | in an address |
/// |---|---|---|---|---|---|---|---|
/// | `deadline` | wait for a lock | wait for other programs | one call, with what is repeated | the same | the same | | `deadline=30s` |
/// | `flush` | yes | not `Never` | | | | | `flush=each`, `flush=60s`, `flush=never` |
/// | `read_only`, `create` | yes | yes | yes | yes | yes | yes | `read_only`, `create=0` |
/// | `auth_token` | | | token | password | keys | | |
/// | `requests` | | | yes | | | | |
/// | `replica` | | | yes | | | | `replica=FILE` |
/// | `insecure` | | | yes | yes | yes | | `insecure` |
/// | `proxy` | | | yes | | yes | | `proxy` |
/// | `endpoint`, `region` | | | | | yes | | `endpoint=URL`, `region=NAME` |
/// | `on_event` | yes | yes | yes | yes | yes | yes | |
/// | `memory_budget` | | yes | | | | | `memory_budget=64M` |
/// | `limits`, `keep_peers` | yes | yes | yes | yes | yes | yes | `limits=users:5000,channels:1000` |
/// | `own` | yes | yes | yes | | | yes | `own`, `own=NAME` |
/// | `key`, `label`, `anchor` | yes | | | | | | `key_file=FILE`, `label=NAME`, `anchor=FILE` |
/// | `accept_rollback` | yes | | | | | | `accept_rollback` |
/// | `every`, `replicas` | | | | | | | `every=60s`, `replicas=1` |
/// | `wipe_on_fold` | | | | | | | `wipe_on_fold`, `keyring` |
///
/// Those about sealed stores need the feature `seal`. Those of the last two rows are honoured by no store of this
/// release: they are errors everywhere.
///
/// ```
/// use core::time::Duration;
/// use mtsession::{PersistedSession, StoreOptions};
///
/// let dir = tempfile::tempdir()?;
/// let path = dir.path().join("bot.session");
/// let patient = StoreOptions::new().deadline(Duration::from_secs(60));
/// let backend = patient.clone().connect(&path)?;
/// backend.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
///
/// let readers = patient.read_only().connect(&path)?;
/// assert!(readers.load()?.is_some());
/// assert!(readers.delete().is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own, as in std::fs::OpenOptions"
)]
pub struct StoreOptions {
    pub(crate) auth_token: Option<Zeroizing<String>>,
    pub(crate) flush: Option<FlushPolicy>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) read_only: bool,
    pub(crate) create: Option<bool>,
    pub(crate) replica: Option<PathBuf>,
    pub(crate) insecure: bool,
    pub(crate) proxy: bool,
    pub(crate) tls: Option<bool>,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    #[cfg(feature = "libsql-remote")]
    pub(crate) requests: Option<RemoteOptions>,
    pub(crate) events: Events,
    pub(super) keys: Vec<Arc<dyn KeySource>>,
    /// Key files of an address, which are read when the store is opened.
    pub(super) key_files: Vec<PathBuf>,
    pub(super) anchor: Option<Arc<dyn Anchor>>,
    pub(super) label: Option<String>,
    pub(super) own: Option<Owner>,
    pub(super) limits: Option<PeerLimits>,
    pub(super) kept_peers: Arc<[PeerKey]>,
    pub(super) every: Option<Duration>,
    pub(crate) memory_budget: Option<usize>,
    pub(super) replicas: Option<u32>,
    pub(super) wipe_on_fold: bool,
    pub(super) accept_rollback: bool,
    /// Options of an address that say where a key or an anchor is.
    pub(super) named: Vec<&'static str>,
}

impl StoreOptions {
    /// No option chosen: a store that is made by its first write, with the waits and flushes of each backend.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The token of a libSQL server, the password of Redis and PostgreSQL, or the keys of S3:
    /// `ACCESS_KEY_ID:SECRET_ACCESS_KEY`, for keys that hold for some hours with `:SESSION_TOKEN` after them. An
    /// address has no place for it.
    #[must_use]
    pub fn auth_token(mut self, token: impl Into<String>) -> Self {
        self.auth_token = Some(Zeroizing::new(token.into()));
        self
    }

    /// When small changes are flushed to the disk.
    #[must_use]
    pub fn flush(mut self, policy: FlushPolicy) -> Self {
        self.flush = Some(policy);
        self
    }

    /// How long a call may wait: for a lock that another program holds (5 seconds otherwise), or for a server
    /// with everything that is repeated (30 seconds otherwise).
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Every change is an error, and nothing is written.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// Whether a store, or the account that is connected to, may be made; otherwise opening what is not there
    /// is an error. True unless said.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = Some(create);
        self
    }

    /// A local file to read a server's accounts from. Each account is brought up to date when it is connected
    /// to; writes go to the server first, and are refused without it.
    #[must_use]
    pub fn replica(mut self, path: impl Into<PathBuf>) -> Self {
        self.replica = Some(path.into());
        self
    }

    /// Lets `http://`, `ws://`, `redis://` and a PostgreSQL connection without TLS lead to other machines: token,
    /// password and keys go there in clear text.
    #[must_use]
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Uses the proxy that the environment names (`HTTPS_PROXY`, `ALL_PROXY`, …), which is ignored otherwise.
    #[must_use]
    pub fn proxy(mut self) -> Self {
        self.proxy = true;
        self
    }

    /// The URL of a server that speaks as S3 does, in place of AWS's own.
    #[must_use]
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(url.into());
        self
    }

    /// The region of a bucket of S3; `us-east-1` unless said.
    #[must_use]
    pub fn region(mut self, name: impl Into<String>) -> Self {
        self.region = Some(name.into());
        self
    }

    /// How requests to a server are made.
    #[cfg(feature = "libsql-remote")]
    #[must_use]
    pub fn requests(mut self, requests: RemoteOptions) -> Self {
        self.requests = Some(requests);
        self
    }

    /// A key that opens the store where it is sealed, and seals it where nothing is yet: without a key that opens
    /// it, nobody can read a login from it. May be given several times; each of them opens a new store.
    ///
    /// A store that is there and plain is an error of the kind [`NotSealed`](crate::StoreErrorKind::NotSealed):
    /// see [`Store::seal`]. Needs the feature `seal`; a store that cannot be sealed is an error that names the
    /// option.
    #[must_use]
    pub fn key(mut self, key: impl KeySource + 'static) -> Self {
        self.keys.push(Arc::new(key));
        self
    }

    /// Remembers how new a sealed store is, so that an older copy that was put back is noticed: see
    /// [`FileAnchor`](crate::seal).
    #[must_use]
    pub fn anchor(mut self, anchor: impl Anchor + 'static) -> Self {
        self.anchor = Some(Arc::new(anchor));
        self
    }

    /// The name that a sealed session file is given, so that it cannot take the place of another one under the
    /// same key: one that was sealed with another name, or with none, is refused.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Owns each session that is connected to, as [`SessionBackend::own`] does, until the backend and its clones
    /// are dropped: no second program writes to it, and one that asks for the same is told who the owner is.
    #[must_use]
    pub fn own(mut self, owner: Owner) -> Self {
        self.own = Some(owner);
        self
    }

    /// How many peers are kept. A peer that is new makes room for itself: those that were not used for longest go,
    /// some at once. The own account, channels with a pts and those that [`keep_peers`](Self::keep_peers) names stay.
    ///
    /// With limits, `save` and `update` store what of a session there is room for.
    #[must_use]
    pub fn limits(mut self, limits: PeerLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Peers that stay whatever the [`limits`](Self::limits) are.
    #[must_use]
    pub fn keep_peers(mut self, peers: impl IntoIterator<Item = PeerKey>) -> Self {
        self.kept_peers = peers.into_iter().collect();
        self
    }

    /// How long counters and peers may wait in memory for others to be stored with; a crash of the process
    /// loses them.
    ///
    /// Every store of this release stores a change when it is made; opening is an error that names the option.
    #[must_use]
    pub fn every(mut self, time: Duration) -> Self {
        self.every = Some(time);
        self
    }

    /// How many bytes the accounts of a store may use in memory together, about: without it, each backend keeps
    /// what it has read until it is dropped. What was used longest ago goes first, and is read from the database
    /// again when it is asked for. Single peers and heads are looked up in the database, whatever is kept.
    ///
    /// Backends of one [`Store`] share its budget; one that is [connected](Self::connect) to alone has its own.
    #[must_use]
    pub fn memory_budget(mut self, bytes: usize) -> Self {
        self.memory_budget = Some(bytes);
        self
    }

    /// How many other servers must have a change before it is acknowledged.
    ///
    /// No store of this release can ask for it; opening is an error that names the option.
    #[must_use]
    pub fn replicas(mut self, number: u32) -> Self {
        self.replicas = Some(number);
        self
    }

    /// Overwrites what a fold has replaced.
    ///
    /// No store of this release does; opening is an error that names the option.
    #[must_use]
    pub fn wipe_on_fold(mut self) -> Self {
        self.wipe_on_fold = true;
        self
    }

    /// Opens a sealed store although its [`anchor`](Self::anchor) remembers a newer one. The next write makes it
    /// the newest.
    #[must_use]
    pub fn accept_rollback(mut self) -> Self {
        self.accept_rollback = true;
        self
    }

    /// Calls `on_event` for what happens and is not the result of a call: a recovery, a fold that failed, a
    /// server that was not there. It runs within the call in which it happens, on that thread, and must not
    /// use the store. Feature `tracing` logs the same.
    #[must_use]
    pub fn on_event(mut self, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.events = Events::new(on_event);
        self
    }

    /// Opens a store of any number of accounts. An account in the address is left aside.
    ///
    /// What is there is looked at now, so that a wrong file or server is found at once. Nothing is made or
    /// migrated before the first write.
    ///
    /// # Errors
    /// `InvalidInput` for an address that makes no sense, `Unsupported` for an option that the store cannot
    /// honour, for a feature that is not compiled in (both are named) and for an address that leads to a
    /// session of another library; `NotFound` where nothing is and [`create`](Self::create) is false; what
    /// looking at the store gives.
    pub fn open(self, address: impl IntoAddress) -> io::Result<Store> {
        let address = address.into_address()?;
        let options = self.with_options_of(&address)?;
        open::store(&address, options)
    }

    /// Connects to the account that the address names, or to [`default`](crate::Address::DEFAULT_ACCOUNT).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn connect(self, address: impl IntoAddress) -> io::Result<Arc<dyn SessionBackend>> {
        let address = address.into_address()?;
        let options = self.with_options_of(&address)?;
        open::backend(address, &options)
    }
}

#[cfg(feature = "cli")]
#[doc(hidden)]
impl StoreOptions {
    /// The session file of an address, for what the command shows of one; `None` for another kind of store.
    pub fn session_file(
        self,
        address: &crate::Address,
    ) -> io::Result<Option<crate::BinaryFileBackend>> {
        let options = self.with_options_of(address)?;
        open::session_file(address, &options)
    }
}

/// The names of the choices, never a token or a key.
impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("given", &self.given())
            .finish_non_exhaustive()
    }
}
