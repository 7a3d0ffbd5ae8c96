//! What a backend remembers from call to call, in one process.

use super::state::{Buffers, Known};
use crate::journal_sync::LastFlush;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) known: Option<Known>,
    pub(super) buffers: Buffers,
    pub(super) last_flush: LastFlush,
    /// The process that has opened the files.
    pid: u32,
    /// A flush of the journal has failed, and the kernel may have dropped what it could not write: what
    /// is appended after that would not be safe. Only a new snapshot is.
    pub(super) must_fold: bool,
}

impl State {
    /// Forgets the files that were opened before a fork. They share their lock with the parent's, which
    /// must not be released, and closing them does not.
    pub(super) fn forget_after_fork(&mut self) {
        let pid = std::process::id();
        if self.pid != pid {
            self.pid = pid;
            self.known = None;
        }
    }
}
