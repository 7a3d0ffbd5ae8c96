//! Telethon's SQLite database, schema 4 (0.19) to 8 (1.43 and later).

use mtsession_core::{Account, Peer};

use crate::clients::error::ForeignError;
use crate::clients::formats::FileFormat;
use crate::clients::home::{Dc, choose};
use crate::clients::import::Import;
use crate::clients::marked::unmark_of_any_age;
use crate::clients::pyrogram;
use crate::clients::sqlite::{Cells, Db, Table};
use crate::record::peer_names::PeerNames;

const VERSION: Table = Table::of("version", &["version"]);

const SESSIONS: Table = Table {
    name: "sessions",
    needed: &["auth_key"],
    expected: &["dc_id", "server_address", "port"],
    optional: &[],
};

const ENTITIES: Table = Table {
    name: "entities",
    needed: &["id", "hash"],
    expected: &["username", "phone", "name"],
    optional: &[],
};

const UPDATE_STATE: Table = Table {
    name: "update_state",
    needed: &["id", "pts"],
    expected: &["qts", "date", "seq"],
    optional: &[],
};

/// By the table with the key alone: converters leave out the others.
pub(in crate::clients) fn recognise(db: &Db) -> Result<Option<FileFormat>, ForeignError> {
    let is_one = db.has("sessions")
        && pyrogram::recognise(db)?.is_none()
        && (db.has_column("sessions", "auth_key")?
            || db.has("entities") && db.has_column("version", "version")?);
    Ok(is_one.then_some(FileFormat::TelethonSqlite))
}

pub(in crate::clients) fn read(db: &Db, choice: Option<usize>) -> Result<Import, ForeignError> {
    let mut import = Import::new(FileFormat::TelethonSqlite);
    if let Some(version) = db.version(&VERSION, &mut import.left_out) {
        import.set_version(version);
    }

    let mut dcs = db.rows(&SESSIONS, &mut import.left_out, |row| Ok(read_dc(row)))?;
    let home = choose(None, &dcs, choice)?;
    import.keep_one_login(&mut dcs, &home, "sessions");
    import.set_dcs(&dcs, &home, None, "sessions")?;

    let entities = db.cache(&ENTITIES, &mut import.left_out, read_entity);
    for (peer, names) in entities {
        import.push_peer(peer, names);
    }
    if db.has("update_state") {
        read_state(db, &mut import);
    }
    Ok(import)
}

/// What a row says of its DC; any part of it may be missing.
fn read_dc(row: &mut Cells<'_>) -> Dc {
    Dc {
        id: row.dc_id("dc_id"),
        servers: row.server(),
        key: row.key("auth_key"),
        account: Account::default(),
        row: row.number,
    }
}

fn read_entity(row: &mut Cells<'_>) -> Result<(Peer, PeerNames), String> {
    let access_hash: i64 = row.get("hash")?;
    let (kind, id) =
        unmark_of_any_age(row.get("id")?, access_hash).ok_or("id is one that no peer has")?;
    let peer = Peer {
        id,
        access_hash,
        kind,
        ..Peer::default()
    };
    let phone: Option<i64> = row.may("phone");
    let names = PeerNames {
        usernames: row.may::<String>("username").into_iter().collect(),
        phone: phone.map(|digits| digits.to_string()),
        title: row.may("name"),
        ..PeerNames::default()
    };
    Ok((peer, names))
}

/// Row 0 is the account's; the others have bare channel ids, and only their pts means something.
fn read_state(db: &Db, import: &mut Import) {
    let rows = db.cache(&UPDATE_STATE, &mut import.left_out, |row| {
        let id: i64 = row.get("id")?;
        if id < 0 {
            return Err("id is one that no channel has".to_owned());
        }
        Ok((id, row.state_of(id == 0)?))
    });
    import.push_states(rows);
}
