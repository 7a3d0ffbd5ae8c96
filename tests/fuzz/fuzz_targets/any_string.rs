//! Any text: decoding never panics, and what it accepts is a session that can be encoded.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtsession_core::text::{decode_any, encode_native};
use mtsession_core::{Decoded, SessionSource};

fuzz_target!(|text: &str| {
    let mut buffer = vec![0; text.len()];
    let Ok(any) = decode_any(text, &mut buffer) else { return };
    let mut native = Vec::new();
    encode_native(&any, &mut native).unwrap();
    let native = String::from_utf8(native).unwrap();
    let mut again = vec![0; native.len()];
    let again = decode_any(&native, &mut again).unwrap();
    assert!(again.dcs().eq(any.dcs()));
    assert_eq!(again.account(), any.account());

    if let Decoded::Compact(compact) = &any {
        let mut encoded = Vec::new();
        compact.encode(&mut encoded).unwrap();
        let encoded = String::from_utf8(encoded).unwrap();
        let mut buffer = vec![0; encoded.len()];
        assert!(matches!(decode_any(&encoded, &mut buffer), Ok(Decoded::Compact(_))));
    }
});
