//! The stores that have files: how the command names them, and sessions in them to start from.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use mtsession::{
    BinaryFileBackend, SessionBackend as _, SessionBackendExt as _, UpdateStateChange,
};
use tempfile::TempDir;

use crate::place::{command, copy_of};
use crate::record::Login;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    File,
    String,
    Sqlite,
    LibSql,
    Flash,
    Ferogram,
    Telethon,
    Pyrogram,
    Kurigram,
    Mtcute,
    Grammers,
    GramJs,
    Mtkruto,
    /// A database of Telethon's with changes in its log, which is read in a copy.
    TelethonInLog,
}

impl Kind {
    pub(crate) const OURS: [Self; 5] = [
        Self::File,
        Self::String,
        Self::Sqlite,
        Self::LibSql,
        Self::Flash,
    ];

    /// What is only written where nothing is.
    pub(crate) const LIBRARIES: [Self; 8] = [
        Self::Ferogram,
        Self::Telethon,
        Self::Pyrogram,
        Self::Kurigram,
        Self::Mtcute,
        Self::Grammers,
        Self::GramJs,
        Self::Mtkruto,
    ];

    pub(crate) const SOURCES: [Self; 14] = [
        Self::File,
        Self::String,
        Self::Sqlite,
        Self::LibSql,
        Self::Flash,
        Self::Ferogram,
        Self::Telethon,
        Self::Pyrogram,
        Self::Kurigram,
        Self::Mtcute,
        Self::Grammers,
        Self::GramJs,
        Self::Mtkruto,
        Self::TelethonInLog,
    ];

    pub(crate) fn is_replaceable(self) -> bool {
        Self::OURS.contains(&self)
    }

    /// Whether one file has several accounts.
    pub(crate) fn has_accounts(self) -> bool {
        matches!(self, Self::Sqlite | Self::LibSql)
    }

    /// How the command names the store of this kind in `dir`.
    pub(crate) fn address(self, dir: &Path, account: &str) -> String {
        let (kind, file, suffix) = match self {
            Self::File => ("", "session", ""),
            Self::String => ("string:", "text", ""),
            Self::Sqlite => ("sqlite:", "accounts.db", account),
            Self::LibSql => ("libsql:", "accounts.db", account),
            Self::Flash => ("flash:", "image", ""),
            Self::Ferogram => ("ferogram:", "ferogram.db", ""),
            Self::Telethon | Self::TelethonInLog => ("telethon:", "telethon", ""),
            Self::Pyrogram => ("pyrogram:", "pyrogram", ""),
            Self::Kurigram => ("kurigram:", "kurigram", ""),
            Self::Mtcute => ("mtcute:", "mtcute", ""),
            Self::Grammers => ("grammers:", "grammers", ""),
            Self::GramJs => ("gramjs:", "gramjs", ""),
            Self::Mtkruto => ("mtkruto:", "mtkruto", ""),
        };
        let hash = if suffix.is_empty() { "" } else { "#" };
        format!("{kind}{}{hash}{suffix}", dir.join(file).display())
    }

    /// Puts a store with this login into `dir`; of many accounts, with another one alongside.
    pub(crate) fn put(self, login: Login, dir: &Path) {
        static MADE: LazyLock<Mutex<HashMap<(Kind, Login), TempDir>>> =
            LazyLock::new(Mutex::default);

        let mut made = MADE.lock().unwrap();
        let made = made.entry((self, login)).or_insert_with(|| {
            let made = tempfile::tempdir().unwrap();
            self.make(login, made.path());
            made
        });
        copy_of(made.path(), dir);
    }

    fn make(self, login: Login, dir: &Path) {
        let session = dir.join("session");
        let file = BinaryFileBackend::new(&session);
        file.replace(&login.record()).unwrap();
        // A tail, which a process leaves that is killed.
        file.apply_update_state(UpdateStateChange::Secondary { qts: 21 })
            .unwrap();
        core::mem::forget(file);
        if self == Self::File {
            return;
        }
        let of_user = [
            "--user-id",
            "777001",
            "--user",
            "--api-id",
            "12345",
            "--production",
        ];
        let no_options: &[&str] = if self.is_replaceable() { &[] } else { &of_user };
        let from = session.to_str().unwrap();
        let mut accounts = vec!["default"];
        if self.has_accounts() {
            accounts.push("neighbour");
        }
        for account in accounts {
            let address = self.address(dir, account);
            let args = [&["convert", from, &*address], no_options].concat();
            assert!(command().args(args).output().unwrap().status.success());
        }
        if self == Self::TelethonInLog {
            move_into_log(&dir.join("telethon"));
        }
        let _ = fs::remove_file(session);
    }
}

/// Leaves a database as a process does that is killed: its last change is in the log.
fn move_into_log(path: &Path) {
    let with = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let db = rusqlite::Connection::open(path).unwrap();
    db.execute_batch("PRAGMA journal_mode = WAL; UPDATE update_state SET pts = 999 WHERE id = 0")
        .unwrap();
    for suffix in ["", "-wal"] {
        fs::copy(with(suffix), with(&format!("{suffix}.copy"))).unwrap();
    }
    drop(db);
    for suffix in ["", "-wal"] {
        fs::rename(with(&format!("{suffix}.copy")), with(suffix)).unwrap();
    }
    let _ = fs::remove_file(with("-shm"));
}
