//! Files of a release to come: refused by name, and not changed by any call.

use std::fs;
use std::io;

use mtsession::codec::wire::{Crc32c, session_file};
use mtsession::{
    BinaryFileBackend, Change, Outcome, PersistedSession, SessionBackend, StoreError,
    StoreErrorKind, UpdateStateChange,
};

/// Appends a sound record with these changes to a session file.
fn append(path: &std::path::Path, changes: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let chain = *bytes.last_chunk::<4>().unwrap();
    let record = [&[u8::try_from(changes.len()).unwrap()], changes].concat();
    let mut crc = Crc32c::new();
    crc.update(&chain);
    crc.update(&record);
    bytes.extend_from_slice(&record);
    bytes.extend_from_slice(&crc.value().to_le_bytes());
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_with_a_change_of_a_newer_release_is_refused_and_nothing_of_it_is_cut() {
    // A number that no release of today knows, one inside of a change that is known, and a change that
    // is known and belongs into no tail.
    for changes in [&[11, 1, 2][..], &[2, 6, 1], &[0, 4]] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bot.session");
        let session = PersistedSession {
            home_dc_id: 2,
            ..PersistedSession::default()
        };
        let update = UpdateStateChange::Secondary { qts: 1 };
        let writer = BinaryFileBackend::new(&path);
        writer.save(&session).unwrap();
        writer.apply_update_state(update.clone()).unwrap();
        append(&path, changes);
        let before = fs::read(&path).unwrap();

        // One that has the files open already, and one that has not.
        for backend in [writer, BinaryFileBackend::new(&path)] {
            let calls: [(&str, io::Result<()>); 4] = [
                ("load", backend.load().map(drop)),
                ("update", backend.apply_update_state(update.clone())),
                ("home DC", backend.apply(&[Change::HomeDc(4)])),
                ("save", backend.save(&session)),
            ];
            for (call, result) in calls {
                let error = result.expect_err(call);
                assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{call}");
                let store = StoreError::of(&error).expect(call);
                assert_eq!(store.kind(), StoreErrorKind::Newer, "{call}");
                assert_eq!(store.outcome(), Outcome::Unchanged, "{call}");
                assert!(!store.is_retryable(), "{call}");
                let text = error.to_string();
                assert!(text.contains("a newer release wrote it"), "{call}: {text}");
            }
            let after = fs::read(&path).unwrap();
            assert!(before == after, "changed by a refused call");
        }
    }
}

#[test]
fn a_session_file_in_a_form_of_a_newer_release_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    let session = PersistedSession {
        home_dc_id: 2,
        ..PersistedSession::default()
    };
    BinaryFileBackend::new(&path).save(&session).unwrap();
    let mut tail = fs::read(&path).unwrap();
    let at = session_file::BLOCK;
    tail[at + 4] = 2;
    let mut crc = Crc32c::new();
    crc.update(&tail[at..at + 28]);
    tail[at + 28..at + 32].copy_from_slice(&crc.value().to_le_bytes());
    let sealed = [&b"MTSE\xFF\x02"[..], &[7; 300]].concat();
    for bytes in [tail, sealed] {
        fs::write(&path, &bytes).unwrap();
        let backend = BinaryFileBackend::new(&path);
        let calls: [(&str, io::Result<()>); 4] = [
            ("load", backend.load().map(drop)),
            ("home DC", backend.apply(&[Change::HomeDc(4)])),
            ("save", backend.save(&session)),
            ("recover", mtsession::recover(&path).map(drop)),
        ];
        for (call, result) in calls {
            let error = result.expect_err(call);
            let store = StoreError::of(&error).expect(call);
            assert_eq!(store.kind(), StoreErrorKind::Newer, "{call}: {error}");
            assert!(error.to_string().contains("update this program"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "{call}");
        }
    }
}
