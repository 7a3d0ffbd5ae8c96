//! libSQL servers that are broken, blocked or malicious: whatever they answer, no login is lost, none is
//! taken for another, and "no session" is never the answer of a server that did not say so.

#![expect(
    deprecated,
    reason = "a handle that has not asked its server yet meets every fault with its first call"
)]

use std::io;
use std::path::Path;
use std::time::Duration;

use mtsession::{
    Account, Change, LibSqlBackend, PeerNames, PersistedSession, RemoteOptions, SessionBackend,
    SessionBackendExt, StoreOptions,
};
use mtsession_core::PeerKind;
use mtsession_tests::mock_hrana::{Fault, Hostile, Mock};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::stores;

const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.very-secret";

/// What the server has before anything goes wrong.
fn stored() -> PersistedSession {
    let mut session = sized(3, 5, 3, 1);
    session.future_auth_token = Some(key_of(99).to_vec());
    session
}

/// Another login of the same account name.
fn other() -> PersistedSession {
    let mut session = sized(2, 4, 0, 0);
    for dc in &mut session.dcs {
        dc.auth_key = Some(key_of(70));
    }
    session
}

fn account() -> Account {
    Account {
        user_id: Some(4711),
        ..Account::default()
    }
}

fn names() -> Vec<PeerNames> {
    let peer = stored().peers[0].clone();
    vec![PeerNames {
        id: peer.id,
        kind: PeerKind::User,
        usernames: vec!["alice".to_owned()],
        ..PeerNames::default()
    }]
}

/// Patient where an answer comes, and not where it never does.
fn options(hostile: Hostile) -> RemoteOptions {
    let options = RemoteOptions::default().retries(0).max_rows(200_000);
    if hostile.never_ends() {
        options.request_timeout(Duration::from_millis(100))
    } else {
        options
    }
}

fn open_with(mock: &Mock, options: RemoteOptions) -> LibSqlBackend {
    LibSqlBackend::remote_account(mock.url(), TOKEN, "default", options).unwrap()
}

fn open(mock: &Mock) -> LibSqlBackend {
    open_with(mock, RemoteOptions::default())
}

/// A server with a session, an account and names.
fn server() -> Mock {
    let mock = Mock::start(None);
    let backend = LibSqlBackend::remote(mock.url(), TOKEN).unwrap();
    backend.save(&stored()).unwrap();
    backend.apply(&[Change::Account(account())]).unwrap();
    backend.set_peer_names(&names()).unwrap();
    mock
}

/// What everybody else sees on the server.
fn on(mock: &Mock) -> Option<PersistedSession> {
    LibSqlBackend::remote(mock.url(), TOKEN)
        .unwrap()
        .load()
        .unwrap()
}

/// Every error is short, safe to print, and without the token.
fn check_error(error: &io::Error, context: &str) -> String {
    let text = error.to_string();
    let debug = format!("{error:?}");
    assert!(
        !text.contains("very-secret") && !debug.contains("very-secret"),
        "{context}: {text}"
    );
    assert!(!text.chars().any(char::is_control), "{context}: {text:?}");
    assert!(text.len() < 1_000, "{context}: {text}");
    text
}

/// A backend that knows nothing yet, and one that has read everything.
fn backends(mock: &Mock, hostile: Hostile) -> [(&'static str, LibSqlBackend); 2] {
    let open = || open_with(mock, options(hostile));
    let warm = open();
    assert_eq!(warm.load().unwrap(), Some(stored()));
    [("cold", open()), ("warm", warm)]
}

#[test]
fn no_answer_but_the_right_one_is_read() {
    for hostile in Hostile::ALL {
        let mock = server();
        for (state, backend) in backends(&mock, hostile) {
            let context = format!("{hostile:?}, {state}");
            let all = StoreOptions::new()
                .auth_token(TOKEN)
                .requests(options(hostile));
            let all = all.open(stores::server(mock.url())).unwrap();
            mock.fail_always(Fault::Hostile(hostile));
            let loaded = backend.load();
            let known = backend.account();
            let peer_names = backend.peer_names();
            let accounts = all.names();
            mock.heal();
            let errors = [
                loaded.map(|loaded| assert_eq!(loaded, Some(stored()), "{context}")),
                known.map(|found| assert_eq!(found, account(), "{context}")),
                peer_names.map(|found| assert_eq!(found, names(), "{context}")),
                accounts.map(|found| assert_eq!(found, ["default"], "{context}")),
            ];
            for error in errors.into_iter().filter_map(Result::err) {
                check_error(&error, &context);
                assert!(!hostile.is_right(), "{context}: {error}");
            }
            // The same backend goes on when the server is well again.
            assert_eq!(backend.load().unwrap(), Some(stored()), "{context}");
        }
        assert_eq!(on(&mock), Some(stored()), "{hostile:?}");
    }
}

/// A change is stored or not, as the answer says.
fn check_change(
    change: impl Fn(&LibSqlBackend) -> io::Result<()>,
    after: Option<&PersistedSession>,
) {
    for hostile in Hostile::ALL {
        for warm in [false, true] {
            let mock = server();
            let [(_, cold), (_, read)] = backends(&mock, hostile);
            let backend = if warm { read } else { cold };
            let context = format!("{hostile:?}, warm: {warm}");
            mock.fail_always(Fault::Hostile(hostile));
            let changed = change(&backend);
            mock.heal();
            let now = on(&mock);
            match changed {
                Ok(()) => assert_eq!(now.as_ref(), after, "{context}"),
                Err(error) => {
                    let text = check_error(&error, &context);
                    assert!(!hostile.is_right(), "{context}: {text}");
                    if text.contains("nothing was changed") {
                        assert_eq!(now, Some(stored()), "{context}: {text}");
                    } else {
                        let is_either = now == Some(stored()) || now.as_ref() == after;
                        assert!(
                            is_either && text.contains("is unknown"),
                            "{context}: {text}"
                        );
                    }
                }
            }
            // What the backend knows is what there is.
            assert_eq!(backend.load().unwrap(), now, "{context}");
            change(&backend).unwrap();
            assert_eq!(on(&mock).as_ref(), after, "{context}");
        }
    }
}

#[test]
fn a_save_is_stored_exactly_when_it_says_so() {
    check_change(|backend| backend.save(&other()), Some(&other()));
}

#[test]
fn a_change_is_stored_exactly_when_it_says_so() {
    let mut after = stored();
    after.home_dc_id = 77;
    check_change(|backend| backend.set_home_dc(77), Some(&after));
}

#[test]
fn a_delete_is_done_exactly_when_it_says_so() {
    check_change(SessionBackend::delete, None);
}

/// What the local file of a replica has.
fn in_copy(path: &Path) -> (Option<PersistedSession>, Account, Vec<PeerNames>) {
    let copy = LibSqlBackend::open_local(path).unwrap();
    (
        copy.load().unwrap(),
        copy.account().unwrap(),
        copy.peer_names().unwrap(),
    )
}

#[test]
fn a_replica_keeps_its_copy_whatever_the_server_answers() {
    for hostile in Hostile::ALL {
        let mock = server();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("replica.db");
        let open = || {
            let options = StoreOptions::new()
                .auth_token(TOKEN)
                .requests(options(hostile));
            options.replica(&path).connect(stores::server(mock.url()))
        };
        let replica = open().unwrap();
        let before = (Some(stored()), account(), names());
        assert_eq!(in_copy(&path), before, "{hostile:?}");

        mock.fail_always(Fault::Hostile(hostile));
        let synced = open().map(drop);
        assert_eq!(in_copy(&path), before, "{hostile:?}");
        assert!(
            synced.is_ok() || !hostile.is_right(),
            "{hostile:?}: {synced:?}"
        );
        assert_eq!(replica.load().unwrap(), Some(stored()), "{hostile:?}");
        let saved = replica.save(&other());
        if let Err(error) = &saved {
            check_error(error, &format!("{hostile:?}"));
            let copy = in_copy(&path).0;
            assert_eq!(copy, Some(stored()), "{hostile:?}");
        }
        // Another process opens the copy.
        match open() {
            Ok(again) => {
                let loaded = again.load().unwrap();
                assert!(
                    loaded == Some(stored()) || loaded == Some(other()),
                    "{hostile:?}"
                );
            }
            Err(error) => drop(check_error(&error, &format!("{hostile:?}"))),
        }
        mock.heal();
        open().unwrap();
        assert_eq!(in_copy(&path).0, on(&mock), "{hostile:?}");
    }
}

/// A server that is busy once: the session is read nevertheless, and no second login is made.
#[test]
fn a_busy_server_costs_no_key() {
    for retries in [0, 3] {
        let mock = server();
        let backend = open_with(&mock, RemoteOptions::default().retries(retries));
        mock.fail(0, Fault::Hostile(Hostile::BeginBusy));
        match backend.load() {
            Ok(loaded) => assert_eq!(loaded, Some(stored())),
            Err(error) => assert!(retries == 0, "{error}"),
        }
        assert_eq!(backend.load().unwrap(), Some(stored()));
    }
}

/// A step of the write fails, and the transaction is over: what comes after it is not stored by itself.
#[test]
fn an_error_that_ends_the_transaction_leaves_nothing_of_it() {
    let mock = server();
    let backend = open(&mock);
    let changes = [
        Change::FutureAuthToken(None),
        Change::HomeDc(5),
        Change::FutureAuthToken(Some(b"x")),
    ];
    for begin in [
        "INSERT INTO server_write",
        "UPDATE accounts",
        "DELETE FROM server_write",
        "COMMIT",
    ] {
        backend.load().unwrap();
        mock.fail_always(Fault::Step(begin, "SQLITE_FULL"));
        let changed = backend.apply(&changes).unwrap_err();
        let deleted = backend.delete().unwrap_err();
        mock.heal();
        let (changed, deleted) = (check_error(&changed, begin), check_error(&deleted, begin));
        assert!(changed.contains("SQLITE_FULL"), "{changed}");
        // A commit that failed says nothing; the delete looked first, and its look was not committed.
        let is_known = begin != "COMMIT";
        assert_eq!(
            changed.contains("nothing was changed"),
            is_known,
            "{changed}"
        );
        assert!(deleted.contains("nothing was changed"), "{deleted}");
        assert_eq!(on(&mock), Some(stored()), "{begin}");
    }
}

/// The commit fails once; whether it was stored is asked for, and it is sent again.
#[test]
fn a_commit_that_fails_once_is_repeated() {
    let mock = server();
    let backend = open(&mock);
    backend.load().unwrap();
    mock.fail(0, Fault::Step("COMMIT", "TRANSACTION_TIMEOUT"));
    backend.set_home_dc(5).unwrap();
    assert_eq!(on(&mock).unwrap().home_dc_id, 5);
}
