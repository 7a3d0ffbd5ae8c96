//! How much of the accounts of a store is kept in memory: what was used longest ago goes first.

use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use crate::sync::lock;

/// Something that keeps in memory what it could read again.
pub(super) trait KeepsInMemory: Send {
    /// How many bytes it keeps, about.
    fn kept(&self) -> usize;

    /// Keeps none of it any more, unless it is needed just now.
    fn keep_nothing(&mut self);
}

/// What the accounts of a store may use together.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: usize,
    users: Mutex<Users>,
}

#[derive(Debug, Default)]
struct Users {
    /// What all of them keep.
    kept: usize,
    last: u64,
    /// Who keeps how much, in the order of use.
    by_use: BTreeMap<u64, (Weak<dyn Evict>, usize)>,
}

/// A user whose memory is wanted for others.
trait Evict: Send + Sync + core::fmt::Debug {
    fn evict(&self);
}

struct Place<T>(Mutex<T>);

impl<T> core::fmt::Debug for Place<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

impl<T: KeepsInMemory> Evict for Place<T> {
    fn evict(&self) {
        // One that is in use says itself what it keeps when that ends.
        if let Ok(mut user) = self.0.try_lock() {
            user.keep_nothing();
        }
    }
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            bytes,
            users: Mutex::default(),
        })
    }

    /// Notes that a user has been used and keeps so much now. Others make room for it; false where that is
    /// not enough.
    fn note(&self, last_use: &AtomicU64, user: &Weak<dyn Evict>, kept: usize) -> bool {
        let mut evicted = Vec::new();
        {
            let mut users = lock(&self.users);
            users.forget(last_use.swap(0, Ordering::Relaxed));
            if kept > self.bytes {
                return false;
            }
            if kept > 0 {
                users.last = users.last.wrapping_add(1);
                let at = users.last;
                last_use.store(at, Ordering::Relaxed);
                users.by_use.insert(at, (Weak::clone(user), kept));
                users.kept = users.kept.saturating_add(kept);
            }
            while users.kept > self.bytes
                && let Some((_, (other, kept))) = users.by_use.pop_first()
            {
                users.kept = users.kept.saturating_sub(kept);
                evicted.push(other);
            }
        }
        for other in evicted.iter().filter_map(Weak::upgrade) {
            other.evict();
        }
        true
    }
}

impl Users {
    fn forget(&mut self, use_: u64) {
        if let Some((_, kept)) = self.by_use.remove(&use_) {
            self.kept = self.kept.saturating_sub(kept);
        }
    }
}

/// A user within a budget, if there is one.
pub(super) struct Budgeted<T: KeepsInMemory + 'static> {
    place: Arc<Place<T>>,
    budget: Option<Arc<Budget>>,
    /// The last use that the budget knows of; 0 for none.
    last_use: AtomicU64,
}

impl<T: KeepsInMemory + 'static> Budgeted<T> {
    pub(super) fn new(user: T) -> Self {
        Self {
            place: Arc::new(Place(Mutex::new(user))),
            budget: None,
            last_use: AtomicU64::new(0),
        }
    }

    /// The same within a budget.
    pub(super) fn within(mut self, budget: Option<Arc<Budget>>) -> Self {
        self.budget = budget;
        self
    }

    /// Lends it to one thread at a time.
    pub(super) fn lock(&self) -> Lent<'_, T> {
        Lent {
            user: lock(&self.place.0),
            of: self,
        }
    }
}

impl<T: KeepsInMemory + 'static> Drop for Budgeted<T> {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            lock(&budget.users).forget(*self.last_use.get_mut());
        }
    }
}

/// One that is lent; the budget learns what it keeps when that ends.
pub(super) struct Lent<'b, T: KeepsInMemory + 'static> {
    user: MutexGuard<'b, T>,
    of: &'b Budgeted<T>,
}

impl<T: KeepsInMemory> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.user
    }
}

impl<T: KeepsInMemory> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.user
    }
}

impl<T: KeepsInMemory> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        let Some(budget) = &self.of.budget else {
            return;
        };
        let place: Weak<Place<T>> = Arc::downgrade(&self.of.place);
        let place: Weak<dyn Evict> = place;
        if !budget.note(&self.of.last_use, &place, self.user.kept()) {
            self.user.keep_nothing();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

    use super::*;

    struct Kept(usize);

    impl KeepsInMemory for Kept {
        fn kept(&self) -> usize {
            self.0
        }

        fn keep_nothing(&mut self) {
            self.0 = 0;
        }
    }

    fn use_with(user: &Budgeted<Kept>, kept: usize) {
        user.lock().0 = kept;
    }

    fn kept(user: &Budgeted<Kept>) -> usize {
        lock(&user.place.0).0
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let budget = Budget::new(100);
        let users: Vec<_> = (0..4)
            .map(|_| Budgeted::new(Kept(0)).within(Some(Arc::clone(&budget))))
            .collect();
        let [a, b, c, d] = users.as_slice() else {
            panic!("four users");
        };
        for user in [a, b, c] {
            use_with(user, 30);
        }
        drop(a.lock());
        use_with(d, 30);
        assert_eq!([a, b, c, d].map(kept), [30, 0, 30, 30]);
        // One that grows beyond all of it keeps nothing itself, and others what they have.
        use_with(c, 101);
        assert_eq!([a, b, c, d].map(kept), [30, 0, 0, 30]);
        use_with(b, 90);
        assert_eq!([a, b, c, d].map(kept), [0, 90, 0, 0]);
        drop(users);
        assert_eq!(lock(&budget.users).kept, 0);
    }

    #[test]
    fn one_that_is_in_use_is_left_alone() {
        let budget = Budget::new(100);
        let one = Budgeted::new(Kept(0)).within(Some(Arc::clone(&budget)));
        let other = Budgeted::new(Kept(0)).within(Some(Arc::clone(&budget)));
        use_with(&one, 80);
        let lent = one.lock();
        use_with(&other, 60);
        assert_eq!(lent.0, 80);
        drop(lent);
        // The last one to be used stays.
        assert_eq!([&one, &other].map(kept), [80, 0]);
    }
}
