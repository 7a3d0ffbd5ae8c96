//! Calls that fail.

use rustix::io::Errno;

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    Open,
    Create,
    Status,
    Read,
    Write,
    SetLength,
    Flush,
    FlushDirectory,
    Lock,
    Rename,
    Remove,
    List,
}

impl Call {
    /// Whether a cut after it can leave something else than one before it.
    pub(super) fn changes(self) -> bool {
        !matches!(
            self,
            Self::Status | Self::Read | Self::Lock | Self::List | Self::Open
        )
    }
}

/// A mistake that is built in: what a program forgets is on this disk a call that does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// No file is flushed.
    NoFlush,
    /// A directory is not flushed after a name in it has changed.
    NoDirectoryFlush,
    /// A new file gets its name without being locked.
    NewFilesUnlocked,
    /// The old file is overwritten as soon as it is replaced.
    WipesReplaced,
    /// That a file was replaced, or has a second name, is not looked at.
    LinksUnseen,
    /// An error of a flush is forgotten.
    FlushErrorsUnseen,
    /// Nothing is locked.
    NoLocks,
}

/// What goes wrong, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The calls that fail, if it is not all of them.
    pub(crate) only: Option<Call>,
    /// How many of them succeed before.
    pub(crate) after: usize,
    /// How many fail then.
    pub(crate) times: usize,
    pub(crate) error: Errno,
}

impl Fault {
    /// Whether this call fails.
    pub(super) fn comes(&mut self, call: Call) -> Option<Errno> {
        if self.only.is_some_and(|only| only != call) || self.times == 0 {
            return None;
        }
        if self.after > 0 {
            self.after -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.error)
    }
}
