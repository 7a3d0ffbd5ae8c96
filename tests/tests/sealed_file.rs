//! Sealed session files: what is told without a key, and what becomes of a file when it is sealed.

use std::fs;
use std::path::Path;

use mtsession::seal::{Key, Passphrase};
use mtsession::{
    Account, BinaryFileBackend, Change, LoginState, PersistedSession, SessionBackend,
    SessionBackendExt as _, SessionRecord, Store, StoreErrorKind, StoreOptions, UpdateStateChange,
};
use mtsession_tests::bytes::{bytes_in, has_window_of};
use mtsession_tests::random::{key_of, sized};
use mtsession_tests::sealed::{NAME, PHONE, keyed, keys_of, open, parts, session, write};
use mtsession_tests::session_files::{names, primary, store};
use mtsession_tests::stores::kind;

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
    assert!(moved.contains(&"bot.bak".to_owned()), "{moved:?}");
    let plain = ferogram_session::PersistedSession::default();
    ferogram_session::SessionBackend::save(&old, &plain).unwrap();

    let error = open(&path, 7).load().unwrap_err();
    assert_eq!(kind(&error), StoreErrorKind::NotSealed);
    assert!(error.to_string().contains(".bak"), "{error}");
    let bak = path.with_file_name("bot.bak");
    fs::rename(bak, &path).unwrap();
    assert_eq!(open(&path, 7).read().unwrap().unwrap(), record);
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
