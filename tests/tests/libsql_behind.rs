//! Copies of a server's database that lag, as Turso's edge replicas are: what they answer was true
//! a while ago. No login is lost for it, and none is taken for gone.

#![expect(
    deprecated,
    reason = "a handle that has not asked its server yet asks it with its first call"
)]

use mtsession::{
    LibSqlBackend, PersistedSession, SessionBackend, SessionBackendExt, UpdateStateChange,
};
use mtsession_tests::mock_hrana::{Fault, Mock};
use mtsession_tests::random::{key_of, sized};

fn open(mock: &Mock) -> LibSqlBackend {
    LibSqlBackend::remote(mock.url(), "").unwrap()
}

fn first() -> PersistedSession {
    sized(3, 5, 3, 1)
}

/// The same after the home DC's key was replaced.
fn second() -> PersistedSession {
    let mut session = first();
    let home = session.home_dc_id;
    for dc in session.dcs.iter_mut().filter(|dc| dc.dc_id == home) {
        dc.auth_key = Some(key_of(70));
    }
    session
}

fn pts(pts: i32) -> UpdateStateChange {
    UpdateStateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    }
}

#[test]
fn what_this_process_wrote_is_never_read_as_it_was_before() {
    let mock = Mock::start(None);
    let backend = open(&mock);
    backend.save(&first()).unwrap();
    mock.fall_behind(0);
    backend.save(&second()).unwrap();
    assert_eq!(backend.load().unwrap(), Some(second()));
    backend.apply_update_state(pts(7)).unwrap();
    let loaded = backend.load().unwrap().unwrap();
    assert_eq!(loaded.updates_state.pts, 7);
    backend.delete().unwrap();
    assert_eq!(backend.load().unwrap(), None);
}

/// The copy has no tables yet, or no account, or one that was deleted.
#[test]
fn an_account_is_missing_only_where_writes_are() {
    for before in ["no tables", "another account", "deleted"] {
        let mock = Mock::start(None);
        match before {
            "another account" => {
                let options = mtsession::RemoteOptions::default();
                LibSqlBackend::remote_account(mock.url(), "", "bob", options)
                    .unwrap()
                    .save(&second())
                    .unwrap();
            }
            "deleted" => {
                open(&mock).save(&second()).unwrap();
                open(&mock).delete().unwrap();
            }
            _ => {}
        }
        mock.fall_behind(0);
        open(&mock).save(&first()).unwrap();
        // A process that has not written anything.
        let late = open(&mock);
        assert_eq!(late.load().unwrap(), Some(first()), "{before}");
        late.account().unwrap();
        // And it deletes what is there, not what is not there yet.
        open(&mock).delete().unwrap();
        mock.catch_up();
        assert_eq!(open(&mock).load().unwrap(), None, "{before}");
    }
}

/// Everything is already as it is to be saved, as far as the copy knows.
#[test]
fn a_save_that_changes_nothing_is_checked_where_writes_are() {
    let mock = Mock::start(None);
    let backend = open(&mock);
    backend.save(&first()).unwrap();
    assert_eq!(backend.load().unwrap(), Some(first()));
    mock.fall_behind(0);
    open(&mock).save(&second()).unwrap();
    backend.save(&first()).unwrap();
    mock.catch_up();
    assert_eq!(open(&mock).load().unwrap(), Some(first()));
}

/// A local copy is not emptied because the server's copy has nothing.
#[test]
fn a_replica_keeps_its_session_while_the_servers_copy_has_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("replica.db");
    let mock = Mock::start(None);
    mock.fall_behind(0);
    open(&mock).save(&first()).unwrap();
    for _ in 0..2 {
        let replica = LibSqlBackend::open_replica(path.to_str().unwrap(), mock.url(), "").unwrap();
        assert_eq!(replica.load().unwrap(), Some(first()));
    }
}

/// Nothing better can be had with a token that may only read.
#[test]
fn a_server_that_takes_no_writes_is_believed_that_there_is_nothing() {
    let mock = Mock::start(None);
    mock.fail_always(Fault::Step("BEGIN IMMEDIATE", "BLOCKED"));
    assert_eq!(open(&mock).load().unwrap(), None);
    mock.heal();
    // A server that does not answer is not.
    mock.fail(1, Fault::Status(500));
    let options = mtsession::RemoteOptions::default().retries(0);
    let backend = LibSqlBackend::remote_account(mock.url(), "", "default", options).unwrap();
    assert!(backend.load().is_err());
}
