//! Numbers that nothing else has.

use core::hash::{BuildHasher as _, Hash as _, Hasher as _};
use core::sync::atomic::{AtomicU64, Ordering};

use mtsession_core::wire::FencingToken;

/// A number that no other call gives, also not one of a process that was forked from this one.
pub(crate) fn unique_number() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let mut hasher = std::hash::RandomState::new().build_hasher();
    std::process::id().hash(&mut hasher);
    COUNT.fetch_add(1, Ordering::Relaxed).hash(&mut hasher);
    std::time::SystemTime::now().hash(&mut hasher);
    hasher.finish()
}

/// The token of a new ownership. It is no secret: programs that write to a store can put any token there.
pub(crate) fn new() -> FencingToken {
    let both = [unique_number(), unique_number()].map(u64::to_le_bytes);
    let mut token = FencingToken::default();
    for (to, from) in token.iter_mut().zip(both.as_flattened()) {
        *to = *from;
    }
    token
}
