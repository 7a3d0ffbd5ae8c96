//! Telegram Desktop's `tdata`: behind a passcode, and written.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

mod tdata;

use core::error::Error as _;
use std::path::{Path, PathBuf};

use mtsession::clients::{
    self, FileFormat, ForeignError, Options, ReadOptions, Target, read, read_with,
};
use mtsession::codec::SessionSource as _;
use mtsession::{Account, DcEntry, DcFlags, PersistedSession, StoreError};

const PASSCODE: &str = "pass 1234";

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors")
        .join(name)
}

fn with(passcode: &str) -> ReadOptions {
    ReadOptions::default().passcode(passcode)
}

/// The cause of an error that names the path.
fn cause(error: &std::io::Error) -> &ForeignError {
    let source = StoreError::of(error).and_then(|error| error.source());
    source.and_then(|source| source.downcast_ref()).unwrap()
}

/// In each way that a release has to protect its key: before 7.3, and since in both derivations.
#[test]
fn what_is_locked_opens_with_its_passcode_alone() {
    let old = tempfile::tempdir().unwrap();
    tdata::write_locked(old.path(), &[(0, 777_000, 2)], PASSCODE);
    let open = read(&vector("clients/tdata-s04")).unwrap();
    for dir in [
        vector("tdata-locked/argon2id"),
        vector("tdata-locked/scrypt"),
        old.path().to_owned(),
    ] {
        let error = read(&dir).unwrap_err();
        assert!(matches!(cause(&error), ForeignError::Passcode), "{error}");
        let wrong = "PASS 1234";
        let error = read_with(&dir, &with(wrong)).unwrap_err();
        let is_wrong = matches!(cause(&error), ForeignError::WrongPasscode);
        assert!(is_wrong && !error.to_string().contains(wrong), "{error}");
        let import = read_with(&dir, &with(PASSCODE)).unwrap();
        if dir == old.path() {
            assert_eq!(import.account.user_id, Some(777_000));
        } else {
            assert_eq!(import.session, open.session);
            assert_eq!(import.account, open.account);
        }
    }
    // A passcode does not keep anybody out of what is open.
    let import = read_with(&vector("clients/tdata-s04"), &with("any")).unwrap();
    assert_eq!(import.session, open.session);
    assert!(!format!("{:?}", with(PASSCODE)).contains("1234"));
}

/// A crafted file must not cost hours or all memory, and never opens.
#[test]
fn a_derivation_that_no_release_uses_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let from = vector("tdata-locked/argon2id");
    let key_file = std::fs::read(from.join("key_datas")).unwrap();
    std::fs::copy(
        from.join("D877F783D5D3EF8Cs"),
        dir.path().join("D877F783D5D3EF8Cs"),
    )
    .unwrap();
    // The wrap's kind, memory, passes and lanes follow the magic, format, generation and count.
    let magic = [0x4B, 0x44, 0x32, 0];
    let wraps = key_file
        .windows(4)
        .position(|bytes| bytes == magic)
        .unwrap();
    for (field, value) in [
        (16, 3_u32),
        (24, u32::MAX),
        (28, u32::MAX),
        (32, 1 << 20),
        (12, 17),
    ] {
        let mut changed = key_file.clone();
        changed[wraps + field..][..4].copy_from_slice(&value.to_be_bytes());
        tdata::reseal(&mut changed);
        std::fs::write(dir.path().join("key_datas"), changed).unwrap();
        let error = read_with(dir.path(), &with(PASSCODE)).unwrap_err();
        assert!(matches!(cause(&error), ForeignError::Damaged(_)), "{error}");
    }
}

fn login() -> PersistedSession {
    let dc = |dc_id, key, flags| DcEntry {
        auth_key: Some([key; 256]),
        ..DcEntry::from_parts(dc_id, "149.154.167.51", 443, flags)
    };
    PersistedSession {
        home_dc_id: 2,
        dcs: vec![
            dc(4, 4, DcFlags::NONE),
            dc(2, 2, DcFlags::NONE),
            dc(2, 9, DcFlags::MEDIA_ONLY),
        ],
        ..PersistedSession::default()
    }
}

#[test]
fn what_is_written_has_every_main_key_and_the_user() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tdata");
    let account = Account {
        test_mode: Some(false),
        ..Account::user(5_000_000_000)
    };
    let (session, write) = (login(), |session: &PersistedSession, account| {
        clients::write(
            &path,
            Target::Tdata,
            Options::default(),
            &session.with_account(account),
            &[],
        )
    });
    // The owner is needed, and the test servers have no place there.
    write(&session, Account::default()).unwrap_err();
    let test = Account {
        test_mode: Some(true),
        ..account
    };
    let error = write(&session, test).unwrap_err();
    assert!(error.to_string().contains("test servers"), "{error}");
    assert!(!path.exists());

    write(&session, account).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.format, FileFormat::Tdata);
    assert_eq!(import.account.user_id, account.user_id);
    assert_eq!(import.session.home_dc_id, 2);
    for dc_id in [2, 4] {
        let key = import.session.dc_for(dc_id, false).unwrap().auth_key;
        assert_eq!(key, Some([u8::try_from(dc_id).unwrap(); 256]));
    }
    let error = write(&session, account).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for name in [
            "",
            "key_datas",
            "D877F783D5D3EF8Cs",
            "D877F783D5D3EF8C",
            "D877F783D5D3EF8C/maps",
        ] {
            let mode = path.join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }
}

/// Two writings of one session have nothing in common that a key could be told by.
#[test]
fn every_directory_has_a_local_key_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let files = ["one", "two"].map(|name| {
        let path = dir.path().join(name);
        let session = login();
        let source = session.with_account(Account::user(1));
        clients::write(&path, Target::Tdata, Options::default(), &source, &[]).unwrap();
        std::fs::read(path.join("D877F783D5D3EF8Cs")).unwrap()
    });
    // Behind the length and the digest of the plain text, which is the same.
    let body = |file: &[u8]| file[28..file.len() - 16].to_vec();
    let [one, two] = [body(&files[0]), body(&files[1])];
    assert!(
        one.chunks(16)
            .zip(two.chunks(16))
            .all(|(one, two)| one != two)
    );
}
