//! What a libSQL backend reads from and writes to.

use std::io;

use super::budget::KeepsInMemory;
#[cfg(feature = "libsql-remote")]
use super::replica::Replica;
use super::store::SqlStore;
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

impl KeepsInMemory for Database {
    fn kept(&self) -> usize {
        match self {
            Self::One(store) => store.kept(),
            // Its copy has what it keeps.
            #[cfg(feature = "libsql-remote")]
            Self::Replica(_) => 0,
        }
    }

    fn keep_nothing(&mut self) {
        match self {
            Self::One(store) => store.keep_nothing(),
            #[cfg(feature = "libsql-remote")]
            Self::Replica(_) => {}
        }
    }
}
