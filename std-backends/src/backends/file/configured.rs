//! Session files with options.

use std::path::Path;

use super::backend::BinaryFileBackend;
use super::snapshot::Fsync;
use crate::flush::FlushPolicy;
use crate::store::StoreOptions;

impl BinaryFileBackend {
    /// The same with options, which were checked.
    pub(crate) fn configured(path: &Path, options: &StoreOptions) -> Self {
        let mut backend = Self::new(path);
        let flush = options.flush.unwrap_or_default();
        backend.journal_sync = flush;
        if flush == FlushPolicy::Never {
            backend.settings.fsync = Fsync::No;
        }
        if let Some(deadline) = options.deadline {
            backend.settings.lock_timeout = deadline;
        }
        backend.seal = options.sealing();
        backend
    }

    /// The same in a directory that the first write makes.
    pub(crate) fn in_directory_of_store(mut self) -> Self {
        self.makes_directory = true;
        self
    }
}
