//! An account on a server with a local copy to read from.

use std::io;

use mtsession_core::{Change, SessionSource};

use super::remote::{Fate, RemoteError};
use super::store::SqlStore;
use crate::drop_in::session::PersistedSession;
use crate::event::{self, Event};
use crate::record::{SessionHead, SessionRecord};

/// Writes go to the server first, reads come from the copy.
pub(super) struct Replica {
    primary: SqlStore,
    copy: SqlStore,
    /// The server has something that could not be written to the copy.
    is_behind: bool,
}

impl Replica {
    /// Synchronises, if the server can be reached or there is nothing yet to read.
    pub(super) fn open(primary: SqlStore, copy: SqlStore) -> io::Result<Self> {
        let mut replica = Self {
            primary,
            copy,
            is_behind: false,
        };
        replica.primary.start_call();
        match replica.sync() {
            Err(error) if !has_refused(&error) && replica.copy.current()?.is_some() => {
                event::emit(|| Event::Offline {
                    error: error.to_string(),
                });
                Ok(replica)
            }
            synced => synced.map(|()| replica),
        }
    }

    pub(super) fn primary(&mut self) -> &mut SqlStore {
        &mut self.primary
    }

    /// The copy, after what it may have missed was fetched.
    pub(super) fn copy(&mut self) -> io::Result<&mut SqlStore> {
        if self.is_behind {
            self.sync()?;
        }
        Ok(&mut self.copy)
    }

    /// The session of the copy.
    pub(super) fn load(&mut self) -> io::Result<Option<PersistedSession>> {
        let loaded = self.copy()?.load()?;
        self.primary.has_told(loaded.is_some());
        Ok(loaded)
    }

    /// Everything that the copy has.
    pub(super) fn read(&mut self) -> io::Result<Option<SessionRecord>> {
        let record = self.copy()?.read()?;
        self.primary.has_told(record.is_some());
        Ok(record)
    }

    /// The head of the copy.
    pub(super) fn head(&mut self) -> io::Result<Option<SessionHead>> {
        let head = self.copy()?.head()?;
        self.primary.has_told(head.is_some());
        Ok(head)
    }

    /// Makes the copy equal to what the server has. Nothing is changed in it before that is known: by a
    /// read that was carried out whole.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        let (record, _) = self.primary.read_record()?;
        match record {
            None => self.copy.delete()?,
            Some(record) => self.copy.replace_all(&record)?,
        }
        self.is_behind = false;
        Ok(())
    }

    pub(super) fn save(&mut self, session: &impl SessionSource) -> io::Result<()> {
        self.write(|store| store.save(session))
    }

    pub(super) fn apply(&mut self, changes: &[Change<'_>]) -> io::Result<()> {
        self.write(|store| store.apply(changes))
    }

    /// Stores a record in place of the one that was read from the server; see
    /// [`SqlStore::replace_read`].
    pub(super) fn replace_read(&mut self, record: &SessionRecord, stamp: u64) -> io::Result<bool> {
        let is_stored = self.on_server(|primary| primary.replace_read(record, stamp))?;
        if is_stored && (self.is_behind || self.copy.replace_all(record).is_err()) {
            self.is_behind = true;
            let _ = self.sync();
        }
        Ok(is_stored)
    }

    pub(super) fn delete(&mut self) -> io::Result<()> {
        self.write(SqlStore::delete)
    }

    fn write(&mut self, write: impl Fn(&mut SqlStore) -> io::Result<()>) -> io::Result<()> {
        self.on_server(&write)?;
        // The server has it, which is what counts; the next read tries again to get it.
        if self.is_behind || write(&mut self.copy).is_err() {
            self.is_behind = true;
            let _ = self.sync();
        }
        Ok(())
    }
}

impl Replica {
    /// Writes to the server.
    fn on_server<R>(&mut self, write: impl Fn(&mut SqlStore) -> io::Result<R>) -> io::Result<R> {
        write(&mut self.primary).map_err(|error| {
            let Some(cause) = RemoteError::of(&error) else {
                return error;
            };
            // It may have been stored, or may still be; the next read asks.
            self.is_behind |= matches!(cause.fate(), Fate::Unknown | Fate::Stored);
            if !cause.is_offline() {
                return error;
            }
            let message = cause.message();
            let cause = cause.reworded(
                cause.fate(),
                format_args!("the replica takes no writes without its server: {message}"),
            );
            io::Error::new(error.kind(), cause)
        })
    }
}

/// Whether the server said no, or something else is wrong than that it could not be asked.
fn has_refused(error: &io::Error) -> bool {
    RemoteError::of(error).is_none_or(RemoteError::is_refusal)
}
