//! What a change writes to a database: nothing more than it changes.

use std::path::Path;

use mtsession::codec::{EntryKey, Peer, SessionSource as _};
use mtsession::{
    Account, Change, DcEntry, InMemoryBackend, LibSqlBackend, PeerNames, SessionBackend,
    SessionBackendExt as _, SqliteBackend, UpdateChange,
};
use mtsession_tests::conformance::record::{assert_same, everything};
use mtsession_tests::random::sized;

/// Notices every commit of others.
struct Observer(rusqlite::Connection);

impl Observer {
    fn new(path: &Path) -> Self {
        Self(rusqlite::Connection::open(path).unwrap())
    }

    fn version(&self) -> i64 {
        self.0
            .query_row("PRAGMA data_version", [], |row| row.get(0))
            .unwrap()
    }

    fn writes(&self, change: impl FnOnce()) -> bool {
        let before = self.version();
        change();
        self.version() != before
    }
}

#[test]
fn a_change_that_changes_nothing_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let backend = SqliteBackend::open(&path).unwrap();
    let record = everything();
    backend.replace(&record).unwrap();
    let observer = Observer::new(&path);
    backend.load().unwrap();

    let session = record.session();
    let dc = &session.dcs[0];
    let state = &session.updates_state;
    let same = [
        Change::HomeDc(session.home_dc_id),
        Change::Dc(dc.as_dc_ref()),
        Change::FutureAuthToken(session.future_auth_token.as_deref()),
        Change::Account(record.account()),
        Change::Peer(Peer::from(&session.peers[5])),
        Change::Update(UpdateChange::Secondary { qts: state.qts }),
        Change::Update(UpdateChange::Channel {
            id: state.channels[2].0,
            pts: state.channels[2].1,
        }),
        Change::Forget(EntryKey::Channel(5)),
    ];
    for change in &same {
        let one = core::slice::from_ref(change);
        assert!(
            !observer.writes(|| backend.apply(one).unwrap()),
            "{change:?}"
        );
    }
    assert!(!observer.writes(|| backend.apply(&same).unwrap()));
    assert!(!observer.writes(|| backend.update_dc(dc).unwrap()));

    // A counter that may not be on the disk yet is taken there by the next key.
    let counter = [Change::Update(UpdateChange::Secondary { qts: 1 })];
    assert!(observer.writes(|| backend.apply(&counter).unwrap()));
    assert!(observer.writes(|| backend.update_dc(dc).unwrap()));
    assert!(!observer.writes(|| backend.update_dc(dc).unwrap()));

    // There and back again is not nothing.
    let home = session.home_dc_id;
    let there_and_back = [Change::HomeDc(home + 1), Change::HomeDc(home)];
    backend.apply(&there_and_back).unwrap();
    assert_eq!(backend.load().unwrap().unwrap().home_dc_id, home);

    // What others have changed is changed back.
    SqliteBackend::open(&path)
        .unwrap()
        .set_home_dc(home + 1)
        .unwrap();
    assert!(observer.writes(|| backend.set_home_dc(home).unwrap()));
    assert_eq!(backend.head().unwrap().unwrap().home_dc_id, home);
}

#[test]
fn a_new_salt_leaves_the_key_alone_and_another_key_is_not_lost_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.db");
    let open = || SqliteBackend::open(&path).unwrap();
    let (backend, other) = (open(), open());
    let session = sized(2, 3, 0, 0);
    backend.save(&session).unwrap();
    backend.load().unwrap();
    let salted = DcEntry {
        first_salt: 99,
        ..session.dcs[0].clone()
    };
    backend.update_dc(&salted).unwrap();
    assert_eq!(other.load().unwrap().unwrap().dcs[0], salted);

    let rekeyed = DcEntry {
        auth_key: Some([7; 256]),
        ..salted.clone()
    };
    other.update_dc(&rekeyed).unwrap();
    let again = DcEntry {
        first_salt: 100,
        ..salted
    };
    backend.update_dc(&again).unwrap();
    assert_eq!(other.load().unwrap().unwrap().dcs[0], again);
}

/// Removed one by one, in batches and by pages, the rest is where it would be in memory.
#[test]
fn entries_are_removed_by_their_rows() {
    let dir = tempfile::tempdir().unwrap();
    let memory = InMemoryBackend::new();
    let sqlite = SqliteBackend::open(dir.path().join("sqlite.db")).unwrap();
    let libsql = LibSqlBackend::open_local(dir.path().join("libsql.db")).unwrap();
    let backends: [&dyn SessionBackend; 3] = [&memory, &sqlite, &libsql];
    let mut session = sized(3, 2_500, 40, 50);
    // The same peer twice, and a community of the same number as a user.
    session.peers.push(session.peers[7].clone());
    let names: Vec<_> = session
        .peers
        .iter()
        .take(2_000)
        .map(|peer| PeerNames {
            id: peer.id,
            kind: Peer::from(peer).kind,
            usernames: vec![format!("name_{}", peer.id)],
            ..PeerNames::default()
        })
        .collect();
    let gone = |at: usize| EntryKey::Peer(Peer::from(&session.peers[at]).key());
    let batches = [
        vec![Change::Forget(gone(7))],
        vec![
            Change::Forget(gone(0)),
            Change::Forget(gone(2_499)),
            Change::Forget(EntryKey::Channel(session.updates_state.channels[3].0)),
            Change::Forget(EntryKey::MinPeer(session.min_peers[0].user_id)),
            Change::Forget(EntryKey::MinPeer(session.min_peers[49].user_id)),
            Change::Forget(EntryKey::Dc(session.dcs[0].as_dc_ref().slot())),
            Change::Peer(Peer::chat(5)),
        ],
    ];
    for backend in backends {
        backend.save(&session).unwrap();
        backend.set_peer_names(&names).unwrap();
        backend.set_account(Account::user(5)).unwrap();
    }
    let same = || {
        let expected = memory.read().unwrap().unwrap();
        for backend in backends {
            assert_same(&backend.read().unwrap().unwrap(), &expected);
        }
        let reopened = SqliteBackend::open(dir.path().join("libsql.db")).unwrap();
        assert_same(&reopened.read().unwrap().unwrap(), &expected);
    };
    for batch in &batches {
        for backend in backends {
            backend.apply(batch).unwrap();
        }
        same();
    }
    for backend in backends {
        backend
            .retain_peers(&mut |known| known.peer.id % 3 > 0)
            .unwrap();
        // Rows are numbered without gaps again.
        backend.apply(&[Change::Peer(Peer::chat(6))]).unwrap();
    }
    same();
    assert!(memory.load().unwrap().unwrap().peers.len() < 1_700);
    for backend in backends {
        backend.retain_peers(&mut |_| false).unwrap();
        assert!(backend.load().unwrap().unwrap().peers.is_empty());
        assert!(backend.peer_names().unwrap().is_empty());
    }
}

/// Several handles on two accounts of one file write in turns, each knowing what it has read and written
/// itself: whatever one of them is asked, it answers what was written last.
#[test]
fn what_a_handle_knows_is_never_older_than_what_others_have_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("accounts.db");
    let store = mtsession::Store::open(format!("sqlite:{}", path.display())).unwrap();
    let libsql = mtsession::Store::open(format!("libsql:{}", path.display())).unwrap();
    let names = ["alice", "bob"];
    let models = names.map(|_| InMemoryBackend::new());
    let handles: Vec<_> = [&store, &libsql, &store]
        .iter()
        .flat_map(|store| names.map(|name| store.backend(name).unwrap()))
        .collect();
    let mut random = 12_345_u64;
    let mut draw = |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for step in 0..1_500 {
        let at = draw(6) as usize;
        let (handle, model) = (&handles[at], &models[at % 2]);
        let id = draw(20) as i64 + 1;
        let number = draw(3) as i32;
        let one = match draw(7) {
            0 => Change::HomeDc(number),
            1 => Change::Peer(Peer::user(id, number.into())),
            2 => Change::Forget(EntryKey::Peer(Peer::user(id, 0).key())),
            3 => Change::FutureAuthToken((number > 0).then_some(b"token")),
            4 => Change::Account(Account::user(number.into())),
            _ => Change::Update(UpdateChange::Channel { id, pts: number }),
        };
        let changes = [one, Change::Update(UpdateChange::Secondary { qts: number })];
        for backend in [&**handle, model as &dyn SessionBackend] {
            match draw_of(step, 6) {
                0 => backend.apply(&changes).unwrap(),
                1 => backend.save(&sized(number, id, 2, 1)).unwrap(),
                2 => backend
                    .update(&mut |record| Ok(record.apply_all(&changes)?))
                    .unwrap(),
                _ => backend.apply(&changes[..1]).unwrap(),
            }
        }
        let asked = draw(6) as usize;
        let (found, expected) = (
            handles[asked].read().unwrap(),
            models[asked % 2].read().unwrap(),
        );
        assert_eq!(
            found, expected,
            "step {step}: handle {at}, then {asked}: {changes:?}"
        );
    }
}

/// The same for both stores of a step.
fn draw_of(step: u64, below: u64) -> u64 {
    step.wrapping_mul(0x9E37_79B9_7F4A_7C15) % below
}
