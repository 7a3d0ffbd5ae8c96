//! What an owner holds.

use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::sync::lock;

/// How long before the end of its lease a client has disconnected, and how long after it the next one waits.
pub(crate) const MARGIN: Duration = Duration::from_secs(5);

type Release = Box<dyn FnOnce() -> io::Result<()> + Send + Sync>;

/// A session that this process owns, until this is dropped or [released](Self::release).
///
/// The handle that it was asked of may write meanwhile, and no other one. A session file is free again at once
/// where the process ends in any way, since the system gives up its lock; a child process that was forked and has
/// not executed another program keeps it.
#[must_use = "the session is owned until this is dropped"]
pub struct Ownership {
    lease: Lease,
    release: Option<Release>,
}

impl Ownership {
    /// What a store of one's own gives: `release` is called once, at the end.
    pub fn new(
        lease: Lease,
        release: impl FnOnce() -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            lease,
            release: Some(Box::new(release)),
        }
    }

    /// Until when it is owned for certain.
    #[must_use]
    pub fn lease(&self) -> Lease {
        self.lease.clone()
    }

    /// Gives the session free, and says whether the store was told.
    ///
    /// # Errors
    /// What the store gives; the session is free when its lease has run out, or when the process ends.
    pub fn release(mut self) -> io::Result<()> {
        self.release.take().map_or(Ok(()), |release| release())
    }
}

impl Drop for Ownership {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // Who wants to know calls `release`.
            let _ = release();
        }
    }
}

impl fmt::Debug for Ownership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ownership")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

/// Until when a session is owned for certain: a client disconnects before that.
///
/// Clones tell the same.
#[derive(Clone, Debug)]
pub struct Lease(Arc<Term>);

#[derive(Debug)]
struct Term {
    /// `None` where a lock of the system decides.
    end: Option<Mutex<End>>,
    is_lost: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct End(Duration);

impl Lease {
    /// A lock of the system decides, for as long as the process lives.
    #[must_use]
    pub fn of_lock() -> Self {
        Self::with(None)
    }

    /// Until so long after now, unless it is [extended](Self::extend).
    #[must_use]
    pub fn of_time(length: Duration) -> Self {
        Self::with(Some(Mutex::new(End(clock().saturating_add(length)))))
    }

    fn with(end: Option<Mutex<End>>) -> Self {
        Self(Arc::new(Term {
            end,
            is_lost: AtomicBool::new(false),
        }))
    }

    /// The end, if nothing is heard of the store before; `None` where a lock of the system decides.
    ///
    /// Time that the machine sleeps counts, where the system tells it: ask again after a wait.
    #[must_use]
    pub fn valid_until(&self) -> Option<Instant> {
        let End(end) = *lock(self.0.end.as_ref()?);
        let now = Instant::now();
        Some(match end.checked_sub(clock()) {
            Some(left) => now.checked_add(left).unwrap_or(now),
            None => now,
        })
    }

    /// Whether somebody else owns the session by now, as far as the store has said so.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.0.is_lost.load(Ordering::Acquire)
    }

    /// Whether the client must have disconnected by now: somebody else owns the session, or may in 5 seconds.
    /// Time that the machine sleeps counts, where the system tells it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let is_ending = |end: &Mutex<End>| lock(end).0 <= clock().saturating_add(MARGIN);
        self.is_lost() || self.0.end.as_ref().is_some_and(is_ending)
    }

    /// The store was asked at `asked`, by [`now`](Self::now), and has given it for so long from then on.
    pub fn extend(&self, asked: LeaseTime, length: Duration) {
        if let Some(end) = &self.0.end {
            let mut end = lock(end);
            end.0 = end.0.max(asked.0.saturating_add(length));
        }
    }

    /// Now, by the clock that leases are measured with.
    #[must_use]
    pub fn now() -> LeaseTime {
        LeaseTime(clock())
    }

    /// Somebody else owns the session.
    pub fn lose(&self) {
        self.0.is_lost.store(true, Ordering::Release);
    }
}

/// A moment on the clock of leases, which goes on while the machine sleeps.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTime(Duration);

/// Since the machine was started, sleep included.
#[cfg(target_os = "linux")]
fn clock() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let whole = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(whole, u32::try_from(now.tv_nsec).unwrap_or_default())
}

/// Since this process first asked.
#[cfg(not(target_os = "linux"))]
fn clock() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
