//! A libSQL server, perhaps with a local copy of its accounts.

use std::io;
use std::sync::Arc;

use super::StoreOptions;
use super::accounts::Accounts;
use crate::address::DEFAULT_ACCOUNT;
use crate::backend::SessionBackend;
use crate::backends::sql::LibSqlBackend;

pub(super) struct Server {
    url: String,
    options: StoreOptions,
    /// For what is about the whole server.
    manager: LibSqlBackend,
}

impl Server {
    pub(super) fn new(url: &str, options: &StoreOptions) -> io::Result<Self> {
        Ok(Self {
            url: url.to_owned(),
            options: options.clone(),
            manager: LibSqlBackend::server(url, DEFAULT_ACCOUNT, options)?,
        })
    }
}

impl Accounts for Server {
    /// A replica is of use without its server.
    fn look(&self) -> io::Result<bool> {
        if self.options.replica.is_none() || !self.options.may_create() {
            self.manager.look()?;
        }
        Ok(self.options.may_create() || !self.names()?.is_empty())
    }

    fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        if let Some(path) = &self.options.replica {
            let replica = LibSqlBackend::replica(path, &self.url, name, &self.options)?;
            return Ok(Arc::new(replica));
        }
        let backend = LibSqlBackend::server(&self.url, name, &self.options)?;
        backend.look()?;
        Ok(Arc::new(backend))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        self.manager.names()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.manager.rename(from, to)
    }
}
