//! Numbers that nothing else has.

use core::hash::{BuildHasher as _, Hash as _, Hasher as _};
use core::sync::atomic::{AtomicU64, Ordering};

/// A number that no other call gives, nor one of another process, also if that was forked from this one: the
/// standard library seeds its hashers from the operating system once in a thread, and the hash of that seed is as
/// unpredictable.
pub(crate) fn unique_number() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let mut hasher = std::hash::RandomState::new().build_hasher();
    std::process::id().hash(&mut hasher);
    COUNT.fetch_add(1, Ordering::Relaxed).hash(&mut hasher);
    std::time::SystemTime::now().hash(&mut hasher);
    hasher.finish()
}
