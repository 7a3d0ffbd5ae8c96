//! JSON of web clients and of old libraries.

use std::fs;

use mtsession::clients::{FileFormat, ForeignError, read, read_account};

use crate::{cause, written_keys};

#[test]
fn json_of_web_clients_and_old_libraries_is_read() {
    use FileFormat::{MtprotoCoreJson, PyrogramJson, TelethonJson, WebJson};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.json");
    let (hex, base64, numbers) = written_keys();
    let (front, back) = base64.split_at(100);
    let cases = [
        (WebJson, 2, format!(r#"{{"dc2_auth_key":"{hex}","dc":2}}"#)),
        (
            WebJson,
            4,
            format!(
                r#"{{"dc":"2","user_auth":"{{\"dcID\":4,\"id\":777000}}","dc2_auth_key":"\"{}\"",
                "dc4_auth_key":"\"{hex}\"","dc5_auth_key":""}}"#,
                hex.replace("00", "01")
            ),
        ),
        (
            WebJson,
            2,
            format!(
                r#"{{"account1":{{"dcId":2,"userId":777000,"dc2_auth_key":"{hex}"}},
                "account2":"null","dc2_auth_key":"\"{hex}\"","tt":[1]}}"#
            ),
        ),
        (
            TelethonJson,
            2,
            format!(
                r#"{{"port":443,"salt":1,"server_address":"149.154.167.51","entities":[{{}}],
                "auth_key_data":"{base64}"}}"#
            ),
        ),
        (
            PyrogramJson,
            5,
            format!(
                r#"{{"dc_id":5,"test_mode":false,"auth_key":["{front}","{back}"],"user_id":777000,
                "date":0,"peers_by_id":{{"1":2}}}}"#
            ),
        ),
        (
            MtprotoCoreJson,
            3,
            format!(r#"{{"3authKey":{numbers},"3serverSalt":[1],"2timeOffset":0}}"#),
        ),
    ];
    for (format, home, json) in cases {
        for mark in ["", "\u{FEFF}", "\n "] {
            fs::write(&path, format!("{mark}{json}")).unwrap();
            let import = read(&path).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(import.format, format);
            assert_eq!(import.session.home_dc_id, home, "{json}");
            let dc = import.session.dc_for(home, false).unwrap();
            assert_eq!(dc.auth_key.unwrap()[..4], [0, 1, 2, 3]);
            dc.socket_addr().unwrap();
        }
    }
}

#[test]
fn json_of_others_is_refused_without_a_word_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.json");
    for json in [
        "{}",
        "[]",
        r#"{"token":"secret"}"#,
        r#"{"dc2_auth_key":"","dc":2}"#,
    ] {
        fs::write(&path, json).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(
            !error.contains("damaged") && !error.contains("secret"),
            "{error}"
        );
    }
}

#[test]
fn of_two_accounts_in_json_none_is_picked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.json");
    let (hex, ..) = written_keys();
    let two = format!(
        r#"{{"account1":{{"dc2_auth_key":"{hex}"}},"account2":{{"dc2_auth_key":"{}"}}}}"#,
        hex.replace("00", "01")
    );
    fs::write(&path, two).unwrap();
    let error = read(&path).unwrap_err();
    assert!(
        matches!(cause(&error), ForeignError::SeveralKeys(_)),
        "{error}"
    );
    assert_eq!(read_account(&path, 2).unwrap().session.home_dc_id, 2);
}
