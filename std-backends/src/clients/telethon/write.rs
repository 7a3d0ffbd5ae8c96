//! Telethon's SQLite database, schema 7 or 8.

use mtsession_core::SessionSource as _;
use mtsession_core::clients::Contents;
use rusqlite::{Connection, params};

use crate::clients::error::ForeignError;
use crate::clients::outgoing::{Outgoing, write_counters};
use crate::clients::target::Options;

const TABLES: &str = "
    CREATE TABLE version (version INTEGER PRIMARY KEY);
    CREATE TABLE entities (
        id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, username TEXT, phone INTEGER, name TEXT,
        date INTEGER
    );
    CREATE TABLE sent_files (
        md5_digest BLOB, file_size INTEGER, type INTEGER, id INTEGER, hash INTEGER,
        PRIMARY KEY (md5_digest, file_size, type)
    );
    CREATE TABLE update_state (
        id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER
    );
    CREATE TABLE sessions (
        dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, auth_key BLOB,
        takeout_id INTEGER
    );";

pub(in crate::clients) fn write(
    db: &Connection,
    version: u8,
    options: Options,
    outgoing: &Outgoing<'_>,
) -> Result<(), ForeignError> {
    let (ip, port) = outgoing
        .login
        .telethon_address(options.ipv6)
        .ok_or(ForeignError::Missing(Contents::ADDRESS))?;
    db.execute_batch(TABLES)?;
    db.execute("INSERT INTO version VALUES (?1)", [version])?;
    db.execute(
        "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, NULL)",
        params![outgoing.dc_id(), ip.to_string(), port, outgoing.key()],
    )?;
    if version >= 8 {
        // Rows are read by position: the column must be the last one. Empty means no key.
        db.execute_batch(
            "ALTER TABLE sessions ADD COLUMN tmp_auth_key BLOB;
             UPDATE sessions SET tmp_auth_key = x'';",
        )?;
    }
    let counters = outgoing.record.counters();
    let mut entity = db.prepare("INSERT INTO entities VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for peer in outgoing.peers().filter(|peer| !peer.peer.is_community) {
        let phone: Option<i64> = peer.phone().and_then(|phone| phone.parse().ok());
        entity.execute(params![
            peer.id,
            peer.peer.access_hash,
            peer.username(),
            phone,
            peer.title(),
            counters.date,
        ])?;
    }
    let mut state = db.prepare("INSERT INTO update_state VALUES (?1, ?2, ?3, ?4, ?5)")?;
    write_counters(&mut state, counters)?;
    for channel in outgoing.channels() {
        state.execute(params![channel.id, channel.pts, 0, 0, 0])?;
    }
    Ok(())
}
