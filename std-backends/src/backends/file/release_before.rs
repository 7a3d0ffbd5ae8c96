//! The files of the release before: a journal alongside the session, which also was the lock, and a complete
//! copy of a session that was being written in place.
//!
//! They count only where the session file has no tail of its own: that release replaces a file that has one.
//! Both become part of the session file with the first write, and are removed then.

use std::io::{self, Read as _};

use mtsession_core::Certain as _;
use mtsession_core::wire::journal;

use super::lock::Locked;
use super::paths::Paths;
use super::positioned::read_from;
use super::snapshot;
use super::tail::{Newer, Tail, replay};
use crate::fs::disk::{Disk as _, File, OpenFile as _, ReadFrom, disk};
use crate::fs::file_len;
use crate::fs::{Access, open_owned};
use crate::record::SessionRecord;
use crate::secret_bytes::SecretBytes;

/// What the journal of the release before holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journal {
    /// Changes that continue the session file.
    Continues {
        /// Where its good part ends.
        tail: Tail,
        /// Whether that ends with the mark that a flush has failed.
        flush_failed: bool,
    },
    /// Changes of another session file: how many.
    OfAnother(u64),
}

/// The files of the release before. A writer holds their lock as long as it has this.
#[derive(Debug, Default)]
pub(super) struct ReleaseBefore {
    /// The journal, whose lock is held for a writer.
    file: Option<File>,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl ReleaseBefore {
    /// For a caller that changes nothing: under the shared lock where there is one.
    pub(super) fn read(paths: &Paths, timeout: core::time::Duration) -> io::Result<Self> {
        let Some(file) = open(paths, Access::Read)? else {
            return Ok(Self::default());
        };
        let mut bytes = Vec::new();
        let _locked = Locked::shared_of(&file, &paths.journal, timeout)?;
        read_from(&file, &mut bytes, 0)?;
        Ok(Self { file: None, bytes })
    }

    /// For a writer: under the exclusive lock, which stays until this is dropped.
    pub(super) fn take(paths: &Paths, timeout: core::time::Duration) -> io::Result<Self> {
        let Some(file) = open(paths, Access::Write)? else {
            return Ok(Self::default());
        };
        Locked::keep_exclusive(&file, &paths.journal, timeout)?;
        let mut bytes = Vec::new();
        read_from(&file, &mut bytes, 0)?;
        let file = Some(file);
        Ok(Self { file, bytes })
    }

    /// What it holds for the session file with this checksum, whose changes are made to `stored`.
    pub(super) fn replay_into(
        &self,
        crc: Option<u32>,
        stored: &mut SessionRecord,
    ) -> Result<Option<Journal>, Newer> {
        let Some((of, header)) = own_header(&self.bytes) else {
            return Ok(None);
        };
        let records = self.bytes.get(journal::HEADER_LEN..);
        let records = records.certain("a journal has its header");
        if crc != Some(of) {
            let tail = replay(records, header, |_| ());
            // Of a newer release there is one at least.
            let records = tail.map_or(1, |tail| tail.records);
            return Ok(Some(Journal::OfAnother(records)));
        }
        let tail = replay(records, header, |changes| stored.replay(changes))?;
        let end = usize::try_from(tail.end).ok();
        let after = end.and_then(|end| self.bytes.get(end..));
        let after = after.certain("a tail ends within the journal that it was read from");
        Ok(Some(Journal::Continues {
            tail,
            flush_failed: super::tail::must_fold(after, tail),
        }))
    }

    /// How many changes it holds, of whichever session.
    pub(super) fn changes(&self) -> u64 {
        let records = self.bytes.get(journal::HEADER_LEN..).unwrap_or_default();
        own_header(&self.bytes).map_or(0, |(_, header)| {
            replay(records, header, |_| ()).map_or(1, |tail| tail.records)
        })
    }

    /// Removes the files, whose content is part of the session file now.
    pub(super) fn remove(self, paths: &Paths) {
        if let Some(file) = &self.file {
            // A writer that waits for its lock finds it empty and without a name.
            let _ = file.set_length(0);
            let _ = disk().remove_file(&paths.journal);
        }
        remove_pending(paths);
    }
}

fn remove_pending(paths: &Paths) {
    if let Ok(file) = open_owned(&paths.pending, Access::Write, Some(&paths.snapshot)) {
        let is_removed = disk().remove_file(&paths.pending).is_ok();
        if is_removed {
            let _ = crate::fs::erase(&file);
        }
    }
}

/// Removes what lies alongside a file that has a tail of its own: it was left by a writer that was killed
/// after it had made it a part of the session.
pub(super) fn remove_left(paths: &Paths) {
    if let Ok(Some(file)) = open(paths, Access::Write)
        && file.lock_now().is_ok()
    {
        let _ = file.set_length(0);
        let _ = disk().remove_file(&paths.journal);
    }
    remove_pending(paths);
}

/// The complete copy that the release before has left; it is the session as long as it is there. An empty
/// one says that the session is deleted.
pub(super) fn pending(paths: &Paths) -> io::Result<Option<SecretBytes>> {
    snapshot::read_file(&paths.pending, paths)
}

/// Opens the journal. A file that happens to have its name is nothing to us.
fn open(paths: &Paths, access: Access) -> io::Result<Option<File>> {
    let file = match open_owned(&paths.journal, access, Some(&paths.snapshot)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut head = Vec::new();
    let limit = file_len(journal::MAGIC.len());
    let start = ReadFrom { file: &file, at: 0 };
    start.take(limit).read_to_end(&mut head)?;
    Ok(journal::MAGIC.starts_with(&head).then_some(file))
}

/// The snapshot that a journal continues, and where its records begin; `None` for what is not one.
pub(super) fn own_header(bytes: &[u8]) -> Option<(u32, Tail)> {
    let (header, _) = bytes.split_first_chunk::<{ journal::HEADER_LEN }>()?;
    let [_, _, _, _, _, s0, s1, s2, s3, ..] = *header;
    let snapshot = u32::from_le_bytes([s0, s1, s2, s3]);
    let tail = Tail {
        end: file_len(journal::HEADER_LEN),
        chain: journal::chain_of_header(header),
        records: 0,
        mac: [0; super::tail::MAC_LEN],
    };
    (*header == journal::header(snapshot)).then_some((snapshot, tail))
}
