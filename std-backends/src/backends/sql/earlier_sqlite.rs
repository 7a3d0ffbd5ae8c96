//! Names of an earlier release.

use std::io;
use std::path::PathBuf;

use super::sqlite::{Options, SqliteBackend};
use crate::store::StoreOptions;

impl SqliteBackend {
    /// Like [`open`](Self::open), but looks at the file when it is first used.
    #[doc(hidden)]
    #[deprecated(note = "use `connect(\"sqlite:FILE\")` or `SqliteBackend::open`")]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self::with_options(Options::at(Some(path.into())))
    }

    /// Opens one account of many.
    ///
    /// # Errors
    /// As [`open`](Self::open); `InvalidInput` for an empty name.
    #[doc(hidden)]
    #[deprecated(note = "use `connect(\"sqlite:FILE#NAME\")` or `Store::backend`")]
    pub fn open_account(path: impl Into<PathBuf>, name: &str) -> io::Result<Self> {
        let backend = Self::configured(&path.into(), name, &StoreOptions::new())?;
        backend.look()?;
        Ok(backend)
    }
}
