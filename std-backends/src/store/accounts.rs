//! What a kind of store does with the accounts in it.

use std::io;
use std::sync::Arc;

use super::Report;
use crate::address::Address;
use crate::backend::SessionBackend;
#[cfg(feature = "seal")]
use crate::backends::file::Reforming;
use crate::blob::BlobStore;
#[cfg(feature = "seal")]
use crate::error::unsupported;
use crate::shown::Shown;

/// The accounts of a store.
pub(super) trait Accounts: Send + Sync {
    /// Looks whether it can be such a store. False: nothing is there.
    fn look(&self) -> io::Result<bool>;

    /// A handle on an account, after a look at what is there.
    fn backend(&self, name: &str) -> io::Result<Arc<dyn SessionBackend>>;

    /// The names, in order.
    fn names(&self) -> io::Result<Vec<String>>;

    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Copies the store as one file; false where that is not how it is kept.
    fn back_up(&self, _to: &Address) -> io::Result<bool> {
        Ok(false)
    }

    /// Puts such a copy back.
    fn restore(&self, _from: &Address) -> io::Result<bool> {
        Ok(false)
    }

    /// Seals the store, seals it anew, or makes it a plain one.
    #[cfg(feature = "seal")]
    fn reform(&self, _reforming: Reforming<'_>) -> io::Result<()> {
        let message =
            "this kind of store cannot be sealed yet: session files and directories of them can";
        Err(unsupported(message.to_owned()))
    }

    /// Where they are, if that is a store of blobs.
    fn blobs(&self) -> Option<Arc<dyn BlobStore>> {
        None
    }

    /// Reads everything.
    fn verify(&self) -> io::Result<Report> {
        let mut report = Report::default();
        for name in self.names()? {
            report.accounts = report.accounts.saturating_add(1);
            if let Err(error) = self.backend(&name).and_then(|backend| backend.read()) {
                let problem = format!("account {}: {error}", Shown(&name));
                report.problems.push(problem);
            }
        }
        Ok(report)
    }
}

/// There is no such account.
pub(super) fn absent(name: &str) -> io::Error {
    let message = format!("there is no account named {name:?}");
    io::Error::new(io::ErrorKind::NotFound, message)
}

/// There is such an account already.
pub(super) fn exists(name: &str) -> io::Error {
    let message = format!("there is an account named {name:?}");
    io::Error::new(io::ErrorKind::AlreadyExists, message)
}
