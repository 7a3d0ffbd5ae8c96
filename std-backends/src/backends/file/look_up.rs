//! Looking for parts of a session: by reading its files, and in memory once that happens often.

use std::io;

use super::backend::BinaryFileBackend;
use crate::record::SessionRecord;

/// How often the files are read for a look-up before the session is kept in memory. A program that asks
/// for its few own peers at the start never pays for that memory.
const READS: u32 = 32;

impl BinaryFileBackend {
    /// Runs `look` on the record.
    ///
    /// Only a backend that has written keeps the record: it has the file open, and sees at its end what
    /// others have appended. One that only reads changes nothing alongside the session, not even a lock.
    pub(super) fn look_up<R>(&self, look: impl Fn(&SessionRecord) -> R) -> io::Result<Option<R>> {
        let mut state = self.state();
        state.look_ups = state.look_ups.saturating_add(1);
        if state.look_ups > READS
            && let Some(known) = &mut state.known
            && let Some(found) = known.look_up(&self.path, self.settings, &look)?
        {
            return Ok(Some(found));
        }
        drop(state);
        Ok(self.load_stored()?.map(|record| look(&record)))
    }
}

// Elsewhere no file is kept open between calls, and nothing of it.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use mtsession_core::{Change, Peer, PeerKey, PeerKind};

    use super::READS;
    use crate::drop_in::session::PersistedSession;
    use crate::record::PeerQuery;
    use crate::sync::lock;
    use crate::{BinaryFileBackend, SessionBackend as _};

    fn peer(id: i64, access_hash: i64) -> Change<'static> {
        Change::Peer(Peer {
            id,
            access_hash,
            ..Peer::default()
        })
    }

    fn hash_of(backend: &BinaryFileBackend, id: i64) -> Option<i64> {
        let key = PeerKey::new(PeerKind::User, false, id);
        let found = backend.find_peer(PeerQuery::Key(key)).unwrap();
        found.map(|known| known.peer.access_hash)
    }

    /// What is kept is what the files hold, whoever writes them and however.
    #[test]
    fn a_session_that_is_kept_for_look_ups_is_the_one_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let backend = BinaryFileBackend::new(&path).without_fsync();
        let other = BinaryFileBackend::new(&path).without_fsync();
        backend.save(&PersistedSession::default()).unwrap();
        backend.apply(&[peer(1, 10)]).unwrap();
        let is_held = || {
            lock(&backend.state)
                .known
                .as_ref()
                .is_some_and(super::super::open_session::OpenSession::holds)
        };
        for _ in 0..READS {
            assert_eq!(hash_of(&backend, 1), Some(10));
        }
        assert!(!is_held(), "it was not asked for often");
        assert_eq!(hash_of(&backend, 1), Some(10));
        assert!(is_held());

        backend.apply(&[peer(1, 11)]).unwrap();
        assert_eq!(hash_of(&backend, 1), Some(11), "changed here");
        other.apply(&[peer(1, 12), peer(2, 20)]).unwrap();
        assert_eq!(hash_of(&backend, 1), Some(12), "appended by another");
        assert_eq!(hash_of(&backend, 2), Some(20));
        assert!(is_held(), "none of it needed the whole file");
        other.save(&PersistedSession::default()).unwrap();
        assert_eq!(hash_of(&backend, 2), None, "replaced by another");
        backend.apply(&[peer(3, 30)]).unwrap();
        assert_eq!(hash_of(&backend, 3), Some(30));
        assert!(is_held());
        backend.delete().unwrap();
        assert_eq!(hash_of(&backend, 3), None, "deleted");
        assert!(backend.head().unwrap().is_none());
    }

    /// Who reads cuts nothing off, also under the lock; the next writer does.
    #[test]
    fn a_look_up_leaves_what_follows_the_tail() {
        use std::io::Write as _;

        let dir = tempfile::tempdir().unwrap();
        let backend = BinaryFileBackend::new(dir.path().join("a")).without_fsync();
        backend.save(&PersistedSession::default()).unwrap();
        backend.apply(&[peer(1, 10)]).unwrap();
        let path = dir.path().join("a");
        let whole = std::fs::metadata(&path).unwrap().len();
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(&[9; 5]).unwrap();
        for _ in 0..=READS {
            assert_eq!(hash_of(&backend, 1), Some(10));
        }
        let len = || std::fs::metadata(&path).unwrap().len();
        assert_eq!(len(), whole + 5);
        backend.apply(&[peer(1, 11)]).unwrap();
        assert_eq!(hash_of(&backend, 1), Some(11));
        let read = BinaryFileBackend::new(backend.path()).status().unwrap();
        assert_eq!(read.unwrap().tail_lost, 0);
    }

    #[test]
    fn a_backend_that_only_reads_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let session = PersistedSession::default();
        std::fs::write(&path, session.to_bytes()).unwrap();
        let backend = BinaryFileBackend::new(&path);
        for _ in 0..=READS {
            assert_eq!(hash_of(&backend, 1), None);
            assert_eq!(backend.head().unwrap().unwrap().peers, 0);
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
