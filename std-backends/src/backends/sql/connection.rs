//! What a driver does: the few things in which a local file and a server differ.

use std::io;

use super::schema::LegacyTables;
use super::statement::{Select, Statement, ValueRef};

/// Receives the rows of the select with this index.
pub(super) type OnRow<'f> = dyn FnMut(usize, &[ValueRef<'_>]) -> io::Result<()> + 'f;

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// When it is acknowledged.
    Now,
    /// After a while; see [`FlushPolicy`](crate::FlushPolicy).
    Soon,
}

/// Statements that are carried out whole or not at all.
pub(super) struct Write {
    pub(super) statements: Vec<Statement>,
    pub(super) durability: Durability,
    /// Only if nobody else wrote since the last [`read`](Connection::read).
    pub(super) if_unchanged: bool,
    /// What is known of the account. With it, others may have changed what is not of the account, where that
    /// can be told.
    pub(super) known: Option<KnownAccount>,
}

/// An account as it was read.
pub(super) struct KnownAccount {
    pub(super) name: String,
    /// `None` where there was none.
    pub(super) revision: Option<String>,
}

/// What became of a [`Write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// It is stored, but others have changed the account since the last read, or may have.
    Overtaken,
    /// Somebody else wrote since the last read; nothing was changed.
    Conflict,
}

/// A database that holds accounts.
pub(super) trait Connection: Send {
    /// A call of a backend begins: what limits whole calls starts anew.
    #[cfg(feature = "libsql-remote")]
    fn start_call(&mut self) {}

    /// Reads everything as of one moment. A database that does not exist has no rows.
    fn read(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()>;

    /// Reads as [`read`](Self::read) does, but what was read before stays what
    /// [`is_unchanged`](Self::is_unchanged) and writes compare with. If anything has changed since then, or
    /// may have, nothing counts as read any more.
    fn peek(&mut self, selects: &[Select], on_row: &mut OnRow<'_>) -> io::Result<()>;

    /// Refuses a database without tables that must have had some.
    fn check_empty(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Whether a read may give what was true a while ago: copies of a server's database do.
    fn can_be_old(&self) -> bool {
        false
    }

    /// For the rest of the call, reads are carried out where writes are, if that is elsewhere.
    fn read_the_newest(&mut self) {}

    /// Whether the error is that a server said no, as opposed to not answering.
    fn has_refused(&self, error: &io::Error) -> bool {
        let _ = error;
        false
    }

    /// Whether nobody else wrote since the last read.
    fn is_unchanged(&mut self) -> io::Result<bool>;

    /// Whether everything that was acknowledged is on the disk, by whomever it was written.
    fn is_flushed(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    /// Writes as one transaction.
    fn write(&mut self, write: Write) -> io::Result<Written>;

    /// Keeps all other writers out until the next [`write`](Self::write) or [`unlock`](Self::unlock); reads go
    /// on. False where that cannot be done: on a server, and where there is nothing yet.
    fn lock(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    /// Lets other writers in again, if they were kept out; nothing was changed.
    fn unlock(&mut self) {}

    /// Whether the database is known to have our tables; not when another one took its place.
    fn is_ours(&mut self) -> io::Result<bool>;

    /// Remembers whether the database has our tables.
    fn set_ours(&mut self, is_ours: bool);

    /// What else marks a new database as ours.
    fn mark(&self) -> Option<Statement> {
        None
    }

    /// Keeps a copy of a database of an older release before it is migrated. Returns what must be done
    /// in the same transaction.
    fn keep_old(&mut self, tables: &LegacyTables) -> io::Result<Vec<Statement>>;

    /// What lies in the database's place, when `error` says that it is none of ours.
    fn found_instead(&self, error: &io::Error) -> Option<String> {
        let _ = error;
        None
    }

    /// Makes sure that nothing of what was deleted is left in any file, nor in copies that were kept of a
    /// database of an older release; of ferogram-session's, if the account was `default`.
    fn scrub(&mut self, is_default: bool) -> io::Result<()>;
}
