//! What the tests of foreign strings share.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::arithmetic_side_effects,
    clippy::format_collect,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests, each of which uses a part"
)]

use core::convert::Infallible;
use std::path::Path;

use mtsession_core::clients::StringFormat;
use mtsession_core::wire::Sink;
use mtsession_core::{AuthKeyRef, text};

/// A sink for a `Vec` without the crate's `alloc` feature.
pub struct Text<'v>(pub &'v mut Vec<u8>);

impl Sink for Text<'_> {
    type Error = Infallible;

    fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A session string that a real library wrote.
pub struct StringVector {
    pub id: String,
    pub format: StringFormat,
    pub value: String,
    pub expect: serde_json::Value,
}

/// All of them.
pub fn string_vectors() -> Vec<StringVector> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/clients/vectors.json");
    let json = std::fs::read_to_string(path).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    json["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|vector| vector["kind"] == "string")
        .map(|vector| StringVector {
            id: vector["id"].as_str().unwrap().to_owned(),
            format: match vector["format"].as_str().unwrap() {
                "telethon-string-1" => StringFormat::Telethon,
                "pyrogram-string-new" => StringFormat::Pyrogram,
                "pyrogram-string-old32" => StringFormat::PyrogramOld32,
                "pyrogram-string-old64" => StringFormat::PyrogramOld64,
                "gramjs-string-1" => StringFormat::GramJs,
                "mtcute-string-3" => StringFormat::Mtcute,
                "mtkruto-string-old" => StringFormat::MtkrutoOld,
                "mtkruto-string-new" => StringFormat::Mtkruto,
                other => panic!("unknown format {other}"),
            },
            value: vector["value"].as_str().unwrap().to_owned(),
            expect: vector["expect"].clone(),
        })
        .collect()
}

/// Bytes as hex digits, as the vectors have keys.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same string with a key of zeros; `None` where zeros of the key are already encoded as runs.
pub fn with_zero_key(vector: &StringVector, key: AuthKeyRef<'_>) -> Option<String> {
    let (prefix, body) = match vector.value.strip_prefix('1') {
        Some(body) => ("1", body),
        None => ("", vector.value.as_str()),
    };
    let mut buffer = vec![0; body.len()];
    let mut bytes = text::decoded(body, &mut buffer).unwrap().to_vec();
    let at = bytes
        .windows(256)
        .position(|window| window == key.as_bytes())?;
    let run_length_encoded = matches!(
        vector.format,
        StringFormat::Mtkruto | StringFormat::MtkrutoOld
    );
    let zeros = if run_length_encoded {
        vec![0, 255, 0, 1]
    } else {
        vec![0; 256]
    };
    bytes.splice(at..at + 256, zeros);
    Some(encoded(prefix, &bytes))
}

/// Bytes as a string of ours, after a prefix.
pub fn encoded(prefix: &str, bytes: &[u8]) -> String {
    let mut string = prefix.as_bytes().to_vec();
    let mut text = Text(&mut string);
    let mut sink = text::Base64Sink::new(&mut text);
    sink.write(bytes).unwrap();
    sink.finish().unwrap();
    String::from_utf8(string).unwrap()
}
