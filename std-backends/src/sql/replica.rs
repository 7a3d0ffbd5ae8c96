//! An account on a server with a local copy to read from.

use std::io;

use mtsession_core::{Change, SessionSource};

use super::store::SqlStore;
use crate::names::PeerNames;

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
        match replica.sync() {
            Err(error) if is_offline(&error) && replica.copy.current()?.is_some() => {
                #[cfg(feature = "tracing")]
                tracing::warn!(%error, "replica opened without its server");
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

    /// Makes the copy equal to what the server has.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        match self.primary.current()? {
            None => self.copy.delete()?,
            Some(stored) => {
                self.copy.save(stored)?;
                if self.copy.account()? != stored.account() {
                    self.copy.apply(&[Change::Account(stored.account())])?;
                }
            }
        }
        let names = self.primary.peer_names()?;
        if self.copy.peer_names()? != names {
            self.copy.set_peer_names(&names)?;
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

    pub(super) fn set_peer_names(&mut self, names: &[PeerNames]) -> io::Result<()> {
        self.write(|store| store.set_peer_names(names))
    }

    pub(super) fn delete(&mut self) -> io::Result<()> {
        self.write(SqlStore::delete)
    }

    fn write(&mut self, write: impl Fn(&mut SqlStore) -> io::Result<()>) -> io::Result<()> {
        if let Err(error) = write(&mut self.primary) {
            if !is_offline(&error) {
                return Err(error);
            }
            // It may have been stored; the next read asks.
            self.is_behind |= error.to_string().contains("unknown");
            let message = format!("the replica takes no writes without its server: {error}");
            return Err(io::Error::new(error.kind(), message));
        }
        // The server has it, which is what counts; the next read tries again to get it.
        if self.is_behind || write(&mut self.copy).is_err() {
            self.is_behind = true;
            let _ = self.sync();
        }
        Ok(())
    }
}

/// Whether the server could not be reached, as opposed to refusing.
fn is_offline(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::TimedOut
            | io::ErrorKind::WouldBlock
    )
}
