//! Any bytes as a session file: recovering never panics and changes nothing, what it gives back can be
//! stored, and of a session that is whole it is all of it.

#![no_main]

use std::fs;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use mtsession::{PersistedSession, recover};
use tempfile::TempDir;

fuzz_target!(|bytes: &[u8]| {
    static STORE: OnceLock<TempDir> = OnceLock::new();
    let dir = STORE
        .get_or_init(|| tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap());
    let path = dir.path().join("s");
    fs::write(&path, bytes).unwrap();

    let recovered = recover(&path);
    assert!(fs::read(&path).unwrap() == bytes);
    let whole = PersistedSession::from_bytes(bytes);
    let Ok(recovered) = recovered else {
        assert!(whole.is_err(), "a whole session was not recovered");
        return;
    };
    let again = PersistedSession::from_bytes(&recovered.session.to_bytes()).unwrap();
    assert_eq!(again, *recovered.session);
    if let Ok(whole) = whole {
        assert_eq!(whole, *recovered.session);
    }
});
