//! Session files and databases where other users of the machine can put files.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use mtsession_tests::programs;
use tempfile::TempDir;

const VICTIM: u32 = 1001;
const ATTACKER: u32 = 1002;

fn make_pipe(path: &Path) {
    let made = programs::output(Command::new("mkfifo").arg(path)).unwrap();
    assert!(made.status.success());
}

/// A directory that everybody can write to, with a copy of the program that everybody can run.
struct Shared {
    dir: TempDir,
    program: PathBuf,
    path: PathBuf,
}

impl Shared {
    /// `None` where this process cannot become others.
    fn with_mode(mode: u32) -> Option<Self> {
        let id = programs::output(Command::new("id").arg("-u"));
        if !id.is_ok_and(|id| id.stdout == b"0\n") {
            println!("skipped: only root can become somebody else");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = dir.path().join("file-ops");
        programs::copy(env!("CARGO_BIN_EXE_file-ops"), &program).unwrap();
        let shared = dir.path().join("shared");
        fs::create_dir(&shared).unwrap();
        fs::set_permissions(&shared, fs::Permissions::from_mode(mode)).unwrap();
        let path = shared.join("s");
        Some(Self { dir, program, path })
    }

    /// The same for a database.
    fn with_database(mode: u32) -> Option<Self> {
        let mut shared = Self::with_mode(mode)?;
        shared.path = shared.named("s.db");
        Some(shared)
    }

    fn named(&self, name: &str) -> PathBuf {
        self.path.with_file_name(name)
    }

    fn ops(&self, uid: u32, operations: &[&str]) -> String {
        let user = uid.to_string();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
        command.arg(&self.program).arg(&self.path).args(operations);
        String::from_utf8(programs::output(&mut command).unwrap().stdout).unwrap()
    }

    fn plant(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.named(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        chown(&path, Some(ATTACKER), Some(ATTACKER)).unwrap();
        path
    }
}

/// The bytes of a session with another key.
fn another() -> Vec<u8> {
    let mut session = mtsession_tests::random::sized(1, 0, 0, 0);
    session.dcs[0].auth_key = Some(mtsession_tests::random::key_of(9));
    session.to_bytes()
}

fn assert_refused(said: &str, path: &Path) {
    for line in said.lines() {
        assert!(line.contains("ERR"), "{said}");
        assert!(
            line.contains(path.to_str().unwrap()),
            "{} is not named: {said}",
            path.display()
        );
    }
    assert!(!said.is_empty());
}

#[test]
fn what_another_user_put_there_is_refused_by_name() {
    let Some(shared) = Shared::with_mode(0o1777) else {
        return;
    };
    assert_eq!(
        shared.ops(VICTIM, &["save1", "pts5"]),
        "save1: ok\npts5: ok\n"
    );
    let all = ["load", "save2", "pts6", "dc3"];
    // What the release before kept alongside a session is nothing to one with a tail of its own.
    for content in [another(), Vec::new()] {
        let planted = shared.plant(".s.mtsession-pending", &content);
        assert_eq!(
            shared.ops(VICTIM, &["load"]),
            "load: home 2 dcs 1 pts 5 key Some(1)\n"
        );
        assert_eq!(
            shared.ops(VICTIM, &["pts5", "delete"]),
            "pts5: ok\ndelete: ok\n"
        );
        assert_eq!(fs::read(&planted).unwrap(), content);
        fs::remove_file(&planted).unwrap();
        assert_eq!(
            shared.ops(VICTIM, &["save1", "pts5"]),
            "save1: ok\npts5: ok\n"
        );
    }
    // Alongside a session of the release before it would be the session, or its changes.
    let own = shared.named("s");
    fs::write(&own, another()).unwrap();
    chown(&own, Some(VICTIM), Some(VICTIM)).unwrap();
    for name in [".s.mtsession-pending", "s.journal"] {
        for content in [another(), Vec::new()] {
            let planted = shared.plant(name, &content);
            assert_refused(&shared.ops(VICTIM, &all), &planted);
            fs::remove_file(&planted).unwrap();
        }
    }
    // The session itself.
    assert_eq!(shared.ops(VICTIM, &["delete"]), "delete: ok\n");
    let planted = shared.plant("s", &[]);
    assert_refused(&shared.ops(VICTIM, &["save2", "pts6", "dc3"]), &planted);
    assert_eq!(fs::metadata(&planted).unwrap().len(), 0);
    assert_eq!(fs::metadata(&planted).unwrap().uid(), ATTACKER);
    fs::remove_file(&planted).unwrap();
    let planted = shared.plant("s", &another());
    assert_refused(&shared.ops(VICTIM, &all), &planted);
}

#[test]
fn pipes_links_and_directories_are_refused_and_nobody_waits() {
    let Some(shared) = Shared::with_mode(0o1777) else {
        return;
    };
    for name in ["s.journal", ".s.mtsession-pending", "s"] {
        for kind in ["pipe", "link", "directory"] {
            let path = shared.named(name);
            let elsewhere = shared.dir.path().join("elsewhere");
            fs::create_dir_all(&elsewhere).unwrap();
            chown(&elsewhere, Some(VICTIM), None).unwrap();
            match kind {
                "pipe" => make_pipe(&path),
                "link" => symlink(elsewhere.join("made"), &path).unwrap(),
                _ => fs::create_dir(&path).unwrap(),
            }
            let said = shared.ops(VICTIM, &["load", "save2", "pts6"]);
            if name == "s" && kind == "link" {
                // A link to where the session is to be is followed: that is the caller's own choice.
                assert!(said.ends_with("save2: ok\npts6: ok\n"), "{said}");
            } else {
                let writes = said.split_once('\n').unwrap().1;
                assert!(!writes.contains("ok"), "{name} {kind}: {said}");
                assert!(!elsewhere.join("made").exists());
            }
            fs::remove_dir_all(shared.path.parent().unwrap()).unwrap();
            fs::create_dir(shared.path.parent().unwrap()).unwrap();
            let mode = fs::Permissions::from_mode(0o1777);
            fs::set_permissions(shared.path.parent().unwrap(), mode).unwrap();
            fs::remove_dir_all(&elsewhere).unwrap();
        }
    }
}

#[test]
fn temporary_names_of_others_do_not_keep_a_session_from_being_deleted() {
    let Some(shared) = Shared::with_mode(0o1777) else {
        return;
    };
    for name in [
        ".s.abc.mtsession-tmp",
        ".mtsession-tmp-abcdefghijkl",
        "s.damaged-1",
    ] {
        assert_eq!(shared.ops(VICTIM, &["save1"]), "save1: ok\n");
        let planted = shared.plant(name, b"something");
        let directory = shared.named(".mtsession-tmp-000000000000");
        fs::create_dir(&directory).unwrap();
        assert_eq!(
            shared.ops(VICTIM, &["delete", "load"]),
            "delete: ok\nload: None\n"
        );
        assert!(!shared.path.exists());
        assert_eq!(fs::read(&planted).unwrap(), b"something");
        fs::remove_file(&planted).unwrap();
        fs::remove_dir(&directory).unwrap();
    }
}

/// Root may write everywhere, and leaves a session to its owner: who must not be given a key by that.
#[test]
fn root_hands_no_key_to_whoever_made_the_file() {
    for mode in [0o777, 0o1777] {
        let Some(shared) = Shared::with_mode(mode) else {
            return;
        };
        let planted = shared.plant("s", &another());
        assert_refused(&shared.ops(0, &["save1", "dc2"]), &planted);
        // Nobody learns anything by a counter, or by the key that is theirs already.
        let said = shared.ops(0, &["load", "pts6", "save9", "load"]);
        assert!(
            said.ends_with("pts6: ok\nsave9: ok\nload: home 2 dcs 1 pts 0 key Some(9)\n"),
            "{said}"
        );
        assert_eq!(fs::metadata(&planted).unwrap().uid(), ATTACKER);
        let touched = shared.plant("s", b"");
        assert_refused(
            &shared
                .ops(0, &["save1", "home4"])
                .lines()
                .take(1)
                .collect::<String>(),
            &touched,
        );
    }
}

/// An administrator who works on the session of a service leaves it to the service, in every kind of
/// directory.
#[test]
fn what_root_writes_once_stays_the_services() {
    for (mode, owner) in [(0o777, 0), (0o755, VICTIM), (0o700, VICTIM)] {
        let Some(shared) = Shared::with_mode(mode) else {
            return;
        };
        chown(shared.path.parent().unwrap(), Some(owner), None).unwrap();
        assert_eq!(shared.ops(VICTIM, &["save1"]), "save1: ok\n");
        assert_eq!(
            shared
                .ops(0, &["pts6", "home1", "load"])
                .matches("ERR")
                .count(),
            0
        );
        if owner == VICTIM {
            assert_eq!(shared.ops(0, &["save2"]), "save2: ok\n");
        }
        let said = shared.ops(VICTIM, &["pts8", "load"]);
        assert!(
            said.starts_with("pts8: ok\n") && said.contains("dcs 1 pts 8"),
            "{said}"
        );
    }
}

#[test]
fn a_database_that_another_user_put_there_is_refused_and_stays_as_it_was() {
    let Some(shared) = Shared::with_database(0o1777) else {
        return;
    };
    // Somebody's own database, to be put there.
    assert_eq!(shared.ops(0, &["save9"]), "save9: ok\n");
    let another = fs::read(&shared.path).unwrap();
    fs::remove_file(&shared.path).unwrap();
    for content in [Vec::new(), another] {
        let planted = shared.plant("s.db", &content);
        let all = ["load", "save1", "pts6", "dc3", "delete"];
        assert_refused(&shared.ops(VICTIM, &all), &planted);
        // Root could write to it, and its owner would read the key.
        assert_refused(&shared.ops(0, &["save1", "dc3"]), &planted);
        assert_eq!(fs::read(&planted).unwrap(), content);
        assert_eq!(fs::metadata(&planted).unwrap().mode() & 0o777, 0o666);
        fs::remove_file(&planted).unwrap();
    }
    for name in ["s.db-wal", "s.db-journal", "s.db-shm"] {
        let planted = shared.plant(name, b"");
        assert_refused(&shared.ops(VICTIM, &["save1"]), &planted);
        assert_eq!(fs::metadata(&planted).unwrap().len(), 0);
        fs::remove_file(&planted).unwrap();
        let _ = fs::remove_file(&shared.path);
    }
    assert_eq!(shared.ops(VICTIM, &["save1"]), "save1: ok\n");
    for name in ["s.db-wal", "s.db-journal"] {
        let planted = shared.plant(name, b"");
        assert_refused(&shared.ops(VICTIM, &["load", "pts6"]), &planted);
        fs::remove_file(&planted).unwrap();
    }
    // What only looks like the copy of an older release does not keep an account from being deleted.
    shared.plant("s.db.pre-mtsession-2", b"something");
    assert_eq!(
        shared.ops(VICTIM, &["delete", "load"]),
        "delete: ok\nload: None\n"
    );
}

/// A log is a part of the database that it lies next to, whichever library it belongs to.
#[cfg(feature = "full")]
#[test]
fn a_log_that_another_user_put_beside_a_foreign_database_is_refused() {
    let Some(mut shared) = Shared::with_mode(0o1777) else {
        return;
    };
    shared.path = shared.named("telethon.session");
    let vector =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/clients/telethon-1.45.0-s01.session");
    fs::copy(vector, &shared.path).unwrap();
    chown(&shared.path, Some(VICTIM), Some(VICTIM)).unwrap();
    let good = shared.ops(VICTIM, &["import"]);
    assert!(good.starts_with("import: a Telethon database"), "{good}");
    // A log with a change in it, as SQLite would apply it.
    let elsewhere = shared.dir.path().join("telethon.session");
    fs::copy(&shared.path, &elsewhere).unwrap();
    let attacker = rusqlite::Connection::open(&elsewhere).unwrap();
    attacker
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0;
            UPDATE sessions SET server_address = '203.0.113.66'",
        )
        .unwrap();
    let log = fs::read(shared.dir.path().join("telethon.session-wal")).unwrap();
    for (name, content) in [
        ("telethon.session-wal", &*log),
        ("telethon.session-wal", b""),
        ("telethon.session-journal", &*log),
        ("telethon.session-shm", b""),
    ] {
        let planted = shared.plant(name, content);
        // Also as root, to whom the log is not the database's owner's.
        for user in [VICTIM, 0] {
            assert_refused(&shared.ops(user, &["import"]), &planted);
        }
        assert_eq!(fs::read(&planted).unwrap(), content);
        fs::remove_file(&planted).unwrap();
        make_pipe(&planted);
        chown(&planted, Some(ATTACKER), Some(ATTACKER)).unwrap();
        assert_refused(&shared.ops(VICTIM, &["import"]), &planted);
        fs::remove_file(&planted).unwrap();
        // A link to a log of the victim's own.
        let own = shared.dir.path().join("own");
        fs::write(&own, &log).unwrap();
        symlink(&own, &planted).unwrap();
        std::os::unix::fs::lchown(&planted, Some(ATTACKER), Some(ATTACKER)).unwrap();
        assert_refused(&shared.ops(VICTIM, &["import"]), &planted);
        fs::remove_file(&planted).unwrap();
    }
    // The owner's own log is read.
    let own = shared.plant("telethon.session-wal", b"");
    chown(&own, Some(VICTIM), Some(VICTIM)).unwrap();
    for user in [VICTIM, 0] {
        assert_eq!(shared.ops(user, &["import"]), good);
    }
}

/// Where a link leads is what its maker chose.
#[test]
fn a_link_that_another_user_put_there_is_not_followed() {
    for name in ["s", "s.db"] {
        let Some(mut shared) = Shared::with_mode(0o777) else {
            return;
        };
        let home = shared.dir.path().join("home");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(ATTACKER), Some(ATTACKER)).unwrap();
        fs::write(home.join("made"), b"").unwrap();
        chown(home.join("made"), Some(ATTACKER), Some(ATTACKER)).unwrap();
        shared.path = shared.named(name);
        symlink(home.join("made"), &shared.path).unwrap();
        std::os::unix::fs::lchown(&shared.path, Some(ATTACKER), Some(ATTACKER)).unwrap();
        for user in [VICTIM, 0] {
            assert_refused(&shared.ops(user, &["load", "save1", "pts6"]), &shared.path);
        }
        assert_eq!(fs::metadata(home.join("made")).unwrap().len(), 0);
    }
}

#[test]
fn what_root_writes_once_into_a_database_stays_the_services() {
    for (mode, owner) in [(0o755, VICTIM), (0o700, VICTIM)] {
        let Some(shared) = Shared::with_database(mode) else {
            return;
        };
        chown(shared.path.parent().unwrap(), Some(owner), None).unwrap();
        assert_eq!(shared.ops(VICTIM, &["save1"]), "save1: ok\n");
        assert_eq!(shared.ops(0, &["pts6", "save2"]), "pts6: ok\nsave2: ok\n");
        let said = shared.ops(VICTIM, &["pts8", "load"]);
        assert!(said.ends_with("pts 8 key Some(2)\n"), "{said}");
    }
}
