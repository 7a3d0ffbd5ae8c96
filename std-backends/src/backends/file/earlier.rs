//! Names of earlier examples. [`StoreOptions`](crate::StoreOptions) has all that they do.

use core::time::Duration;

use super::backend::BinaryFileBackend;
use super::snapshot::Fsync;
use crate::flush::FlushPolicy;

impl BinaryFileBackend {
    /// Chooses when journaled changes are flushed to the disk.
    #[doc(hidden)]
    #[must_use]
    pub fn with_journal_sync(mut self, journal_sync: FlushPolicy) -> Self {
        self.journal_sync = journal_sync;
        self
    }

    /// Never flushes to the disk, as `ferogram-session` never did: for sessions in memory-backed
    /// directories and for comparisons. A power cut can then lose the session.
    #[doc(hidden)]
    #[must_use]
    pub fn without_fsync(mut self) -> Self {
        self.settings.fsync = Fsync::No;
        self
    }

    /// Chooses how long a lock that another process holds is waited for, 5 seconds by default. A write
    /// that does not get it is an error of the kind `TimedOut` that names that process; reading goes
    /// on without it.
    #[doc(hidden)]
    #[must_use]
    pub fn with_lock_timeout(mut self, timeout: Duration) -> Self {
        self.settings.lock_timeout = timeout;
        self
    }
}
