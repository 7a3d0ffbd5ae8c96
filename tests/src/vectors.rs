//! The golden files: written by real releases, with what a right reader finds in them.
//!
//! `vectors/ferogram/vectors.json` names for each file its origin, its checksum and its content;
//! `refuse_ok` marks files that may as well be refused, `expect: null` those that must be.

use std::path::PathBuf;

use mtsession::{
    CachedMinPeer, CachedPeer, ChannelKind, DcEntry, DcFlags, PersistedSession, UpdatesStateSnap,
};
use serde_json::Value;

/// One golden file.
#[derive(Debug)]
pub struct Vector {
    pub name: String,
    pub kind: String,
    pub version: Option<u64>,
    pub refuse_ok: bool,
    pub expect: Option<PersistedSession>,
    pub compact: Option<Value>,
    pub path: PathBuf,
}

/// A golden file of our own.
#[must_use]
pub fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("vectors/mtsession")
        .join(name)
}

/// Where the golden files of others are.
#[must_use]
pub fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("vectors/ferogram")
}

/// All golden files of one kind: `binary`, `string`, `compact` or `sqlite`.
#[must_use]
pub fn of_kind(kind: &str) -> Vec<Vector> {
    let text = std::fs::read_to_string(dir().join("vectors.json")).unwrap();
    let json: Value = serde_json::from_str(&text).unwrap();
    let vectors = json["files"].as_array().unwrap().iter().map(vector);
    vectors.filter(|vector| vector.kind == kind).collect()
}

fn vector(json: &Value) -> Vector {
    let name = text(&json["file"]);
    Vector {
        path: dir().join(&name),
        kind: text(&json["kind"]),
        version: json["version"].as_u64(),
        refuse_ok: json["refuse_ok"].as_bool().unwrap_or(false),
        expect: json
            .get("expect")
            .filter(|expect| !expect.is_null())
            .map(session),
        compact: json
            .get("expect_compact")
            .filter(|expect| !expect.is_null())
            .cloned(),
        name,
    }
}

fn session(json: &Value) -> PersistedSession {
    let state = &json["updates_state"];
    PersistedSession {
        home_dc_id: i32_of(&json["home_dc_id"]),
        dcs: list(&json["dcs"], dc),
        updates_state: UpdatesStateSnap {
            pts: i32_of(&state["pts"]),
            qts: i32_of(&state["qts"]),
            date: i32_of(&state["date"]),
            seq: i32_of(&state["seq"]),
            channels: list(&state["channels"], |row| (i64_of(&row[0]), i32_of(&row[1]))),
        },
        peers: list(&json["peers"], peer),
        min_peers: list(&json["min_peers"], |row| CachedMinPeer {
            user_id: i64_of(&row["user_id"]),
            peer_id: i64_of(&row["peer_id"]),
            msg_id: i32_of(&row["msg_id"]),
        }),
        future_auth_token: json["future_auth_token"].as_str().map(bytes),
    }
}

fn dc(json: &Value) -> DcEntry {
    DcEntry {
        dc_id: i32_of(&json["dc_id"]),
        addr: text(&json["addr"]),
        auth_key: json["auth_key"]
            .as_str()
            .map(|hex| bytes(hex).try_into().unwrap()),
        first_salt: i64_of(&json["first_salt"]),
        time_offset: i32_of(&json["time_offset"]),
        flags: DcFlags(u8::try_from(i64_of(&json["flags"])).unwrap()),
    }
}

fn peer(json: &Value) -> CachedPeer {
    CachedPeer {
        id: i64_of(&json["id"]),
        access_hash: i64_of(&json["access_hash"]),
        is_channel: json["is_channel"].as_bool().unwrap(),
        is_chat: json["is_chat"].as_bool().unwrap(),
        channel_kind: json["channel_kind"]
            .as_u64()
            .and_then(|kind| ChannelKind::from_byte(u8::try_from(kind).unwrap())),
        is_community: json["is_community"].as_bool().unwrap(),
    }
}

fn list<T>(json: &Value, f: impl Fn(&Value) -> T) -> Vec<T> {
    json.as_array().unwrap().iter().map(f).collect()
}

/// Bytes from hexadecimal.
#[must_use]
pub fn bytes(hex: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

#[must_use]
pub fn i64_of(json: &Value) -> i64 {
    json.as_i64()
        .unwrap_or_else(|| json.as_str().unwrap().parse().unwrap())
}

fn i32_of(json: &Value) -> i32 {
    i32::try_from(i64_of(json)).unwrap()
}

#[must_use]
pub fn text(json: &Value) -> String {
    json.as_str().unwrap().to_owned()
}

/// The session in an order of its own: rows of the old tables had none.
#[must_use]
pub fn sorted(mut session: PersistedSession) -> PersistedSession {
    session.dcs.sort_by_key(|dc| (dc.dc_id, dc.flags.0));
    session.updates_state.channels.sort_unstable();
    session.peers.sort_by_key(|peer| peer.id);
    session.min_peers.sort_by_key(|peer| peer.user_id);
    session
}
