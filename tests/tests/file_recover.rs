//! Damaged session files: read for what is left, kept when they are replaced.

use std::fs;
use std::path::PathBuf;

use mtsession::codec::wire::encode_body;
use mtsession::{
    BinaryFileBackend, Change, DcEntry, DcFlags, PersistedSession, SessionBackend, UpdateChange,
    UpdateStateChange, recover,
};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::release_before;
use tempfile::TempDir;

fn store() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bot.session");
    (dir, path)
}

/// A login at DC 2 and a key of DC 4, with a few peers.
fn session() -> PersistedSession {
    let mut session = sized(0, 6, 2, 3);
    session.home_dc_id = 2;
    session.dcs = [(2, "149.154.167.51"), (4, "149.154.167.91")]
        .map(|(id, ip)| DcEntry {
            auth_key: Some(key_of(u8::try_from(id).unwrap())),
            first_salt: 77,
            ..DcEntry::from_parts(id, ip, 443, DcFlags::NONE)
        })
        .into();
    session
}

/// As a release without checksums wrote it.
fn body(session: &PersistedSession) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_body(session, &mut bytes).unwrap();
    bytes
}

fn keys(session: &PersistedSession) -> Vec<[u8; 256]> {
    session.dcs.iter().filter_map(|dc| dc.auth_key).collect()
}

#[test]
fn of_a_file_that_was_cut_off_everything_before_the_cut_is_read() {
    let (_dir, path) = store();
    let session = session();
    let whole = session.to_bytes();
    let first_key_ends = 6 + 5 + 256;
    for bytes in [whole.clone(), body(&session)] {
        let mut most_peers = 0;
        for len in 1..bytes.len() {
            fs::write(&path, &bytes[..len]).unwrap();
            let recovered = recover(&path);
            assert_eq!(fs::read(&path).unwrap(), &bytes[..len]);
            if len < first_key_ends {
                let error = recovered.unwrap_err();
                assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
                continue;
            }
            let recovered = recovered.unwrap_or_else(|error| panic!("cut at {len}: {error}"));
            assert_eq!(recovered.session.home_dc_id, 2);
            assert_eq!(
                recovered.session.dcs[0].auth_key,
                Some(key_of(2)),
                "cut at {len}"
            );
            assert_eq!(recovered.session.dcs[0].addr, "149.154.167.51:443");
            let peers = &recovered.session.peers;
            assert!(session.peers.starts_with(peers), "cut at {len}");
            assert!(peers.len() >= most_peers, "cut at {len}");
            most_peers = peers.len();
            let is_whole = *recovered.session == session;
            assert!(is_whole || !recovered.left_out.is_empty(), "cut at {len}");
        }
        assert_eq!(most_peers, session.peers.len());
    }
}

#[test]
fn a_flipped_bit_of_a_session_with_a_checksum_is_set_right() {
    let (_dir, path) = store();
    let session = session();
    let whole = session.to_bytes();
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        let recovered = recover(&path).unwrap_or_else(|error| panic!("bit {bit}: {error}"));
        assert_eq!(*recovered.session, session, "bit {bit}");
        assert_eq!(
            recovered.left_out.len(),
            1,
            "bit {bit}: {:?}",
            recovered.left_out
        );
    }
}

/// Without a checksum it is not known what was altered, but both keys are found.
#[test]
fn a_flipped_bit_of_an_older_session_costs_no_other_key() {
    let (_dir, path) = store();
    let session = session();
    let whole = body(&session);
    for bit in 0..whole.len() * 8 {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        let recovered = recover(&path).unwrap_or_else(|error| panic!("bit {bit}: {error}"));
        let found = keys(&recovered.session);
        let as_written = keys(&session)
            .iter()
            .filter(|key| found.contains(key))
            .count();
        assert!(as_written >= 1, "bit {bit}: {as_written} keys of 2");
        let is_in_a_key = (11..11 + 256).contains(&(bit / 8)) || (304..560).contains(&(bit / 8));
        assert!(
            as_written == 2 || is_in_a_key,
            "bit {bit}: {as_written} keys of 2"
        );
    }
}

#[test]
fn what_follows_the_snapshot_is_recovered_too() {
    let (_dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    backend.save(&session()).unwrap();
    for pts in 1..=9 {
        let state = UpdateStateChange::Primary {
            pts,
            date: 1,
            seq: 1,
        };
        backend.apply_update_state(state).unwrap();
    }
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    // In the last min peer, and in the second record.
    let snapshot = session().to_bytes().len();
    for at in [snapshot - 40, snapshot - 35] {
        damaged[at] ^= 1;
    }
    damaged[4096 + 32 + 20] ^= 1;
    fs::write(&path, &damaged).unwrap();
    let recovered = recover(&path).unwrap();
    assert_eq!(recovered.session.dcs, session().dcs);
    assert_eq!(recovered.session.updates_state.pts, 9);
    let says = |what: &str| recovered.left_out.iter().any(|note| note.contains(what));
    assert!(
        says("unreadable") && says("changes after it"),
        "{:?}",
        recovered.left_out
    );

    // Of a whole session it is the same as loading it, and there is nothing to say.
    fs::write(&path, &whole).unwrap();
    let recovered = recover(&path).unwrap();
    assert_eq!(recovered.session.updates_state.pts, 9);
    assert_eq!(recovered.left_out, Vec::<String>::new());
}

#[test]
fn what_the_journal_of_the_release_before_holds_is_recovered_too() {
    let (_dir, path) = store();
    let batches = [1, 2, 3].map(|qts| [Change::Update(UpdateChange::Secondary { qts })]);
    let batches = [&batches[0][..], &batches[1], &batches[2]];
    release_before::write(&path, &session(), &batches);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let journal = release_before::journal_of(&path);
    let mut records = fs::read(&journal).unwrap();
    records[22] ^= 1;
    fs::write(&journal, &records).unwrap();
    let recovered = recover(&path).unwrap();
    assert_eq!(recovered.session.updates_state.qts, 3);
    let says = |note: &String| note.contains("journal");
    assert!(recovered.left_out.iter().any(says));
}

#[test]
fn what_is_no_session_is_not_made_one() {
    let (_dir, path) = store();
    assert_eq!(
        recover(&path).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
    let noise: Vec<u8> = (0..20_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    for content in [
        b"SQLite format 3\0".to_vec(),
        vec![0; 4096],
        Vec::new(),
        noise,
    ] {
        fs::write(&path, &content).unwrap();
        let error = recover(&path).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData, "{error}");
        assert!(
            error.to_string().contains(path.to_str().unwrap()),
            "{error}"
        );
    }
}

/// Replacing a damaged session is the caller's decision; losing what could be recovered is not.
#[test]
fn a_damaged_session_is_kept_when_it_is_replaced() {
    let (dir, path) = store();
    let backend = BinaryFileBackend::new(&path);
    for number in 1..=3 {
        backend.save(&session()).unwrap();
        let state = UpdateStateChange::Secondary { qts: 5 };
        backend.apply_update_state(state).unwrap();
        let mut damaged = fs::read(&path).unwrap();
        for at in [700, 710] {
            damaged[at] ^= 1;
        }
        fs::write(&path, &damaged).unwrap();
        backend.save(&sized(1, 0, 0, 0)).unwrap();
        let kept = dir.path().join(format!("bot.session.damaged-{number}"));
        assert_eq!(fs::read(&kept).unwrap(), damaged);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&kept).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let recovered = recover(&kept).unwrap();
        assert_eq!(recovered.session.dcs[0].auth_key, Some(key_of(2)));
        assert_eq!(
            recovered.session.updates_state.qts, 5,
            "its tail is kept too"
        );
    }
    // They hold keys: a gap among their numbers hides none of them.
    fs::remove_file(dir.path().join("bot.session.damaged-1")).unwrap();
    backend.delete().unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A program that knows no journals has read the file alone, and replaces it: what the journal held is
/// not part of the session any more.
#[test]
fn a_journal_that_the_old_crate_did_not_know_is_told_and_kept() {
    let (dir, path) = store();
    let change = [Change::Update(UpdateChange::Secondary { qts: 5 })];
    release_before::write(&path, &session(), &[&change]);
    let journal = fs::read(release_before::journal_of(&path)).unwrap();
    let old = ferogram_session::PersistedSession::load(&path).unwrap();
    old.save(&path).unwrap();

    let backend = BinaryFileBackend::new(&path);
    let status = backend.status().unwrap().unwrap();
    assert_eq!((status.journal_of_another, status.tail_records), (1, 0));
    for write in [0, 1] {
        if write == 0 {
            backend.save(&session()).unwrap();
        } else {
            old.save(&path).unwrap();
            fs::write(release_before::journal_of(&path), &journal).unwrap();
            backend.cache_peer(&session().peers[0]).unwrap();
        }
        let kept = dir
            .path()
            .join(format!("bot.session.damaged-{}", write + 1));
        assert_eq!(fs::read(kept).unwrap(), journal);
        assert_eq!(backend.status().unwrap().unwrap().journal_of_another, 0);
    }
}
