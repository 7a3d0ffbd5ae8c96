//! Any text as a session string of any library: detection and decoding never panic, and what is read
//! is written back as a string that reads the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mtsession_core::Decoded;
use mtsession_core::clients::{TelethonIpv6, detect};

fuzz_target!(|text: &str| {
    let mut buffer = vec![0; text.len()];
    let Ok(Decoded::Client(format, login)) = detect(text, &mut buffer) else { return };
    let mut encoded = Vec::new();
    // Strings of converters may lack what the library itself needs.
    if login.encode(format, TelethonIpv6::Keep, &mut encoded).is_err() {
        return;
    }
    let encoded = String::from_utf8(encoded).unwrap();
    let mut buffer = vec![0; encoded.len()];
    match detect(&encoded, &mut buffer) {
        Ok(Decoded::Client(again, same)) => assert!(again == format && same == login),
        other => panic!("{format} was written, {other:?} was read"),
    }
});
