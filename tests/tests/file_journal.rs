//! What the tail of a session file takes, and who reads it again.

use std::fs;
use std::path::Path;

use mtsession::codec::{
    EntryKey, LoginState, NamesOf, Peer, PeerKey, PeerKind, SessionSource as _,
};
use mtsession::{
    Account, BinaryFileBackend, Change, DcEntry, SessionBackend, SessionBackendExt as _,
    SessionRecord, UpdateChange,
};
use mtsession_tests::conformance::record::{assert_same, everything};

fn salted(entry: &DcEntry, first_salt: i64) -> DcEntry {
    DcEntry {
        first_salt,
        ..entry.clone()
    }
}

/// The snapshot and the tail of a file.
fn parts(path: &Path) -> (Vec<u8>, Vec<u8>) {
    let bytes = fs::read(path).unwrap();
    let status = BinaryFileBackend::new(path).status().unwrap().unwrap();
    let (snapshot, tail) = bytes.split_at(usize::try_from(status.snapshot_len).unwrap());
    (snapshot.to_vec(), tail.to_vec())
}

fn files(path: &Path) -> (Vec<u8>, usize) {
    let (snapshot, tail) = parts(path);
    (snapshot, tail.len())
}

/// A batch, with the changes that it makes.
fn check(backend: &BinaryFileBackend, record: &mut SessionRecord, batch: &[Change<'_>]) -> bool {
    let (snapshot, len) = files(backend.path());
    backend.apply(batch).unwrap();
    record.apply_all(batch).unwrap();
    let (after, len_after) = files(backend.path());
    let reopened = BinaryFileBackend::new(backend.path());
    assert_same(&reopened.read().unwrap().unwrap(), record);
    assert_same(&backend.read().unwrap().unwrap(), record);
    after == snapshot && len_after > len
}

#[test]
fn every_change_without_a_secret_is_appended() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    for is_known in [true, false] {
        let mut record = everything();
        BinaryFileBackend::new(&path).replace(&record).unwrap();
        let kept = BinaryFileBackend::new(&path);
        let dcs = record.session().dcs.clone();
        let peer = Peer::from(&record.session().peers[1]);
        let names = NamesOf::new(peer.id, peer.kind);
        // Longer than any buffer, and too short to have the tail folded.
        let long = "x".repeat(10_000);
        let long = [long.as_str(); 3];
        let slot = dcs[0].as_dc_ref().slot();
        let salt = Change::Salt {
            dc: slot,
            first_salt: 5,
            time_offset: -5,
        };
        let new_salt = salted(&dcs[1], 99);
        let qts = Change::Update(UpdateChange::Secondary { qts: 3 });
        let batches = [
            vec![qts],
            vec![Change::Names(names.with_usernames(&["new", "newer"]))],
            vec![Change::Names(names.with_usernames(&long))],
            vec![Change::Names(names)],
            vec![Change::Names(
                NamesOf::new(404, PeerKind::Chat).with_title(Some("nobody")),
            )],
            vec![salt],
            vec![Change::Dc(new_salt.as_dc_ref())],
            vec![Change::LoginState(LoginState::Active)],
            vec![Change::LoginState(LoginState::Moved { at: 1, to: "b" })],
            vec![Change::Account(Account::user(9)), qts],
            vec![
                Change::Forget(EntryKey::Peer(peer.key())),
                Change::Peer(peer),
            ],
            vec![Change::Forget(EntryKey::Peer(PeerKey::user(404)))],
            vec![Change::Forget(EntryKey::Channel(1_000_000_001))],
            vec![Change::Forget(EntryKey::MinPeer(404))],
        ];
        for batch in &batches {
            let fresh = BinaryFileBackend::new(&path);
            let backend = if is_known { &kept } else { &fresh };
            assert!(check(backend, &mut record, batch), "{batch:?}");
        }
        // The salt that the tail has is what the next one is compared with.
        let again = Change::Dc(new_salt.as_dc_ref());
        assert!(!check(&kept, &mut record, &[again]), "nothing is new in it");
        let old = salted(&dcs[1], dcs[1].first_salt);
        assert!(check(&kept, &mut record, &[Change::Dc(old.as_dc_ref())]));
    }
}

#[test]
fn keys_tokens_and_the_home_dc_are_never_in_a_tail() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let backend = BinaryFileBackend::new(&path);
    let mut record = everything();
    backend.replace(&record).unwrap();
    let entry = DcEntry {
        auth_key: Some([0xA5; 256]),
        ..record.session().dcs[1].clone()
    };
    let other_addr = DcEntry {
        addr: "149.154.167.92:443".to_owned(),
        ..entry.clone()
    };
    let slot = entry.as_dc_ref().slot();
    let salt = Change::Salt {
        dc: slot,
        first_salt: 1,
        time_offset: 2,
    };
    let batches = [
        vec![Change::Dc(entry.as_dc_ref())],
        vec![Change::Dc(other_addr.as_dc_ref())],
        // An entry that changes twice ends as the last change says.
        vec![salt, Change::Dc(other_addr.as_dc_ref())],
        vec![
            Change::Dc(entry.as_dc_ref()),
            Change::Dc(other_addr.as_dc_ref()),
        ],
        vec![Change::HomeDc(4)],
        vec![Change::FutureAuthToken(Some(b"token"))],
        vec![Change::Forget(EntryKey::Dc(slot))],
    ];
    for batch in &batches {
        check(&backend, &mut record, batch);
        let (_, tail) = parts(&path);
        let has = |needle: &[u8]| tail.windows(needle.len()).any(|window| window == needle);
        assert!(!has(&[0xA5; 16]) && !has(b"token"), "{batch:?}");
    }
}

/// `save` keeps what belongs to the login, wherever it is.
#[test]
fn a_save_keeps_what_only_the_tail_has() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    for kind in 0..3 {
        let mut record = everything();
        let writer = BinaryFileBackend::new(&path);
        writer.replace(&record).unwrap();
        let other = BinaryFileBackend::new(&path);
        other.save(record.session()).unwrap();
        let peer = Peer::from(&record.session().peers[1]);
        let gone = Peer::from(&record.session().peers[2]);
        let batch = [
            Change::Names(NamesOf::new(peer.id, peer.kind).with_usernames(&["of the tail"])),
            Change::Account(Account::user(9)),
            Change::LoginState(LoginState::Moved { at: 1, to: "b" }),
            Change::Forget(EntryKey::Peer(gone.key())),
        ];
        writer.apply(&batch).unwrap();
        record.apply_all(&batch).unwrap();
        let mut session = record.session().clone();
        session.updates_state.pts = 4321;
        record.set_session(session.clone());
        let saver = match kind {
            0 => &writer,
            1 => &other,
            _ => &BinaryFileBackend::new(&path),
        };
        saver.save(&session).unwrap();
        assert_same(&saver.read().unwrap().unwrap(), &record);
        assert_eq!(record.account().user_id, Some(9));
    }
}

/// What is too long for a session file is refused before it is appended.
#[test]
fn texts_that_no_file_could_hold_are_not_appended() {
    let dir = tempfile::tempdir().unwrap();
    let backend = BinaryFileBackend::new(dir.path().join("bot.session"));
    let record = everything();
    backend.replace(&record).unwrap();
    let peer = Peer::from(&record.session().peers[1]);
    let text = "x".repeat(65_536);
    let usernames = [text.as_str()];
    let many = ["x"; 256];
    let names = NamesOf::new(peer.id, peer.kind);
    let before = files(backend.path());
    for change in [
        Change::Names(names.with_usernames(&usernames)),
        Change::Names(names.with_usernames(&many)),
        Change::Names(names.with_title(Some(&text))),
        Change::LoginState(LoginState::Moved { at: 1, to: &text }),
    ] {
        let qts = Change::Update(UpdateChange::Secondary { qts: 3 });
        assert!(backend.apply(&[qts, change]).is_err());
        assert_eq!(files(backend.path()), before);
    }
    assert_same(&backend.read().unwrap().unwrap(), &record);
}
