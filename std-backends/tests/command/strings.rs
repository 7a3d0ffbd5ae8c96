//! Session strings in the files and pipes that people keep them in.

use super::{Place, ended, error, out, vector};
use mtsession::{SessionBackend as _, StringSessionBackend};
use std::fs;

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// One string in what files, shells and chats make of it.
fn pasted(text: &str) -> Vec<Vec<u8>> {
    let line = format!("{text}\r\n");
    let dotenv = format!("# Schlüssel\nAPI_ID=12345\nSESSION=\"{text}\"\nDEBUG=1\n");
    let mut latin = b"# Schl\xFCssel\nSESSION=".to_vec();
    latin.extend_from_slice(line.as_bytes());
    vec![
        line.clone().into_bytes(),
        dotenv.clone().into_bytes(),
        format!("{{\n  \"session\": \"{text}\"\n}}\n").into_bytes(),
        [&[0xFF, 0xFE], &utf16(&line)[..]].concat(),
        utf16(&line),
        utf16(&dotenv),
        latin,
        [text.as_bytes(), &[0; 3_000]].concat(),
    ]
}

#[test]
fn a_string_is_read_from_a_file_a_pipe_a_path_and_a_variable_alike() {
    let place = Place::new();
    let telethon = out(&place.run(["export", "a", "--format", "telethon"]));
    let native = out(&place.run(["export", "a"]));
    for (text, kind) in [(telethon, "a Telethon string"), (native, "native string")] {
        for (number, bytes) in pasted(text.trim()).into_iter().enumerate() {
            fs::write(place.path("s.txt"), &bytes).unwrap();
            for store in ["string:s.txt", "string:-", "s.txt"] {
                let output = place.run_with(["inspect", store], &bytes);
                let said = ended(&output, 0);
                assert!(
                    said.contains(kind) && said.contains("99292174"),
                    "{number} {store}: {said}"
                );
            }
            let copy = format!("copy{number}");
            let _ = fs::remove_file(place.path(&copy));
            ended(&place.run_with(["import", &copy], &bytes), 0);
        }
    }
}

#[test]
fn the_string_backend_reads_what_the_command_reads() {
    let native = fs::read_to_string(vector("string/native_v8_fs066.txt")).unwrap();
    for bytes in pasted(native.trim()) {
        let text = mtsession::pasted_text(&bytes).unwrap();
        let backend = StringSessionBackend::new(text.as_str());
        let session = backend.load().unwrap().unwrap();
        assert_eq!(session.home_dc_id, 2);
        backend.set_home_dc(4).unwrap();
        let again = StringSessionBackend::new(backend.current());
        assert_eq!(again.load().unwrap().unwrap().dcs, session.dcs);
    }
    for nothing in ["", " \r\n", "\u{FEFF}\r\n", "\0\0\0"] {
        assert!(StringSessionBackend::new(nothing).load().unwrap().is_none());
    }
}

#[test]
fn two_sessions_in_one_text_are_refused_and_nothing_is_stored() {
    let place = Place::new();
    let native = fs::read_to_string(vector("string/native_v8_fs066.txt")).unwrap();
    let compact = fs::read_to_string(vector("string/compact_V2_v4_fs066.txt")).unwrap();
    let text = format!("OLD={}\nNEW={}\n", native.trim(), compact.trim());
    let refused = place.run_with(["import", "b"], text.as_bytes());
    ended(&refused, 4);
    assert!(
        error(&refused).contains("two different session strings"),
        "{}",
        error(&refused)
    );
    assert!(!place.path("b").exists());

    let backend = StringSessionBackend::new(text.clone());
    assert!(backend.load().is_err());
    assert!(
        backend
            .save(&mtsession::PersistedSession::default())
            .is_err()
    );
    assert_eq!(backend.current(), text);
}

#[test]
fn a_cut_string_of_ours_says_that_its_end_is_missing() {
    let place = Place::new();
    let native = fs::read_to_string(vector("string/native_v8_fs066.txt")).unwrap();
    let text = format!("SESSION={}\n", &native[..700]);
    let refused = place.run_with(["inspect", "string:-"], text.as_bytes());
    ended(&refused, 4);
    assert!(
        error(&refused).contains("with its end missing"),
        "{}",
        error(&refused)
    );
}
