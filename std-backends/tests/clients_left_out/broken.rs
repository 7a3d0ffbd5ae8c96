//! Files that are no session, and files that are broken.

use std::fs;

use mtsession::clients::read;

use crate::{Dice, GRAMMERS, KURIGRAM, MTCUTE, TELETHON, home_key, vector, written_keys};

#[test]
fn what_cannot_be_read_is_named_for_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("any name");
    let tgnet = [
        &16_u32.to_le_bytes()[..],
        &5_u32.to_le_bytes(),
        &0xBC79_9737_u32.to_le_bytes(),
        &[0; 8],
    ]
    .concat();
    for (bytes, said) in [
        (tgnet, "Android"),
        (
            b"PK\x03\x04 and the rest".to_vec(),
            "an archive: unpack it first",
        ),
        (b"<?php __HALT_COMPILER();".to_vec(), "MadelineProto"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = read(&path).unwrap_err().to_string();
        let words = said.split(": ");
        assert!(
            words.clone().count() > 0 && words.into_iter().all(|word| error.contains(word)),
            "{error}"
        );
    }
}

/// Bytes changed, cut and added: whatever comes out is a session with its key, or an error.
#[test]
fn no_file_is_too_broken_to_be_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("broken");
    let (hex, base64, numbers) = written_keys();
    let mut whole: Vec<Vec<u8>> = [
        format!(r#"{{"account1":{{"dcId":2,"userId":7,"dc2_auth_key":"\"{hex}\""}}}}"#),
        format!(r#"{{"port":443,"server_address":"149.154.167.51","auth_key_data":"{base64}"}}"#),
        format!(r#"{{"3authKey":{numbers},"defaultDcId":"3"}}"#),
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect();
    for name in [
        TELETHON,
        KURIGRAM,
        MTCUTE,
        GRAMMERS,
        "grammers-0.8.0-s01.session",
    ] {
        whole.push(fs::read(vector(name)).unwrap());
    }
    let mut dice = Dice(1);
    for whole in whole {
        for _ in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..=dice.below(4) {
                let at = dice.below(bytes.len());
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }
            if dice.below(3) == 0 {
                bytes.truncate(dice.below(bytes.len()));
            }
            fs::write(&path, &bytes).unwrap();
            if let Ok(import) = read(&path) {
                home_key(&import);
            }
        }
    }
}
