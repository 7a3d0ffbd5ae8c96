//! What all libraries keep: login, peers, names and update states.

use std::collections::BTreeMap;

use mtsession::clients::{Import, read};
use mtsession::codec::ChannelKind::{Broadcast, Gigagroup, Megagroup};
use mtsession::codec::{ChannelKind, SessionSource};

use crate::{FileVector, State, folder, format_of, hex, import, number, vectors};

#[test]
fn every_file_of_every_library_is_recognised_and_its_login_read() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 75);
    for vector in &vectors {
        let id = &vector.id;
        let import = import(vector);
        assert_eq!(import.format, format_of(&vector.format), "{id}");
        assert!(import.also.is_empty(), "{id}");

        // Files of grammers list every DC; the others say where the account lives.
        let meant = if vector.meant.is_object() {
            &vector.meant
        } else {
            &vector.expect
        };
        let home = import.session.home_dc_id;
        assert_eq!(i64::from(home), meant["dc_id"], "{id}");
        let dc = import.session.dc_for(home, false).unwrap();
        assert_eq!(hex(&dc.auth_key.unwrap()), meant["auth_key"], "{id}");

        let account = import.account;
        let user = meant["user_id"].as_i64();
        if user.is_some() || !vector.format.starts_with("grammers") {
            assert_eq!(account.user_id, user, "{id}");
            assert_eq!(account.is_bot, meant["is_bot"].as_bool(), "{id}");
        }
        if let Some(api_id) = meant["api_id"].as_i64() {
            assert_eq!(account.api_id.map(i64::from), Some(api_id), "{id}");
        }
        if let Some(test_mode) = meant["test_mode"].as_bool() {
            assert_eq!(account.test_mode, Some(test_mode), "{id}");
        }
        if let Some(ip) = vector.expect["ip"].as_str() {
            let addr = dc.socket_addr().unwrap();
            assert_eq!(addr.ip().to_string(), ip, "{id}");
            assert_eq!(u64::from(addr.port()), vector.expect["port"], "{id}");
        }
        if let Some(version) = vector.expect["schema_version"].as_i64() {
            assert_eq!(import.version, Some(version), "{id}");
        }
    }
}

/// Peers as the vectors have them: standard marked id to access hash.
fn peers_of(import: &Import) -> BTreeMap<i64, i64> {
    use mtsession::codec::PeerKind;
    import
        .session
        .peers()
        .map(|peer| {
            let marked = match peer.kind {
                PeerKind::User => peer.id,
                PeerKind::Chat => -peer.id,
                PeerKind::Channel => -1_000_000_000_000 - peer.id,
            };
            (marked, peer.access_hash)
        })
        .collect()
}

#[test]
fn peers_have_their_kinds_hashes_and_names() {
    let mut with_peers = 0;
    for vector in vectors() {
        let rows = ["entities", "peers"]
            .iter()
            .find_map(|key| vector.expect[*key].as_array());
        let Some(rows) = rows.filter(|rows| !rows.is_empty()) else {
            continue;
        };
        with_peers += 1;
        let import = import(&vector);
        let found = peers_of(&import);
        let mut expected = BTreeMap::new();
        for row in rows {
            let (id, hash) = match vector.format.as_str() {
                "mtcute-sqlite" => {
                    if row["isMin"] == 1 {
                        continue;
                    }
                    let hash = row["hash"].as_str().unwrap();
                    let hash = hash.split_once('|').map_or(0, |(low, high)| {
                        let low: i64 = low.parse().unwrap();
                        let high: i64 = high.parse().unwrap();
                        (high << 32) | (low & 0xFFFF_FFFF)
                    });
                    (number(&row["id"]), hash)
                }
                "grammers-sqlite-v1" => (number(&row["peer_id"]), number(&row["info"]["hash"])),
                _ => (number(&row[0]), number(&row[1])),
            };
            // Telethon before schema 7 wrote -100 before the digits of a channel.
            let id = match (vector.format.as_str(), id) {
                (
                    "telethon-sqlite-v4" | "telethon-sqlite-v5" | "telethon-sqlite-v6",
                    -100_111_000_111,
                ) => -1_000_111_000_111,
                (_, id) => id,
            };
            expected.insert(id, hash);
        }
        assert_eq!(found, expected, "{}", vector.id);
        assert_eq!(
            import.session.peers.len(),
            expected.len(),
            "{}: a user and a channel share an id",
            vector.id
        );
    }
    assert_eq!(with_peers, 39);
}

#[test]
fn kinds_of_channels_are_kept_where_they_are_known() {
    let kinds = |name: &str| {
        let import = read(&folder().join(name)).unwrap();
        let kinds: BTreeMap<i64, Option<ChannelKind>> = import
            .session
            .peers()
            .filter(|peer| peer.kind == mtsession::codec::PeerKind::Channel)
            .map(|peer| (peer.id, peer.channel_kind))
            .collect();
        kinds
    };
    for name in ["mtcute-0.29.7-s01.session", "grammers-0.11.0-s01.session"] {
        let kinds = kinds(name);
        assert_eq!(kinds[&1_500_000_001], Some(Broadcast), "{name}");
        assert_eq!(kinds[&1_600_000_002], Some(Megagroup), "{name}");
        assert_eq!(kinds[&2_400_000_003], Some(Gigagroup), "{name}");
        assert_eq!(kinds[&3_900_000_004], Some(Megagroup), "{name}");
    }
    let kurigram = kinds("kurigram-2.2.26-s01.session");
    assert_eq!(kurigram[&1_500_000_001], Some(Broadcast));
    assert_eq!(kurigram[&3_900_000_004], Some(Megagroup));
}

#[test]
fn update_states_are_read_with_the_id_convention_of_their_library() {
    let mut with_state = 0;
    for vector in vectors() {
        let import = import(&vector);
        let Some(expected) = state_of(&vector) else {
            continue;
        };
        with_state += 1;
        let state = &import.session.updates_state;
        let found = [state.pts, state.qts, state.date, state.seq];
        assert_eq!(found.map(i64::from), expected.0, "{}", vector.id);
        let channels: BTreeMap<i64, i64> = state
            .channels
            .iter()
            .map(|(id, pts)| (*id, i64::from(*pts)))
            .collect();
        assert_eq!(channels, expected.1, "{}", vector.id);
    }
    assert_eq!(with_state, 37);
}

fn state_of(vector: &FileVector) -> Option<State> {
    let expect = &vector.expect;
    if let Some(rows) = expect["update_state"]
        .as_array()
        .filter(|rows| !rows.is_empty())
    {
        let mut counters = [0; 4];
        let mut channels = BTreeMap::new();
        for row in rows {
            match number(&row[0]) {
                0 => counters = [1, 2, 3, 4].map(|index| number(&row[index])),
                id if id < 0 => {
                    channels.insert(-id - 1_000_000_000_000, number(&row[1]));
                }
                id => {
                    channels.insert(id, number(&row[1]));
                }
            }
        }
        return Some((counters, channels));
    }
    let state = [&expect["updates_state"], &expect["state"]]
        .into_iter()
        .find(|state| state.is_object())?;
    let counters = ["pts", "qts", "date", "seq"].map(|key| number(&state[key]));
    let channels = state["channels"].as_array().into_iter().flatten();
    let channels = channels
        .map(|row| (number(&row[0]), number(&row[1])))
        .collect();
    Some((counters, channels))
}

#[test]
fn names_and_phones_are_kept() {
    let names = |name: &str, id: i64| {
        let import = read(&folder().join(name)).unwrap();
        let user = mtsession::codec::PeerKind::User;
        import
            .names
            .into_iter()
            .find(|names| names.id == id && names.kind == user)
    };
    for name in [
        "telethon-1.45.0-s01.session",
        "pyrogram-2.0.106-s01.session",
        "pyrofork-2.3.69-s01.session",
        "pyrotgfork-2.2.24.1-s01.session",
        "kurigram-2.2.26-s01.session",
        "mtcute-0.29.7-s01.session",
    ] {
        let alice = names(name, 111_000_111).unwrap();
        assert_eq!(alice.usernames, ["alice_0"], "{name}");
        assert_eq!(alice.phone.as_deref(), Some("15550001000"), "{name}");
    }
    for name in [
        "pyrofork-2.3.69-s01.session",
        "pyrotgfork-2.2.24.1-s01.session",
        "kurigram-2.2.26-s01.session",
        "mtcute-0.29.7-s01.session",
    ] {
        let multi = names(name, 333_000_333).unwrap();
        assert_eq!(multi.usernames, ["multi_one0", "multi_two0"], "{name}");
    }
    let bob = names("telethon-1.45.0-s01.session", 6_000_000_001).unwrap();
    assert_eq!(bob.title.as_deref(), Some("\u{411}\u{43E}\u{431}"));
}
