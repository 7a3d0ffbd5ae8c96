//! The file backend.

use core::time::Duration;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use mtsession_core::Change;

use super::delete::delete;
use super::explain::explain;
use super::fence::Fence;
use super::lock::Settings;
use super::open_session::{OpenSession, Saved};
use super::own::Owned;
use super::paths::Paths;
use super::process::State;
use super::read;
use super::snapshot::Fsync;
use super::status::{self, FileStatus};
use crate::backend::SessionBackend;
use crate::backends::optimistic::{self, RecordChange, Updated};
use crate::backends::unseen::ToldNone;
use crate::drop_in::session::PersistedSession;
use crate::error::StoreError;
use crate::flush::FlushPolicy;
use crate::found;
use crate::fs::{directory_of, make_private_directory};
use crate::owner::{Lease, Owner, OwnerInfo, Ownership};
use crate::record::{Keeps, KnownPeer, PeerQuery, SessionHead, SessionRecord, check};
use crate::seal::Sealing;
use crate::sync::lock;

const NAME: &str = "binary-file";

/// How long a lock is waited for, unless the caller chooses.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Keeps the session in a file.
///
/// The file begins with a complete version 8 session, readable by `ferogram-session`; small changes are
/// appended after it. The lock between processes is that of the file itself.
/// [`load`](SessionBackend::load) asks for no lock, and writes nothing. What was appended becomes part of the
/// session at the beginning when it is longer than that, and when the backend is dropped.
///
/// | call | cost | safe against a power cut |
/// |---|---|---|
/// | `save`, `update_dc`, `set_home_dc`, tokens | the whole file, two disk flushes | when acknowledged |
/// | `update_dc` with nothing but another salt | one append and its flush | when acknowledged |
/// | account, login state | one append and its flush | when acknowledged |
/// | `apply_update_state`, `cache_peer`, names, salts, forgotten entries | one append of some 20 bytes | see [`FlushPolicy`] |
///
/// Keys, tokens and the home DC are at the beginning alone, where programs find them that do not know
/// changes after a session.
///
/// Files are created with mode 0600 and replaced by renaming, through symbolic links; a file that
/// cannot be renamed over (a mount point, or in a directory that is not ours to write to) is written in
/// place, after a complete copy at its end. A file that cannot be read is an error and stays as it is; `save`
/// replaces a damaged one after it has kept a copy, `<file>.damaged-N`. An empty file is not a session yet.
///
/// In a directory that others can write to, nothing that they have put there is read, written or waited
/// for: it is an error that names the file. Root may work on the sessions of others, but does not write
/// a key into a file of theirs there.
///
/// Where the file system has no locks (`flock`), the session can be read, but not written. Where it
/// cannot sync a directory, a power cut may bring back the state before the last `save`.
///
/// A child process may go on with a backend that was open before the fork, unless another thread was in
/// the middle of a call then. A program that maps the file must be ready for it to become shorter.
///
/// A backend that has written holds the file open, so that a small change asks for no path. Once it was
/// asked for 32 peers it keeps the session in memory, and a look-up reads only what was appended since.
///
/// ```
/// use mtsession::{BinaryFileBackend, PersistedSession, SessionBackend, UpdateStateChange};
///
/// let dir = tempfile::tempdir()?;
/// let backend = BinaryFileBackend::new(dir.path().join("bot.session"));
/// assert!(backend.load()?.is_none());
/// backend.save(&PersistedSession { home_dc_id: 2, ..Default::default() })?;
/// backend.apply_update_state(UpdateStateChange::Primary { pts: 5, date: 6, seq: 7 })?;
/// assert_eq!(backend.load()?.expect("saved above").updates_state.pts, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct BinaryFileBackend {
    pub(super) path: PathBuf,
    pub(super) journal_sync: FlushPolicy,
    pub(super) settings: Settings,
    /// Whether the first write makes the directory.
    pub(super) makes_directory: bool,
    /// What opens the session, where it is sealed.
    pub(super) seal: Option<Arc<Sealing>>,
    pub(super) owned: Owned,
    told_none: ToldNone,
    pub(super) state: Mutex<State>,
}

impl BinaryFileBackend {
    /// A backend for the file at `path`, which need not exist; its directory must by the first write.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            journal_sync: FlushPolicy::default(),
            settings: Settings {
                fsync: Fsync::Yes,
                lock_timeout: LOCK_TIMEOUT,
                cleans: true,
                fence: Fence::Nobody,
            },
            makes_directory: false,
            seal: None,
            owned: Owned::default(),
            told_none: ToldNone::default(),
            state: Mutex::default(),
        }
    }

    /// Where the session is, as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the session's files look like, or `None` when there is no session.
    ///
    /// # Errors
    /// As [`load`](SessionBackend::load).
    pub fn status(&self) -> io::Result<Option<FileStatus>> {
        let read = self.look("inspect")?;
        Ok(read.map(|(_, status)| status))
    }

    /// The record and what its files look like, from one read.
    #[cfg(feature = "cli")]
    #[doc(hidden)]
    pub fn read_with_status(&self) -> io::Result<Option<(SessionRecord, FileStatus)>> {
        self.look("load")
    }

    fn look(&self, action: &'static str) -> io::Result<Option<(SessionRecord, FileStatus)>> {
        self.paths()
            .and_then(|paths| status::load_with_status(&paths, self.settings))
            .map_err(self.error(action))
    }

    pub(super) fn error(&self, action: &'static str) -> impl Fn(io::Error) -> io::Error + '_ {
        move |source| {
            let source = explain(source, &self.path);
            self.owned.note(&source);
            let found = found::describe_found(&source, &self.path);
            StoreError::io_finding(NAME, self.path.display().to_string(), action, source, found)
        }
    }

    pub(super) fn load_stored(&self) -> io::Result<Option<SessionRecord>> {
        let stored = read::load(&self.paths()?, self.settings)?;
        self.told_none.note(stored.is_some());
        Ok(stored)
    }

    fn save_locked(&self, session: &PersistedSession) -> io::Result<()> {
        check(session)?;
        let mut state = self.state();
        let again = match &mut state.known {
            Some(known) if !self.told_none.get() => {
                known.save_again(&self.path, self.settings(), session)?
            }
            _ => Saved::NotAsKnown,
        };
        match again {
            Saved::Stored => {}
            Saved::NotKnown => state.known = None,
            Saved::NotAsKnown => {
                let paths = self.prepare(&mut state)?;
                state.known = OpenSession::save(paths, self.settings(), session, &self.told_none)?;
                self.told_none.note(true);
            }
        }
        state.must_fold = false;
        let confirmed = state.confirm_name();
        state.let_go();
        confirmed
    }

    /// Writes what `change` makes of the record into a new snapshot, under the lock. False: it made
    /// nothing of it, or the record was not the expected one, and nothing is written.
    fn rewrite(
        &self,
        change: impl FnMut(Option<SessionRecord>) -> io::Result<Option<SessionRecord>>,
    ) -> io::Result<bool> {
        let mut state = self.state();
        let paths = self.prepare(&mut state)?;
        let Some(known) = OpenSession::replace(paths, self.settings(), change)? else {
            return Ok(false);
        };
        state.known = known;
        state.must_fold = false;
        let confirmed = state.confirm_name();
        state.let_go();
        confirmed.map(|()| true)
    }

    fn update_locked(&self, change: &mut RecordChange<'_>) -> io::Result<()> {
        let store = |before: Option<&SessionRecord>, record| {
            // Asked twice, somebody has replaced the file meanwhile: that is another record.
            let mut record = Some(record);
            self.rewrite(|stored| {
                let is_expected = stored.as_ref() == before;
                Ok(record.take().filter(|_| is_expected))
            })
        };
        if optimistic::update(change, || self.load_stored(), store)? == Updated::Lost {
            self.rewrite(|stored| optimistic::changed(stored, change))?;
        }
        Ok(())
    }

    /// What is known, in this process.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        state.forget_after_fork();
        state
    }

    /// Forgets what is known, which was found not to be so, and resolves the path anew.
    pub(super) fn prepare(&self, state: &mut State) -> io::Result<Paths> {
        state.known = None;
        if self.makes_directory {
            make_private_directory(directory_of(&self.path))?;
        }
        self.paths()
    }

    pub(super) fn paths(&self) -> io::Result<Paths> {
        let paths = Paths::resolve(&self.path)?;
        Ok(paths.sealed_by(self.seal.clone()))
    }
}

impl SessionBackend for BinaryFileBackend {
    fn save(&self, session: &PersistedSession) -> io::Result<()> {
        self.save_locked(session).map_err(self.error("save"))
    }

    fn load(&self) -> io::Result<Option<PersistedSession>> {
        let stored = self.load_stored().map_err(self.error("load"))?;
        Ok(stored.map(SessionRecord::into_session))
    }

    fn delete(&self) -> io::Result<()> {
        let mut state = self.state();
        state.known = None;
        Paths::resolve(&self.path)
            .and_then(|paths| delete(&paths, self.settings()))
            .map_err(self.error("delete"))
    }

    fn name(&self) -> &str {
        NAME
    }

    fn apply(&self, changes: &[Change<'_>]) -> io::Result<()> {
        self.apply_locked(changes)
            .map_err(self.error("apply changes"))
    }

    fn read(&self) -> io::Result<Option<SessionRecord>> {
        self.load_stored().map_err(self.error("load"))
    }

    fn head(&self) -> io::Result<Option<SessionHead>> {
        self.look_up(SessionRecord::head)
            .map_err(self.error("load"))
    }

    fn find_peer(&self, query: PeerQuery<'_>) -> io::Result<Option<KnownPeer>> {
        let found = self.look_up(|record| record.find_peer(query));
        Ok(found.map_err(self.error("load"))?.flatten())
    }

    fn update(
        &self,
        change: &mut dyn FnMut(&mut SessionRecord) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut refused = None;
        let updated = self.update_locked(&mut |record| {
            change(record).map_err(|error| {
                let kind = error.kind();
                refused = Some(error);
                kind.into()
            })
        });
        match refused {
            // The caller's own error, as it is.
            Some(error) => Err(error),
            None => updated.map_err(self.error("update")),
        }
    }

    fn keeps(&self) -> Keeps {
        Keeps::ALL
    }

    fn own(&self, owner: Owner) -> io::Result<Ownership> {
        self.own_locked(&owner).map_err(self.error("own"))
    }

    fn lease(&self) -> Option<Lease> {
        self.owned.lease()
    }

    fn owner(&self) -> io::Result<Option<OwnerInfo>> {
        self.find_owner().map_err(self.error("look who owns"))
    }
}

#[cfg(test)]
mod tests {
    use mtsession_core::UpdateChange;

    use super::super::open_session::Appended;
    use super::*;
    use crate::flush::LastFlush;
    use crate::store::StoreOptions;

    const UPDATE: Change<'_> = Change::Update(UpdateChange::Secondary { qts: 1 });

    fn always_due(dir: &tempfile::TempDir) -> BinaryFileBackend {
        let options = StoreOptions::new().flush(FlushPolicy::Within(Duration::ZERO));
        let backend = BinaryFileBackend::configured(&dir.path().join("a"), &options);
        backend.save(&PersistedSession::default()).unwrap();
        backend.apply(&[UPDATE]).unwrap();
        backend
    }

    fn last_flush(backend: &BinaryFileBackend) -> LastFlush {
        lock(&backend.state).last_flush
    }

    /// The bound would be two periods otherwise.
    #[test]
    fn a_change_that_was_not_appended_leaves_the_flush_due() {
        let dir = tempfile::tempdir().unwrap();
        let backend = always_due(&dir);
        let other = BinaryFileBackend::new(backend.path());
        other.save(&PersistedSession::default()).unwrap();

        let before = last_flush(&backend);
        let appended = backend.append(&mut lock(&backend.state), &[UPDATE]);
        assert_eq!(appended.unwrap(), Appended::NotKnown, "it is another's");
        assert_eq!(last_flush(&backend), before);
    }

    /// A reader asks for no lock, and sees what was acknowledged or is being written.
    #[test]
    fn a_writer_at_work_is_no_damage() {
        // Where no file is kept open between calls, each of them takes as long as many of the others.
        const SAVES: i32 = if cfg!(unix) { 500 } else { 20 };

        let dir = tempfile::tempdir().unwrap();
        let backend = BinaryFileBackend::new(dir.path().join("a")).without_fsync();
        backend.save(&PersistedSession::default()).unwrap();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                for home_dc_id in 1..=SAVES {
                    let session = PersistedSession {
                        home_dc_id,
                        ..PersistedSession::default()
                    };
                    backend.save(&session).unwrap();
                    backend.apply(&[UPDATE]).unwrap();
                }
            });
            while !writer.is_finished() {
                let status = backend.status().unwrap().unwrap();
                assert!(!status.is_tail_damaged && status.has_tail);
            }
        });
    }

    #[test]
    fn every_change_is_flushed_when_one_is_due() {
        let dir = tempfile::tempdir().unwrap();
        let backend = always_due(&dir);
        let before = last_flush(&backend);
        backend.apply(&[UPDATE]).unwrap();
        assert_ne!(last_flush(&backend), before);
    }
}
