//! Any bytes after the header of a session file's tail: loading changes nothing but the counters and lists that
//! a tail may change, and the next write finds its place. What only a newer release can have written is
//! refused by both, and stays as it is.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use mtsession::{
    FlushPolicy, PersistedSession, SessionBackend, StoreError, StoreErrorKind, StoreOptions, UpdateStateChange,
};
use tempfile::TempDir;

fn unflushed(path: &Path) -> Arc<dyn SessionBackend> {
    let options = StoreOptions::new().flush(FlushPolicy::Never);
    options.connect(path).unwrap()
}

fuzz_target!(|records: &[u8]| {
    static STORE: OnceLock<(TempDir, Vec<u8>)> = OnceLock::new();
    let (dir, empty) = STORE.get_or_init(|| {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let path = dir.path().join("s");
        let session = PersistedSession { home_dc_id: 2, ..Default::default() };
        unflushed(&path).save(&session).unwrap();
        let empty = fs::read(&path).unwrap();
        (dir, empty)
    });
    let path = dir.path().join("s");
    // Copies of damaged tails are kept, and there is an end to how many.
    for entry in fs::read_dir(dir.path()).unwrap() {
        let kept = entry.unwrap().path();
        if kept != path {
            fs::remove_file(kept).unwrap();
        }
    }
    let bytes = [empty.as_slice(), records].concat();
    fs::write(&path, &bytes).unwrap();

    let backend = unflushed(&path);
    let update = || backend.apply_update_state(UpdateStateChange::Secondary { qts: 77 });
    let loaded = match backend.load() {
        Ok(loaded) => loaded.unwrap(),
        Err(error) => {
            for error in [error, update().unwrap_err()] {
                assert_eq!(StoreError::of(&error).unwrap().kind(), StoreErrorKind::Newer);
            }
            assert_eq!(fs::read(&path).unwrap(), bytes);
            return;
        }
    };
    assert_eq!((loaded.home_dc_id, loaded.dcs.len()), (2, 0));
    update().unwrap();
    let mut expected = loaded;
    expected.updates_state.qts = 77;
    assert_eq!(backend.load().unwrap().unwrap(), expected);
});
