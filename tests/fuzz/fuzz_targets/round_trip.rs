//! Any sequence of changes, applied in fixed memory and in growing memory: both agree as long as
//! nothing is full, and the result survives encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtsession::PersistedSession;
use mtsession_core::wire::encode_to_vec;
use mtsession_core::{Change, FixedSession, SessionMut, SessionSource};

fuzz_target!(|bytes: &[u8]| {
    let mut fixed = FixedSession::<8, 32, 32, 32, 64>::new();
    let mut growing = PersistedSession::default();
    let mut rest = bytes;
    while let Ok((change, more)) = Change::decode(rest) {
        rest = more;
        if fixed.apply(&change).is_err() {
            break;
        }
        growing.apply(&change).unwrap();
    }
    let Ok(encoded) = encode_to_vec(&growing) else { return };
    let mut again = FixedSession::<8, 32, 32, 32, 64>::new();
    again.copy_from(&mtsession_core::SessionView::parse(&encoded).unwrap()).unwrap();
    assert!(again.dcs().eq(fixed.dcs()));
    assert!(again.channels().eq(fixed.channels()));
    assert!(again.peers().eq(fixed.peers()));
    assert!(again.min_peers().eq(fixed.min_peers()));
    assert_eq!(again.counters(), fixed.counters());
    assert_eq!(PersistedSession::from_bytes(&encoded).unwrap(), growing);
});
