//! `TDLib`'s log: ones that `TDLib` 1.8.69 wrote, and ones that are built here.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

use std::fs;
use std::path::{Path, PathBuf};

use mtsession::StoreError;
use mtsession::clients::{FileFormat, ForeignError, Import, ReadOptions, read, read_with};
use tempfile::TempDir;

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tests/vectors/tdlib")
        .join(name)
}

fn key(factor: usize, first: usize) -> [u8; 256] {
    core::array::from_fn(|at| u8::try_from((at * factor + first) % 256).unwrap())
}

fn cause(error: &std::io::Error) -> &ForeignError {
    let store: &StoreError = error.get_ref().unwrap().downcast_ref().unwrap();
    let cause = core::error::Error::source(store).unwrap();
    cause.downcast_ref().unwrap()
}

/// What the vectors hold.
fn assert_whole(import: &Import) {
    assert_eq!(import.format, FileFormat::TdlibBinlog);
    assert_eq!(import.session.home_dc_id, 2);
    assert_eq!(import.account.user_id, Some(777_000_123));
    assert_eq!(import.account.is_bot, Some(false));
    assert_eq!(import.account.test_mode, Some(false));
    let home = import.session.dc_for(2, false).unwrap();
    assert_eq!(home.auth_key, Some(key(7, 3)));
    assert_eq!(home.addr, "149.154.167.41:443");
    assert_eq!(home.first_salt, 0x1122_3344_5566_7788);
    let other = import.session.dc_for(4, false).unwrap();
    assert_eq!(other.auth_key, Some(key(11, 5)));
    assert!(import.session.dc_for(2, true).is_some(), "the IPv6 address");
}

#[test]
fn what_tdlib_wrote_is_read_from_the_file_and_from_its_folder() {
    for path in [vector("open/td.binlog"), vector("open")] {
        let import = read(&path).unwrap();
        assert_whole(&import);
        assert!(import.left_out.is_empty(), "{:?}", import.left_out);
    }
}

#[test]
fn a_key_that_the_program_chose_has_to_be_given() {
    let path = vector("locked");
    let error = read(&path).unwrap_err();
    assert!(
        matches!(cause(&error), ForeignError::DatabaseKey),
        "{error}"
    );
    let wrong = ReadOptions::default().passcode("a wrong key");
    let error = read_with(&path, &wrong).unwrap_err();
    assert!(
        matches!(cause(&error), ForeignError::WrongPasscode),
        "{error}"
    );
    assert!(!error.to_string().contains("a wrong key"));
    for form in ["correct horse", "Y29ycmVjdCBob3JzZQ=="] {
        let right = ReadOptions::default().passcode(form);
        assert_whole(&read_with(&path, &right).unwrap());
    }
}

/// A log as `TDLib` writes it where nothing is encrypted.
#[derive(Default)]
struct Log(Vec<u8>);

fn tl(bytes: &[u8]) -> Vec<u8> {
    let mut text = match u8::try_from(bytes.len()) {
        Ok(len) if len < 254 => vec![len],
        _ => {
            let len = u32::try_from(bytes.len()).unwrap();
            [&[0xFE][..], &len.to_le_bytes()[..3]].concat()
        }
    };
    text.extend_from_slice(bytes);
    text.resize(text.len().next_multiple_of(4), 0);
    text
}

impl Log {
    fn event(&mut self, id: u64, kind: i32, flags: i32, data: &[u8]) -> &mut Self {
        let size = u32::try_from(32 + data.len()).unwrap();
        let mut event = [
            &size.to_le_bytes()[..],
            &id.to_le_bytes(),
            &kind.to_le_bytes(),
            &flags.to_le_bytes(),
            &[0; 8],
            data,
        ]
        .concat();
        let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&event);
        event.extend_from_slice(&crc.to_le_bytes());
        self.0.extend(event);
        self
    }

    fn value(&mut self, id: u64, flags: i32, name: &str, value: &[u8]) -> &mut Self {
        let data = [tl(name.as_bytes()), tl(value)].concat();
        self.event(id, 0x4327, flags, &data)
    }

    fn key(&mut self, id: u64, flags: i32, dc: i32, first: usize) -> &mut Self {
        let value = [&[0; 8][..], &1_i32.to_le_bytes(), &tl(&key(7, first))].concat();
        self.value(id, flags, &format!("auth{dc}"), &value)
    }

    fn read(&self, name: &str) -> std::io::Result<Import> {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join(name);
        fs::write(&path, &self.0).unwrap();
        read(&path)
    }
}

fn home_key(import: &Import) -> [u8; 256] {
    let home = import.session.dc_for(import.session.home_dc_id, false);
    home.unwrap().auth_key.unwrap()
}

fn logged_in() -> Log {
    let mut log = Log::default();
    log.value(1, 0, "auth", b"ok")
        .value(2, 0, "main_dc_id", b"2")
        .key(3, 0, 2, 1);
    log
}

#[test]
fn the_newest_value_counts_and_what_was_removed_is_gone() {
    let mut log = logged_in();
    log.key(4, 0, 4, 9).key(3, 1, 2, 2);
    assert_eq!(home_key(&log.read("any name").unwrap()), key(7, 2));
    // The key of the home is removed: that of another DC is not taken for it unnoticed.
    log.event(3, -2, 1, &[]);
    let import = log.read("any name").unwrap();
    assert_eq!(import.session.home_dc_id, 4);
    assert!(
        import.notes.iter().any(|note| note.contains("DC 2")),
        "{:?}",
        import.notes
    );
}

#[test]
fn parts_count_from_the_event_that_is_none() {
    let mut log = logged_in();
    log.key(5, 2, 2, 4);
    assert_eq!(
        home_key(&log.read("any name").unwrap()),
        key(7, 1),
        "not complete"
    );
    log.value(6, 0, "my_id", b"5");
    let import = log.read("any name").unwrap();
    assert_eq!(home_key(&import), key(7, 4));
    assert_eq!(import.account.user_id, Some(5));
}

#[test]
fn the_name_says_which_servers_a_log_is_of() {
    let import = logged_in().read("td_test.binlog").unwrap();
    assert_eq!(import.account.test_mode, Some(true));
    assert_eq!(
        import.session.dc_for(2, false).unwrap().addr,
        "149.154.167.40:80"
    );
}

#[test]
fn who_logged_out_is_not_logged_in() {
    for state in ["logout", "destroy", ""] {
        let mut log = logged_in();
        log.value(4, 0, "auth", state.as_bytes());
        let error = log.read("any name").unwrap_err();
        assert!(
            matches!(cause(&error), ForeignError::NotLoggedIn),
            "{error}"
        );
    }
}

fn says_where_it_ends(import: &Import, at: usize) -> bool {
    let place = format!("byte {at}");
    let mut left_out = import.left_out.iter();
    left_out.any(|left_out| left_out.to_string().contains(&place))
}

/// Whatever byte is changed and wherever it is cut: the login of before, said to end early, or an error.
#[test]
fn a_damaged_log_gives_the_login_of_before_the_damage_and_says_so() {
    let mut log = logged_in();
    let whole = log.0.len();
    log.key(3, 1, 2, 2);
    for cut in whole + 1..log.0.len() {
        let import = Log(log.0[..cut].to_vec()).read("any name").unwrap();
        assert_eq!(home_key(&import), key(7, 1), "cut at {cut}");
        assert!(says_where_it_ends(&import, whole), "cut at {cut}");
    }
    for at in whole..log.0.len() {
        let mut damaged = log.0.clone();
        damaged[at] ^= 0x40;
        let import = Log(damaged).read("any name").unwrap();
        assert_eq!(home_key(&import), key(7, 1), "byte {at}");
        assert!(says_where_it_ends(&import, whole), "byte {at}");
    }
    for at in 0..whole {
        let mut damaged = log.0.clone();
        damaged[at] ^= 0x40;
        let error = Log(damaged).read("any name").unwrap_err();
        let is_other = at < 16 && !matches!(cause(&error), ForeignError::Damaged(_));
        assert!(
            is_other || error.to_string().contains("damaged"),
            "byte {at}: {error}"
        );
    }
}

#[test]
fn reading_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("td.binlog");
    fs::copy(vector("open/td.binlog"), &path).unwrap();
    let before = fs::read(&path).unwrap();
    read(dir.path()).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}
