//! Changing a whole record without a lock, unless others are faster all the time.

use std::io;
use std::sync::Mutex;

use crate::error::StoreError;
use crate::record::{SessionRecord, check};
use crate::sync::lock;

/// How often a change loses against other writers before it is made under a lock.
const ATTEMPTS: usize = 8;

/// The change of a record that a caller gave to `update`.
pub(crate) type RecordChange<'c> = dyn FnMut(&mut SessionRecord) -> io::Result<()> + 'c;

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Updated {
    /// It is stored, or there was nothing to store.
    Done,
    /// Others were faster each time.
    Lost,
}

/// Makes `change` of what `read` gives and stores it with `store`, which says whether it did: not where the
/// store has something else than what was read by then.
pub(crate) fn update(
    change: &mut RecordChange<'_>,
    mut read: impl FnMut() -> io::Result<Option<SessionRecord>>,
    mut store: impl FnMut(Option<&SessionRecord>, SessionRecord) -> io::Result<bool>,
) -> io::Result<Updated> {
    for _ in 0..ATTEMPTS {
        let before = read()?;
        let Some(record) = changed(before.clone(), change)? else {
            return Ok(Updated::Done);
        };
        if store(before.as_ref(), record)? {
            return Ok(Updated::Done);
        }
    }
    Ok(Updated::Lost)
}

/// [`update`] of a store in this process, whose writers hold `turn`: the last attempt holds it while the
/// caller's code runs, which may still read.
pub(crate) fn update_in_turn(
    turn: &Mutex<()>,
    change: &mut RecordChange<'_>,
    read: impl Fn() -> io::Result<Option<SessionRecord>>,
    store: impl Fn(Option<&SessionRecord>, SessionRecord) -> io::Result<bool>,
) -> io::Result<()> {
    let store_in_turn = |before: Option<&SessionRecord>, record| {
        let _turn = lock(turn);
        store(before, record)
    };
    if update(change, &read, store_in_turn)? == Updated::Lost {
        let _turn = lock(turn);
        let before = read()?;
        if let Some(record) = changed(before.clone(), change)? {
            let is_stored = store(before.as_ref(), record)?;
            debug_assert!(is_stored, "nobody else writes out of turn");
        }
    }
    Ok(())
}

/// What `change` makes of a record; `None` where it leaves it untouched.
pub(crate) fn changed(
    before: Option<SessionRecord>,
    change: &mut RecordChange<'_>,
) -> io::Result<Option<SessionRecord>> {
    let mut record = SessionRecord::of_store(before);
    change(&mut record)?;
    if record.changed().is_empty() {
        return Ok(None);
    }
    check(&record).map_err(|error| StoreError::io("session", "", "store", error))?;
    Ok(Some(record))
}
