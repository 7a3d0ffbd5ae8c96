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
