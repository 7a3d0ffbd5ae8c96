//! The whole record of an account: read with its names, replaced if nobody else changed it.

use core::cell::Cell;
use std::io;

use mtsession_core::{Change, SessionSource as _};

use super::connection::Durability;
use super::store::SqlStore;
use super::{names, plan};
use crate::backends::optimistic::{self, RecordChange, Updated};
use crate::record::{Sections, SessionRecord, check};

/// How often an account that others change is read again together with its names.
const READS: usize = 10;

/// How often `update` begins anew after it has lost against other writers; each time makes some attempts.
const UPDATE_ROUNDS: usize = 100;

/// How often a change that needs the whole record is made anew because others keep writing.
const ATTEMPTS: usize = 1_000;

impl SqlStore {
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
        self.forget_on_error(|store| store.replace_checked(record, stamp))
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

    /// Carries out changes that rows cannot be told one by one.
    pub(super) fn apply_by_replacing(&mut self, changes: &[Change<'_>]) -> io::Result<()> {
        for _ in 0..ATTEMPTS {
            let (read, stamp) = self.read_record()?;
            let mut record = SessionRecord::of_store(read);
            record.apply_all(changes)?;
            if self.replace_read(&record, stamp)? {
                return Ok(());
            }
        }
        Err(contended())
    }
}

/// `update` of an account. `read` also gives what `store` takes to store only what was read; [`Updated::Lost`]
/// when others were faster for a long time.
pub(super) fn update(
    change: &mut RecordChange<'_>,
    read: impl Fn() -> io::Result<(Option<SessionRecord>, u64)>,
    store: impl Fn(&SessionRecord, u64) -> io::Result<bool>,
) -> io::Result<Updated> {
    let stamp = Cell::new(0);
    for _ in 0..UPDATE_ROUNDS {
        let read = || {
            let (record, read_at) = read()?;
            stamp.set(read_at);
            Ok(record)
        };
        let store = |_: Option<&SessionRecord>, record| store(&record, stamp.get());
        if optimistic::update(change, read, store)? == Updated::Done {
            return Ok(Updated::Done);
        }
    }
    Ok(Updated::Lost)
}

/// Others were faster each time.
pub(super) fn contended() -> io::Error {
    io::Error::new(
        io::ErrorKind::WouldBlock,
        "others keep writing to the account; nothing was changed",
    )
}
