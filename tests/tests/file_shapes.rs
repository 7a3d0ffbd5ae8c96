//! Session files as people and file systems leave them, and locks that nobody lets go of.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use mtsession::codec::wire::encode_body;
use mtsession::{
    BinaryFileBackend, Change, PersistedSession, SessionBackend, SessionBackendExt, StoreOptions,
    UpdateChange, UpdateStateChange, connect,
};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::release_before;
use mtsession_tests::stores::unflushed;
use tempfile::TempDir;

fn store() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    (dir, path)
}

fn body(session: &PersistedSession) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_body(session, &mut bytes).unwrap();
    bytes
}

fn pts(pts: i32) -> UpdateStateChange {
    UpdateStateChange::Primary {
        pts,
        date: 1,
        seq: 1,
    }
}

fn only(path: &std::path::Path, operation: &str) -> std::io::Result<()> {
    let backend = BinaryFileBackend::new(path);
    match operation {
        "save" => backend.save(&sized(1, 0, 0, 0)),
        "dc" => backend.update_dc(&sized(1, 0, 0, 0).dcs[0]),
        "pts" => backend.apply_update_state(pts(4)),
        _ => backend.delete(),
    }
}

/// `touch`, then a mount of the file into a container; and what `delete` leaves of a mount point.
#[test]
fn an_empty_file_is_no_session_yet() {
    for operation in ["save", "dc", "pts"] {
        let (_dir, path) = store();
        fs::write(&path, b"").unwrap();
        let backend = connect(&path).unwrap();
        assert_eq!(backend.name(), "binary-file");
        assert_eq!(backend.load().unwrap(), None);
        assert!(backend.account().unwrap().is_empty());
        assert_eq!(BinaryFileBackend::new(&path).status().unwrap(), None);
        only(&path, operation).unwrap();
        assert!(backend.load().unwrap().is_some(), "{operation}");
        let copies = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(copies, 1, "nothing was damaged");
    }
}

/// A journal of the release before with changes says that there was a session.
#[test]
fn a_file_that_was_emptied_is_not_taken_for_new() {
    let (_dir, path) = store();
    let change = Change::Update(UpdateChange::Secondary { qts: 1 });
    release_before::write(&path, &sized(1, 0, 0, 0), &[&[change]]);
    fs::write(&path, b"").unwrap();
    let error = BinaryFileBackend::new(&path).load().unwrap_err();
    assert!(
        error.to_string().contains("its content was lost"),
        "{error}"
    );
    assert!(error.to_string().contains(".journal"), "{error}");
    assert!(only(&path, "dc").is_err());
    only(&path, "save").unwrap();
    assert!(BinaryFileBackend::new(&path).load().unwrap().is_some());
}

#[test]
fn a_newline_or_zeros_after_a_session_are_no_damage() {
    let session = sized(2, 3, 1, 1);
    let checked = session.to_bytes();
    let old = body(&session);
    for whole in [&checked, &old] {
        for end in [&b"\n"[..], b"\r\n", &[0], &[0; 5000], &[0, 0, b'\n']] {
            let (_dir, path) = store();
            let bytes = [whole, end].concat();
            fs::write(&path, &bytes).unwrap();
            let backend = BinaryFileBackend::new(&path);
            assert_eq!(backend.load().unwrap().unwrap(), session, "{end:?}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "reading changes nothing");
            let status = backend.status().unwrap().unwrap();
            assert_eq!(status.padding, u64::try_from(end.len()).unwrap());
            backend.apply_update_state(pts(8)).unwrap();
            let again = BinaryFileBackend::new(&path).load().unwrap().unwrap();
            assert_eq!(again.updates_state.pts, 8);
            assert_eq!(again.dcs, session.dcs);
        }
        for end in [&b"\n\0"[..], b" ", b"x", b"\n\nx", &[0, 1]] {
            let (_dir, path) = store();
            fs::write(&path, [whole, end].concat()).unwrap();
            let error = BinaryFileBackend::new(&path).load().unwrap_err();
            assert!(error.to_string().contains("more follows"), "{error}");
        }
    }
}

/// Blocks that were never written are zeros too. Where no checksum says where the session ends, they
/// could be the place of peers or of a part of a key.
#[test]
fn zeros_in_the_place_of_a_part_of_a_session_are_damage() {
    let session = sized(2, 30, 5, 5);
    let old = body(&session);
    assert_eq!(old.len(), 1343);
    // In the DC table, in the peers, in the min peers.
    let lost_from = (8..588).chain(690..1221).chain(1243..1322).step_by(3);
    // What was changed a moment ago is read several times.
    std::thread::scope(|scope| {
        for lost_from in lost_from {
            let old = &old;
            scope.spawn(move || {
                let (_dir, path) = store();
                let mut bytes = old[..lost_from].to_vec();
                bytes.resize(old.len().next_multiple_of(4096), 0);
                fs::write(&path, &bytes).unwrap();
                if let Ok(Some(read)) = BinaryFileBackend::new(&path).load() {
                    panic!(
                        "zeros from {lost_from} of {} read as {} peers",
                        old.len(),
                        read.peers.len()
                    );
                }
            });
        }
    });
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_never_released_stops_writers_in_time_and_no_reader() {
    let (_dir, path) = store();
    BinaryFileBackend::new(&path)
        .save(&sized(1, 0, 0, 0))
        .unwrap();
    only(&path, "pts").unwrap();
    let file = fs::File::open(&path).unwrap();
    file.lock().unwrap();
    let backend = StoreOptions::new()
        .deadline(Duration::from_millis(30))
        .connect(path.as_path())
        .unwrap();
    assert_eq!(backend.load().unwrap().unwrap().updates_state.pts, 4);
    for error in [
        backend.save(&sized(1, 0, 0, 0)).unwrap_err(),
        backend.apply_update_state(pts(9)).unwrap_err(),
        backend.set_home_dc(3).unwrap_err(),
        backend.delete().unwrap_err(),
    ] {
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
        assert!(error.to_string().contains("the lock of "), "{error}");
        if cfg!(target_os = "linux") && fs::exists("/proc/locks").unwrap() {
            let holder = format!("process {}", std::process::id());
            assert!(error.to_string().contains(&holder), "{error}");
        }
    }
    file.unlock().unwrap();
    backend.apply_update_state(pts(9)).unwrap();
    assert_eq!(backend.load().unwrap().unwrap().updates_state.pts, 9);
}

/// The bytes of a key that stood in the file do not stay in blocks that nobody owns.
#[cfg(unix)]
#[test]
fn delete_overwrites_the_key_unless_somebody_keeps_a_copy_by_link() {
    use std::io::{Read as _, Seek as _};

    let (dir, path) = store();
    let holds_key = |mut file: &fs::File| {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes.windows(32).any(|window| window == &key_of(1)[..32])
    };
    let mut session = sized(1, 0, 0, 0);
    session.dcs[0].auth_key = Some(key_of(1));
    for is_linked in [false, true] {
        BinaryFileBackend::new(&path).save(&session).unwrap();
        let file = fs::File::open(&path).unwrap();
        if is_linked {
            fs::hard_link(&path, dir.path().join("copy")).unwrap();
        }
        assert!(holds_key(&file));
        BinaryFileBackend::new(&path).delete().unwrap();
        assert_eq!(holds_key(&file), is_linked);
        assert!(!path.exists());
    }
}

/// Ten thousand sessions in one directory.
#[test]
fn many_sessions_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = |n: usize| dir.path().join(format!("{n}.session"));
    for n in 0..10_000 {
        let backend = unflushed(path(n));
        backend
            .set_home_dc(i32::try_from(n % 5 + 1).unwrap())
            .unwrap();
    }
    for n in (0..10_000).step_by(997) {
        let session = BinaryFileBackend::new(path(n)).load().unwrap().unwrap();
        assert_eq!(session.home_dc_id, i32::try_from(n % 5 + 1).unwrap());
    }
}
