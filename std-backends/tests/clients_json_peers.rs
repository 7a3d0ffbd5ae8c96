//! The peers in JSON sessions of Telethon (2017) and Pyrogram (2018 and 2019).

#![allow(clippy::unwrap_used, reason = "a test may panic: that is how it fails")]

use core::fmt::Write as _;

use mtsession::PeerNames;
use mtsession::clients::{self, Import};
use mtsession::codec::clients::Contents;
use mtsession::codec::{Peer, PeerKind};

/// Reads a session with a key, in hexadecimal, in the place of `KEY`.
fn read(json: &str) -> Import {
    let mut key = String::new();
    for byte in 0..=255_u8 {
        write!(key, "{byte:02x}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session");
    std::fs::write(&path, json.replace("KEY", &key)).unwrap();
    clients::read(&path).unwrap()
}

fn peers(import: &Import) -> Vec<(PeerKind, i64, i64)> {
    let peers = import.session.peers.iter().map(Peer::from);
    peers
        .map(|peer| (peer.kind, peer.id, peer.access_hash))
        .collect()
}

fn left_out(import: &Import) -> Vec<String> {
    import.left_out.iter().map(ToString::to_string).collect()
}

#[test]
fn telethons_entities_are_read_and_what_is_odd_is_named() {
    let import = read(
        r#"{"port":443,"salt":1,"server_address":"149.154.167.51","auth_key_data":"KEY","entities":[
            [777000, -5], [-123, 0], [-1001234567890, 17], [-10012345, "18"], [5, null], [0, 4], [7], {},
            [9, "x"]]}"#,
    );
    assert_eq!(
        peers(&import),
        [
            (PeerKind::User, 777_000, -5),
            (PeerKind::Chat, 123, 0),
            (PeerKind::Channel, 1_234_567_890, 17),
            // Marked as it was done then: by writing -100 before the digits.
            (PeerKind::Channel, 12_345, 18),
        ]
    );
    assert_eq!(
        left_out(&import),
        [
            "entities, row 5: it has no access hash",
            "entities, row 6: its id is one that no peer has",
            "entities, 2 rows, the first is row 7: it is not a pair of an id and an access hash",
            "entities, row 9: its access hash is not a number",
        ]
    );
    assert!(import.format.carries().contains(Contents::PEERS));
}

#[test]
fn pyrograms_peers_are_read_with_their_names() {
    let import = read(
        r#"{"dc_id":2,"test_mode":false,"auth_key":"KEY","user_id":777000,"date":0,
            "peers_by_id":{"777000":-5,"-123":null,"-1001234567890":17,"-1009":null,"x":1},
            "peers_by_username":{"telegram":777000,"news":-1001234567890,"gone":4711},
            "peers_by_phone":{"42777":777000,"1":"y"}}"#,
    );
    let mut found = peers(&import);
    found.sort_unstable_by_key(|(_, id, _)| *id);
    assert_eq!(
        found,
        [
            (PeerKind::Chat, 123, 0),
            (PeerKind::Chat, 1_009, 0),
            (PeerKind::User, 777_000, -5),
            (PeerKind::Channel, 1_234_567_890, 17),
        ]
    );
    let names = |id| import.names.iter().find(|names| names.id == id).unwrap();
    assert_eq!(
        *names(777_000),
        PeerNames {
            id: 777_000,
            kind: PeerKind::User,
            usernames: vec!["telegram".to_owned()],
            phone: Some("42777".to_owned()),
            title: None,
        }
    );
    assert_eq!(names(1_234_567_890).usernames, ["news"]);
    assert_eq!(
        left_out(&import),
        [
            "peers_by_phone: an id that is not a number",
            "peers_by_id, row 5: its id is one that no peer has",
            "names: of a peer that is not there",
        ]
    );
    assert_eq!(import.account.user_id, Some(777_000));
}

#[test]
fn lists_that_are_none_are_named() {
    for (json, place) in [
        (
            r#"{"port":443,"server_address":"149.154.167.51","auth_key_data":"KEY","entities":7}"#,
            "entities",
        ),
        (
            r#"{"dc_id":2,"auth_key":"KEY","peers_by_id":[1],"peers_by_username":null}"#,
            "peers_by_id",
        ),
    ] {
        let import = read(json);
        assert_eq!(peers(&import), []);
        assert_eq!(
            left_out(&import),
            [format!("{place}: it is not a list of peers")]
        );
    }
}
