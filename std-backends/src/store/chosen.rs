//! What of the options was chosen, and whether a store honours it.

use std::io;
use std::sync::Arc;

use super::StoreOptions;
use super::honoured::Honours;
use crate::address::{Address, AddressOption, Meaning};
use crate::error::StoreError;
use crate::flush::FlushPolicy;
use crate::owner::Owner;
#[cfg(feature = "seal")]
use crate::seal::Keys;
use crate::seal::Sealing;

impl StoreOptions {
    /// Adds what the address says.
    pub(super) fn with_options_of(mut self, address: &Address) -> io::Result<Self> {
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
            Meaning::Endpoint(url) => self.endpoint = Some(url),
            Meaning::Region(name) => self.region = Some(name),
            Meaning::Own(name) => {
                let owner = Owner::current();
                self.own = Some(match name {
                    Some(name) => owner.named(&name),
                    None => owner,
                });
            }
            Meaning::Label(label) => self.label = Some(label),
            Meaning::Limits(limits) => self.limits = Some(limits),
            Meaning::Every(time) => self.every = Some(time),
            Meaning::MemoryBudget(bytes) => self.memory_budget = Some(bytes),
            Meaning::Replicas(number) => self.replicas = Some(number),
            Meaning::WipeOnFold => self.wipe_on_fold = true,
            Meaning::AcceptRollback => self.accept_rollback = true,
            Meaning::KeyFile(path) => {
                self.named.push(option.name);
                self.key_files.push(path.into());
            }
            Meaning::Anchor(path) => self.set_anchor(option.name, path),
            Meaning::Named => self.named.push(option.name),
        }
    }

    /// Refuses what the store does not honour.
    pub(crate) fn check(&self, address: &Address, honours: Honours) -> io::Result<()> {
        let refuse = |message: String| {
            let error = io::Error::new(io::ErrorKind::Unsupported, message);
            Err(StoreError::io("store", address.to_string(), "open", error))
        };
        let unknown = self
            .given()
            .into_iter()
            .find(|name| !honours.contains(name));
        let store = honours.store();
        match unknown {
            Some(name) if is_of_sealing(name) && cfg!(not(feature = "seal")) => refuse(format!(
                "the option `{name}` is about sealed stores: enable the feature `seal` of mtsession"
            )),
            Some(name) if Honours::is_anywhere(name) => {
                refuse(format!("{store} has no option `{name}`"))
            }
            Some(name) => refuse(format!(
                "{store} has no option `{name}`, and no other store of this release has it: leave it out, or \
                 use a release that has it"
            )),
            None if self.flush == Some(FlushPolicy::Never) && !honours.can_flush_never() => refuse(
                format!("{store} cannot go without the option `flush`: it is not `Never` there"),
            ),
            None => Ok(()),
        }
    }

    /// The names of the options that were chosen.
    pub(super) fn given(&self) -> Vec<&'static str> {
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
            ("endpoint", self.endpoint.is_some()),
            ("region", self.region.is_some()),
            #[cfg(feature = "libsql-remote")]
            ("requests", self.requests.is_some()),
            ("key", !self.keys.is_empty()),
            ("anchor", self.anchor.is_some()),
            ("label", self.label.is_some()),
            ("own", self.own.is_some()),
            ("limits", self.limits.is_some()),
            ("every", self.every.is_some()),
            ("memory_budget", self.memory_budget.is_some()),
            ("replicas", self.replicas.is_some()),
            ("wipe_on_fold", self.wipe_on_fold),
            ("accept_rollback", self.accept_rollback),
        ];
        let given = given.into_iter().filter(|(_, is_given)| *is_given);
        let given = given.map(|(name, _)| name);
        given.chain(self.named.iter().copied()).collect()
    }

    #[cfg(feature = "seal")]
    fn set_anchor(&mut self, _: &'static str, path: String) {
        self.anchor = Some(Arc::new(crate::seal::FileAnchor::new(path)));
    }

    #[cfg(not(feature = "seal"))]
    fn set_anchor(&mut self, name: &'static str, _: String) {
        self.named.push(name);
    }

    /// The same with the keys in the files that the address names.
    #[cfg(feature = "seal")]
    pub(super) fn with_key_files(&self) -> io::Result<Self> {
        let mut options = self.clone();
        for path in options.key_files.drain(..) {
            options
                .keys
                .push(Arc::new(crate::seal::Key::from_file(path)?));
        }
        Ok(options)
    }

    #[cfg(not(feature = "seal"))]
    #[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
    pub(super) fn with_key_files(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    /// The keys of a store for a copy of it, unless the address of the copy says which it has.
    #[cfg(feature = "seal")]
    pub(super) fn of_copy(&self, copy: &Address) -> io::Result<Self> {
        let mut options = Self::new();
        if !copy.names_a_key() {
            let known = self.with_key_files()?;
            options.keys = known.keys;
            options.label = known.label;
        }
        Ok(options)
    }

    #[cfg(not(feature = "seal"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "as with the feature"
    )]
    pub(super) fn of_copy(&self, _: &Address) -> io::Result<Self> {
        Ok(Self::new())
    }

    /// What opens the store, where a key was given.
    #[cfg(feature = "seal")]
    pub(crate) fn sealing(&self) -> Option<Arc<Sealing>> {
        (!self.keys.is_empty()).then(|| Arc::new(self.sealing_of_store()))
    }

    #[cfg(not(feature = "seal"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    pub(crate) const fn sealing(&self) -> Option<Arc<Sealing>> {
        None
    }

    /// The same, perhaps without any key.
    #[cfg(feature = "seal")]
    pub(super) fn sealing_of_store(&self) -> Sealing {
        Sealing::new(Keys {
            sources: self.keys.clone(),
            label: self.label.clone(),
            anchor: self.anchor.clone(),
            accept_rollback: self.accept_rollback,
        })
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

/// Whether an option makes sense for sealed stores alone.
fn is_of_sealing(option: &str) -> bool {
    [
        "key",
        "key_file",
        "keyring",
        "label",
        "anchor",
        "accept_rollback",
    ]
    .contains(&option)
}
