//! Accounts on Redis, PostgreSQL and S3, on real servers: run by `tests/servers.sh`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mtsession::{
    Change, Outcome, SessionBackend, Store, StoreError, UpdateChange, UpdateStateChange,
};
use mtsession_tests::conformance;
use mtsession_tests::conformance::Fixture;
use mtsession_tests::proxy::Proxy;
use mtsession_tests::random::sized;
use mtsession_tests::servers::{Server, options};

/// A name that no other test has.
fn name() -> String {
    static NAMES: AtomicU32 = AtomicU32::new(0);
    let number = NAMES.fetch_add(1, Ordering::Relaxed);
    format!("{} {number}", std::process::id())
}

fn store(server: Server) -> Store {
    let address = server.address();
    options(&address).open(address).unwrap()
}

/// An account on a server that all tests share.
struct Remote(Server, String);

impl Remote {
    fn new(server: Server) -> Self {
        Self(server, name())
    }
}

impl Fixture for Remote {
    fn open(&self) -> Box<dyn SessionBackend> {
        let address = self.0.address().with_account(&self.1);
        Box::new(options(&address).connect(address).unwrap())
    }

    fn is_missing(&self) -> bool {
        !self.0.is_there()
    }
}

conformance!(redis, Remote::new(Server::Redis));
conformance!(postgres, Remote::new(Server::Postgres));
conformance!(s3, Remote::new(Server::S3));

fn push(id: i64) -> Change<'static> {
    Change::Update(UpdateChange::PushChannel { id, pts: 1 })
}

#[test]
fn two_hundred_thousand_peers_are_kept_and_a_counter_writes_none_of_them() {
    for server in Server::all() {
        let (store, name) = (store(server), name());
        let backend = store.backend(&name).unwrap();
        let mut session = sized(3, 200_000, 10, 3);
        backend.save(&session).unwrap();
        backend.apply(&[push(77)]).unwrap();
        session.updates_state.channels.push((77, 1));
        let again = self::store(server).backend(&name).unwrap();
        assert_eq!(again.head().unwrap().unwrap().peers, 200_000);
        assert!(again.load().unwrap() == Some(session), "{server:?}");
        store.delete(&name).unwrap();
        assert_eq!(again.load().unwrap(), None);
    }
}

#[test]
fn accounts_are_listed_renamed_and_deleted() {
    for server in Server::all() {
        let store = store(server);
        let (one, other) = (name(), format!("{}/ä#?%", name()));
        store
            .backend(&one)
            .unwrap()
            .save(&sized(2, 9_000, 2, 2))
            .unwrap();
        assert!(store.names().unwrap().contains(&one));
        store.rename(&one, &other).unwrap();
        let names = store.names().unwrap();
        assert!(names.contains(&other) && !names.contains(&one), "{names:?}");
        let renamed = store.backend(&other).unwrap().load().unwrap();
        assert_eq!(renamed, Some(sized(2, 9_000, 2, 2)));
        store.delete(&other).unwrap();
        assert!(!store.names().unwrap().contains(&other));
    }
}

/// Each answer of each operation is lost once, after the server has given it.
#[test]
fn a_change_whose_answer_is_lost_is_stored_once() {
    for server in Server::all() {
        let proxy = Proxy::start(server.socket(), |_| {});
        let address = server.by_way_of(proxy.address);
        let store = options(&address).open(address).unwrap();
        let (mut id, mut unknown) = (0, 0);
        for answers in 0..4 {
            for has_many_peers in [false, true] {
                let name = name();
                let backend = store.backend(&name).unwrap();
                let peers = if has_many_peers { 9_000 } else { 3 };
                backend.save(&sized(2, peers, 0, 0)).unwrap();
                for _ in 0..3 {
                    id += 1;
                    proxy.lose_answer_after(answers);
                    let result = backend.apply(&[push(id)]);
                    proxy.lose_nothing();
                    let channels = self::store(server).backend(&name).unwrap().load();
                    let channels = channels.unwrap().unwrap().updates_state.channels;
                    let times = channels.iter().filter(|(known, _)| *known == id).count();
                    match result {
                        Ok(()) => assert_eq!(times, 1, "{server:?}, after {answers} answers"),
                        Err(error) => {
                            let outcome = StoreError::of(&error).unwrap().outcome();
                            assert!(times == 0 || outcome == Outcome::Unknown, "{error}");
                            assert!(times <= 1, "{error}");
                            unknown += 1;
                        }
                    }
                }
                store.delete(&name).unwrap();
            }
        }
        assert_eq!(unknown, 0, "{server:?}: a lost answer is found out");
    }
}

#[test]
fn async_code_may_open_call_and_drop_them() {
    let runtimes = [
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .unwrap(),
    ];
    for server in Server::all() {
        for runtime in &runtimes {
            let task = runtime.spawn(async move {
                let (store, name) = (store(server), name());
                let backend: Arc<dyn SessionBackend> = store.backend(&name).unwrap();
                backend.save(&sized(2, 5, 2, 2)).unwrap();
                backend
                    .apply_update_state(UpdateStateChange::Secondary { qts: 1 })
                    .unwrap();
                assert_eq!(backend.load().unwrap().unwrap().updates_state.qts, 1);
                backend.delete().unwrap();
            });
            runtime.block_on(task).unwrap();
        }
    }
}

/// A writer is killed in the middle of its work, again and again: what it was told is stored is there.
#[test]
#[cfg(unix)]
fn a_writer_that_is_killed_leaves_what_was_acknowledged() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    for server in Server::all() {
        let name = name();
        let backend = store(server).backend(&name).unwrap();
        backend.save(&sized(2, 9_000, 0, 2)).unwrap();
        let mut expected = Vec::new();
        for round in 0..5 {
            let mut writer = Command::new(env!("CARGO_BIN_EXE_server-writer"))
                .arg(server.address().with_account(&name).to_text())
                .arg((round * 1_000_000).to_string())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
            let ids = lines
                .take(20 + round)
                .map(|line| line.unwrap().parse::<i64>());
            expected.extend(ids.map(Result::unwrap));
            writer.kill().unwrap();
            writer.wait().unwrap();
        }
        let session = store(server).backend(&name).unwrap().load().unwrap();
        let channels = session.unwrap().updates_state.channels;
        for id in &expected {
            let times = channels.iter().filter(|(known, _)| known == id).count();
            assert_eq!(times, 1, "{server:?}: {id}");
        }
        // What it has stored after that is there once as well.
        for (id, _) in &channels {
            let times = channels.iter().filter(|(known, _)| known == id).count();
            assert_eq!(times, 1, "{server:?}: {id}");
        }
        backend.delete().unwrap();
    }
}
