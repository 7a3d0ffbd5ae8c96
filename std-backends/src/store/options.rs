//! How a store is opened.

use core::fmt;
use core::time::Duration;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::honoured::Honours;
use super::{Store, open};
use crate::address::{Address, AddressOption, IntoAddress, Meaning};
use crate::backend::SessionBackend;
#[cfg(feature = "libsql-remote")]
use crate::backends::sql::RemoteOptions;
use crate::error::StoreError;
use crate::event::{Event, Events};
use crate::flush::FlushPolicy;

/// How a store is opened: chosen one by one, then [`open`](Self::open) or [`connect`](Self::connect).
///
/// An option that a store cannot honour is an error that names it: none is ignored. What an address says of
/// the same thing goes before what is said here.
///
/// | option | session file, `dir:` | SQLite, libSQL file | libSQL server | memory | in an address |
/// |---|---|---|---|---|---|
/// | `deadline` | wait for a lock | wait for other programs | one call, with what is repeated | | `deadline=30s` |
/// | `flush` | yes | not `Never` | | | `flush=each`, `flush=60s`, `flush=never` |
/// | `read_only`, `create` | yes | yes | yes | yes | `read_only`, `create=0` |
/// | `auth_token`, `requests` | | | yes | | |
/// | `replica` | | | yes | | `replica=FILE` |
/// | `insecure`, `proxy` | | | yes | | `insecure`, `proxy` |
/// | `on_event` | yes | yes | yes | yes | |
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
    #[cfg(feature = "libsql-remote")]
    pub(crate) requests: Option<RemoteOptions>,
    pub(crate) events: Events,
    /// What was asked for of a later release.
    later: Vec<&'static str>,
}

impl StoreOptions {
    /// No option chosen: a store that is made by its first write, with the waits and flushes of each backend.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The token of a server. An address has no place for it.
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

    /// Lets `http://` and `ws://` lead to other machines: token and keys go there in clear text.
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

    /// How requests to a server are made.
    #[cfg(feature = "libsql-remote")]
    #[must_use]
    pub fn requests(mut self, requests: RemoteOptions) -> Self {
        self.requests = Some(requests);
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

    /// Connects to the account that the address names, or to [`default`](Address::DEFAULT_ACCOUNT).
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn connect(self, address: impl IntoAddress) -> io::Result<Arc<dyn SessionBackend>> {
        let address = address.into_address()?;
        let options = self.with_options_of(&address)?;
        open::backend(address, &options)
    }

    /// Adds what the address says.
    fn with_options_of(mut self, address: &Address) -> io::Result<Self> {
        for option in address.options() {
            let meaning = option.meaning().map_err(|message| {
                let error = io::Error::new(io::ErrorKind::InvalidInput, message);
                StoreError::io("store", address.to_string(), "open", error)
            })?;
            self.set(option, meaning);
        }
        Ok(self)
    }

    fn set(&mut self, option: &AddressOption, meaning: Meaning) {
        match meaning {
            Meaning::Deadline(deadline) => self.deadline = Some(deadline),
            Meaning::Flush(policy) => self.flush = Some(policy),
            Meaning::ReadOnly => self.read_only = true,
            Meaning::Create(create) => self.create = Some(create),
            Meaning::Replica(path) => self.replica = Some(path.into()),
            Meaning::Insecure => self.insecure = true,
            Meaning::Proxy => self.proxy = true,
            Meaning::Tls(tls) => self.tls = Some(tls),
            Meaning::Later => self.later.push(option.name),
        }
    }

    /// Refuses what the store does not honour.
    pub(crate) fn check(&self, address: &Address, honours: Honours) -> io::Result<()> {
        let refuse = |message: String| {
            let error = io::Error::new(io::ErrorKind::Unsupported, message);
            Err(StoreError::io("store", address.to_string(), "open", error))
        };
        if let Some(name) = self.later.first() {
            return refuse(format!("the option `{name}` is not built in this release"));
        }
        let given = self.given();
        match given.into_iter().find(|name| !honours.contains(name)) {
            Some(name) => refuse(format!("{} has no option `{name}`", honours.store())),
            None if self.flush == Some(FlushPolicy::Never) && !honours.can_flush_never() => {
                refuse(format!(
                    "{} cannot go without the option `flush`: it is not `Never` there",
                    honours.store()
                ))
            }
            None => Ok(()),
        }
    }

    /// The names of the options that were chosen.
    fn given(&self) -> Vec<&'static str> {
        let given = [
            ("auth_token", self.auth_token.is_some()),
            ("flush", self.flush.is_some()),
            ("deadline", self.deadline.is_some()),
            ("read_only", self.read_only),
            ("create", self.create.is_some()),
            ("replica", self.replica.is_some()),
            ("insecure", self.insecure),
            ("proxy", self.proxy),
            ("tls", self.tls.is_some()),
            #[cfg(feature = "libsql-remote")]
            ("requests", self.requests.is_some()),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        given.map(|(name, _)| name).collect()
    }

    pub(crate) fn may_create(&self) -> bool {
        self.create != Some(false)
    }

    /// The file or the account that it is about must be there.
    pub(crate) fn absent(address: &Address) -> io::Error {
        let message = "there is nothing, and the option `create` is false";
        let error = io::Error::new(io::ErrorKind::NotFound, message);
        StoreError::io("store", address.to_string(), "open", error)
    }
}

/// The choices, never the token.
impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("given", &self.given())
            .finish_non_exhaustive()
    }
}
