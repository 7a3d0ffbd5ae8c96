//! Whether the file that is open still has its name, for certain.

use std::io;
use std::path::Path;

use mtsession_core::SessionBytes;

use super::open_session::OpenSession;
use crate::error::reworded::stored_unflushed;
use crate::event::{self, Event};
use crate::fs::disk::OpenFile as _;

impl OpenSession {
    /// # Errors
    /// The file has a name that a power cut may take back, since its directory could not be flushed. It is
    /// stored, and the next flush tries it again.
    pub(super) fn confirm_name(&self) -> io::Result<()> {
        if self.seen.is_durable {
            return Ok(());
        }
        let message = format!(
            "it is stored, but the directory of {} could not be flushed, so that a power cut may bring back what \
             was there before: look for errors of that disk; the next write tries again",
            self.paths.snapshot.display()
        );
        let error = io::Error::other("a directory could not be flushed");
        Err(stored_unflushed(&error, message))
    }

    /// Says that changes of this process are gone, if another program has replaced the file that has them:
    /// one of ours would have taken them along.
    pub(super) fn tell_if_replaced(&self, path: &Path) {
        let is_replaced = self.file.status().is_ok_and(|found| found.links == 0);
        let is_ours = || {
            let new = super::snapshot::read_file(&self.paths.snapshot, &self.paths);
            let new = new.ok().flatten();
            new.is_none_or(|bytes| {
                SessionBytes::parse(&bytes).is_ok_and(|file| file.tail_header().is_some())
            })
        };
        if self.has_appended && is_replaced && self.seen.tail.records > 0 && !is_ours() {
            event::emit(|| Event::ChangesReplaced {
                path: path.to_owned(),
                changes: self.seen.tail.records,
            });
        }
    }
}
