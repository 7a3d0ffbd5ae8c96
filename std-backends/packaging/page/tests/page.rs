//! What the page does, without a browser.

use std::path::Path;

use mtsession::clients::{ReadOptions, read_bytes};
use mtsession_page::{convert, inspect, targets};
use serde_json::{Value, json};

fn vector(name: &str) -> Vec<u8> {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors");
    std::fs::read(vectors.join(name)).unwrap()
}

fn telethon() -> Vec<u8> {
    vector("clients/telethon-1.45.0-s01.session")
}

#[test]
fn telethon_becomes_pyrogram_with_its_peers() {
    let found = inspect(&telethon(), &json!({}));
    assert_eq!(found["format"], "a Telethon database");
    let peers = found["peers"].as_u64().unwrap();
    assert!(peers > 0);

    let to_pyrogram = json!({
        "to": "pyrogram", "user_id": 777_000, "is_bot": false, "api_id": 12345, "test_mode": false,
    });
    let (said, made) = convert(&telethon(), &to_pyrogram);
    assert_eq!(said["error"], Value::Null);
    assert_eq!(said["to"]["peers"], peers);
    assert_eq!(said["to"]["key"], found["key"]);
    let read = read_bytes(&made, &ReadOptions::default()).unwrap();
    assert_eq!(read.format.name(), "a Pyrogram database");
    assert_eq!(read.account.user_id, Some(777_000));
}

#[test]
fn what_a_target_needs_is_asked_for() {
    let (said, made) = convert(&telethon(), &json!({ "to": "pyrogram" }));
    assert!(
        said["error"].as_str().unwrap().contains("user id"),
        "{said}"
    );
    assert!(made.is_empty());
}

#[test]
fn every_target_of_the_list_is_written_and_read_back() {
    let known = json!({ "user_id": 777_000, "is_bot": false, "api_id": 12345, "test_mode": false });
    for target in targets().as_array().unwrap() {
        let mut request = known.clone();
        request["to"] = target["name"].clone();
        let (said, made) = convert(&telethon(), &request);
        assert_eq!(said["error"], Value::Null, "{target}");
        assert!(!made.is_empty(), "{target}");
        assert_eq!(said["to"]["key"], said["from"]["key"], "{target}");
    }
}

#[test]
fn our_own_files_and_nonsense_are_told_apart() {
    let own = inspect(&vector("ferogram/binary/v8_fs066.session"), &json!({}));
    assert_eq!(own["error"], Value::Null);
    assert!(own["key"].is_string());
    let nonsense = inspect(b"no session", &json!({}));
    assert!(nonsense["error"].is_string());
}
