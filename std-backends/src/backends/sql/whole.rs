//! The whole record of an account: read with its names, replaced if nobody else changed it.

use core::cell::Cell;
use core::time::Duration;
use std::io;
use std::sync::Mutex;
use std::time::Instant;

use mtsession_core::SessionSource as _;

use super::connection::Durability;
use super::contended::contended;
use super::store::SqlStore;
use super::{names, plan};
use crate::backends::optimistic::{self, RecordChange, Updated};
use crate::record::{Sections, SessionRecord, check};
use crate::sync::lock;
use crate::unique::unique_number;

/// How often an account that others change is read again together with its names.
const READS: usize = 10;

/// How long `update` lets others go first after it has lost against them, where there is no lock.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(64);

/// How often a copy of a server's account is made equal to it again because others keep writing.
#[cfg(feature = "libsql-remote")]
const ATTEMPTS: usize = 1_000;

impl SqlStore {
    /// Everything that is stored, or `None` when there is nothing.
    pub(super) fn read(&mut self) -> io::Result<Option<SessionRecord>> {
        let (record, _) = self.read_record()?;
        self.has_told(record.is_some());
        Ok(record)
    }

    /// Keeps all other writers out until the next write or [`unlock`](Self::unlock); false where that cannot
    /// be done, or there is nothing of ours yet.
    pub(super) fn lock(&mut self) -> io::Result<bool> {
        let is_locked = self
            .forget_on_error(|store| Ok(store.connection.is_ours()? && store.connection.lock()?))?;
        self.is_locked = is_locked;
        Ok(is_locked)
    }

    /// Lets other writers in again, if they were kept out.
    pub(super) fn unlock(&mut self) {
        self.is_locked = false;
        self.connection.unlock();
    }

    /// Everything that is stored of the account, and what [`replace_read`](Self::replace_read) takes.
    pub(super) fn read_record(&mut self) -> io::Result<(Option<SessionRecord>, u64)> {
        for _ in 0..READS {
            let Some(mut record) = self.current()?.clone() else {
                return Ok((None, self.stamp()));
            };
            if let Some(names) = self.names_of_known()? {
                record.set_peer_names(&names)?;
                return Ok((Some(record), self.stamp()));
            }
            self.known = None;
        }
        Err(contended())
    }

    /// Stores a record in place of the one that was read, unless somebody has changed it since; says whether
    /// it did.
    pub(super) fn replace_read(&mut self, record: &SessionRecord, stamp: u64) -> io::Result<bool> {
        check(record)?;
        self.as_owner(|store| store.forget_on_error(|store| store.replace_checked(record, stamp)))
    }

    fn replace_checked(&mut self, record: &SessionRecord, stamp: u64) -> io::Result<bool> {
        if self.stamp() != stamp {
            return Ok(false);
        }
        let account = self.account_name().to_owned();
        // Makes the tables; what was read is still known then, unless there was nothing or it was another
        // release's.
        self.prepare()?;
        let Some(known) = &self.known else {
            return Ok(false);
        };
        let mut statements = plan::replace(&account, known.as_ref(), record);
        let has_new_names = record.changed().contains(Sections::NAMES)
            && (self.has_names() || !record.names().is_empty());
        if has_new_names {
            statements.extend(names::replace(&account, &record.peer_names()));
        } else if self.has_names() {
            statements.push(names::drop_orphans(&account));
        }
        let is_done = self.write_if_unchanged(statements, Durability::Now)?;
        // What was written has a new revision.
        self.known = None;
        Ok(is_done)
    }

    /// Stores a record in place of whatever there is, names included, unless it is the same.
    #[cfg(feature = "libsql-remote")]
    pub(super) fn replace_all(&mut self, record: &SessionRecord) -> io::Result<()> {
        for _ in 0..ATTEMPTS {
            let (read, stamp) = self.read_record()?;
            if read.as_ref() == Some(record) || self.replace_read(&record.clone(), stamp)? {
                return Ok(());
            }
        }
        Err(contended())
    }
}

/// A backend on one account, as [`update`] needs it.
pub(super) trait Whole {
    /// Held by every writer of this backend, before the store itself.
    fn turn(&self) -> &Mutex<()>;

    /// Everything that is stored, and what [`store_whole`](Self::store_whole) takes to store only what was
    /// read.
    fn read_whole(&self) -> io::Result<(Option<SessionRecord>, u64)>;

    /// Stores a record, unless somebody else has changed the account since it was read; says whether it did.
    fn store_whole(&self, record: &SessionRecord, stamp: u64) -> io::Result<bool>;

    /// Lends the store.
    fn with_locks<R>(&self, call: impl FnOnce(&mut SqlStore) -> io::Result<R>) -> io::Result<R>;

    /// How long others are waited for.
    fn patience(&self) -> Duration;

    /// Others were faster for all of that time.
    fn give_up(&self) -> io::Error;
}

/// `update` of an account: without a lock as long as that works, then with the lock of the database, if it has
/// one, while the caller's code runs. Reads through the same backend go on meanwhile.
pub(super) fn update(backend: &impl Whole, change: &mut RecordChange<'_>) -> io::Result<()> {
    let until = Instant::now().checked_add(backend.patience());
    let mut pause = FIRST_PAUSE;
    loop {
        if attempts(backend, change)? == Updated::Done {
            return Ok(());
        }
        if attempt_alone(backend, change)? == Updated::Done {
            return Ok(());
        }
        if until.is_none_or(|until| Instant::now() >= until) {
            return Err(backend.give_up());
        }
        std::thread::sleep(pause.mul_f64(part_of_pause()));
        pause = LONGEST_PAUSE.min(pause.saturating_mul(2));
    }
}

/// Attempts that each store what they made if nobody was faster.
fn attempts(backend: &impl Whole, change: &mut RecordChange<'_>) -> io::Result<Updated> {
    let stamp = Cell::new(0);
    let read = || {
        let (record, read_at) = backend.read_whole()?;
        stamp.set(read_at);
        Ok(record)
    };
    let store = |_: Option<&SessionRecord>, record| {
        let _turn = lock(backend.turn());
        backend.store_whole(&record, stamp.get())
    };
    optimistic::update(change, read, store)
}

/// One attempt during which nobody else writes; lost where that cannot be had.
fn attempt_alone(backend: &impl Whole, change: &mut RecordChange<'_>) -> io::Result<Updated> {
    let _turn = lock(backend.turn());
    if !backend.with_locks(SqlStore::lock)? {
        return Ok(Updated::Lost);
    }
    let _unlocked_at_the_end = Locked(backend);
    let (before, stamp) = backend.read_whole()?;
    let Some(record) = optimistic::changed(before, change)? else {
        return Ok(Updated::Done);
    };
    // Not stored where another file took the place of the database.
    Ok(if backend.store_whole(&record, stamp)? {
        Updated::Done
    } else {
        Updated::Lost
    })
}

/// Lets other writers in again, also after a panic of the caller's code.
struct Locked<'b, B: Whole>(&'b B);

impl<B: Whole> Drop for Locked<'_, B> {
    fn drop(&mut self) {
        let unlocked = self.0.with_locks(|store| {
            store.unlock();
            Ok(())
        });
        debug_assert!(unlocked.is_ok(), "ending a transaction does not fail");
    }
}

/// A part of a pause between a half and all of it, so that those who lost together do not meet again.
fn part_of_pause() -> f64 {
    let [byte, ..] = unique_number().to_le_bytes();
    f64::from(byte).mul_add(0.5 / 255.0, 0.5)
}
