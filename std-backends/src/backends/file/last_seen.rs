//! A session file as a process has last seen it.

use core::time::Duration;
use std::io;
use std::path::Path;
use std::time::Instant;

use mtsession_core::wire::Crc32c;
use mtsession_core::wire::session_file::TailHeader;
use mtsession_core::{Certain as _, Change, SessionMut as _, SessionSource};
use zeroize::Zeroizing;

use super::content::is_written_in_place;
use super::extras::Extras;
use super::form::Form;
use super::paths::Paths;
use super::positioned::{read_at, read_from};
use super::tail::{self, Tail};
use crate::drop_in::session::PersistedSession;
use crate::fs::disk::{Disk as _, File, OpenFile as _, Status, disk};
use crate::record::SessionRecord;
use crate::secret_bytes::SecretBytes;

/// Bytes of a record's checksum.
const CHAIN_LEN: usize = size_of::<u32>();
const CHAIN_LEN_U64: u64 = 4;
const _: () = assert!(CHAIN_LEN == 4, "both are the same number");

/// How long the name of a file is trusted on a local file system. A file that was renamed over or removed is
/// noticed at once, one that was moved away after this time: only asking for the name tells it.
const NAME_TRUSTED: Duration = Duration::from_millis(50);

/// A session file as it was last seen.
#[derive(Debug)]
pub(super) struct LastSeen {
    pub(super) form: Form,
    pub(super) snapshot_len: u64,
    snapshot_crc: u32,
    pub(super) tail: Tail,
    pub(super) extras: Extras,
    /// The DC table, with which a DC entry is compared that is new in its salt alone.
    dcs: Zeroizing<PersistedSession>,
    /// Whether the file and its name are known to survive a power cut.
    pub(super) is_durable: bool,
    /// The whole record, where it is searched so often that it is kept. In a place of its own: room for one
    /// that is not there would be moved along with what the stack held before, a key perhaps.
    pub(super) held: Option<Box<SessionRecord>>,
    /// Whether an open file tells of a rename over it.
    is_local: bool,
    /// When the name was last found to lead to the file.
    name_checked: Instant,
}

/// How a file is made, and how far it was read.
pub(super) struct Seen {
    pub(super) header: TailHeader,
    pub(super) tail: Tail,
    pub(super) form: Form,
}

impl LastSeen {
    /// What is seen of a file whose snapshot and tail up to here are `session`, which survives a power cut.
    pub(super) fn new(file: &File, seen: Seen, session: &impl SessionSource) -> Self {
        let Seen { header, tail, form } = seen;
        let mut dcs = Zeroizing::new(PersistedSession::default());
        // Never grows: no copy of a key is left.
        dcs.dcs.reserve_exact(session.dcs().len());
        for dc in session.dcs() {
            let Ok(()) = dcs.push_dc(&dc);
        }
        Self {
            form,
            snapshot_len: header.snapshot_len,
            snapshot_crc: header.snapshot_crc,
            tail,
            extras: Extras::of(session),
            dcs,
            is_durable: true,
            held: None,
            is_local: file.is_local(),
            name_checked: disk().now(),
        }
    }

    /// The changes, with each DC entry replaced by what is new in it.
    pub(super) fn reduce<'c>(&self, changes: &[Change<'c>]) -> Vec<Change<'c>> {
        // An entry that changes twice in a batch is not compared with what the first time makes of it.
        let is_alone = |key| changes.iter().filter(|other| other.key() == key).count() == 1;
        let new = |change: &Change<'c>| match change {
            Change::Dc(_) if is_alone(change.key()) => self.dcs.reduce(*change),
            _ => Some(*change),
        };
        changes.iter().filter_map(new).collect()
    }

    /// Takes in what was appended, by this process or another one.
    pub(super) fn note(&mut self, changes: &[Change<'_>]) {
        self.extras.note(changes);
        for change in changes {
            if let Change::Salt { .. } = change {
                let Ok(()) = self.dcs.apply(change);
            }
        }
        if let Some(held) = &mut self.held {
            held.replay(changes);
        }
    }

    /// Takes in what another process may have appended, and changes nothing. Under the lock.
    pub(super) fn catch_up(
        &mut self,
        file: &File,
        path: &Path,
        paths: &Paths,
    ) -> io::Result<CaughtUp> {
        let caught_up = self.read_on(file, path, paths);
        if !matches!(caught_up, Ok(CaughtUp::Whole | CaughtUp::Torn)) {
            // Some of what others have appended may be in it already, and would be again.
            self.held = None;
        }
        caught_up
    }

    /// Two system calls where nobody has appended: the file must have its one name and its length, and the
    /// last checksum must stand at its end. That checksum covers everything before it and a random number,
    /// so that no other tail has it there.
    fn read_on(&mut self, file: &File, path: &Path, paths: &Paths) -> io::Result<CaughtUp> {
        let known = self.tail;
        let found = file.status()?;
        if found.links != 1 || found.len < known.end || !self.is_named(&found, path, paths) {
            return Ok(CaughtUp::NotKnown);
        }
        let mut chain = [0; CHAIN_LEN];
        let chain_at = known.end.checked_sub(CHAIN_LEN_U64);
        let chain_at = chain_at.certain("a tail is longer than a checksum");
        let len = read_at(file, &mut chain, chain_at)?;
        if len < CHAIN_LEN || u32::from_le_bytes(chain) != known.chain {
            return Ok(CaughtUp::NotKnown);
        }
        if found.len == known.end {
            return Ok(CaughtUp::Whole);
        }
        let mut records = Vec::new();
        read_from(file, &mut records, known.end)?;
        if is_written_in_place(&records) {
            return Ok(CaughtUp::NotKnown);
        }
        let form = self.form.clone();
        let tail = form.replay(&records, known, |changes| self.note(changes))?;
        let replayed = tail.end.checked_sub(known.end);
        let after = replayed
            .and_then(|len| usize::try_from(len).ok())
            .and_then(|len| records.get(len..))
            .certain("a tail ends within the file that it was read from");
        if tail::must_fold(after, tail) {
            return Ok(CaughtUp::NotKnown);
        }
        self.tail = tail;
        Ok(if after.is_empty() {
            CaughtUp::Whole
        } else {
            CaughtUp::Torn
        })
    }

    /// Whether the snapshot is what it was: one that was damaged meanwhile is not replaced without a copy.
    pub(super) fn is_snapshot_sound(&self, file: &File) -> io::Result<bool> {
        let len = usize::try_from(self.snapshot_len).unwrap_or(usize::MAX);
        let mut snapshot = SecretBytes::zeros(len);
        let is_whole = read_at(file, &mut snapshot, 0)? == len;
        let covered = snapshot.split_last_chunk::<CHAIN_LEN>();
        Ok(is_whole
            && covered.is_some_and(|(covered, stored)| {
                let mut crc = Crc32c::new();
                crc.update(covered);
                [crc.value(), u32::from_le_bytes(*stored)] == [self.snapshot_crc; 2]
            }))
    }

    /// Whether `path`, which `paths` was resolved from, leads to the file. A directory that was moved takes
    /// the session along, as it does for every program that has a file open.
    fn is_named(&mut self, found: &Status, path: &Path, paths: &Paths) -> bool {
        if self.is_local
            && !paths.is_link
            && disk().now().duration_since(self.name_checked) < NAME_TRUSTED
        {
            return true;
        }
        let asked = if paths.is_link { path } else { &paths.snapshot };
        let is_named = disk().status(asked).is_ok_and(|named| named.is_same(found));
        if is_named {
            self.name_checked = disk().now();
        }
        is_named
    }
}

/// What [`LastSeen::catch_up`] found.
#[derive(Clone, Copy, Debug)]
pub(super) enum CaughtUp {
    /// The file is not as it was known.
    NotKnown,
    /// The tail is known to its end.
    Whole,
    /// What follows the known part is no record: a crash tore it, or it was damaged.
    Torn,
}
