//! Images of our own disk formats, read for ever; and what is torn, rotten or newer in each of them.
//!
//! What is torn or rotten is made of the committed images, always at the same place.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use mtsession::codec::wire::{Crc32c, encode_owned_to_vec};
use mtsession::codec::{Counters, LoginState, MinPeer, Peer, PlainFile, SessionSource as _};
use mtsession::{
    Account, BinaryFileBackend, Change, DcEntry, DcFlags, InMemoryBackend, LibSqlBackend, Outcome,
    PeerNames, PersistedSession, SessionBackend, SessionBackendExt as _, SessionRecord,
    SqliteBackend, StoreError, StoreErrorKind, UpdateChange,
};
use tempfile::TempDir;

fn image(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors/mtsession")
        .join(name)
}

/// A key that is not all one byte.
fn key(seed: u8) -> [u8; 256] {
    core::array::from_fn(|at| u8::try_from(at).unwrap().wrapping_mul(7).wrapping_add(seed))
}

/// What the snapshot of the image of a session file holds.
fn snapshot() -> SessionRecord {
    let dc = |id: i32, addr: &str, seed: u8| DcEntry {
        auth_key: Some(key(seed)),
        first_salt: -5,
        time_offset: 3,
        ..DcEntry::from_parts(id, addr, 443, DcFlags::NONE)
    };
    let mut session = PersistedSession {
        home_dc_id: 2,
        dcs: vec![dc(2, "149.154.167.51", 1), dc(4, "149.154.167.91", 2)],
        future_auth_token: Some(vec![9, 8, 7]),
        ..PersistedSession::default()
    };
    session.updates_state.pts = 100;
    session.updates_state.channels = vec![(70, 7)];
    session.peers = vec![
        Peer::user(1, 11).into(),
        Peer::channel(2, 22, None).into(),
        Peer::chat(3).into(),
    ];
    let mut record = SessionRecord::from(session);
    let known = [
        Change::Account(Account::user(777_000)),
        Change::LoginState(LoginState::Revoked {
            at: 1_750_000_000,
            error: "AUTH_KEY_UNREGISTERED",
        }),
    ];
    record.apply_all(&known).unwrap();
    let names = [PeerNames {
        id: 1,
        usernames: vec!["alice".to_owned(), "алиса".to_owned()],
        phone: Some("1555".to_owned()),
        title: Some("Alice".to_owned()),
        ..PeerNames::default()
    }];
    record.set_peer_names(&names).unwrap();
    record
}

/// What the journal of the image adds: every kind of change that it takes.
const CHANGES: [Change<'_>; 7] = [
    Change::Update(UpdateChange::Counters(Counters {
        pts: 100,
        qts: 1,
        date: 1_750_000_000,
        seq: 1,
    })),
    Change::Update(UpdateChange::Primary {
        pts: 101,
        date: 1_750_000_001,
        seq: 2,
    }),
    Change::Update(UpdateChange::Secondary { qts: 5 }),
    Change::Update(UpdateChange::ClearChannels),
    Change::Update(UpdateChange::Channel { id: 80, pts: 8 }),
    Change::Peer(Peer::user(5, 55)),
    Change::MinPeer(MinPeer {
        user_id: 6,
        peer_id: 2,
        msg_id: 9,
    }),
];

/// The snapshot after the first `count` records of the journal.
fn after(count: usize) -> SessionRecord {
    let backend = InMemoryBackend::new();
    backend.replace(&snapshot()).unwrap();
    for change in CHANGES.iter().take(count) {
        backend.apply(core::slice::from_ref(change)).unwrap();
    }
    backend.read().unwrap().unwrap()
}

/// Makes the images: `cargo test --test witnesses make_ -- --ignored`, once.
#[test]
#[ignore = "writes the images"]
fn make_the_image_of_a_session_file() {
    let path = image("file.session");
    assert!(!path.exists(), "images are never made again");
    let backend = BinaryFileBackend::new(&path);
    backend.replace(&snapshot()).unwrap();
    for change in &CHANGES {
        backend.apply(core::slice::from_ref(change)).unwrap();
    }
    let records = backend.status().unwrap().unwrap().tail_records;
    assert_eq!(records, u64::try_from(CHANGES.len()).unwrap());
}

/// Copies of the image, with the journal as `change` leaves it.
fn file(change: impl FnOnce(&mut Vec<u8>)) -> (TempDir, BinaryFileBackend) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.session");
    fs::copy(image("file.session"), &path).unwrap();
    let mut journal = fs::read(image("file.session.journal")).unwrap();
    change(&mut journal);
    fs::write(dir.path().join("file.session.journal"), journal).unwrap();
    (dir, BinaryFileBackend::new(path))
}

#[test]
fn a_session_file_with_its_journal_is_read() {
    let (_dir, backend) = file(|_| {});
    let read = backend.read().unwrap().unwrap();
    assert!(read == after(usize::MAX), "{read:?}");
    assert_eq!(read.session().updates_state.pts, 101);
    assert_eq!(read.session().dcs[0].auth_key, Some(key(1)));
    assert_eq!(read.session().updates_state.channels, [(80, 8)]);
    assert_eq!(read.session().peers.len(), 4);
    assert_eq!(read.peer_names().len(), 1);
    assert!(!read.login_state().is_active());
    assert_eq!(backend.status().unwrap().unwrap().tail_lost, 0);
    // And written to.
    backend.set_home_dc(4).unwrap();
    assert_eq!(backend.load().unwrap().unwrap().home_dc_id, 4);
}

#[test]
fn of_a_torn_journal_everything_before_the_tear_is_read() {
    let (_dir, backend) = file(|journal| journal.truncate(journal.len() - 3));
    let count = CHANGES.len() - 1;
    assert!(backend.read().unwrap().unwrap() == after(count));
    assert!(backend.status().unwrap().unwrap().tail_lost > 0);
}

#[test]
fn of_a_rotten_journal_what_is_before_the_rot_is_read_and_the_rest_is_kept() {
    let (_dir, backend) = file(|journal| {
        let middle = journal.len() / 2;
        journal[middle] ^= 0x40;
    });
    let read = backend.read().unwrap().unwrap();
    let count = (0..CHANGES.len()).find(|count| read == after(*count));
    assert!(count.is_some_and(|count| count > 0), "{read:?}");
    assert!(backend.status().unwrap().unwrap().tail_lost > 0);
}

#[track_caller]
fn is_refused<R>(result: io::Result<R>, kind: StoreErrorKind) {
    let error = result.err().unwrap();
    let store = StoreError::of(&error).unwrap();
    assert_eq!(store.kind(), kind, "{error}");
    assert_eq!(store.outcome(), Outcome::Unchanged, "{error}");
}

#[test]
fn a_rotten_or_torn_snapshot_is_damaged_and_left_as_it_is() {
    let image = fs::read(image("file.session")).unwrap();
    for at in [9, image.len() / 2, image.len() - 1] {
        let mut rotten = image.clone();
        rotten[at] ^= 1;
        let torn = image[..at].to_vec();
        for bytes in [rotten, torn] {
            let (_dir, backend) = file(|_| {});
            fs::write(backend.path(), &bytes).unwrap();
            is_refused(backend.read(), StoreErrorKind::Damaged);
            is_refused(backend.set_home_dc(4), StoreErrorKind::Damaged);
            assert_eq!(fs::read(backend.path()).unwrap(), bytes);
        }
    }
}

/// A release that does not know them must refuse them, not drop them: they say what belongs to the session.
#[test]
fn counts_of_a_base_are_refused_as_newer() {
    let body = {
        let record = SessionRecord::from(snapshot().into_session());
        let bytes = record.to_bytes().unwrap();
        let trailer = bytes.windows(4).position(|at| at == b"MTSX").unwrap();
        bytes[..trailer].to_vec()
    };
    let mut bytes = [&body, &b"MTSX"[..], &[1, 7, 2, 0, 0, 0]].concat();
    let mut crc = Crc32c::new();
    crc.update(&bytes);
    bytes.extend_from_slice(&crc.value().to_le_bytes());
    let (dir, backend) = file(|_| {});
    fs::remove_file(dir.path().join("file.session.journal")).unwrap();
    fs::write(backend.path(), &bytes).unwrap();
    is_refused(backend.read(), StoreErrorKind::Newer);
    is_refused(backend.set_home_dc(4), StoreErrorKind::Newer);
    let session = snapshot().into_session();
    is_refused(backend.save(&session), StoreErrorKind::Newer);
    assert_eq!(fs::read(backend.path()).unwrap(), bytes);
}

/// The bytes of an owned session are a disk format.
#[test]
fn the_token_of_an_owner_stands_in_section_6() {
    let session = snapshot().into_session();
    let free = SessionRecord::from(session).to_bytes().unwrap();
    let owned = encode_owned_to_vec(&PlainFile::parse(&free).unwrap().snapshot(), &[0xA7; 16]);
    let owned = owned.unwrap();
    let footer = free.len() - 15;
    let section = [&[6, 16][..], &[0xA7; 16]].concat();
    assert_eq!(owned[..footer], free[..footer]);
    assert_eq!(owned[footer..footer + 18], section);
    assert_eq!(
        owned[footer + 18..owned.len() - 4],
        free[footer..free.len() - 4]
    );
}

/// The databases of both schemas, as both backends open them.
fn databases(
    change: impl Fn(&str, &mut Vec<u8>),
) -> Vec<(String, TempDir, Box<dyn SessionBackend>)> {
    let names = [
        "schema10.db",
        "schema10-server.db",
        "schema11.db",
        "schema11-server.db",
    ];
    let mut opened: Vec<(String, TempDir, Box<dyn SessionBackend>)> = Vec::new();
    for name in names {
        let mut bytes = fs::read(image(name)).unwrap();
        change(name, &mut bytes);
        for is_libsql in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("s.db");
            // Opened while nothing is there, so that each call meets the bytes by itself.
            let backend: Box<dyn SessionBackend> = if is_libsql {
                Box::new(LibSqlBackend::open_local(&path).unwrap())
            } else {
                Box::new(SqliteBackend::open(&path).unwrap())
            };
            fs::write(&path, &bytes).unwrap();
            opened.push((format!("{name}, {}", backend.name()), dir, backend));
        }
    }
    opened
}

#[test]
fn databases_of_both_schemas_are_read_by_both_backends_and_written() {
    let text = fs::read_to_string(image("schema10.default.txt")).unwrap();
    let expected = PersistedSession::from_string(&text).unwrap();
    for (name, _dir, backend) in databases(|_, _| {}) {
        let read = backend.load().unwrap().unwrap();
        assert_eq!(read.dcs, expected.dcs, "{name}");
        assert_eq!(read.peers, expected.peers, "{name}");
        backend.set_home_dc(4).unwrap();
        assert_eq!(backend.load().unwrap().unwrap().home_dc_id, 4, "{name}");
    }
}

#[test]
fn a_torn_database_is_damaged() {
    let torn = |_: &str, bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 8);
    for (name, _dir, backend) in databases(torn) {
        let error = backend.load().expect_err(&name);
        let store = StoreError::of(&error).unwrap();
        assert_eq!(store.kind(), StoreErrorKind::Damaged, "{name}: {error}");
        is_refused(backend.set_home_dc(4), StoreErrorKind::Damaged);
    }
}

/// Schema 11 has a checksum with each key.
#[test]
fn a_rotten_key_in_a_database_is_noticed() {
    let text = fs::read_to_string(image("schema10.default.txt")).unwrap();
    let session = PersistedSession::from_string(&text).unwrap();
    let key = session.dcs.iter().find_map(|dc| dc.auth_key).unwrap();
    let rotten = |_: &str, bytes: &mut Vec<u8>| {
        let at = bytes.windows(32).position(|found| found == &key[100..132]);
        bytes[at.unwrap()] ^= 1;
    };
    for (name, _dir, backend) in databases(rotten) {
        if !name.starts_with("schema11") {
            continue;
        }
        let error = backend.load().expect_err(&name);
        let store = StoreError::of(&error).unwrap();
        assert_eq!(store.kind(), StoreErrorKind::Damaged, "{name}: {error}");
    }
}
