//! What only one library keeps.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use mtsession::clients::{FileFormat, ForeignError, read, read_account};
use mtsession::codec::SessionSource;

use crate::files::copy_of;
use crate::{cause, changed, folder, hex, import, number, tdata, vectors};

#[test]
fn mtcute_brings_its_state_keys_of_other_dcs_media_dc_and_min_peers() {
    let import = read(&folder().join("mtcute-0.29.7-s01.session")).unwrap();
    let state = &import.session.updates_state;
    assert_eq!(
        (state.pts, state.qts, state.date, state.seq),
        (100_123, 45, 1_759_999_940, 678)
    );
    assert_eq!(
        state.channels,
        [(1_500_000_001, 4321), (1_600_000_002, 8765)]
    );
    assert!(import.session.dc_for(4, false).unwrap().auth_key.is_some());
    let media = import
        .session
        .all_dcs_for(2)
        .find(|dc| !dc.flags.is_main())
        .unwrap();
    assert_eq!(media.addr, "149.154.167.222:443");
    let min_peer = &import.session.min_peers[0];
    let found = (min_peer.user_id, min_peer.peer_id, min_peer.msg_id);
    assert_eq!(found, (444_000_444, 1_600_000_002, 77));
}

#[test]
fn tdata_brings_the_user_and_every_key() {
    let import = read(&folder().join("tdata-s05")).unwrap();
    assert_eq!(import.account.user_id, Some(4_294_967_295));
    assert_eq!(import.session.home_dc_id, 5);
    // A file of the directory stands for the directory.
    let same = read(&folder().join("tdata-s05/key_datas")).unwrap();
    assert_eq!(*same.session, *import.session);
}

#[test]
fn tdata_with_a_passcode_says_so() {
    use md5::{Digest as _, Md5};

    let dir = tempfile::tempdir().unwrap();
    copy_of(&folder().join("tdata-s04"), dir.path());
    let file = dir.path().join("key_datas");
    let mut bytes = fs::read(&file).unwrap();
    // Another salt is another key, as another passcode would be. The file is sound otherwise.
    bytes[12] ^= 1;
    let end = bytes.len() - 16;
    let mut digest = Md5::new();
    digest.update(&bytes[8..end]);
    digest.update(i32::try_from(end - 8).unwrap().to_le_bytes());
    digest.update(&bytes[4..8]);
    digest.update(&bytes[..4]);
    let digest = digest.finalize();
    bytes[end..].copy_from_slice(&digest);
    fs::write(&file, bytes).unwrap();
    let error = read(dir.path()).unwrap_err();
    assert!(matches!(cause(&error), ForeignError::Passcode), "{error}");
}

#[test]
fn grammers_brings_every_dc() {
    let mut checked = 0;
    for vector in vectors() {
        let Some(dcs) = vector.expect["dcs"].as_array() else {
            continue;
        };
        let import = import(&vector);
        let mut expected = BTreeMap::new();
        for dc in dcs {
            for (family, is_ipv6) in [("ipv4", false), ("ipv6", true)] {
                let Some(addr) = dc[family].as_str() else {
                    continue;
                };
                // The older releases' own reader gives address and port apart.
                let addr = match dc["port"].as_u64() {
                    Some(port) if is_ipv6 => format!("[{addr}]:{port}"),
                    Some(port) => format!("{addr}:{port}"),
                    None => addr.to_owned(),
                };
                let key = dc["auth_key"].as_str().map(str::to_owned);
                expected.insert((number(&dc["id"]), is_ipv6), (addr, key));
            }
        }
        let found: BTreeMap<_, _> = import
            .session
            .dcs
            .iter()
            .map(|dc| {
                let key = dc.auth_key.as_ref().map(|key| hex(key));
                ((i64::from(dc.dc_id), dc.is_ipv6()), (dc.addr.clone(), key))
            })
            .collect();
        if vector.format == "grammers-sqlite-v1" {
            // What the library knows without the file is not in the file.
            expected.retain(|slot, (_, key)| key.is_some() || found.contains_key(slot));
        }
        assert_eq!(found, expected, "{}", vector.id);
        checked += 1;
    }
    assert_eq!(checked, 22);
}

#[test]
fn both_byte_orders_of_grammers_give_telegrams_addresses() {
    for name in ["grammers-0.7.0-s01.session", "grammers-0.8.0-s01.session"] {
        let import = read(&folder().join(name)).unwrap();
        let addr = import
            .session
            .dc_for(2, false)
            .unwrap()
            .socket_addr()
            .unwrap();
        assert_eq!(addr.to_string(), "149.154.167.51:443", "{name}");
    }
}

#[test]
fn a_user_that_mtcute_does_not_know_is_none() {
    let dir = tempfile::tempdir().unwrap();
    // Version 1, no flags, id 0.
    let sql = "UPDATE key_value SET value = x'01000000000000000000000000000000'
        WHERE key = 'current_user'";
    let account = read(&changed(dir.path(), "mtcute-0.29.7-s01.session", sql))
        .unwrap()
        .account;
    assert_eq!((account.user_id, account.is_bot), (None, None));
}

#[test]
fn mtcutes_titles_and_salts_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let name = "mtcute-0.29.7-s01.session";
    let import = read(&folder().join(name)).unwrap();
    let title = |id: i64| {
        // The sample has a channel with the id of a user.
        let names = import.names.iter().rfind(|names| names.id == id);
        names.and_then(|names| names.title.as_deref())
    };
    assert_eq!(title(111_000_111), Some("Alice A"));
    assert_eq!(title(77_001), Some("Small group"));
    assert_eq!(title(1_500_000_001), Some("News"));
    assert_eq!(import.session.dcs[0].first_salt, 0);

    // A vector of future_salt: valid since 1, and in the year 2100.
    let salt = |since: i32, salt: i64| {
        let bytes = [
            &0x0949_D9DC_u32.to_le_bytes()[..],
            &since.to_le_bytes(),
            &(since + 1800).to_le_bytes(),
            &salt.to_le_bytes(),
        ];
        hex(&bytes.concat())
    };
    let later = i32::MAX - 1800;
    let value = format!("15c4b51c02000000{}{}", salt(1, -77), salt(later, 88));
    let put = |value: &str| format!("INSERT INTO key_value VALUES ('salts:2', x'{value}')");
    let import = read(&changed(dir.path(), name, &put(&value))).unwrap();
    assert_eq!(import.session.dcs[0].first_salt, -77);
    for damaged in ["15c4b51c", &value[..value.len() - 2], "00000000"] {
        let import = read(&changed(dir.path(), name, &put(damaged))).unwrap();
        assert_eq!(import.session.dcs[0].first_salt, 0);
        assert_eq!(import.left_out[0].reason, "salts:2 is damaged");
    }
}

#[test]
fn every_account_of_telegram_desktop_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let accounts = [(0, 777_000, 2), (2, 888_000, 4)];
    tdata::write(dir.path(), &accounts);
    for (number, (_, user_id, dc)) in [1, 2].into_iter().zip(accounts) {
        let import = read_account(dir.path(), number).unwrap();
        assert_eq!(import.accounts, 2);
        assert_eq!(import.account.user_id, Some(user_id));
        assert_eq!(import.session.home_dc_id, dc);
        let key = import.session.dc_for(dc, false).unwrap().auth_key;
        assert_eq!(key, Some(tdata::key(user_id)));
    }
    let error = read(dir.path()).unwrap_err();
    let ForeignError::SeveralKeys(candidates) = cause(&error) else {
        panic!("{error}");
    };
    assert_eq!(candidates[1].user_id, Some(888_000));
    for candidate in candidates {
        assert!(
            error.to_string().contains(&candidate.to_string()),
            "{error}"
        );
    }
    for number in [0, 3] {
        let error = read_account(dir.path(), number).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let said = format!("it holds 2 accounts: there is no account number {number}");
        assert!(error.to_string().ends_with(&said), "{error}");
    }
    let one = folder().join("tdata-s04");
    assert_eq!(read(&one).unwrap().accounts, 1);
    let error = read_account(&one, 2).unwrap_err().to_string();
    assert!(
        error.ends_with("it holds one account: there is no account number 2"),
        "{error}"
    );
    read_account(&folder().join("kurigram-2.2.26-s01.session"), 2).unwrap_err();
}

#[test]
fn gotds_json_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("session.json");
    let key = "AQID".repeat(85) + "BA==";
    let json = |version: u8, key: &str| {
        format!(
            r#"{{"Version":{version},"Data":{{"Config":{{"TestMode":false,"ThisDC":4,"DCOptions":
            [{{"Flags":0,"ID":4,"IPAddress":"149.154.167.91","Port":443}}]}},"DC":4,
            "Addr":"149.154.167.91:443","AuthKey":"{key}","AuthKeyID":"AQIDBAUGBwg=","Salt":-5}}}}"#
        )
    };
    fs::write(&path, json(1, &key)).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.format, FileFormat::GotdJson);
    let dc = import.session.dc_for(4, false).unwrap();
    assert_eq!(
        (dc.addr.as_str(), dc.first_salt),
        ("149.154.167.91:443", -5)
    );
    assert_eq!(dc.auth_key.unwrap()[..4], [1, 2, 3, 1]);
    assert_eq!(import.account.test_mode, Some(false));

    fs::write(&path, json(2, &key)).unwrap();
    let import = read(&path).unwrap();
    assert_eq!(import.session.home_dc_id, 4);
    assert!(import.notes[0].contains("version 2 is newer"));
    fs::write(&path, json(1, "AQID")).unwrap();
    assert!(matches!(
        cause(&read(&path).unwrap_err()),
        ForeignError::KeyLength(3)
    ));
    fs::write(&path, json(1, "!secret!")).unwrap();
    assert!(!read(&path).unwrap_err().to_string().contains("secret"));
    fs::write(&path, r#"{"Version":1,"Data":{"DC":2,"AuthKey":7}}"#).unwrap();
    assert!(
        read(&path)
            .unwrap_err()
            .to_string()
            .contains("JSON, line 1")
    );
}

#[test]
fn gramjs_entities_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    copy_of(&folder().join("gramjs-store-s01"), &store);
    let row = r#"["111000111","1234567890123456789","alice","15550001000","Alice A",1760000000]"#;
    fs::write(store.join("gramjs-store-s01%3A111000111"), row).unwrap();
    let import = read(&store).unwrap();
    let peer = import.session.peers().next().unwrap();
    assert_eq!(
        (peer.id, peer.access_hash),
        (111_000_111, 1_234_567_890_123_456_789)
    );
    assert_eq!(import.names[0].usernames, ["alice"]);
    assert_eq!(import.names[0].title.as_deref(), Some("Alice A"));
}
