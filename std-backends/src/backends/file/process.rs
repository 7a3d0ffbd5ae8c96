//! What a backend remembers from call to call, in one process.

use std::io;

use super::open_session::{Buffers, OpenSession};
use crate::flush::LastFlush;
use crate::fs::disk::{Disk as _, disk};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) known: Option<OpenSession>,
    pub(super) buffers: Buffers,
    pub(super) last_flush: LastFlush,
    /// The process that has opened the files.
    pid: u32,
    /// A flush of the file has failed, and the kernel may have dropped what it could not write: what
    /// is appended after that would not be safe. Only a new snapshot is. Other processes learn it from a
    /// mark in the file; this one knows it also where the mark could not be written.
    pub(super) must_fold: bool,
    /// How often the session was searched.
    pub(super) look_ups: u32,
}

impl State {
    /// After the session was written into a new file.
    ///
    /// # Errors
    /// As [`OpenSession::confirm_name`].
    pub(super) fn confirm_name(&self) -> io::Result<()> {
        self.known
            .as_ref()
            .map_or(Ok(()), OpenSession::confirm_name)
    }

    /// At the end of a call. Where an open file keeps others from replacing it, it is not kept open.
    pub(super) fn let_go(&mut self) {
        if cfg!(not(unix)) {
            self.known = None;
        }
    }

    /// Forgets the files that were opened before a fork. They share their lock with the parent's, which
    /// must not be released, and closing them does not.
    pub(super) fn forget_after_fork(&mut self) {
        let pid = disk().process();
        if self.pid != pid {
            self.pid = pid;
            self.known = None;
        }
    }
}

// Elsewhere there are no forks, and no file is kept open between calls.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use mtsession_core::{Change, UpdateChange};

    use crate::drop_in::session::PersistedSession;
    use crate::sync::lock;
    use crate::{BinaryFileBackend, SessionBackend as _};

    /// A child has the parent's descriptors, and with them one lock for both: it opens its own.
    #[test]
    fn files_that_were_opened_before_a_fork_are_opened_anew() {
        let dir = tempfile::tempdir().unwrap();
        let backend = BinaryFileBackend::new(dir.path().join("a")).without_fsync();
        backend.save(&PersistedSession::default()).unwrap();
        let is_open = || lock(&backend.state).known.is_some();
        assert!(is_open());
        lock(&backend.state).pid = 0;
        assert!(
            backend.state().known.is_none(),
            "the parent's files are used"
        );
        let counter = Change::Update(UpdateChange::Secondary { qts: 3 });
        backend.apply(&[counter]).unwrap();
        assert!(is_open());
        assert_eq!(lock(&backend.state).pid, std::process::id());
        assert_eq!(backend.load().unwrap().unwrap().updates_state.qts, 3);
    }
}
