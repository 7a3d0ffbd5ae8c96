//! A session file: a store with one account.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StoreOptions;
use super::accounts::Accounts;
use crate::address::DEFAULT_ACCOUNT;
#[cfg(feature = "seal")]
use crate::address::{Address, Location, is_like_a_database};
use crate::backend::SessionBackend;
use crate::backends::file::BinaryFileBackend;
#[cfg(feature = "seal")]
use crate::backends::file::Reforming;
use crate::error::{StoreError, unsupported};

pub(super) struct OneFile {
    path: PathBuf,
    options: StoreOptions,
}

impl OneFile {
    pub(super) fn new(path: &Path, options: &StoreOptions) -> Self {
        Self {
            path: path.to_owned(),
            options: options.clone(),
        }
    }

    fn file(&self) -> BinaryFileBackend {
        BinaryFileBackend::configured(&self.path, &self.options)
    }
}

impl Accounts for OneFile {
    fn look(&self) -> io::Result<bool> {
        Ok(self.file().status()?.is_some())
    }

    fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>> {
        if name != DEFAULT_ACCOUNT {
            let message = format!(
                "a session file has one account, `{DEFAULT_ACCOUNT}`: a directory (dir:) or a database has more"
            );
            let error = io::Error::new(io::ErrorKind::InvalidInput, message);
            return Err(StoreError::io(
                "store",
                self.path.display().to_string(),
                "open",
                error,
            ));
        }
        Ok(Arc::new(self.file()))
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let is_there = self.look()?;
        Ok(is_there
            .then(|| DEFAULT_ACCOUNT.to_owned())
            .into_iter()
            .collect())
    }

    #[cfg(feature = "seal")]
    fn back_up(&self, to: &Address) -> io::Result<bool> {
        match to.location() {
            Location::Path(to) if !self.options.keys.is_empty() && !is_like_a_database(to) => {
                self.file().copy_sealed(to)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    #[cfg(feature = "seal")]
    fn reform(&self, reforming: Reforming<'_>) -> io::Result<()> {
        self.file()
            .reform(reforming, &self.options.sealing_of_store())
    }

    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        let error =
            unsupported("a session file has one account, which has no other name".to_owned());
        Err(StoreError::io(
            "store",
            self.path.display().to_string(),
            "rename an account",
            error,
        ))
    }
}
