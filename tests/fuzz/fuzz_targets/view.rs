//! Any bytes: parsing never panics, and what it accepts can be read to its end and says the same when
//! it is encoded anew.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtsession_core::wire::encode_to_vec;
use mtsession_core::{FixedSession, SessionMut, SessionSource, SessionView};

fuzz_target!(|bytes: &[u8]| {
    let Ok(view) = SessionView::parse(bytes) else { return };
    let dcs = view.dcs().len();
    assert_eq!(view.dcs().count(), dcs, "an entry that was checked cannot be read");
    assert!(view.peers().count() * 17 <= bytes.len());

    let again = encode_to_vec(&view).unwrap();
    let again = SessionView::parse(&again).unwrap();
    assert!(again.dcs().eq(view.dcs()));
    assert!(again.channels().eq(view.channels()));
    assert!(again.peers().eq(view.peers()));
    assert!(again.min_peers().eq(view.min_peers()));
    assert_eq!(again.counters(), view.counters());
    assert_eq!(again.account(), view.account());
    assert_eq!(again.future_auth_token(), view.future_auth_token());

    let mut device = FixedSession::<4, 8, 8, 8, 32>::new();
    if device.copy_from(&view).is_ok() {
        assert!(device.peers().eq(view.peers()));
    }
});
