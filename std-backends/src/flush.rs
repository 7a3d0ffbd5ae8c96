//! When small changes are flushed to the disk.

use core::time::Duration;
use std::time::Instant;

/// When appended changes (counters and peers) are made safe against a power cut. Against a crash of
/// the process they are safe at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlushPolicy {
    /// With every change: one disk flush each.
    Each,
    /// With the first change after this time; a cut loses at most what was stored since then. Losing
    /// counters only means fetching those updates again, losing a peer means resolving it again.
    Within(Duration),
    /// Never, not even keys, as `ferogram-session` never did: for session files in memory-backed directories,
    /// and for comparisons. A power cut can then lose the session. Databases refuse it.
    Never,
}

impl Default for FlushPolicy {
    /// Within 30 seconds, which is also how long Linux keeps written data in memory.
    fn default() -> Self {
        Self::Within(Duration::from_secs(30))
    }
}

/// How long ago the last flush was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastFlush(Option<Instant>);

impl LastFlush {
    /// Whether a change that comes now is to be flushed. It stays so until a flush
    /// [succeeded](Self::is_now).
    pub(crate) fn is_due(&mut self, sync: FlushPolicy) -> bool {
        let bound = match sync {
            FlushPolicy::Each => return true,
            FlushPolicy::Never => return false,
            FlushPolicy::Within(bound) => bound,
        };
        let now = Instant::now();
        now.duration_since(*self.0.get_or_insert(now)) >= bound
    }

    /// To be called after a flush.
    pub(crate) fn is_now(&mut self) {
        self.0 = Some(Instant::now());
    }
}
