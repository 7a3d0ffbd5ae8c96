//! A text file with a session string where a session file is expected.

use std::fs;
use std::io::ErrorKind;

use mtsession::{BinaryFileBackend, PersistedSession, SessionBackend as _};

use super::{Place, ended, error, out, vector};

fn native() -> String {
    let text = fs::read_to_string(vector("string/native_v8_fs066.txt")).unwrap();
    text.trim().to_owned()
}

/// What people's programs save text as.
fn files(text: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    vec![
        text.as_bytes().to_vec(),
        format!("{text}\r\n").into_bytes(),
        format!("SESSION={text}\n").into_bytes(),
        format!("\u{FEFF}Сессия: {text} 👋").into_bytes(),
        [b"Schl\xFCssel: ", text.as_bytes()].concat(),
        format!("PATH=/bin\0SESSION={text}\0").into_bytes(),
        [&[0xFF, 0xFE], &utf16[..]].concat(),
        [&[0xFE, 0xFF], &big[..]].concat(),
        utf16,
        big,
    ]
}

/// It is neither read as a damaged session nor replaced by a new one; what it is is said.
#[test]
fn a_string_in_a_text_file_is_named_and_stays_as_it_is() {
    let place = Place::new();
    let telethon = fs::read_to_string(vector("../clients/vectors.json")).unwrap();
    let telethon: serde_json::Value = serde_json::from_str(&telethon).unwrap();
    let telethon = telethon["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|vector| vector["value"].as_str())
        .find(|value| value.len() == 353 && value.starts_with('1'))
        .unwrap();
    let path = place.path("pasted.session");
    let store = format!("string:{}", path.display());
    for text in [&*native(), telethon] {
        for bytes in files(text) {
            fs::write(&path, &bytes).unwrap();
            let refused = mtsession::connect(&path).map(drop).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::InvalidData);
            let file = BinaryFileBackend::new(&path);
            let session = PersistedSession::default();
            for refused in [
                refused,
                file.load().map(drop).unwrap_err(),
                file.save(&session).unwrap_err(),
                file.set_home_dc(2).unwrap_err(),
            ] {
                let said = refused.to_string();
                assert!(said.contains(&store), "{said}");
                assert!(!said.contains(&text[..20]), "{said}");
            }
            assert!(fs::read(&path).unwrap() == bytes);
            // The command reads it by either name.
            ended(&place.run(["inspect", "pasted.session"]), 0);
            ended(&place.run(["inspect", &store]), 0);
            let onto_it = place.run(["convert", "a", "pasted.session", "--force"]);
            assert_ne!(onto_it.status.code(), Some(0), "{}", out(&onto_it));
            assert!(error(&onto_it).contains("string:"), "{}", error(&onto_it));
            assert!(fs::read(&path).unwrap() == bytes);
        }
    }
}

/// A string that was cut is not a session either.
#[test]
fn a_damaged_string_in_a_text_file_is_named_as_that() {
    let place = Place::new();
    let path = place.path("pasted.session");
    let text = native();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let refused = mtsession::connect(&path).map(drop).unwrap_err().to_string();
    assert!(refused.contains("string is damaged"), "{refused}");
    fs::write(&path, format!("no session in here {}", "x ".repeat(500))).unwrap();
    let file = mtsession::connect(&path).unwrap();
    assert!(file.load().is_err() && file.save(&PersistedSession::default()).is_err());
}
