//! A snapshot and its journal as a process has last seen them.

use std::fs::File;
use std::io;
use std::path::Path;

use mtsession_core::{Certain as _, Change, SessionMut as _, SessionSource};
use zeroize::Zeroizing;

use super::beside::Beside;
use super::identity::Watched;
use super::journal::{self, Tail};
use super::paths::Paths;
use super::positioned::{read_at, read_from};
use crate::drop_in::session::PersistedSession;
use crate::record::SessionRecord;

/// Bytes of a record's checksum.
const CHAIN_LEN: usize = size_of::<u32>();
const CHAIN_LEN_U64: u64 = 4;
const _: () = assert!(CHAIN_LEN == 4, "both are the same number");
const _: () = assert!(
    journal::HEADER_LEN >= CHAIN_LEN,
    "a header ends in a checksum"
);

/// A snapshot and its journal as they were last seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) snapshot: Watched,
    pub(super) snapshot_len: u64,
    pub(super) crc: u32,
    pub(super) tail: Tail,
    pub(super) beside: Beside,
    /// The DC table, with which a DC entry is compared that is new in its salt alone.
    dcs: Zeroizing<PersistedSession>,
    /// Whether the snapshot and its name are known to survive a power cut.
    pub(super) is_durable: bool,
    /// The whole record, where it is searched so often that it is kept.
    pub(super) held: Option<SessionRecord>,
}

impl Seen {
    /// What is seen of a snapshot that holds `session`, which survives a power cut.
    pub(super) fn new(
        snapshot: Watched,
        (snapshot_len, crc): (u64, u32),
        tail: Tail,
        session: &impl SessionSource,
    ) -> Self {
        let mut dcs = Zeroizing::new(PersistedSession::default());
        // Never grows: no copy of a key is left.
        dcs.dcs.reserve_exact(session.dcs().len());
        for dc in session.dcs() {
            let Ok(()) = dcs.push_dc(&dc);
        }
        Self {
            snapshot,
            snapshot_len,
            crc,
            tail,
            beside: Beside::of(session),
            dcs,
            is_durable: true,
            held: None,
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

    /// Takes in what was appended to the journal, by this process or another one.
    pub(super) fn note(&mut self, changes: &[Change<'_>]) {
        self.beside.note(changes);
        for change in changes {
            if let Change::Salt { .. } = change {
                let Ok(()) = self.dcs.apply(change);
            }
        }
        if let Some(held) = &mut self.held {
            held.replay(changes);
        }
    }

    /// Where a writer goes on, after what others have appended and without what a crash tore; `None` when
    /// the files are not as they are known. Under the exclusive lock.
    pub(super) fn current_tail(
        &mut self,
        journal: &File,
        path: &Path,
        paths: &Paths,
    ) -> io::Result<Option<Tail>> {
        match self.catch_up(journal, path, paths)? {
            CaughtUp::NotKnown => return Ok(None),
            CaughtUp::Torn => journal.set_len(self.tail.end)?,
            CaughtUp::Whole => {}
        }
        Ok(Some(self.tail))
    }

    /// Takes in what another process may have appended, and changes nothing. Under the lock.
    pub(super) fn catch_up(
        &mut self,
        journal: &File,
        path: &Path,
        paths: &Paths,
    ) -> io::Result<CaughtUp> {
        let caught_up = self.read_on(journal, path, paths);
        if !matches!(caught_up, Ok(CaughtUp::Whole | CaughtUp::Torn)) {
            // Some of what others have appended may be in it already, and would be again.
            self.held = None;
        }
        caught_up
    }

    /// Two system calls where nobody has appended: the snapshot must be as it was, and the last checksum
    /// must stand at the end of the journal. That checksum covers everything before it, so that no other
    /// journal, and none that was started anew or emptied since, has it there.
    fn read_on(&mut self, journal: &File, path: &Path, paths: &Paths) -> io::Result<CaughtUp> {
        let known = self.tail;
        if !self.snapshot.is_unchanged(path, paths) {
            return Ok(CaughtUp::NotKnown);
        }
        let mut end = [0; CHAIN_LEN + 1];
        let chain_at = known.end.checked_sub(CHAIN_LEN_U64);
        let chain_at = chain_at.certain("a journal is longer than a checksum");
        let len = read_at(journal, &mut end, chain_at)?;
        let [chain @ .., _] = end;
        if len < CHAIN_LEN || u32::from_le_bytes(chain) != known.chain {
            return Ok(CaughtUp::NotKnown);
        }
        if len == CHAIN_LEN {
            return Ok(CaughtUp::Whole);
        }
        let mut records = Vec::new();
        read_from(journal, &mut records, known.end)?;
        let tail = journal::replay(&records, known, |changes| self.note(changes))?;
        let replayed = tail.end.checked_sub(known.end);
        let after = replayed
            .and_then(|len| usize::try_from(len).ok())
            .and_then(|len| records.get(len..))
            .certain("a tail ends within the journal that it was read from");
        if journal::must_fold(after, tail) {
            return Ok(CaughtUp::NotKnown);
        }
        self.tail = tail;
        Ok(if after.is_empty() {
            CaughtUp::Whole
        } else {
            CaughtUp::Torn
        })
    }
}

/// What [`Seen::catch_up`] found.
#[derive(Clone, Copy, Debug)]
pub(super) enum CaughtUp {
    /// The files are not as they were known.
    NotKnown,
    /// The journal is known to its end.
    Whole,
    /// What follows the known part is no record: a crash tore it.
    Torn,
}
