//! The conformance suite on every backend.

use std::path::PathBuf;
use std::sync::Arc;

use mtsession::{
    BinaryFileBackend, CachedPeer, InMemoryBackend, LibSqlBackend, PersistedSession,
    SessionBackend, SqliteBackend, StringSessionBackend, UpdateStateChange,
};
use mtsession_tests::bytes::bytes_in;
use mtsession_tests::conformance;
use mtsession_tests::conformance::Fixture;
use tempfile::TempDir;

struct File {
    dir: TempDir,
    fsync: bool,
}

impl File {
    /// Without disk flushes: what they are for cannot be seen from here, and the suite writes a lot.
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            fsync: false,
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("bot.session")
    }
}

impl Fixture for File {
    fn open(&self) -> Box<dyn SessionBackend> {
        let backend = BinaryFileBackend::new(self.path());
        if self.fsync {
            return Box::new(backend);
        }
        Box::new(backend.without_fsync())
    }

    fn damage(&self) -> bool {
        std::fs::write(self.path(), [8, 1, 0, 0, 0, 1, 2]).unwrap();
        true
    }

    fn stored_bytes(&self) -> Vec<u8> {
        bytes_in(self.dir.path())
    }
}

/// An account of a database that holds others, too.
struct Sqlite {
    dir: TempDir,
    account: &'static str,
}

impl Sqlite {
    fn new(account: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let other = SqliteBackend::open_account(dir.path().join("accounts.db"), "other").unwrap();
        other
            .save(&mtsession_tests::random::sized(0, 3, 3, 3))
            .unwrap();
        Self { dir, account }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("accounts.db")
    }
}

impl Fixture for Sqlite {
    fn open(&self) -> Box<dyn SessionBackend> {
        let backend = SqliteBackend::open_account(self.path(), self.account);
        // Ten thousand disk flushes in a row make others wait for long.
        let patience = core::time::Duration::from_secs(60);
        Box::new(backend.unwrap().with_busy_timeout(patience))
    }

    fn stored_bytes(&self) -> Vec<u8> {
        bytes_in(self.dir.path())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let others = SqliteBackend::open_account(self.path(), "other").unwrap();
        let expected = mtsession_tests::random::sized(0, 3, 3, 3);
        assert_eq!(others.load().unwrap(), Some(expected));
    }
}

/// A local libSQL file.
struct LibSql(TempDir);

impl Fixture for LibSql {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(LibSqlBackend::open_local(self.0.path().join("bot.db")).unwrap())
    }

    fn stored_bytes(&self) -> Vec<u8> {
        bytes_in(self.0.path())
    }
}

/// A libSQL server, which only the whole suite has.
#[cfg(feature = "full")]
mod server {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use mtsession::{LibSqlBackend, RemoteOptions, SessionBackend};
    use mtsession_tests::bytes::bytes_in;
    use mtsession_tests::conformance::Fixture;
    use mtsession_tests::sqld::Sqld;
    use tempfile::TempDir;

    /// An account on a server that all tests share.
    pub(super) struct Remote {
        account: String,
        /// A local copy to read from.
        replica: Option<TempDir>,
    }

    impl Remote {
        pub(super) fn new() -> Self {
            static ACCOUNTS: AtomicU32 = AtomicU32::new(0);
            let account = format!("account {}", ACCOUNTS.fetch_add(1, Ordering::Relaxed));
            Self {
                account,
                replica: None,
            }
        }

        pub(super) fn replica() -> Self {
            Self {
                replica: Some(tempfile::tempdir().unwrap()),
                ..Self::new()
            }
        }
    }

    fn shared_server() -> &'static Sqld {
        static SERVER: OnceLock<Sqld> = OnceLock::new();
        SERVER.get_or_init(Sqld::start)
    }

    impl Fixture for Remote {
        fn open(&self) -> Box<dyn SessionBackend> {
            let options = RemoteOptions::default();
            let (url, account) = (shared_server().url(), &self.account);
            Box::new(match &self.replica {
                None => LibSqlBackend::open_remote_account(url, "", account, options).unwrap(),
                Some(dir) => {
                    let path = dir.path().join("replica.db");
                    LibSqlBackend::open_replica_account(path, url, "", account, options).unwrap()
                }
            })
        }

        fn is_missing(&self) -> bool {
            !mtsession_tests::sqld::is_available()
        }

        fn is_shared(&self) -> bool {
            // A replica reads what it wrote itself; what others wrote comes with `sync`.
            self.replica.is_none()
        }

        fn stored_bytes(&self) -> Vec<u8> {
            self.replica
                .as_ref()
                .map(|dir| bytes_in(dir.path()))
                .unwrap_or_default()
        }
    }
}

/// One store that every `open` gives out again.
struct Shared(Arc<dyn SessionBackend>);

impl Fixture for Shared {
    fn keeps_names(&self) -> bool {
        self.0.name() != "string-session"
    }

    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(Handle(Arc::clone(&self.0)))
    }
}

/// A second handle on one backend, as clients have it in an `Arc`.
struct Handle(Arc<dyn SessionBackend>);

impl SessionBackend for Handle {
    fn save(&self, session: &PersistedSession) -> std::io::Result<()> {
        self.0.save(session)
    }
    fn load(&self) -> std::io::Result<Option<PersistedSession>> {
        self.0.load()
    }
    fn delete(&self) -> std::io::Result<()> {
        self.0.delete()
    }
    fn name(&self) -> &str {
        self.0.name()
    }
    fn apply(&self, changes: &[mtsession::Change<'_>]) -> std::io::Result<()> {
        self.0.apply(changes)
    }
    fn update_dc(&self, entry: &mtsession::DcEntry) -> std::io::Result<()> {
        self.0.update_dc(entry)
    }
    fn set_home_dc(&self, dc_id: i32) -> std::io::Result<()> {
        self.0.set_home_dc(dc_id)
    }
    fn apply_update_state(&self, update: UpdateStateChange) -> std::io::Result<()> {
        self.0.apply_update_state(update)
    }
    fn cache_peer(&self, peer: &CachedPeer) -> std::io::Result<()> {
        self.0.cache_peer(peer)
    }
    fn account(&self) -> std::io::Result<mtsession::Account> {
        self.0.account()
    }
    fn set_account(&self, account: mtsession::Account) -> std::io::Result<()> {
        self.0.set_account(account)
    }
    fn peer_names(&self) -> std::io::Result<Vec<mtsession::PeerNames>> {
        self.0.peer_names()
    }
    fn set_peer_names(&self, names: &[mtsession::PeerNames]) -> std::io::Result<()> {
        self.0.set_peer_names(names)
    }
}

conformance!(file, File::new());
conformance!(
    file_with_fsync,
    File {
        fsync: true,
        ..File::new()
    }
);
conformance!(memory, Shared(Arc::new(InMemoryBackend::new())));
conformance!(string, Shared(Arc::new(StringSessionBackend::new(""))));
conformance!(sqlite_file, Sqlite::new("default"));
conformance!(sqlite_account, Sqlite::new("bot#1 of 'many'"));
conformance!(
    sqlite_memory,
    Shared(Arc::new(SqliteBackend::in_memory().unwrap()))
);
conformance!(libsql_file, LibSql(tempfile::tempdir().unwrap()));
conformance!(
    libsql_memory,
    Shared(Arc::new(LibSqlBackend::in_memory().unwrap()))
);
#[cfg(feature = "full")]
conformance!(libsql_remote, server::Remote::new());
#[cfg(feature = "full")]
conformance!(libsql_replica, server::Remote::replica());
