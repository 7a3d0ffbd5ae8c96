//! Accounts in a store of blobs.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Instant;

use super::StoreOptions;
use super::accounts::{Accounts, absent, exists};
use crate::address::check_name;
use crate::backend::SessionBackend;
use crate::backends::blob::{
    BlobBackend, Blobs, DEADLINE, ROOTS, Renamed, TOMBSTONE_LEN, account_of,
};
use crate::blob::BlobStore;
use crate::error::StoreError;
use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use crate::sync::lock;

/// How often a renaming begins again because the account was changed meanwhile.
const ATTEMPTS: usize = 8;

/// Asks a store what it promises.
type Check = Box<dyn Fn(Instant) -> io::Result<()> + Send + Sync>;

pub(super) struct BlobAccounts {
    blobs: Blobs,
    /// Whether it is opened for writing, and has to promise what sessions need.
    is_written: bool,
    check: Check,
    is_checked: OnceLock<()>,
    /// Handles on one account share what they know of it, and take turns.
    open: Mutex<HashMap<String, Weak<BlobBackend>>>,
}

impl BlobAccounts {
    pub(super) fn new(
        kind: &'static str,
        store: Arc<dyn BlobStore>,
        options: &StoreOptions,
    ) -> Self {
        Self {
            blobs: Blobs {
                kind,
                store,
                deadline: options.deadline.unwrap_or(DEADLINE),
            },
            is_written: !options.read_only,
            check: Box::new(|_| Ok(())),
            is_checked: OnceLock::new(),
            open: Mutex::default(),
        }
    }

    /// The same, of a store that is asked what it promises before anything is written.
    #[cfg(any(feature = "redis", feature = "postgres", feature = "s3"))]
    pub(super) fn checking(
        mut self,
        check: impl Fn(Instant) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.check = Box::new(check);
        self
    }

    fn until(&self) -> Instant {
        let now = Instant::now();
        // A deadline past the end of time is none.
        now.checked_add(self.blobs.deadline).unwrap_or(now)
    }

    fn check_once(&self) -> io::Result<()> {
        if self.is_written && self.is_checked.get().is_none() {
            (self.check)(self.until()).map_err(self.error("open"))?;
            // Somebody else may have been faster.
            let _ = self.is_checked.set(());
        }
        Ok(())
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> io::Error + '_ {
        move |source| {
            if StoreError::of(&source).is_some() {
                return source;
            }
            StoreError::io(self.blobs.kind, self.blobs.store.name(), action, source)
        }
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let until = self.until();
        let mut names = Vec::new();
        let listed = self.blobs.store.list(
            ROOTS,
            &mut |listed| {
                let is_account = usize::try_from(listed.size) != Ok(TOMBSTONE_LEN);
                names.extend(account_of(listed.name).filter(|_| is_account));
            },
            until,
        );
        listed.map_err(|error| error.error)?;
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn alone(&self, name: &str) -> BlobBackend {
        BlobBackend::new(self.blobs.clone(), name)
    }

    fn rename_account(&self, from: &str, to: &str) -> io::Result<()> {
        check_name(to)?;
        for _ in 0..ATTEMPTS {
            match self.alone(from).rename_to(&self.alone(to))? {
                Renamed::Done => return Ok(()),
                Renamed::Absent => return Err(absent(from)),
                Renamed::Exists => return Err(exists(to)),
                Renamed::Changed => {}
            }
        }
        let message = "its client keeps changing it: stop that first";
        Err(told(StoreErrorKind::Contended, message))
    }
}

impl Accounts for BlobAccounts {
    fn look(&self) -> io::Result<bool> {
        self.check_once()?;
        Ok(!self.list().map_err(self.error("open"))?.is_empty())
    }

    fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        check_name(name).map_err(self.error("open"))?;
        self.check_once()?;
        let mut open = lock(&self.open);
        if let Some(backend) = open.get(name).and_then(Weak::upgrade) {
            return Ok(backend);
        }
        open.retain(|_, backend| backend.strong_count() > 0);
        let backend = Arc::new(self.alone(name));
        open.insert(name.to_owned(), Arc::downgrade(&backend));
        Ok(backend)
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.list().map_err(self.error("list the accounts"))
    }

    fn blobs(&self) -> Option<Arc<dyn BlobStore>> {
        Some(Arc::clone(&self.blobs.store))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.rename_account(from, to)
            .map_err(self.error("rename an account"))
    }
}
