//! The SQLite databases of Pyrogram 1 and 2 and of its forks pyrofork, pyrotgfork and kurigram.
//!
//! The schema number alone says nothing: 4 means two different schemas.

use std::collections::BTreeMap;

use mtsession_core::foreign::{Host, Server};
use mtsession_core::{Account, ChannelKind, Peer, PeerKind};

use super::error::ForeignError;
use super::format::FileFormat;
use super::import::{Import, Key};
use super::marked::unmark;
use super::sqlite::{Cells, Db};
use crate::names::PeerNames;

/// Which of the family wrote it, by what only that one has.
pub(super) fn recognise(db: &Db) -> Result<Option<FileFormat>, ForeignError> {
    if !db.has("peers") || !db.has("sessions") || !db.has_column("version", "number")? {
        return Ok(None);
    }
    Ok(Some(if db.has_column("sessions", "server_address")? {
        FileFormat::KurigramSqlite
    } else if db.has_column("usernames", "peer_id")? {
        FileFormat::PyroforkSqlite
    } else if db.has("usernames") {
        FileFormat::PyrotgforkSqlite
    } else {
        FileFormat::PyrogramSqlite
    }))
}

pub(super) fn read(db: &Db) -> Result<Import, ForeignError> {
    let mut import = Import::new(recognise(db)?.ok_or(ForeignError::Unknown)?);
    import.version = Some(db.only_row("version", &["number"], |row| row.get("number"))?);

    let everywhere = ["dc_id", "test_mode", "auth_key", "user_id", "is_bot"];
    db.require("sessions", &everywhere)?;
    let columns = [
        "dc_id",
        "api_id",
        "test_mode",
        "auth_key",
        "user_id",
        "is_bot",
        "server_address",
        "port",
    ];
    let (dc_id, server, key) = db.only_row("sessions", &columns, |row| {
        import.account = Account {
            user_id: row.get::<Option<i64>>("user_id")?.filter(|id| *id > 0),
            is_bot: row.get("is_bot")?,
            api_id: row.get::<Option<i32>>("api_id")?.filter(|id| *id > 0),
            test_mode: row.get("test_mode")?,
        };
        let host: Option<String> = row.get("server_address")?;
        let port: Option<u16> = row.get("port")?;
        let server = match (host.as_deref().and_then(Host::parse), port) {
            (Some(host), Some(port)) => Some(Server { host, port }),
            _ => None,
        };
        Ok((
            row.get::<Option<i32>>("dc_id")?.unwrap_or_default(),
            server,
            row.get::<Option<Vec<u8>>>("auth_key")?,
        ))
    })?;
    let key = Key::take(key.unwrap_or_default())?;
    let test_mode = import.account.test_mode.unwrap_or_default();
    let server = server
        .or_else(|| Server::well_known(dc_id, test_mode))
        .ok_or(ForeignError::UnknownDc(dc_id))?;
    import.set_home(dc_id);
    import.push_dc(dc_id, &server, Some(&key));

    let mut usernames = read_usernames(db)?;
    db.require("peers", &["id", "access_hash", "type", "phone_number"])?;
    let columns = ["id", "access_hash", "type", "username", "phone_number"];
    for (marked, peer, mut names) in db.rows("peers", &columns, read_peer)? {
        for username in usernames.remove(&marked).unwrap_or_default() {
            if !names.usernames.contains(&username) {
                names.usernames.push(username);
            }
        }
        import.push_peer(peer, names);
    }
    if db.has("update_state") {
        read_state(db, &mut import)?;
    }
    Ok(import)
}

/// Usernames by marked id: a row is `(id of the peer, name)`, or in pyrofork `(name, id of the peer)`.
fn read_usernames(db: &Db) -> Result<BTreeMap<i64, Vec<String>>, ForeignError> {
    let mut usernames = BTreeMap::<i64, Vec<String>>::new();
    if !db.has("usernames") {
        return Ok(usernames);
    }
    let (id, name) = if db.has_column("usernames", "peer_id")? {
        ("peer_id", "id")
    } else {
        ("id", "username")
    };
    db.require("usernames", &[id, name])?;
    let rows = db.rows("usernames", &[id, name], |row| {
        Ok((
            row.get::<Option<i64>>(id)?,
            row.get::<Option<String>>(name)?,
        ))
    })?;
    for row in rows {
        if let (Some(id), Some(name)) = row {
            usernames.entry(id).or_default().push(name);
        }
    }
    Ok(usernames)
}

fn read_peer(row: &Cells<'_>) -> Result<(i64, Peer, PeerNames), ForeignError> {
    let marked = row.get("id")?;
    let (kind, id) = unmark(marked).ok_or_else(|| row.damaged("id"))?;
    let kind_name: String = row.get("type")?;
    let peer = Peer {
        id,
        access_hash: row.get::<Option<i64>>("access_hash")?.unwrap_or_default(),
        kind,
        channel_kind: match kind_name.as_str() {
            "channel" => Some(ChannelKind::Broadcast),
            "supergroup" | "forum" => Some(ChannelKind::Megagroup),
            _ => None,
        }
        .filter(|_| kind == PeerKind::Channel),
        is_community: kind_name == "community",
    };
    let names = PeerNames {
        usernames: row.get::<Option<String>>("username")?.into_iter().collect(),
        phone: row.get("phone_number")?,
        ..PeerNames::default()
    };
    Ok((marked, peer, names))
}

/// Row 0 is the account's; the others have marked channel ids.
fn read_state(db: &Db, import: &mut Import) -> Result<(), ForeignError> {
    let columns = ["id", "pts", "qts", "date", "seq"];
    db.require("update_state", &columns)?;
    let rows = db.rows("update_state", &columns, |row| {
        let id: i64 = row.get("id")?;
        match unmark(id) {
            _ if id == 0 => Ok((None, row.counters()?)),
            Some((PeerKind::Channel, id)) => Ok((Some(id), row.counters()?)),
            _ => Err(row.damaged("id")),
        }
    })?;
    for (channel, counters) in rows {
        match channel {
            None => import.set_counters(counters),
            Some(id) => import.push_channel(id, counters.pts),
        }
    }
    Ok(())
}
