//! Session files of the release before, whose changes are in a journal alongside them; and what a crash or a
//! copy leaves of today's.

use std::fs;

use mtsession::{
    BinaryFileBackend, CachedPeer, Change, PersistedSession, SessionBackend, UpdateChange,
};
use mtsession_tests::random::sized;
use mtsession_tests::release_before;
use mtsession_tests::session_files::{load, names, primary, store};

fn user(id: i64) -> CachedPeer {
    sized(0, id, 0, 0).peers.pop().unwrap()
}

#[test]
fn a_torn_tail_is_cut_where_it_is_good() {
    let (_dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(1, 0, 0, 0)).unwrap();
    let snapshot = sized(1, 0, 0, 0).to_bytes().len();
    for pts in 1..=3 {
        backend.apply_update_state(primary(pts)).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    // Every place at which a crash may have torn it, and a copy may have ended.
    for cut in (snapshot..snapshot + 9).chain(4090..=whole.len()) {
        fs::write(&path, &whole[..cut]).unwrap();
        let stored = load(&path).updates_state.pts;
        assert!(
            (1..=3).contains(&stored) || stored == 4211,
            "cut at {cut}: {stored}"
        );
        let next = BinaryFileBackend::new(&path);
        next.cache_peer(&user(7)).unwrap();
        let session = load(&path);
        assert_eq!(
            (session.updates_state.pts, session.peers.len()),
            (stored, 1),
            "cut at {cut}"
        );
        let status = next.status().unwrap().unwrap();
        assert!(status.has_tail && status.tail_lost == 0, "cut at {cut}");
    }
    // The old crate replaces the file and knows no tail.
    BinaryFileBackend::new(&path)
        .apply_update_state(primary(9))
        .unwrap();
    let old = ferogram_session::PersistedSession {
        home_dc_id: 3,
        ..Default::default()
    };
    old.save(&path).unwrap();
    assert_eq!(
        load(&path),
        PersistedSession {
            home_dc_id: 3,
            ..Default::default()
        }
    );
    backend.apply_update_state(primary(10)).unwrap();
    assert_eq!(load(&path).updates_state.pts, 10);
}

#[test]
fn a_file_that_has_the_name_of_an_old_journal_is_nothing_to_us() {
    let (_dir, path) = store();
    let diary = release_before::journal_of(&path);
    fs::write(&diary, "my diary").unwrap();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&sized(1, 0, 0, 0)).unwrap();
    backend.apply_update_state(primary(5)).unwrap();
    assert_eq!(load(&path).updates_state.pts, 5);
    backend.delete().unwrap();
    assert_eq!(fs::read(&diary).unwrap(), b"my diary");
}

/// The journal of the release before is read, becomes part of the file with the first write, and goes.
#[test]
fn a_session_of_the_release_before_is_read_and_becomes_one_file() {
    let session = sized(1, 0, 0, 0);
    let batches = [5, 6].map(|qts| [Change::Update(UpdateChange::Secondary { qts })]);
    for write in 0..4 {
        let (dir, path) = store();
        release_before::write(&path, &session, &[&batches[0], &batches[1]]);
        let journal = release_before::journal_of(&path);
        let (before, changes) = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
        assert_eq!(load(&path).updates_state.qts, 6);
        let unchanged = (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
        assert_eq!(unchanged, (before, changes), "reading changes nothing");

        let backend = BinaryFileBackend::new(&path);
        match write {
            0 => backend.apply_update_state(primary(9)).unwrap(),
            1 => backend.set_home_dc(4).unwrap(),
            2 => backend.cache_peer(&user(1)).unwrap(),
            _ => backend.update_dc(&sized(2, 0, 0, 0).dcs[1]).unwrap(),
        }
        assert_eq!(names(dir.path()), ["bot.session"], "{write}");
        assert_eq!(load(&path).updates_state.qts, 6, "{write}");
    }
}

/// Its copy of a session that was being written in place is the session until then.
#[test]
fn a_complete_copy_of_the_release_before_is_read_and_goes() {
    let (dir, path) = store();
    let session = sized(3, 5, 1, 1);
    fs::write(&path, &session.to_bytes()[..100]).unwrap();
    let pending = dir.path().join(".bot.session.mtsession-pending");
    fs::write(&pending, session.to_bytes()).unwrap();
    assert_eq!(load(&path), session);
    BinaryFileBackend::new(&path).set_home_dc(1).unwrap();
    assert_eq!(names(dir.path()), ["bot.session"]);
    assert_eq!(load(&path).home_dc_id, 1);
    // A file with a tail has none.
    fs::write(&pending, session.to_bytes()).unwrap();
    assert_eq!(load(&path).home_dc_id, 1);
}
