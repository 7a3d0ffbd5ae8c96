//! Telethon's SQLite database, schema 4 (0.19) to 8 (1.43 and later).

use mtsession_core::foreign::{Host, Server};
use mtsession_core::{Peer, PeerKind};

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};
use super::marked::unmark;
use super::sqlite::{Cells, Db};
use crate::names::PeerNames;

/// The newest schema.
const NEWEST: i64 = 8;

pub(super) fn recognise(db: &Db) -> Result<Option<FileFormat>, ForeignError> {
    let is_one = db.has("entities") && db.has("sessions") && db.has_column("version", "version")?;
    Ok(is_one.then_some(FileFormat::TelethonSqlite))
}

pub(super) fn read(db: &Db) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::TelethonSqlite);
    let version: i64 = db.only_row("version", &["version"], |row| row.get("version"))?;
    if version > NEWEST {
        return Err(ForeignError::UnknownVersion(version));
    }
    import.version = Some(version);

    let columns = ["dc_id", "server_address", "port", "auth_key"];
    db.require("sessions", &columns)?;
    let (dc_id, host, port, key) = db.only_row("sessions", &columns, |row| {
        Ok((
            row.get("dc_id")?,
            row.get::<Option<String>>("server_address")?,
            row.get("port")?,
            row.get::<Option<Vec<u8>>>("auth_key")?,
        ))
    })?;
    let key = Key::take(key.unwrap_or_default())?;
    let host = host
        .as_deref()
        .and_then(Host::parse)
        .ok_or_else(|| ForeignError::damaged("sessions.server_address"))?;
    import.set_home(dc_id);
    import.push_dc(dc_id, &Server { host, port }, Some(&key));

    let columns = ["id", "hash", "username", "phone", "name"];
    db.require("entities", &columns)?;
    for (peer, names) in db.rows("entities", &columns, read_entity)? {
        import.push_peer(peer, names);
    }
    if db.has("update_state") {
        read_state(db, &mut import)?;
    }
    Ok(import)
}

fn read_entity(row: &Cells<'_>) -> Result<(Peer, PeerNames), ForeignError> {
    let access_hash: i64 = row.get("hash")?;
    let (kind, id) =
        unmark_of_any_age(row.get("id")?, access_hash).ok_or_else(|| row.damaged("id"))?;
    let peer = Peer {
        id,
        access_hash,
        kind,
        ..Peer::default()
    };
    let phone: Option<i64> = row.get("phone")?;
    let names = PeerNames {
        usernames: row.get::<Option<String>>("username")?.into_iter().collect(),
        phone: phone.map(|digits| digits.to_string()),
        title: row.get("name")?,
        ..PeerNames::default()
    };
    Ok((peer, names))
}

/// Before schema 7 a channel was marked by writing `-100` before its digits, whatever their number.
/// A basic group that begins with the same digits has no access hash.
fn unmark_of_any_age(marked: i64, access_hash: i64) -> Option<(PeerKind, i64)> {
    let (kind, id) = unmark(marked)?;
    if kind == PeerKind::Chat && access_hash != 0 {
        let digits = id.to_string();
        let bare = digits.strip_prefix("100")?;
        return Some((PeerKind::Channel, bare.parse().ok()?));
    }
    Some((kind, id))
}

/// Row 0 is the account's; the others have bare channel ids, and only their pts means something.
fn read_state(db: &Db, import: &mut Import) -> Result<(), ForeignError> {
    let columns = ["id", "pts", "qts", "date", "seq"];
    db.require("update_state", &columns)?;
    let rows = db.rows("update_state", &columns, |row| {
        Ok((row.get::<i64>("id")?, row.counters()?))
    })?;
    for (id, counters) in rows {
        if id == 0 {
            import.set_counters(counters);
        } else {
            import.push_channel(id, counters.pts);
        }
    }
    Ok(())
}
