//! Other programs at the same session file: links, moves, copies, the old crate, and records in a wrong place.

#![cfg(unix)]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use mtsession::codec::wire::session_file::{self, Footer, TailHeader};
use mtsession::{
    BinaryFileBackend, Change, Event, FlushPolicy, SessionBackend, StoreOptions, UpdateChange,
    UpdateStateChange,
};
use mtsession_tests::random::sized;
use mtsession_tests::session_files::{load, store};

fn qts(qts: i32) -> UpdateStateChange {
    UpdateStateChange::Secondary { qts }
}

fn open(path: &Path) -> BinaryFileBackend {
    let backend = BinaryFileBackend::new(path);
    backend.save(&sized(1, 3, 0, 0)).unwrap();
    backend.apply_update_state(qts(1)).unwrap();
    backend
}

fn stored(path: &Path) -> i32 {
    load(path).updates_state.qts
}

/// A backup by link is what it was when it was made, whatever is written, folded and deleted afterwards.
#[test]
fn nothing_is_appended_to_a_file_with_a_second_name() {
    let (dir, path) = store();
    let backend = open(&path);
    let copy = dir.path().join("copy");
    fs::hard_link(&path, &copy).unwrap();
    let before = fs::read(&copy).unwrap();
    for next in 2..5 {
        backend.apply_update_state(qts(next)).unwrap();
        assert_eq!(stored(&path), next);
    }
    backend.save(&sized(2, 0, 0, 0)).unwrap();
    backend.delete().unwrap();
    assert!(fs::read(&copy).unwrap() == before);
    assert_eq!(stored(&copy), 1);
}

#[test]
fn a_file_that_was_put_in_its_place_is_the_one_that_is_written() {
    let (dir, path) = store();
    let other = dir.path().join("other");
    for by_copy in [false, true] {
        let backend = open(&path);
        drop(open(&other));
        let same_length = fs::read(&other).unwrap();
        if by_copy {
            fs::write(&path, &same_length).unwrap();
        } else {
            fs::rename(&other, &path).unwrap();
        }
        backend.apply_update_state(qts(7)).unwrap();
        assert_eq!(stored(&path), 7, "by copy: {by_copy}");
        assert_eq!(load(&path).peers.len(), 3);
    }
}

/// What was moved away is a copy, and what has the name is the session. A move is noticed after a moment.
#[test]
fn a_file_that_was_moved_away_gets_nothing_more() {
    let (dir, path) = store();
    let backend = open(&path);
    let moved = dir.path().join("moved");
    fs::rename(&path, &moved).unwrap();
    BinaryFileBackend::new(&path)
        .save(&sized(2, 0, 0, 0))
        .unwrap();
    let long = std::time::Instant::now();
    while long.elapsed() <= Duration::from_millis(60) {
        std::thread::yield_now();
    }
    backend.apply_update_state(qts(9)).unwrap();
    assert_eq!((stored(&path), stored(&moved)), (9, 1));
    assert_eq!(load(&path).dcs.len(), 2);
}

#[test]
fn a_link_that_leads_elsewhere_now_is_followed_at_once() {
    let (dir, path) = store();
    let (one, other) = (dir.path().join("one"), dir.path().join("other"));
    drop((open(&one), open(&other)));
    symlink(&one, &path).unwrap();
    let backend = BinaryFileBackend::new(&path);
    backend.apply_update_state(qts(2)).unwrap();
    fs::remove_file(&path).unwrap();
    symlink(&other, &path).unwrap();
    backend.apply_update_state(qts(3)).unwrap();
    assert_eq!((stored(&one), stored(&other)), (2, 3));
}

#[test]
fn that_the_old_crate_has_replaced_the_file_is_told_with_the_number_of_changes() {
    let (_dir, path) = store();
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let backend = StoreOptions::new()
        .on_event(move |event| events.lock().unwrap().push(event.clone()))
        .connect(path.as_path())
        .unwrap();
    backend.save(&sized(1, 0, 0, 0)).unwrap();
    let old = ferogram_session::PersistedSession::load(&path).unwrap();
    for next in 1..=3 {
        backend.apply_update_state(qts(next)).unwrap();
    }
    old.save(&path).unwrap();
    backend.apply_update_state(qts(4)).unwrap();
    let told = told.lock().unwrap();
    let is_it = |event: &Event| matches!(event, Event::ChangesReplaced { changes: 3, .. });
    assert!(told.iter().any(is_it), "{told:?}");
    assert_eq!(stored(&path), 4);
}

/// After an orderly end the old crate finds everything.
#[test]
fn a_short_session_is_left_without_a_tail() {
    let (_dir, path) = store();
    drop(open(&path));
    let status = BinaryFileBackend::new(&path).status().unwrap().unwrap();
    assert_eq!(status.tail_records, 0);
    let old = ferogram_session::PersistedSession::load(&path).unwrap();
    assert_eq!(old.updates_state.qts, 1);
}

#[test]
fn the_old_crate_reads_a_file_in_use_as_its_snapshot_and_leaves_it() {
    let (_dir, path) = store();
    let _backend = open(&path);
    let before = fs::read(&path).unwrap();
    let old = ferogram_session::PersistedSession::load(&path).unwrap();
    assert_eq!((old.dcs.len(), old.peers.len()), (1, 3));
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn every_copy_of_a_live_file_is_a_session() {
    let (dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(1, 3, 0, 0)).unwrap();
    let snapshot = sized(1, 3, 0, 0).to_bytes().len();
    for next in 1_001..=1_050 {
        backend.apply_update_state(qts(next)).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    let copy = dir.path().join("copy");
    let mut newest = 0;
    for len in (snapshot..whole.len()).filter(|len| *len < snapshot + 3 || *len > 4090) {
        fs::write(&copy, &whole[..len]).unwrap();
        let there = stored(&copy);
        assert!(there >= newest && load(&copy).peers.len() == 3, "{len}");
        newest = there;
    }
    assert_eq!(newest, 1_049);
}

#[test]
fn bytes_of_names_that_look_like_the_end_of_a_file_are_only_names() {
    use mtsession::Change;
    use mtsession::codec::{NamesOf, PeerKind};

    let (_dir, path) = store();
    let backend = open(&path);
    let id = load(&path).peers[0].id;
    let footer = Footer {
        at: 0,
        len: 0,
        salt: 0,
        crc: 0,
    };
    // Not every footer is text: this one is looked for.
    let text = (0..1_u64 << 16).find_map(|salt| {
        let bytes = Footer { salt, ..footer }.to_bytes();
        String::from_utf8(bytes.to_vec()).ok()
    });
    let text = text.expect("one of many");
    let names = NamesOf::new(id, PeerKind::User).with_title(Some(&text));
    backend.apply(&[Change::Names(names)]).unwrap();
    backend.apply_update_state(qts(5)).unwrap();
    let bytes = fs::read(&path).unwrap();
    let at = bytes
        .windows(40)
        .position(|found| found == text.as_bytes())
        .unwrap();
    // Torn right after it: it is the end of the file.
    fs::write(&path, &bytes[..at + 40]).unwrap();
    assert_eq!(stored(&path), 1);
    core::mem::forget(backend);
}

#[test]
fn a_torn_record_is_told_when_it_is_cut_off() {
    let (_dir, path) = store();
    core::mem::forget(open(&path));
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(&[5, 1, 2]);
    fs::write(&path, &bytes).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let events = Arc::clone(&told);
    let backend = StoreOptions::new()
        .on_event(move |event| events.lock().unwrap().push(event.clone()))
        .flush(FlushPolicy::Each)
        .connect(path.as_path())
        .unwrap();
    backend.apply_update_state(qts(2)).unwrap();
    let told = told.lock().unwrap();
    let is_it = |event: &Event| matches!(event, Event::TornTailCut { bytes: 3, .. });
    assert!(told.iter().any(is_it), "{told:?}");
    assert_eq!(stored(&path), 2);
}

/// It was written and acknowledged: what follows the damage is kept before anything is written, whichever
/// way.
#[test]
fn a_tail_that_was_damaged_is_kept_before_it_is_replaced() {
    let writes: [fn(&BinaryFileBackend) -> std::io::Result<()>; 3] = [
        |backend| backend.apply_update_state(qts(9)),
        |backend| {
            let mut session = backend.load()?.unwrap();
            session.updates_state.qts = 9;
            backend.save(&session)
        },
        |backend| {
            backend.update(&mut |record| {
                record.apply_all(&[Change::Update(UpdateChange::Secondary { qts: 9 })])?;
                Ok(())
            })
        },
    ];
    for write in writes {
        let (dir, path) = store();
        let writer = open(&path);
        for next in 2..=4 {
            writer.apply_update_state(qts(next)).unwrap();
        }
        core::mem::forget(writer);
        let mut bytes = fs::read(&path).unwrap();
        bytes[session_file::BLOCK + session_file::HEADER_LEN + 2] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let status = BinaryFileBackend::new(&path).status().unwrap().unwrap();
        assert!(status.is_tail_damaged && status.tail_records == 0);
        write(&BinaryFileBackend::new(&path)).unwrap();
        let kept = dir.path().join("bot.session.damaged-1");
        assert!(fs::read(&kept).unwrap() == bytes);
        let recovered = mtsession::recover(&kept).unwrap();
        assert_eq!(recovered.session.updates_state.qts, 4);
        assert_eq!(stored(&path), 9);
    }
}

/// `cp` onto the file empties it and fills it again, piece by piece: a reader in between waits for its end.
#[test]
fn a_reader_waits_for_a_program_that_copies_onto_the_file() {
    let (_dir, path) = store();
    drop(open(&path));
    let (bytes, session) = (fs::read(&path).unwrap(), load(&path));
    let copy = || {
        let mut file = fs::File::create(&path).unwrap();
        for piece in bytes.chunks(1000) {
            file.write_all(piece).unwrap();
            std::thread::yield_now();
        }
    };
    // One copy for each time that the file is read.
    let (read, is_read) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| is_read.into_iter().for_each(|()| copy()));
        for _ in 0..100 {
            read.send(()).unwrap();
            assert_eq!(load(&path), session);
        }
        drop(read);
    });
}

/// The same session saved twice has another tail each time.
#[test]
fn two_snapshots_of_the_same_session_have_different_salts() {
    let (_dir, path) = store();
    let session = sized(1, 0, 0, 0);
    let salt = |_| {
        BinaryFileBackend::new(&path).save(&session).unwrap();
        let bytes = fs::read(&path).unwrap();
        TailHeader::first(&bytes[session_file::BLOCK..])
            .unwrap()
            .salt
    };
    let mut salts: Vec<_> = (0..8).map(salt).collect();
    salts.sort_unstable();
    salts.dedup();
    assert_eq!(salts.len(), 8);
}

/// An append writes nothing before the tail, and makes no other file.
#[test]
fn an_append_leaves_the_blocks_of_the_snapshot() {
    let (dir, path) = store();
    let backend = open(&path);
    let (before, inode) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino());
    backend.apply_update_state(qts(3)).unwrap();
    let after = fs::read(&path).unwrap();
    assert!(after.starts_with(&before) && after.len() < before.len() + 20);
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
