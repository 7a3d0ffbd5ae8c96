//! A name of an earlier release.

use super::backend::BinaryFileBackend;
use crate::flush::FlushPolicy;

impl BinaryFileBackend {
    /// Chooses when journaled changes are flushed to the disk.
    #[doc(hidden)]
    #[deprecated(note = "use `StoreOptions::new().flush(policy).connect(path)`")]
    #[must_use]
    pub fn with_journal_sync(mut self, journal_sync: FlushPolicy) -> Self {
        self.journal_sync = journal_sync;
        self
    }

    /// Never flushes to the disk: for tests in memory-backed directories.
    #[cfg(test)]
    pub(crate) fn without_fsync(mut self) -> Self {
        self.settings.fsync = super::snapshot::Fsync::No;
        self
    }
}
