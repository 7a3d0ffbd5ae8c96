//! The directory of GramJS's `StoreSession`: one file per key, named `<name>%3A<key>`.

use std::fs;
use std::path::Path;

use mtsession_core::Peer;
use mtsession_core::foreign::{Host, Server};
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};
use super::marked::unmark;
use crate::names::PeerNames;

/// How the file with the key ends.
const AUTH_KEY: &str = "%3AauthKey";

/// The common beginning of the files' names, if `dir` is such a directory.
pub(super) fn prefix(dir: &Path) -> Result<Option<String>, ForeignError> {
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        if let Some(prefix) = name.to_str().and_then(|name| name.strip_suffix(AUTH_KEY)) {
            return Ok(Some(prefix.to_owned()));
        }
    }
    Ok(None)
}

#[derive(serde::Deserialize)]
struct Buffer {
    data: Zeroizing<Vec<u8>>,
}

pub(super) fn read(dir: &Path, prefix: &str) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::GramJsStore);
    let text = |key: &str| -> Result<Zeroizing<String>, ForeignError> {
        let path = dir.join(format!("{prefix}%3A{key}"));
        Ok(Zeroizing::new(fs::read_to_string(path)?))
    };
    let damaged = |key: &str, error: &serde_json::Error| ForeignError::json(key, error);

    let key: Buffer =
        serde_json::from_str(&text("authKey")?).map_err(|error| damaged("authKey", &error))?;
    let key = Key::of(&key.data)?;
    let dc_id: i32 =
        serde_json::from_str(&text("dcId")?).map_err(|error| damaged("dcId", &error))?;
    let port: u16 =
        serde_json::from_str(&text("port")?).map_err(|error| damaged("port", &error))?;
    let host: String = serde_json::from_str(&text("serverAddress")?)
        .map_err(|error| damaged("serverAddress", &error))?;
    let host = Host::parse(&host).ok_or_else(|| ForeignError::damaged("serverAddress"))?;
    import.set_home(dc_id);
    import.push_dc(dc_id, &Server { host, port }, Some(&key));

    let entities = format!("{prefix}%3A");
    let mut ids = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(&entities));
        ids.extend(id.and_then(|id| id.parse::<i64>().ok()));
    }
    ids.sort_unstable();
    for id in ids {
        let row: Value = serde_json::from_str(&text(&id.to_string())?)
            .map_err(|error| damaged("entity", &error))?;
        let (peer, names) =
            read_entity(id, &row).ok_or_else(|| ForeignError::damaged(format!("entity {id}")))?;
        import.push_peer(peer, names);
    }
    Ok(import)
}

/// `[id, hash, username, phone, name, timestamp]`; numbers of 64 bits are text.
fn read_entity(marked: i64, row: &Value) -> Option<(Peer, PeerNames)> {
    let text = |index: usize| match row.get(index) {
        Some(Value::String(text)) if !text.is_empty() => Some(text.clone()),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (kind, id) = unmark(marked)?;
    let access_hash = match text(1) {
        Some(hash) => hash.parse().ok()?,
        None => 0,
    };
    let peer = Peer {
        id,
        access_hash,
        kind,
        ..Peer::default()
    };
    let names = PeerNames {
        usernames: text(2).into_iter().collect(),
        phone: text(3),
        title: text(4),
        ..PeerNames::default()
    };
    Some((peer, names))
}
