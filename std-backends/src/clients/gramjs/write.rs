//! The directory of a GramJS `StoreSession`.

use core::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::clients::error::ForeignError;
use crate::clients::outgoing::{Outgoing, Secret, private};
use crate::fs::{Directory, TempDirectory, directory_of};

pub(in crate::clients) fn write(path: &Path, outgoing: &Outgoing<'_>) -> Result<(), ForeignError> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| ForeignError::damaged("name that is not UTF-8"))?;
    let prefix = percent_encoded(name);
    let parent = Directory::open(directory_of(path))?;
    let dir = TempDirectory::within(directory_of(path))?;
    let put = |key: &str, value: &[u8]| -> Result<(), ForeignError> {
        let mut file = private(&dir.path().join(format!("{prefix}%3A{key}")))?;
        file.write_all(value)?;
        Ok(file.sync_all()?)
    };

    let server = outgoing.login.server();
    put("authKey", &key_json(outgoing))?;
    put("dcId", outgoing.dc_id().to_string().as_bytes())?;
    put("port", server.port.to_string().as_bytes())?;
    let host = Value::from(server.host.to_string());
    put("serverAddress", host.to_string().as_bytes())?;
    for peer in outgoing.peers().filter(|peer| !peer.peer.is_community) {
        let row = json!([
            peer.id.to_string(),
            peer.peer.access_hash.to_string(),
            peer.username(),
            peer.phone(),
            peer.title(),
            "0",
        ]);
        put(&peer.id.to_string(), row.to_string().as_bytes())?;
    }
    dir.keep_as(path)?;
    parent.sync(None);
    Ok(())
}

/// A `Buffer` as Node has it in JSON.
fn key_json(outgoing: &Outgoing<'_>) -> Secret {
    // Every number has at most three digits and a comma.
    let mut json = Zeroizing::new(String::with_capacity(1100));
    json.push_str("{\"type\":\"Buffer\",\"data\":[");
    for (index, byte) in outgoing.key().iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        // Writing to a string cannot fail.
        let _ = write!(json, "{comma}{byte}");
    }
    json.push_str("]}");
    Zeroizing::new(json.as_bytes().to_vec())
}

/// As `encodeURIComponent` does.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
