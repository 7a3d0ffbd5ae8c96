//! Changing a whole record without a lock, unless others are faster all the time.

use std::io;

use crate::record::{SessionRecord, check};

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
    check(&record)?;
    Ok(Some(record))
}
