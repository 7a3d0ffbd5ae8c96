//! A store in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::accounts::{Accounts, absent, exists};
use crate::address::check_name;
use crate::backend::SessionBackend;
use crate::backends::memory::InMemoryBackend;
use crate::error::StoreError;
use crate::owner::refusal::owned;
use crate::sync::lock;

#[derive(Default)]
pub(super) struct Memory {
    accounts: Mutex<BTreeMap<String, InMemoryBackend>>,
}

impl Memory {
    fn error(action: &'static str) -> impl Fn(io::Error) -> io::Error {
        move |source| StoreError::io("store", "", action, source)
    }
}

impl Accounts for Memory {
    fn look(&self) -> io::Result<bool> {
        Ok(!lock(&self.accounts).is_empty())
    }

    fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        check_name(name).map_err(Self::error("open"))?;
        let mut accounts = lock(&self.accounts);
        let backend = accounts.entry(name.to_owned()).or_default();
        Ok(Arc::new(backend.another()))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let accounts = lock(&self.accounts);
        let there = accounts
            .iter()
            .filter(|(_, backend)| backend.snapshot().is_some());
        Ok(there.map(|(name, _)| name.clone()).collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let error = Self::error("rename an account");
        check_name(to).map_err(&error)?;
        let mut accounts = lock(&self.accounts);
        let is_there = |name| -> bool {
            accounts
                .get(name)
                .is_some_and(|backend| backend.snapshot().is_some())
        };
        if !is_there(from) {
            return Err(error(absent(from)));
        }
        if is_there(to) {
            return Err(error(exists(to)));
        }
        let owner = accounts.get(from).map_or(Ok(None), SessionBackend::owner)?;
        if let Some(by) = owner {
            return Err(error(owned(by)));
        }
        if let Some(backend) = accounts.remove(from) {
            accounts.insert(to.to_owned(), backend);
        }
        Ok(())
    }
}
