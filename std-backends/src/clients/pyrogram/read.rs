//! The SQLite databases of Pyrogram 1 and 2 and of its forks pyrofork, pyrotgfork and kurigram.
//!
//! The schema number alone says nothing: 4 means two different schemas.

use std::collections::BTreeMap;

use mtsession_core::{Account, ChannelKind, Peer, PeerKind};

use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, choose};
use crate::clients::import::Import;
use crate::clients::left_out::LeftOut;
use crate::clients::marked::unmark;
use crate::clients::sqlite::{Cells, Db, Table};
use crate::record::peer_names::PeerNames;

const VERSION: Table = Table::of("version", &["number"]);

const SESSIONS: Table = Table {
    name: "sessions",
    needed: &["auth_key"],
    expected: &["dc_id", "test_mode", "user_id", "is_bot"],
    optional: &["api_id", "server_address", "port"],
};

const PEERS: Table = Table {
    name: "peers",
    needed: &["id", "access_hash"],
    expected: &["type", "phone_number"],
    optional: &["username"],
};

const UPDATE_STATE: Table = Table {
    name: "update_state",
    needed: &["id", "pts"],
    expected: &["qts", "date", "seq"],
    optional: &[],
};

/// What only this family's `sessions` have.
const OWN_COLUMNS: [&str; 3] = ["test_mode", "user_id", "is_bot"];

/// Which of the family wrote it, by what only that one has. The table with the key is enough.
pub(in crate::clients) fn recognise(db: &Db) -> Result<Option<FileFormat>, ForeignError> {
    let sessions = db.columns("sessions")?;
    let has_login =
        sessions.contains("auth_key") || db.has("peers") && db.has_column("version", "number")?;
    if !has_login || !OWN_COLUMNS.iter().any(|column| sessions.contains(*column)) {
        return Ok(None);
    }
    Ok(Some(if sessions.contains("server_address") {
        FileFormat::KurigramSqlite
    } else if db.has_column("usernames", "peer_id")? {
        FileFormat::PyroforkSqlite
    } else if db.has("usernames") {
        FileFormat::PyrotgforkSqlite
    } else {
        FileFormat::PyrogramSqlite
    }))
}

pub(in crate::clients) fn read(db: &Db, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(recognise(db)?.ok_or(ForeignError::Unknown)?);
    if let Some(version) = db.version(&VERSION, &mut import.left_out) {
        import.set_version(version);
    }

    let mut dcs = db.rows(&SESSIONS, &mut import.left_out, |row| Ok(read_dc(row)))?;
    let home = choose(None, &dcs, choice)?;
    if let Some(dc) = dcs.get(home.index) {
        import.account = dc.account;
    }
    import.keep_one_login(&mut dcs, &home, "sessions");
    import.set_dcs(&dcs, &home, None, "sessions")?;

    let mut usernames = read_usernames(db, &mut import.left_out);
    let peers = db.cache(&PEERS, &mut import.left_out, read_peer);
    for (marked, peer, mut names) in peers {
        for username in usernames.remove(&marked).unwrap_or_default() {
            if !names.usernames.contains(&username) {
                names.usernames.push(username);
            }
        }
        import.push_peer(peer, names);
    }
    if db.has("update_state") {
        read_state(db, &mut import);
    }
    Ok(import)
}

fn read_dc(row: &mut Cells<'_>) -> Dc {
    let account = Account {
        user_id: row.may::<i64>("user_id").filter(|id| *id > 0),
        is_bot: row.may("is_bot"),
        api_id: row.may::<i32>("api_id").filter(|id| *id > 0),
        test_mode: row.may("test_mode"),
    };
    Dc {
        id: row.dc_id("dc_id"),
        servers: row.server(),
        key: row.key("auth_key"),
        account,
        row: row.number,
    }
}

/// Usernames by marked id: a row is `(id of the peer, name)`, or in pyrofork `(name, id of the peer)`.
fn read_usernames(db: &Db, left_out: &mut Vec<LeftOut>) -> BTreeMap<i64, Vec<String>> {
    let mut usernames = BTreeMap::<i64, Vec<String>>::new();
    if !db.has("usernames") {
        return usernames;
    }
    let is_pyrofork = db
        .has_column("usernames", "peer_id")
        .is_ok_and(|is_pyrofork| is_pyrofork);
    let (table, id, name) = if is_pyrofork {
        (Table::of("usernames", &["peer_id", "id"]), "peer_id", "id")
    } else {
        let table = Table::of("usernames", &["id", "username"]);
        (table, "id", "username")
    };
    let rows = db.cache(&table, left_out, |row| {
        Ok((
            row.get::<Option<i64>>(id)?,
            row.get::<Option<String>>(name)?,
        ))
    });
    for row in rows {
        if let (Some(id), Some(name)) = row {
            usernames.entry(id).or_default().push(name);
        }
    }
    usernames
}

fn read_peer(row: &mut Cells<'_>) -> Result<(i64, Peer, PeerNames), String> {
    let marked = row.get("id")?;
    let (kind, id) = unmark(marked).ok_or("id is one that no peer has")?;
    let access_hash = row.get::<Option<i64>>("access_hash")?;
    let kind_name: String = row.may("type").unwrap_or_default();
    let peer = Peer {
        id,
        access_hash: access_hash.unwrap_or_default(),
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
        usernames: row.may::<String>("username").into_iter().collect(),
        phone: row.may("phone_number"),
        ..PeerNames::default()
    };
    Ok((marked, peer, names))
}

/// Row 0 is the account's; the others have marked channel ids.
fn read_state(db: &Db, import: &mut Import) {
    let rows = db.cache(&UPDATE_STATE, &mut import.left_out, |row| {
        let id: i64 = row.get("id")?;
        match unmark(id) {
            _ if id == 0 => Ok((0, row.state_of(true)?)),
            Some((PeerKind::Channel, id)) => Ok((id, row.state_of(false)?)),
            _ => Err("id is that of no channel".to_owned()),
        }
    });
    import.push_states(rows);
}
