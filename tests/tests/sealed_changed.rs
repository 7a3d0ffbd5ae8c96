//! Sealed session files that somebody has changed who has no key: every bit, and every part that was moved.

use std::fs;
use std::path::Path;

use mtsession::{SessionBackend as _, StoreError, StoreErrorKind};
use mtsession_tests::random::sized;
use mtsession_tests::sealed::{chained, keyed, open, parts, records, set_right};
use mtsession_tests::session_files::{primary, store};
use mtsession_tests::stores::kind;

/// The checksum needs no key, and is set right.
#[test]
fn every_bit_of_header_and_body_that_was_changed_is_noticed() {
    let (dir, path) = store();
    let backend = open(&path, 7);
    backend.save(&sized(1, 1, 0, 0)).unwrap();
    drop(backend);
    let good = fs::read(&path).unwrap();
    let (header, len) = parts(&good);
    assert!(header > 100 && len > header + 300);
    let other = dir.path().join("changed.session");
    for bit in 0..(len - 4) * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        // Without a tail, whose header would not fit any more.
        changed.truncate(len);
        set_right(&mut changed, len);
        fs::write(&other, &changed).unwrap();
        let backend = keyed(7).connect(&other).map(|backend| backend.load());
        let error = match backend {
            Ok(Ok(loaded)) => panic!("bit {bit} passes: {}", loaded.is_some()),
            Ok(Err(error)) | Err(error) => error,
        };
        assert!(StoreError::of(&error).is_some(), "bit {bit}: {error}");
    }
}

/// Of a changed tail exactly the state before the change is left, it is told, and a copy is kept.
#[test]
fn of_a_tail_that_was_changed_the_prefix_before_it_is_the_session() {
    let (dir, path) = store();
    let backend = open(&path, 7);
    backend.save(&sized(1, 1, 0, 0)).unwrap();
    let mut ends = vec![fs::metadata(&path).unwrap().len()];
    for pts in 1..=3 {
        backend.apply_update_state(primary(pts)).unwrap();
        ends.push(fs::metadata(&path).unwrap().len());
    }
    std::mem::forget(backend);
    let good = fs::read(&path).unwrap();
    let other = dir.path().join("changed.session");
    let start = usize::try_from(ends[0]).unwrap();
    let before = sized(1, 1, 0, 0).updates_state.pts;
    for bit in start * 8..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        fs::write(&other, &changed).unwrap();
        let record = ends.iter().filter(|end| **end <= (bit / 8) as u64).count() - 1;
        let expected = if record == 0 { before } else { record as i32 };
        let loaded = open(&other, 7).load().unwrap().unwrap();
        assert_eq!(loaded.updates_state.pts, expected, "bit {bit}");
    }
}

#[test]
fn records_that_were_moved_repeated_or_left_out_end_the_tail_and_a_copy_is_kept() {
    let (dir, path) = store();
    let backend = open(&path, 7);
    backend.save(&sized(1, 1, 0, 0)).unwrap();
    let start = fs::metadata(&path).unwrap().len() as usize;
    let before = sized(1, 1, 0, 0).updates_state.pts;
    for pts in 1..=4 {
        backend.apply_update_state(primary(pts)).unwrap();
    }
    std::mem::forget(backend);
    let good = fs::read(&path).unwrap();
    let (head, all) = (&good[..start], records(&good, start));
    assert_eq!(chained(head, &all), good);
    let order = |order: &[usize]| order.iter().map(|at| all[*at].clone()).collect::<Vec<_>>();
    for (tail, expected) in [
        (order(&[0, 1, 2, 3]), 4),
        (order(&[0, 1]), 2),
        (order(&[1, 0, 2, 3]), before),
        (order(&[0, 2, 3]), 1),
        (order(&[0, 0, 1]), 1),
        (order(&[0, 1, 3, 2]), 2),
    ] {
        let other = dir.path().join("moved.session");
        fs::write(&other, chained(head, &tail)).unwrap();
        let loaded = open(&other, 7).load().unwrap().unwrap();
        assert_eq!(loaded.updates_state.pts, expected);
        let is_damaged = tail.len() as i32 != expected;
        let store = keyed(7).open(&other).unwrap();
        assert!(store.verify().unwrap().accounts == 1);
        let backend = open(&other, 7);
        backend.apply_update_state(primary(99)).unwrap();
        assert_eq!(backend.load().unwrap().unwrap().updates_state.pts, 99);
        let kept = path.with_file_name("moved.session.damaged-1");
        assert_eq!(kept.exists(), is_damaged, "{expected}");
        let _ = fs::remove_file(kept);
    }
}

#[test]
fn a_tail_of_another_branch_does_not_continue_the_file() {
    let (dir, path) = store();
    let backend = open(&path, 7);
    backend.save(&sized(1, 1, 0, 0)).unwrap();
    std::mem::forget(backend);
    let start = fs::metadata(&path).unwrap().len() as usize;
    let base = fs::read(&path).unwrap();
    let mut tails = Vec::new();
    for pts in [10, 20] {
        fs::write(&path, &base).unwrap();
        let backend = open(&path, 7);
        backend.apply_update_state(primary(pts)).unwrap();
        backend.apply_update_state(primary(pts + 1)).unwrap();
        std::mem::forget(backend);
        tails.push(records(&fs::read(&path).unwrap(), start));
    }
    let other = dir.path().join("mixed.session");
    let mixed = [tails[0][0].clone(), tails[1][1].clone()];
    fs::write(&other, chained(&base, &mixed)).unwrap();
    let loaded = open(&other, 7).load().unwrap().unwrap();
    assert_eq!(loaded.updates_state.pts, 10);
}

#[test]
fn labelled_files_cannot_take_each_others_place() {
    let dir = tempfile::tempdir().unwrap();
    let (alice, bob) = (dir.path().join("alice"), dir.path().join("bob"));
    let label = |label: &str| keyed(7).label(label);
    label("alice")
        .connect(&alice)
        .unwrap()
        .set_home_dc(1)
        .unwrap();
    label("bob").connect(&bob).unwrap().set_home_dc(2).unwrap();
    fs::copy(&alice, &bob).unwrap();
    let error = label("bob").connect(&bob).unwrap().load().unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::Foreign);
    assert!(error.to_string().contains("alice"), "{error}");
    // Who does not ask for a label gets what is there.
    assert!(open(&bob, 7).load().unwrap().is_some());
    let plain = dir.path().join("unlabelled");
    open(&plain, 7).set_home_dc(1).unwrap();
    assert!(label("carol").connect(&plain).unwrap().load().is_err());
}

/// Header, body and tail of two stores under one key, in every combination.
#[test]
fn parts_of_other_stores_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let made = |name: &str| {
        let path = dir.path().join(name);
        open(&path, 7).save(&sized(1, 1, 0, 0)).unwrap();
        fs::read(path).unwrap()
    };
    let (one, other) = (made("a"), made("b"));
    let ((header_a, len_a), (header_b, len_b)) = (parts(&one), parts(&other));
    assert_eq!(header_a, header_b);
    let mixed = dir.path().join("mixed");
    let mut bytes = [&one[..header_a], &other[header_b..len_b]].concat();
    set_right(&mut bytes, len_a);
    fs::write(&mixed, &bytes).unwrap();
    let error = open(&mixed, 7).load().unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::Damaged, "{error}");

    // A slot of the other store: of one raw slot, salt and wrapped key end before the MAC.
    let slot = header_a - 32 - 64..header_a - 32;
    let mut bytes = one[..len_a].to_vec();
    bytes[slot.clone()].copy_from_slice(&other[slot]);
    set_right(&mut bytes, len_a);
    fs::write(&mixed, &bytes).unwrap();
    let error = open(&mixed, 7).load().unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::Sealed, "{error}");
}

/// Each box has a nonce of its own, also where a copy is continued on two sides, a cut tail is continued, and the
/// same session is saved again. Whatever takes its nonce from a counter or a position fails here.
#[test]
fn no_nonce_is_used_twice() {
    use std::collections::HashSet;

    let (dir, path) = store();
    let mut nonces: HashSet<Vec<u8>> = HashSet::new();
    let mut boxes: HashSet<Vec<u8>> = HashSet::new();
    let mut collect = |bytes: &[u8]| {
        let (header, len) = parts(bytes);
        let tail = len.next_multiple_of(4096) + 32;
        let body = bytes[header + 4..len - 4].to_vec();
        for sealed in records(bytes, tail.min(bytes.len()))
            .into_iter()
            .chain([body])
        {
            // A box that is seen again is the same box.
            if boxes.insert(sealed.clone()) {
                assert!(nonces.insert(sealed[..24].to_vec()), "a nonce repeats");
            }
        }
    };
    let small = sized(1, 1, 0, 0);
    let start = |path: &Path| {
        let backend = open(path, 7);
        backend.save(&small).unwrap();
        backend.apply_update_state(primary(1)).unwrap();
        std::mem::forget(backend);
        fs::read(path).unwrap()
    };
    for _ in 0..5 {
        collect(&start(&path));
    }
    let base = start(&path);
    let continued = |bytes: &[u8], pts: i32| {
        let path = dir.path().join("copy");
        fs::write(&path, bytes).unwrap();
        let backend = open(&path, 7);
        for step in 0..3 {
            backend.apply_update_state(primary(pts + step)).unwrap();
        }
        std::mem::forget(backend);
        fs::read(&path).unwrap()
    };
    // A copy that is continued on two machines, and a backup that is continued twice with the same changes.
    for pts in [10, 20, 10, 10] {
        collect(&continued(&base, pts));
    }
    let (_, len) = parts(&base);
    for cut in len.next_multiple_of(4096) + 32..base.len() {
        collect(&continued(&base[..cut], 30));
    }
    assert!(nonces.len() > 100, "{}", nonces.len());
}
