//! What happens in a store and is not the result of a call.

use core::cell::RefCell;
use core::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::shown::Shown;

/// Something that happened in a store and that no result says: given to
/// [`StoreOptions::on_event`](crate::StoreOptions::on_event) and, with the feature `tracing`, logged. There are
/// no secrets in it. [`Display`](fmt::Display) says it as a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The changes at the end of a session file were made part of its snapshot.
    Folded {
        /// The session file.
        path: PathBuf,
    },
    /// The changes at the end of a session file could not be made part of its snapshot. Nothing is lost: the
    /// file goes on growing, and it is tried again when they have become twice as long.
    FoldFailed {
        /// The session file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// A record at the end of a session file was cut off that was written in part: its writer was killed, and
    /// nobody was told that it is stored.
    TornTailCut {
        /// The session file.
        path: PathBuf,
        /// Bytes of it.
        bytes: u64,
    },
    /// Another program has replaced the session file as a whole, and knew nothing of these changes: one that
    /// knows no changes after a session, or a copy was put back.
    ChangesReplaced {
        /// The session file.
        path: PathBuf,
        /// How many changes this process has appended to the file that was replaced.
        changes: u64,
    },
    /// The journal of the release before continued another session file than the one that is there: a program
    /// that knows no journals has replaced it, or a copy was put back.
    JournalOfAnother {
        /// The journal.
        path: PathBuf,
        /// How many of its changes are not part of the session.
        changes: u64,
    },
    /// A damaged session was kept as a copy before it was replaced.
    DamagedKept {
        /// The copy.
        path: PathBuf,
    },
    /// A deletion may be undone by a power cut.
    DeletionNotFlushed {
        /// The session file.
        path: PathBuf,
    },
    /// A directory was not flushed: a power cut may undo the change in it.
    DirectoryNotFlushed {
        /// Why.
        error: String,
    },
    /// The file system has no shared memory: the database goes on without a write-ahead log.
    NoSharedMemory {
        /// The database.
        path: PathBuf,
    },
    /// A database of an older release was kept as a copy before it was migrated.
    OlderKept {
        /// The copy.
        path: PathBuf,
    },
    /// A second session of ferogram-session in a database becomes an account.
    SecondSession {
        /// The account.
        account: String,
    },
    /// What was committed is in the log of the database, but not in its main file yet.
    CheckpointOwed {
        /// Why.
        reason: String,
    },
    /// A replica was opened without its server: it reads what its file has.
    Offline {
        /// Why the server could not be reached.
        error: String,
    },
    /// A server has lost a change that it had acknowledged.
    SetBack {
        /// The server's URL.
        server: String,
    },
    /// A server promises less about what it acknowledges than sessions should have.
    WeakPromise {
        /// The server's address.
        server: String,
        /// What it may lose, and why.
        reason: String,
    },
    /// A queued change could not be stored; the next `flush` of its writer says so.
    QueuedChangeFailed {
        /// Why.
        error: String,
    },
}

impl Event {
    /// Whether somebody should look at it; the others only say what was done.
    #[must_use]
    pub const fn is_warning(&self) -> bool {
        !matches!(self, Self::Folded { .. } | Self::OlderKept { .. })
    }

    /// The file or directory that it is about.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Folded { path }
            | Self::FoldFailed { path, .. }
            | Self::TornTailCut { path, .. }
            | Self::ChangesReplaced { path, .. }
            | Self::JournalOfAnother { path, .. }
            | Self::DamagedKept { path }
            | Self::DeletionNotFlushed { path }
            | Self::NoSharedMemory { path }
            | Self::OlderKept { path } => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path() {
            write!(f, "{}: ", Shown(path.display()))?;
        }
        match self {
            Self::Folded { .. } => f.write_str("changes folded into the snapshot"),
            Self::FoldFailed { error, .. } => {
                write!(f, "changes not folded into the snapshot: {}", Shown(error))
            }
            Self::TornTailCut { bytes, .. } => write!(
                f,
                "{bytes} bytes of a record that was not finished were cut off"
            ),
            Self::ChangesReplaced { changes, .. } => write!(
                f,
                "another program has replaced the file, and {changes} changes with it"
            ),
            Self::JournalOfAnother { changes, .. } => write!(
                f,
                "{changes} changes of the journal continued another session file than the one that is there"
            ),
            Self::DamagedKept { .. } => {
                f.write_str("a damaged session was kept before it was replaced")
            }
            Self::DeletionNotFlushed { .. } => f.write_str("a power cut can undo the deletion"),
            Self::DirectoryNotFlushed { error } => write!(
                f,
                "a directory was not flushed, a power cut can undo the change: {}",
                Shown(error)
            ),
            Self::NoSharedMemory { .. } => f.write_str(
                "no shared memory on this file system: the database goes on without a write-ahead log",
            ),
            Self::OlderKept { .. } => {
                f.write_str("database of an older release kept before its migration")
            }
            Self::SecondSession { account } => write!(
                f,
                "ferogram-session keeps a second session in the database; it becomes the account {}",
                Shown(account)
            ),
            Self::CheckpointOwed { reason } => write!(
                f,
                "the log could not be copied into the database yet: {}",
                Shown(reason)
            ),
            Self::Offline { error } => {
                write!(f, "replica opened without its server: {}", Shown(error))
            }
            Self::SetBack { server } => {
                write!(f, "the server {} lost a stored change", Shown(server))
            }
            Self::WeakPromise { server, reason } => write!(
                f,
                "the server {} may lose what it has acknowledged: {}",
                Shown(server),
                Shown(reason)
            ),
            Self::QueuedChangeFailed { error } => {
                write!(f, "a queued change was not stored: {}", Shown(error))
            }
        }
    }
}

type Listener = Arc<dyn Fn(&Event) + Send + Sync>;

/// Who is told of events.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Listener>);

std::thread_local! {
    /// Who is told of what happens in the call that this thread is in.
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

impl Events {
    pub(crate) fn new(on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(on_event)))
    }

    pub(crate) const fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Runs a call of a store, whose events are told to the listener. Everything that a call does, it does on
    /// its own thread, so no part of a store needs to know of listeners.
    pub(crate) fn within<R>(&self, call: impl FnOnce() -> R) -> R {
        let Some(listener) = &self.0 else {
            return call();
        };
        let listener = Some(Arc::clone(listener));
        let _restore = Restore(LISTENER.with(|current| current.replace(listener)));
        call()
    }
}

/// Puts back the listener of the call around this one, also after a panic.
struct Restore(Option<Listener>);

impl Drop for Restore {
    fn drop(&mut self) {
        let before = self.0.take();
        // At the end of a thread nobody listens any more.
        let _ = LISTENER.try_with(|current| current.replace(before));
    }
}

/// Tells the listener of the call that this thread is in.
pub(crate) fn emit(event: impl FnOnce() -> Event) {
    let listener = LISTENER.try_with(|current| current.borrow().clone());
    let listener = listener.ok().flatten();
    if listener.is_none() && cfg!(not(feature = "tracing")) {
        return;
    }
    let event = event();
    #[cfg(feature = "tracing")]
    if event.is_warning() {
        tracing::warn!("{event}");
    } else {
        tracing::debug!("{event}");
    }
    if let Some(listener) = listener {
        listener(&event);
    }
}
