//! A process that forks while it has a database open: `forked-database KIND DIRECTORY`.
//!
//! Each line on standard output is one fact; the child's begin with `child`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic: that is how it fails"
)]

#[cfg(unix)]
fn main() {
    unix::run();
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::path::{Path, PathBuf};

    use fork::{Fork, fork, waitpid};
    use mtsession::{
        LibSqlBackend, SessionBackend, SessionBackendExt, SqliteBackend, Store, UpdateStateChange,
    };
    use mtsession_tests::random::sized;
    use mtsession_tests::stores::sqlite;

    fn open(kind: &str, path: &Path) -> io::Result<Box<dyn SessionBackend>> {
        Ok(match kind {
            "sqlite" => Box::new(SqliteBackend::open(path)?),
            "libsql" => Box::new(LibSqlBackend::open_local(path)?),
            "open" => Box::new(mtsession::connect(path)?),
            _ => panic!("{kind}"),
        })
    }

    fn count(backend: &dyn SessionBackend, pts: i32) -> io::Result<()> {
        backend.apply_update_state(UpdateStateChange::Primary {
            pts,
            date: 1,
            seq: 1,
        })
    }

    fn say<T>(what: &str, result: io::Result<T>) {
        match result {
            Ok(_) => println!("{what}: done"),
            Err(error) => println!("{what}: {error}"),
        }
    }

    /// What the child does, and then ends without a destructor of the parent's.
    fn in_child(child: impl FnOnce()) {
        match fork().expect("fork") {
            Fork::Child => {
                child();
                std::process::exit(0);
            }
            Fork::Parent(pid) => println!("status of the child: {}", waitpid(pid).expect("wait")),
        }
    }

    pub(super) fn run() {
        let mut args = std::env::args().skip(1);
        let kind = args.next().expect("a kind");
        let dir = PathBuf::from(args.next().expect("a directory"));
        let path = dir.join("a.db");

        let backend = open(&kind, &path).expect("open");
        backend.save(&sized(1, 3, 0, 0)).expect("save");
        count(&*backend, 1).expect("count");
        in_child(|| {
            say("child, load", backend.load());
            say("child, apply", count(&*backend, 2));
            say("child, save", backend.save(&sized(2, 3, 0, 0)));
            say("child, delete", backend.delete());
            say("child, names", backend.peer_names());
            say("child, open anew", open(&kind, &path));
            say(
                "child, back up",
                Store::open(sqlite(&path))
                    .and_then(|store| store.backup(sqlite(dir.join("copy.db")))),
            );
            let link = dir.join("link.db");
            std::os::unix::fs::symlink(&path, &link).expect("link");
            say("child, open by a link", open(&kind, &link));
            drop(backend);
            say("child, open after the drop", open(&kind, &path));
            let other = open(&kind, &dir.join("other.db")).expect("open");
            say("child, another database", other.save(&sized(3, 3, 0, 0)));
        });

        // Nothing was open at this fork.
        let later = dir.join("later.db");
        let saved = open(&kind, &later).and_then(|backend| backend.save(&sized(1, 3, 0, 0)));
        say("save before the second fork", saved);
        in_child(|| {
            let backend = open(&kind, &later).expect("open");
            say("child, opened in the child", count(&*backend, 7));
        });
    }
}
