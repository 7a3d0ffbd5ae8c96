//! The conformance suite on every backend.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use mtsession::seal::Key;
use mtsession::{
    BinaryFileBackend, FlushPolicy, InMemoryBackend, LibSqlBackend, PersistedSession,
    SessionBackend, SessionRecord, SqliteBackend, Store, StoreOptions, StringSessionBackend,
    connect,
};
use mtsession_tests::bytes::bytes_in;
use mtsession_tests::conformance;
use mtsession_tests::conformance::through_writer::Queued;
use mtsession_tests::conformance::{Fixture, OneStore};
use mtsession_tests::stores::sqlite;
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
        if self.fsync {
            return Box::new(BinaryFileBackend::new(self.path()));
        }
        let careless = StoreOptions::new().flush(FlushPolicy::Never);
        Box::new(careless.connect(self.path()).unwrap())
    }

    fn damage(&self) -> bool {
        std::fs::write(self.path(), [8, 1, 0, 0, 0, 1, 2]).unwrap();
        true
    }

    fn stored_bytes(&self) -> Vec<u8> {
        bytes_in(self.dir.path())
    }
}

/// A session file that is sealed with a key.
struct Sealed(File);

impl Fixture for Sealed {
    fn open(&self) -> Box<dyn SessionBackend> {
        let options = StoreOptions::new().key(Key::from_bytes([7; 32]));
        let careless = options.flush(FlushPolicy::Never);
        Box::new(careless.connect(self.0.path()).unwrap())
    }

    fn damage(&self) -> bool {
        let mut bytes = std::fs::read(self.0.path()).unwrap_or_default();
        if bytes.is_empty() {
            self.open().set_home_dc(2).unwrap();
            bytes = std::fs::read(self.0.path()).unwrap();
        }
        bytes[200] ^= 1;
        std::fs::write(self.0.path(), bytes).unwrap();
        true
    }

    fn stored_bytes(&self) -> Vec<u8> {
        self.0.stored_bytes()
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
        let other = connect(sqlite(dir.path().join("accounts.db")).with_account("other")).unwrap();
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
        // Ten thousand disk flushes in a row make others wait for long.
        let patient = StoreOptions::new().deadline(core::time::Duration::from_secs(60));
        let address = sqlite(self.path()).with_account(self.account);
        Box::new(patient.connect(address).unwrap())
    }

    fn stored_bytes(&self) -> Vec<u8> {
        bytes_in(self.dir.path())
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        let others = connect(sqlite(self.path()).with_account("other")).unwrap();
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

    use mtsession::{SessionBackend, StoreOptions};
    use mtsession_tests::bytes::bytes_in;
    use mtsession_tests::conformance::Fixture;
    use mtsession_tests::sqld::Sqld;
    use mtsession_tests::stores::server;
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
            let options = match &self.replica {
                None => StoreOptions::new(),
                Some(dir) => StoreOptions::new().replica(dir.path().join("replica.db")),
            };
            let address = server(shared_server().url()).with_account(&self.account);
            Box::new(options.connect(address).unwrap())
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

/// One store that every `open` gives out again, as clients have it in an `Arc`.
struct Shared(Arc<dyn SessionBackend>);

impl Fixture for Shared {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(Arc::clone(&self.0))
    }

    fn is_told_apart(&self) -> bool {
        false
    }
}

/// One store through a reference.
struct Borrowed(&'static InMemoryBackend);

impl Fixture for Borrowed {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(self.0)
    }

    fn is_told_apart(&self) -> bool {
        false
    }
}

/// A file in a box in a box.
struct Boxed(File);

impl Fixture for Boxed {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(self.0.open())
    }

    fn damage(&self) -> bool {
        self.0.damage()
    }

    fn stored_bytes(&self) -> Vec<u8> {
        self.0.stored_bytes()
    }
}

/// A store of one's own: the four methods that there must be.
#[derive(Default)]
struct Mine(Mutex<Option<PersistedSession>>);

impl SessionBackend for Mine {
    fn save(&self, session: &PersistedSession) -> std::io::Result<()> {
        SessionRecord::from(session.clone()).to_bytes()?;
        *self.0.lock().unwrap() = Some(session.clone());
        Ok(())
    }

    fn load(&self) -> std::io::Result<Option<PersistedSession>> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn delete(&self) -> std::io::Result<()> {
        *self.0.lock().unwrap() = None;
        Ok(())
    }

    fn name(&self) -> &'static str {
        "mine"
    }
}

struct FourMethods(Arc<Mine>);

impl Fixture for FourMethods {
    fn open(&self) -> Box<dyn SessionBackend> {
        Box::new(Arc::clone(&self.0))
    }

    fn is_atomic(&self) -> bool {
        false
    }

    fn is_shared(&self) -> bool {
        false
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
conformance!(sealed_file, Sealed(File::new()));
conformance!(sealed_file_behind_a_writer, Queued(Sealed(File::new())));
conformance!(memory, Shared(Arc::new(InMemoryBackend::new())));
conformance!(
    memory_of_a_store,
    OneStore {
        store: Store::open("memory:").unwrap(),
        is_told_apart: true,
    }
);
conformance!(
    behind_a_reference,
    Borrowed(Box::leak(Box::new(InMemoryBackend::new())))
);
conformance!(behind_a_box, Boxed(File::new()));
conformance!(four_methods, FourMethods(Arc::default()));
conformance!(behind_a_writer, Queued(File::new()));
conformance!(
    four_methods_behind_a_writer,
    Queued(FourMethods(Arc::default()))
);
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
