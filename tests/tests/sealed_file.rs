//! Sealed session files: what is told without a key, what was changed or moved, and what becomes of the tail.

use std::fs;
use std::path::Path;

use mtsession::codec::Peer;
use mtsession::seal::{FileAnchor, Key, Passphrase};
use mtsession::{
    Account, BinaryFileBackend, Change, LoginState, Outcome, PeerNames, PersistedSession,
    SessionBackend, SessionBackendExt as _, SessionRecord, Store, StoreError, StoreErrorKind,
    StoreOptions, UpdateStateChange,
};
use mtsession_tests::bytes::{bytes_in, has_window_of};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::sealed::{keyed, kind, open, parts, set_right};
use mtsession_tests::session_files::{names, primary, store};

const PHONE: &str = "4915112345678";
const NAME: &str = "secretary_of_state";

fn session() -> PersistedSession {
    sized(3, 5, 3, 3)
}

/// A sealed file with a login, names, and changes in its tail.
fn write(path: &Path, key: u8) -> SessionRecord {
    let backend = open(path, key);
    backend.save(&session()).unwrap();
    let peer = Peer::from(&session().peers[0]);
    backend
        .set_peer_names(&[PeerNames {
            usernames: vec![NAME.to_owned()],
            phone: Some(PHONE.to_owned()),
            id: peer.id,
            kind: peer.key().kind(),
            title: None,
        }])
        .unwrap();
    for pts in 1..=3 {
        backend.apply_update_state(primary(pts)).unwrap();
    }
    let record = backend.read().unwrap().unwrap();
    // Dropped, it would fold its tail.
    std::mem::forget(backend);
    record
}

fn keys_of(session: &PersistedSession) -> Vec<[u8; 256]> {
    session.dcs.iter().filter_map(|dc| dc.auth_key).collect()
}

#[test]
fn nothing_of_a_login_is_in_a_store_that_was_born_sealed() {
    let (dir, path) = store();
    let record = write(&path, 7);
    let other = open(&path, 7);
    other.set_home_dc(4).unwrap();
    other.apply(&[Change::Account(Account::default())]).unwrap();
    drop(other);
    let stored = bytes_in(dir.path());
    assert!(!has_window_of(&stored, &keys_of(record.session())));
    let contains = |needle: &[u8]| stored.windows(needle.len()).any(|window| window == needle);
    for secret in [PHONE.as_bytes(), NAME.as_bytes(), &[7; 16]] {
        assert!(!contains(secret), "{secret:?}");
    }
    for dc in &record.session().dcs {
        assert!(!contains(dc.addr.as_bytes()), "{}", dc.addr);
    }
}

#[test]
fn without_its_key_a_sealed_file_is_an_error_that_changes_nothing() {
    let (_dir, path) = store();
    write(&path, 7);
    let before = fs::read(&path).unwrap();
    let wrong = open(&path, 8);
    let none = mtsession::connect(&path).unwrap();
    for backend in [wrong, none] {
        let mut change = |record: &mut SessionRecord| {
            record.set_session(PersistedSession::default());
            Ok(())
        };
        for error in [
            backend.load().unwrap_err(),
            backend.read().unwrap_err(),
            backend.head().unwrap_err(),
            backend.save(&session()).unwrap_err(),
            backend.set_home_dc(1).unwrap_err(),
            backend.apply_update_state(primary(9)).unwrap_err(),
            backend.update(&mut change).unwrap_err(),
        ] {
            assert_eq!(kind(&error), StoreErrorKind::Sealed, "{error}");
            assert!(error.to_string().contains("key file"), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    let error = BinaryFileBackend::new(&path).load().unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::Sealed);
    assert!(mtsession::recover(&path).is_err());
}

/// Not even where it is damaged, which for a plain file is a reason to replace it.
#[test]
fn without_its_key_a_damaged_sealed_file_stays_as_it_is() {
    let (dir, path) = store();
    write(&path, 7);
    let whole = fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    flipped[150] ^= 1;
    for damaged in [&flipped[..], &whole[..100], &whole[..6]] {
        fs::write(&path, damaged).unwrap();
        let error = BinaryFileBackend::new(&path).save(&session()).unwrap_err();
        assert_eq!(kind(&error), StoreErrorKind::Sealed, "{error}");
        assert_eq!(fs::read(&path).unwrap(), damaged);
        assert_eq!(names(dir.path()), ["bot.session"]);
    }
}

#[test]
fn a_plain_file_does_not_pass_for_a_sealed_one() {
    let (_dir, path) = store();
    BinaryFileBackend::new(&path).save(&session()).unwrap();
    let before = fs::read(&path).unwrap();
    let backend = open(&path, 7);
    for error in [
        backend.load().unwrap_err(),
        backend.save(&session()).unwrap_err(),
        backend.set_home_dc(1).unwrap_err(),
    ] {
        assert_eq!(kind(&error), StoreErrorKind::NotSealed, "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// 0.6.6 moves what it cannot read to `.bak`, and writes a plain file.
#[test]
fn the_release_before_sealing_reads_no_login_and_what_it_moved_away_is_named() {
    let (dir, path) = store();
    let record = write(&path, 7);
    let old = ferogram_session::BinaryFileBackend::new(&path);
    let read = ferogram_session::SessionBackend::load(&old);
    assert!(
        read.as_ref().is_ok_and(Option::is_none) || read.is_err(),
        "a login was read"
    );
    let moved = names(dir.path());
    assert!(moved.iter().any(|name| name.ends_with(".bak")), "{moved:?}");
    let plain = ferogram_session::PersistedSession::default();
    ferogram_session::SessionBackend::save(&old, &plain).unwrap();

    let error = open(&path, 7).load().unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::NotSealed);
    assert!(error.to_string().contains(".bak"), "{error}");
    let bak = path.with_file_name(moved.iter().find(|name| name.ends_with(".bak")).unwrap());
    fs::rename(bak, &path).unwrap();
    assert_eq!(open(&path, 7).read().unwrap().unwrap(), record);
}

/// Whoever can write to the file can set its checksum right.
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

/// The records with the checksums that somebody would give them who knows no key.
fn records(bytes: &[u8], from: usize) -> Vec<Vec<u8>> {
    let mut rest = &bytes[from..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        // None is longer than 127 bytes.
        let len = usize::from(rest[0]);
        records.push(rest[1..=len].to_vec());
        rest = &rest[len + 5..];
    }
    records
}

fn chained(head: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let mut file = head.to_vec();
    let mut chain = u32::from_le_bytes(*head.last_chunk().unwrap());
    for record in records {
        let outcome: Result<u32, mtsession::codec::EncodeError<()>> =
            mtsession::codec::wire::journal::put_record(record, chain, &mut file);
        chain = outcome.unwrap();
    }
    file
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

#[test]
fn every_key_that_was_given_opens_a_new_store_and_a_key_that_was_not_does_not() {
    let (_dir, path) = store();
    let both = || keyed(1).key(Passphrase::new("correct horse").unwrap());
    both().connect(&path).unwrap().save(&session()).unwrap();
    let passphrase = |text: &str| StoreOptions::new().key(Passphrase::new(text).unwrap());
    for options in [
        keyed(1),
        passphrase("correct horse"),
        passphrase("correct horse\n"),
        both(),
    ] {
        let backend = options.connect(&path).unwrap();
        assert_eq!(backend.load().unwrap(), Some(session()));
    }
    for options in [keyed(2), passphrase("battery staple")] {
        let error = options.connect(&path).unwrap().load().unwrap_err();
        assert_eq!(kind(&error), StoreErrorKind::Sealed);
        let text = error.to_string();
        assert!(text.contains("key file, passphrase"), "{text}");
        assert!(!text.contains("staple"), "{text}");
    }
}

#[test]
fn a_key_file_in_an_address_opens_the_store() {
    let (dir, path) = store();
    let key = dir.path().join("key");
    Key::generate().unwrap().write_new(&key).unwrap();
    let address = format!("{}?key_file={}", path.display(), key.display());
    mtsession::connect(&address)
        .unwrap()
        .save(&session())
        .unwrap();
    assert_eq!(
        mtsession::connect(&address).unwrap().load().unwrap(),
        Some(session())
    );
    assert!(mtsession::connect(&path).unwrap().load().is_err());
    let missing = format!("{}?key_file={}.no", path.display(), key.display());
    let error = mtsession::connect(missing).err().unwrap();
    assert_eq!(kind(&error), StoreErrorKind::Absent);
}

#[test]
fn sealing_resealing_and_unsealing_keep_every_part_of_the_session() {
    let (dir, path) = store();
    let plain = BinaryFileBackend::new(&path);
    plain.save(&session()).unwrap();
    let account = Account {
        user_id: Some(5),
        ..Account::default()
    };
    plain.set_account(account).unwrap();
    let revoked = LoginState::Revoked { at: 3, error: "X" };
    plain.apply(&[Change::LoginState(revoked)]).unwrap();
    plain.apply_update_state(primary(77)).unwrap();
    let record = plain.read().unwrap().unwrap();
    std::mem::forget(plain);
    let keys = keys_of(record.session());
    assert!(has_window_of(&bytes_in(dir.path()), &keys));

    let (one, two) = (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]));
    let open_plain = Store::open(&path).unwrap();
    open_plain.seal(&[&one]).unwrap();
    assert!(!has_window_of(&bytes_in(dir.path()), &keys));
    assert_eq!(open(&path, 1).read().unwrap().unwrap(), record);
    assert_eq!(
        kind(&open_plain.seal(&[&one]).unwrap_err()),
        StoreErrorKind::Sealed
    );

    let first = fs::read(&path).unwrap();
    keyed(1).open(&path).unwrap().reseal(&[&two]).unwrap();
    assert_eq!(open(&path, 2).read().unwrap().unwrap(), record);
    assert_eq!(
        kind(&open(&path, 1).load().unwrap_err()),
        StoreErrorKind::Sealed
    );
    let second = fs::read(&path).unwrap();
    let shared = first.windows(16).filter(|window| {
        // Zeros between body and tail are in both.
        window.iter().any(|byte| *byte != 0) && second.windows(16).any(|other| other == *window)
    });
    // The identity of the store and the beginning of the magic stay.
    assert!(shared.count() < 32);

    assert_eq!(
        kind(&keyed(1).open(&path).err().unwrap()),
        StoreErrorKind::Sealed
    );
    keyed(2).open(&path).unwrap().unseal().unwrap();
    assert_eq!(
        BinaryFileBackend::new(&path).read().unwrap().unwrap(),
        record
    );
    assert_eq!(names(dir.path()), ["bot.session"]);
}

#[test]
fn a_directory_is_sealed_file_by_file() {
    let dir = tempfile::tempdir().unwrap();
    let address = format!("dir:{}", dir.path().join("accounts").display());
    let plain = Store::open(&address).unwrap();
    for name in ["alice", "bob"] {
        plain.backend(name).unwrap().save(&session()).unwrap();
    }
    plain.seal(&[&Key::from_bytes([1; 32])]).unwrap();
    let sealed = keyed(1).open(&address).unwrap();
    assert_eq!(sealed.names().unwrap(), ["alice", "bob"]);
    for name in ["alice", "bob"] {
        let backend = sealed.backend(name).unwrap();
        assert_eq!(backend.load().unwrap(), Some(session()));
    }
    // What is new is sealed as well.
    sealed.backend("carol").unwrap().save(&session()).unwrap();
    sealed.rename("carol", "dave").unwrap();
    assert!(!has_window_of(
        &bytes_in(&dir.path().join("accounts")),
        &keys_of(&session())
    ));
    sealed.unseal().unwrap();
    assert!(plain.backend("dave").unwrap().load().unwrap().is_some());
}

#[test]
fn a_writer_that_was_open_across_a_change_of_keys_writes_nothing_under_the_old_one() {
    let (_dir, path) = store();
    let writer = open(&path, 1);
    writer.save(&session()).unwrap();
    writer.apply_update_state(primary(5)).unwrap();
    let two = Key::from_bytes([2; 32]);
    keyed(1).open(&path).unwrap().reseal(&[&two]).unwrap();
    for error in [
        writer.apply_update_state(primary(6)).unwrap_err(),
        writer.save(&session()).unwrap_err(),
        writer.set_home_dc(1).unwrap_err(),
        writer.load().unwrap_err(),
    ] {
        assert_eq!(kind(&error), StoreErrorKind::Sealed, "{error}");
    }
    let backend = open(&path, 2);
    assert_eq!(backend.load().unwrap().unwrap().updates_state.pts, 5);
    drop(backend);
    keyed(2).open(&path).unwrap().unseal().unwrap();
    assert_eq!(kind(&writer.load().unwrap_err()), StoreErrorKind::NotSealed);
    assert!(writer.apply_update_state(primary(6)).is_err());
    let plain = BinaryFileBackend::new(&path);
    plain.apply_update_state(primary(8)).unwrap();
    Store::open(&path).unwrap().seal(&[&two]).unwrap();
    assert!(plain.apply_update_state(primary(9)).is_err());
    assert_eq!(open(&path, 2).load().unwrap().unwrap().updates_state.pts, 8);
}

#[test]
fn an_older_generation_is_refused_where_there_is_an_anchor() {
    let (dir, path) = store();
    let options = || keyed(7).anchor(FileAnchor::new(dir.path().join("anchor")));
    let backend = options().connect(&path).unwrap();
    backend.save(&sized(1, 2, 2, 2)).unwrap();
    let mut generations = vec![fs::read(&path).unwrap()];
    for dc in 1..4 {
        backend.set_home_dc(dc).unwrap();
        generations.push(fs::read(&path).unwrap());
    }
    // What can be learnt again does not raise it.
    backend.apply_update_state(primary(1)).unwrap();
    let newest = fs::read(&path).unwrap();
    drop(backend);
    for old in &generations[..3] {
        fs::write(&path, old).unwrap();
        let backend = options().connect(&path).unwrap();
        for error in [
            backend.load().unwrap_err(),
            backend.save(&session()).unwrap_err(),
            backend.set_home_dc(9).unwrap_err(),
            backend.apply_update_state(primary(9)).unwrap_err(),
        ] {
            assert_eq!(kind(&error), StoreErrorKind::RolledBack, "{error}");
        }
        assert_eq!(&fs::read(&path).unwrap(), old);
    }
    fs::write(&path, &newest).unwrap();
    assert!(options().connect(&path).unwrap().load().unwrap().is_some());

    // Accepted, it becomes the newest with the next write; the anchor never goes back.
    fs::write(&path, &generations[1]).unwrap();
    let accepting = options().accept_rollback().connect(&path).unwrap();
    assert_eq!(accepting.load().unwrap().unwrap().home_dc_id, 1);
    accepting.set_home_dc(5).unwrap();
    drop(accepting);
    let loaded = options().connect(&path).unwrap().load().unwrap().unwrap();
    assert_eq!(loaded.home_dc_id, 5);
    fs::write(&path, &newest).unwrap();
    assert!(options().connect(&path).unwrap().load().is_err());
}

/// It cannot be written to: the store is written first, so that it is never ahead.
#[test]
fn an_anchor_that_cannot_be_advanced_is_told_and_set_right_by_the_next_opening() {
    let (dir, path) = store();
    let place = dir.path().join("away");
    let options = || keyed(7).anchor(FileAnchor::new(place.join("anchor")));
    let error = options()
        .connect(&path)
        .unwrap()
        .save(&session())
        .unwrap_err();
    let told = StoreError::of(&error).unwrap();
    assert_eq!(told.outcome(), Outcome::Stored, "{error}");
    assert!(error.to_string().contains("anchor"), "{error}");
    assert!(options().connect(&path).unwrap().load().is_err());
    fs::create_dir(&place).unwrap();
    assert_eq!(
        options().connect(&path).unwrap().load().unwrap(),
        Some(session())
    );
    let anchor = fs::read_to_string(place.join("anchor")).unwrap();
    assert!(anchor.ends_with(" 1\n"), "{anchor}");
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

#[test]
fn a_change_of_a_key_or_of_the_login_folds_and_everything_else_is_appended() {
    let (_dir, path) = store();
    let backend = open(&path, 7);
    backend.save(&session()).unwrap();
    let head = |bytes: &[u8]| bytes[..parts(bytes).1].to_vec();
    let before = head(&fs::read(&path).unwrap());
    backend
        .apply_update_state(UpdateStateChange::Secondary { qts: 9 })
        .unwrap();
    backend.cache_peer(&session().peers[1]).unwrap();
    let mut salted = session().dcs[1].clone();
    salted.first_salt = 99;
    backend.update_dc(&salted).unwrap();
    assert_eq!(head(&fs::read(&path).unwrap()), before);
    for change in [
        Change::Account(Account {
            user_id: Some(1),
            ..Account::default()
        }),
        Change::HomeDc(5),
        Change::LoginState(LoginState::Revoked { at: 1, error: "E" }),
        Change::FutureAuthToken(Some(b"token")),
    ] {
        let before = fs::read(&path).unwrap();
        backend.apply(&[change]).unwrap();
        let after = fs::read(&path).unwrap();
        assert_ne!(head(&before), head(&after), "{change:?}");
        let generation = |bytes: &[u8]| u64::from_le_bytes(bytes[23..31].try_into().unwrap());
        assert_eq!(generation(&after), generation(&before) + 1);
    }
    let mut changed = session().dcs[0].clone();
    changed.auth_key = Some(key_of(200));
    backend.update_dc(&changed).unwrap();
    let loaded = backend.load().unwrap().unwrap();
    assert_eq!(loaded.dcs[1].first_salt, 99);
    assert_eq!(loaded.updates_state.qts, 9);
}

/// The file that `tests/sealing/run.sh` reads with other implementations; it is never written again.
#[test]
fn a_sealed_file_of_this_release_is_read_for_ever() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sealing");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sealed.session");
    let golden = samples.join("sealed.session");
    let key = || Key::from_bytes(std::array::from_fn(|at| at as u8));
    let passphrase = || Passphrase::new("correct horse").unwrap();
    if std::env::var_os("MTSESSION_GOLDEN").is_some() && !golden.exists() {
        let options = StoreOptions::new()
            .key(key())
            .key(passphrase())
            .label("alice");
        let backend = options.connect(&golden).unwrap();
        backend.save(&sized(1, 2, 2, 2)).unwrap();
        for pts in 1..=3 {
            backend.apply_update_state(primary(pts)).unwrap();
        }
        std::mem::forget(backend);
        let plain = BinaryFileBackend::new(samples.join("plain.session"));
        plain.save(&sized(1, 2, 2, 2)).unwrap();
    }
    fs::copy(&golden, &path).unwrap();
    for options in [
        StoreOptions::new().key(key()),
        StoreOptions::new().key(passphrase()),
    ] {
        let backend = options.label("alice").connect(&path).unwrap();
        let mut expected = sized(1, 2, 2, 2);
        expected.updates_state.pts = 3;
        expected.updates_state.date = 1;
        expected.updates_state.seq = 1;
        assert_eq!(backend.load().unwrap(), Some(expected));
    }
}
