//! The directory of GramJS's `StoreSession`: one file per key, named `<name>%3A<key>`.

use std::fs;
use std::path::Path;

use mtsession_core::{Account, Peer};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, Found, choose};
use crate::clients::import::Import;
use crate::clients::marked::unmark;
use crate::clients::several;
use crate::record::peer_names::PeerNames;

/// How the file with the key ends.
const AUTH_KEY: &str = "%3AauthKey";

/// The common beginnings of the files' names, if `dir` is such a directory: one for each store.
pub(in crate::clients) fn prefixes(dir: &Path) -> Result<Vec<String>, ForeignError> {
    let mut prefixes = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let prefix = name.to_str().and_then(|name| name.strip_suffix(AUTH_KEY));
        prefixes.extend(prefix.map(str::to_owned));
    }
    prefixes.sort_unstable();
    Ok(prefixes)
}

#[derive(serde::Deserialize)]
struct Buffer {
    data: Zeroizing<Vec<u8>>,
}

/// Reads the only store of a directory, or the chosen one.
pub(in crate::clients) fn read(
    dir: &Path,
    prefixes: Vec<String>,
    choice: Option<usize>,
) -> Result<Import, ForeignError> {
    let stores = prefixes.into_iter().map(|prefix| {
        let import = Store {
            dir,
            prefix: &prefix,
        }
        .read();
        (prefix, import)
    });
    several::only(stores.collect(), choice)
}

struct Store<'a> {
    dir: &'a Path,
    prefix: &'a str,
}

impl Store<'_> {
    fn read(&self) -> Result<Import, ForeignError> {
        let mut import = Import::new(FileFormat::GramJsStore);
        let key: Buffer = serde_json::from_str(&self.text("authKey")?)
            .map_err(|error| ForeignError::json("authKey", &error))?;
        let host: Option<String> = self.value("serverAddress", &mut import);
        let port: Option<i64> = self.value("port", &mut import);
        let mut servers = Vec::new();
        match address::server(host.as_deref(), port) {
            Ok((server, oddity)) => {
                servers.push(server);
                if let Some(oddity) = oddity {
                    import.leave_out("port", None, oddity);
                }
            }
            Err(oddity) if host.is_some() => import.leave_out("serverAddress", None, oddity),
            Err(_) => {}
        }
        let dc_id: Option<i64> = self.value("dcId", &mut import);
        let dc = Dc {
            id: dc_id.and_then(address::dc_id),
            servers,
            key: Found::of(&key.data),
            account: Account::default(),
            row: 1,
        };
        let dcs = [dc];
        let home = choose(None, &dcs, None)?;
        import.set_dcs(&dcs, &home, None, "authKey")?;
        self.read_entities(&mut import);
        Ok(import)
    }

    fn text(&self, key: &str) -> Result<Zeroizing<String>, ForeignError> {
        let path = self.dir.join(format!("{}%3A{key}", self.prefix));
        Ok(Zeroizing::new(fs::read_to_string(path)?))
    }

    /// What the file of `key` says, where it can be read.
    fn value<T: serde::de::DeserializeOwned>(&self, key: &str, import: &mut Import) -> Option<T> {
        let text = match self.text(key) {
            Ok(text) => text,
            Err(error) => {
                import.leave_out(key, None, error.to_string());
                return None;
            }
        };
        let value = serde_json::from_str(&text);
        if value.is_err() {
            import.leave_out(key, None, "something else than expected");
        }
        value.ok()
    }

    fn read_entities(&self, import: &mut Import) {
        let entities = format!("{}%3A", self.prefix);
        let mut ids = Vec::new();
        for entry in fs::read_dir(self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let id = name.to_str().and_then(|name| name.strip_prefix(&entities));
            ids.extend(id.and_then(|id| id.parse::<i64>().ok()));
        }
        ids.sort_unstable();
        for id in ids {
            let row = self.text(&id.to_string()).ok();
            let row = row.and_then(|text| serde_json::from_str::<Value>(&text).ok());
            match row.and_then(|row| read_entity(id, &row)) {
                Some((peer, names)) => import.push_peer(peer, names),
                None => import.leave_out("entities", None, "damaged"),
            }
        }
    }
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
