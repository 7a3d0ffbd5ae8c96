//! What a libSQL backend reads from and writes to.

use core::time::Duration;
use std::io;
use std::sync::Mutex;

use super::libsql::LibSqlBackend;

#[cfg(feature = "libsql-remote")]
use super::replica::Replica;
use super::store::SqlStore;
use super::whole::{self, Whole};
use crate::record::SessionRecord;

/// A database, or a copy of one and the server that it is a copy of.
pub(super) enum Database {
    One(Box<SqlStore>),
    #[cfg(feature = "libsql-remote")]
    Replica(Box<Replica>),
}

impl Database {
    /// What the database is in the end: for a replica, the server.
    pub(super) fn primary(&mut self) -> &mut SqlStore {
        match self {
            Self::One(store) => store,
            #[cfg(feature = "libsql-remote")]
            Self::Replica(replica) => replica.primary(),
        }
    }

    /// Everything that is stored.
    pub(super) fn read(&mut self) -> io::Result<Option<SessionRecord>> {
        match self {
            Self::One(store) => store.read(),
            #[cfg(feature = "libsql-remote")]
            Self::Replica(replica) => replica.read(),
        }
    }

    /// Where reads are answered: for a replica, its copy.
    #[cfg_attr(
        not(feature = "libsql-remote"),
        expect(
            clippy::unnecessary_wraps,
            reason = "a replica may have to be synchronised first"
        )
    )]
    pub(super) fn nearest(&mut self) -> io::Result<&mut SqlStore> {
        match self {
            Self::One(store) => Ok(store),
            #[cfg(feature = "libsql-remote")]
            Self::Replica(replica) => replica.copy(),
        }
    }
}

impl Whole for LibSqlBackend {
    fn turn(&self) -> &Mutex<()> {
        &self.turn
    }

    fn read_whole(&self) -> io::Result<(Option<SessionRecord>, u64)> {
        self.with("load", |database| database.primary().read_record())
    }

    fn store_whole(&self, record: &SessionRecord, stamp: u64) -> io::Result<bool> {
        self.in_turn("update", |database| match database {
            Database::One(store) => store.replace_read(record, stamp),
            #[cfg(feature = "libsql-remote")]
            Database::Replica(replica) => replica.replace_read(record, stamp),
        })
    }

    fn with_locks<R>(&self, call: impl FnOnce(&mut SqlStore) -> io::Result<R>) -> io::Result<R> {
        self.with("update", |database| call(database.primary()))
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn give_up(&self) -> io::Error {
        self.error("update")(whole::contended())
    }
}
