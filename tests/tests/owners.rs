//! Owners of stores on this machine, with real processes.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mtsession::{
    Owner, PersistedSession, SessionBackend, StoreError, StoreErrorKind, StoreOptions, connect,
};
use mtsession_tests::owner_process::OwnerProcess;
use mtsession_tests::stores::kind;
use tempfile::TempDir;

fn start(args: &[&str]) -> OwnerProcess {
    OwnerProcess::start(env!("CARGO_BIN_EXE_owner"), args)
}

/// The addresses of every local store.
fn stores(dir: &TempDir) -> Vec<String> {
    let at = |name: &str| dir.path().join(name).display().to_string();
    vec![
        at("bot.session"),
        format!("dir:{}#bob", at("accounts")),
        format!("sqlite:{}", at("one.db")),
        format!("sqlite:{}#bob", at("many.db")),
        format!("libsql:{}#alice", at("many.db")),
    ]
}

/// Every way of writing that there is.
const WRITES: [&str; 7] = [
    "qts 66",
    "home 66",
    "batch 66",
    "save 66",
    "update 66",
    "forget",
    "delete",
];

#[test]
fn the_second_of_two_processes_is_refused_at_once_and_told_who_the_first_is() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(&dir) {
        let mut first = start(&[&address, "bot"]);
        assert_eq!(first.said, "owned", "{address}");
        // Before the first login as well as after it.
        for write in ["", "home 2"] {
            if !write.is_empty() {
                assert_eq!(first.ask(write), "done");
            }
            let second = start(&[&address]);
            let told = format!("Some(Owned) [bot {} ", first.pid());
            assert!(second.said.starts_with(&told), "{address}: {}", second.said);
            assert!(
                second.said.contains("has owned it since 20"),
                "{}",
                second.said
            );

            let asked = StoreOptions::new().own(Owner::current());
            let error = asked.connect(&*address).err().unwrap();
            let by = StoreError::of(&error).unwrap().owner().unwrap();
            assert_eq!((&*by.program, by.pid), ("bot", first.pid()));
        }
        let other = connect(&*address).unwrap();
        assert_eq!(other.owner().unwrap().unwrap().pid, first.pid());
        assert_eq!(other.load().unwrap().unwrap().home_dc_id, 2, "all may read");
        for error in [
            other.set_home_dc(4).unwrap_err(),
            other.save(&PersistedSession::default()).unwrap_err(),
            other.delete().unwrap_err(),
        ] {
            assert_eq!(kind(&error), StoreErrorKind::Owned, "{error}");
        }
        assert_eq!(first.ask("load"), "home 2 qts 0 channels 0");
        first.kill();
    }
}

#[test]
fn a_killed_owner_leaves_its_session_free() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(&dir) {
        let mut first = start(&[&address]);
        assert_eq!(first.ask("home 2"), "done");
        first.kill();
        let mut second = start(&[&address]);
        assert_eq!(second.said, "owned", "{address}");
        assert_eq!(second.ask("load"), "home 2 qts 0 channels 0");
        second.kill();
        // Who asks for no owner may write as well.
        let other = connect(&*address).unwrap();
        assert!(other.owner().unwrap().is_none());
        other.set_home_dc(4).unwrap();
    }
}

#[test]
fn an_owner_that_was_stopped_and_wakes_after_a_take_over_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(&dir) {
        for write in WRITES {
            let mut first = start(&[&address]);
            assert_eq!(first.said, "owned", "{address}");
            assert_eq!(first.ask("save 2"), "done");
            assert_eq!(first.ask("qts 1"), "done");
            first.signal("STOP");
            first.tell(write);
            let mut second = start(&[&address, "take-over"]);
            assert_eq!(second.said, "owned");
            assert_eq!(second.ask("qts 2"), "done");
            first.signal("CONT");
            let answer = first.answer();
            let told = format!("Some(NotOwner) [owner {} ", second.pid());
            assert!(answer.starts_with(&told), "{address} {write}: {answer}");
            assert!(first.ask("lease").starts_with("lost true"));
            assert_eq!(second.ask("load"), "home 2 qts 2 channels 0", "{write}");

            // Also when the one that took over is gone.
            assert_eq!(second.ask("release"), "done");
            let answer = first.ask(write);
            assert!(answer.starts_with("Some(NotOwner)"), "{address}: {answer}");
            assert_eq!(second.ask("load"), "home 2 qts 2 channels 0", "{write}");
        }
    }
}

/// The owner before any login has nothing to put its token into.
#[test]
fn a_session_that_is_not_there_yet_is_owned_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(&dir) {
        let mut first = start(&[&address]);
        let other = connect(&*address).unwrap();
        assert!(other.load().unwrap().is_none());
        assert_eq!(
            kind(&other.set_home_dc(4).unwrap_err()),
            StoreErrorKind::Owned
        );
        assert!(other.load().unwrap().is_none(), "{address}");

        let mut second = start(&[&address, "take-over"]);
        let answer = first.ask("home 2");
        assert!(answer.starts_with("Some(NotOwner)"), "{address}: {answer}");
        assert_eq!(second.ask("home 3"), "done");
        assert_eq!(second.ask("delete"), "done");
        let answer = first.ask("home 2");
        assert!(answer.starts_with("Some(NotOwner)"), "{address}: {answer}");
        assert_eq!(second.ask("home 3"), "done");
        assert_eq!(second.ask("load"), "home 3 qts 0 channels 0");
    }
}

#[test]
fn a_session_is_free_again_when_its_owner_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for address in stores(&dir) {
        let backend = connect(&*address).unwrap();
        let ownership = backend.own(Owner::current()).unwrap();
        assert!(backend.lease().unwrap().valid_until().is_none());
        backend.set_home_dc(2).unwrap();
        let other = connect(&*address).unwrap();
        assert!(other.set_home_dc(3).is_err());
        ownership.release().unwrap();
        assert!(backend.lease().is_none());
        other.set_home_dc(3).unwrap();
        backend.set_home_dc(4).unwrap();
        assert!(other.owner().unwrap().is_none());
    }
}

fn bytes_of(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

fn file(dir: &TempDir) -> PathBuf {
    dir.path().join("bot.session")
}

/// The session file at `path`, owned by this process, with a home DC.
fn owned(path: &Path) -> Arc<dyn SessionBackend> {
    let options = StoreOptions::new().own(Owner::current());
    let backend = options.connect(path).unwrap();
    backend.set_home_dc(2).unwrap();
    backend
}

/// The token stands in the trailer, which programs of other libraries do not read.
#[test]
fn owning_a_session_file_changes_nothing_of_what_ferogram_session_reads() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let backend = connect(&path).unwrap();
    backend.set_home_dc(2).unwrap();
    let body = |bytes: &[u8]| {
        let trailer = bytes.windows(4).position(|at| at == b"MTSX").unwrap();
        bytes[..trailer].to_vec()
    };
    let before = body(&bytes_of(&path));
    let ownership = backend.own(Owner::current()).unwrap();
    let owned = bytes_of(&path);
    assert_eq!(body(&owned), before);
    let old = ferogram_session::PersistedSession::from_bytes(&owned).unwrap();
    assert_eq!(old.home_dc_id, 2);
    ownership.release().unwrap();
    assert_eq!(body(&bytes_of(&path)), before);
    let names: Vec<_> = fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["bot.session"], "nothing is left alongside");
}

/// A copy of an owned file has the token, but nobody holds a lock of it.
#[test]
fn a_copy_of_an_owned_session_is_nobodys() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let _owner = owned(&path);
    let copy = dir.path().join("copy.session");
    fs::copy(&path, &copy).unwrap();
    let copied = connect(&copy).unwrap();
    assert!(copied.owner().unwrap().is_none());
    copied
        .apply_update_state(mtsession::UpdateStateChange::Secondary { qts: 1 })
        .unwrap();
    let bytes = bytes_of(&copy);
    let file = mtsession::codec::PlainFile::parse(&bytes).unwrap();
    assert!(
        file.snapshot().fencing_token().is_none(),
        "older releases read it"
    );
}

/// A program that knows no owners has put another file there.
#[test]
fn an_owner_stays_the_owner_where_the_file_was_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let backend = owned(&path);
    let other = PersistedSession {
        home_dc_id: 5,
        ..PersistedSession::default()
    };
    let new = dir.path().join("new");
    fs::write(&new, other.to_bytes()).unwrap();
    fs::rename(&new, &path).unwrap();
    let second = connect(&path).unwrap();
    assert_eq!(
        kind(&second.set_home_dc(3).unwrap_err()),
        StoreErrorKind::Owned
    );
    backend.set_home_dc(4).unwrap();
    assert_eq!(
        kind(&second.set_home_dc(3).unwrap_err()),
        StoreErrorKind::Owned
    );
    assert_eq!(backend.load().unwrap().unwrap().home_dc_id, 4);
}

/// The descriptors of the parent are the child's as well, and so is the lock.
#[test]
fn a_child_process_that_was_forked_is_not_the_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let backend = owned(&path);
    let answer = dir.path().join("answer");
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let refused = backend.set_home_dc(3).map_err(|error| kind(&error));
            fs::write(&answer, format!("{refused:?}")).unwrap();
            std::process::exit(0);
        }
        fork::Fork::Parent(pid) => {
            fork::waitpid(pid).unwrap();
        }
    }
    assert_eq!(fs::read_to_string(answer).unwrap(), "Err(Owned)");
    backend.set_home_dc(4).unwrap();
    assert_eq!(backend.load().unwrap().unwrap().home_dc_id, 4);
}

#[test]
fn several_sessions_of_one_account_are_claimed_one_after_another() {
    let dir = tempfile::tempdir().unwrap();
    for address in [
        format!("sqlite:{}", dir.path().join("accounts.db").display()),
        format!("dir:{}", dir.path().join("accounts").display()),
        "memory:".to_owned(),
    ] {
        let store = StoreOptions::new().open(&*address).unwrap();
        let names = ["one", "two"];
        let claim = || store.claim(&names, Owner::current().named("bot"));
        let (first, one) = claim().unwrap();
        let (second, _two) = claim().unwrap();
        first.set_home_dc(1).unwrap();
        second.set_home_dc(2).unwrap();
        let error = claim().err().unwrap();
        assert_eq!(kind(&error), StoreErrorKind::Owned, "{error}");
        assert_eq!(
            StoreError::of(&error).unwrap().owner().unwrap().program,
            "bot"
        );
        one.release().unwrap();
        let (third, _one) = claim().unwrap();
        assert_eq!(third.load().unwrap().unwrap().home_dc_id, 1);
        assert_eq!(
            kind(&store.delete("one").unwrap_err()),
            StoreErrorKind::Owned
        );
        assert!(store.rename("one", "three").is_err());
        let mut owned = Vec::new();
        store
            .for_each(&mut |entry| {
                owned.push((entry.name, entry.owner.map(|by| by.program)));
                std::ops::ControlFlow::Continue(())
            })
            .unwrap();
        let bot = || Some("bot".to_owned());
        assert_eq!(
            owned,
            [("one".to_owned(), bot()), ("two".to_owned(), bot())]
        );
        assert_eq!(
            kind(&store.claim(&[], Owner::current()).err().unwrap()),
            StoreErrorKind::Invalid
        );
    }
}
