//! Owners of accounts on servers, with real processes.
#![cfg(all(unix, feature = "full"))]

use mtsession::{Owner, PersistedSession, SessionBackend, StoreErrorKind, StoreOptions, connect};
use mtsession_tests::mock_hrana::{Fault, Mock};
use mtsession_tests::owner_process::OwnerProcess;
use mtsession_tests::sqld::{self, Sqld};
use mtsession_tests::stores::kind;

fn start(args: &[&str]) -> OwnerProcess {
    OwnerProcess::start(env!("CARGO_BIN_EXE_owner"), args)
}

/// What is true of every server, whose leases end when `expire` says so.
fn check(url: &str, expire: Option<&dyn Fn()>) {
    let dir = tempfile::tempdir().unwrap();
    let replica = dir.path().join("replica.db");
    let addresses = [
        format!("libsql:{url}#alice"),
        format!("libsql:{url}?replica={}#bob", replica.display()),
    ];
    for address in &addresses {
        let mut first = start(&[address, "bot"]);
        assert_eq!(first.said, "owned", "{address}");
        let other = connect(&**address).unwrap();
        assert!(
            other.load().unwrap().is_none(),
            "{address}: an owner is not a session"
        );
        assert_eq!(
            kind(&other.set_home_dc(4).unwrap_err()),
            StoreErrorKind::Owned
        );
        assert_eq!(first.ask("save 2"), "done");
        assert_eq!(first.ask("qts 1"), "done");
        assert!(first.ask("lease").starts_with("lost false left Some(2"));
        assert_is_told(address, &first, &*other);
        for write in WRITES {
            first = assert_taken_over(address, first, write);
        }
        // Its own deletion leaves it the owner.
        assert_eq!(first.ask("delete"), "done");
        assert!(other.load().unwrap().is_none());
        assert_eq!(
            kind(&other.set_home_dc(4).unwrap_err()),
            StoreErrorKind::Owned
        );
        assert_eq!(first.ask("save 3"), "done");
        if let Some(expire) = expire {
            assert_expires(address, first, &*other, expire);
        } else {
            assert_eq!(first.ask("release"), "done");
            other.set_home_dc(4).unwrap();
        }
        assert!(other.owner().unwrap().is_none());
    }
}

/// Every kind of write.
const WRITES: [&str; 6] = [
    "qts 66",
    "home 66",
    "batch 66",
    "save 66",
    "update 66",
    "delete",
];

/// The second one learns who is first, and changes nothing.
fn assert_is_told(address: &str, first: &OwnerProcess, other: &dyn SessionBackend) {
    let second = start(&[address]);
    let told = format!("Some(Owned) [bot {} ", first.pid());
    assert!(second.said.starts_with(&told), "{}", second.said);
    let by = other.owner().unwrap().unwrap();
    assert_eq!((&*by.program, by.pid), ("bot", first.pid()));
    for error in [
        other.set_home_dc(4).unwrap_err(),
        other.save(&PersistedSession::default()).unwrap_err(),
        other.delete().unwrap_err(),
    ] {
        assert_eq!(kind(&error), StoreErrorKind::Owned, "{error}");
    }
}

/// Another one takes over in front of a write of the first, and gives the account back. Returns the next owner.
fn assert_taken_over(address: &str, mut first: OwnerProcess, write: &str) -> OwnerProcess {
    let mut third = start(&[address, "take-over"]);
    assert_eq!(third.said, "owned");
    assert_eq!(third.ask("qts 2"), "done");
    let answer = first.ask(write);
    assert!(
        answer.starts_with("Some(NotOwner)"),
        "{address} {write}: {answer}"
    );
    assert!(first.ask("lease").starts_with("lost true"));
    assert_eq!(third.ask("load"), "home 2 qts 2 channels 0", "{write}");
    assert_eq!(third.ask("release"), "done");
    let answer = first.ask(write);
    assert!(
        answer.starts_with("Some(NotOwner)"),
        "{address} {write}: {answer}"
    );
    first = start(&[address, "bot"]);
    assert_eq!(first.said, "owned");
    assert_eq!(first.ask("load"), "home 2 qts 2 channels 0", "{write}");
    first
}

/// A stopped owner wakes up after its lease, and another one has it.
fn assert_expires(
    address: &str,
    mut first: OwnerProcess,
    other: &dyn SessionBackend,
    expire: &dyn Fn(),
) {
    first.signal("STOP");
    first.tell("qts 66");
    assert!(start(&[address]).said.starts_with("Some(Owned)"));
    expire();
    let mut next = start(&[address]);
    assert_eq!(next.said, "owned", "{address}");
    first.signal("CONT");
    let answer = first.answer();
    assert!(answer.starts_with("Some(NotOwner)"), "{address}: {answer}");
    assert_eq!(next.ask("load"), "home 3 qts 0 channels 0");
    next.kill();
    // Nobody has taken it: who asks for no owner may write after a while.
    assert_eq!(
        kind(&other.set_home_dc(4).unwrap_err()),
        StoreErrorKind::Owned
    );
    expire();
    assert!(other.owner().unwrap().is_none());
    other.set_home_dc(4).unwrap();
}

#[test]
fn an_account_of_a_server_has_one_owner() {
    check(Mock::start(None).url(), None);
}

#[test]
fn the_clock_of_a_real_server_decides_when_a_lease_ends() {
    if !sqld::is_available() {
        println!("skipped: no sqld");
        return;
    }
    let server = Sqld::start();
    let expire = || server.execute("UPDATE lease SET expires = unixepoch() - 5");
    check(&server.url(), Some(&expire));
}

/// What is sent again because no answer came is carried out once.
#[test]
fn an_answer_that_is_lost_does_not_make_a_second_owner() {
    for after in 0..12 {
        let mock = Mock::start(None);
        let address = format!("libsql:{}", mock.url());
        let backend = connect(&*address).unwrap();
        backend.set_home_dc(2).unwrap();
        mock.fail(after, Fault::CloseAfter);
        let owned = backend.own(Owner::current().named("bot"));
        mock.heal();
        let other = connect(&*address).unwrap();
        match owned {
            Ok(_ownership) => {
                backend.set_home_dc(3).unwrap();
                assert_eq!(
                    kind(&other.set_home_dc(4).unwrap_err()),
                    StoreErrorKind::Owned
                );
            }
            Err(error) => assert_ne!(kind(&error), StoreErrorKind::Owned, "{after}: {error}"),
        }
    }
}

#[test]
fn a_heartbeat_is_not_a_change_that_the_client_reads() {
    let mock = Mock::start(None);
    let address = format!("libsql:{}", mock.url());
    let backend = StoreOptions::new()
        .own(Owner::current())
        .connect(&*address)
        .unwrap();
    backend.set_home_dc(2).unwrap();
    backend.load().unwrap();
    mock.take_requests();
    backend.load().unwrap();
    let of_a_load = mock.take_requests().len();
    let again = Owner::current().take_over();
    let same = connect(&*address).unwrap();
    drop(same.own(again).unwrap());
    mock.take_requests();
    backend.load().unwrap();
    assert_eq!(mock.take_requests().len(), of_a_load);
}
