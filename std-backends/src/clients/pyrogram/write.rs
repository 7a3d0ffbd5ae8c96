//! The SQLite databases of Pyrogram 2 (schema 3) and kurigram (schema 7).

use mtsession_core::{ChannelKind, PeerKind, SessionSource as _};
use rusqlite::{Connection, params};

use crate::clients::error::ForeignError;
use crate::clients::marked::mark;
use crate::clients::outgoing::{MarkedPeer, Outgoing, write_counters};

const V3: &str = "
    CREATE TABLE sessions (
        dc_id INTEGER PRIMARY KEY, api_id INTEGER, test_mode INTEGER, auth_key BLOB,
        date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER
    );
    CREATE TABLE peers (
        id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, username TEXT,
        phone_number TEXT,
        last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
    );
    CREATE INDEX idx_peers_username ON peers (username);";

const KURIGRAM: &str = "
    CREATE TABLE sessions (
        dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, api_id INTEGER,
        test_mode INTEGER, auth_key BLOB, date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER
    );
    CREATE TABLE peers (
        id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, phone_number TEXT,
        last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER))
    );
    CREATE TABLE usernames (
        id INTEGER, username TEXT, FOREIGN KEY (id) REFERENCES peers (id)
    );
    CREATE TABLE update_state (
        id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER
    );
    CREATE INDEX idx_usernames_id ON usernames (id);
    CREATE INDEX idx_usernames_username ON usernames (username);";

/// Usernames expire by the time of the last update, which the libraries leave to the database.
const BOTH: &str = "
    CREATE TABLE version (number INTEGER PRIMARY KEY);
    CREATE INDEX idx_peers_id ON peers (id);
    CREATE INDEX idx_peers_phone_number ON peers (phone_number);
    CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers BEGIN
        UPDATE peers SET last_update_on = CAST(STRFTIME('%s', 'now') AS INTEGER)
        WHERE id = NEW.id;
    END;";

pub(in crate::clients) fn write_v3(
    db: &Connection,
    outgoing: &Outgoing<'_>,
) -> Result<(), ForeignError> {
    db.execute_batch(V3)?;
    db.execute_batch(BOTH)?;
    db.execute("INSERT INTO version VALUES (3)", [])?;
    let account = outgoing.account();
    db.execute(
        "INSERT INTO sessions (dc_id, api_id, test_mode, auth_key, date, user_id, is_bot)
         VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6)",
        params![
            outgoing.dc_id(),
            account.api_id,
            outgoing.test_mode(),
            outgoing.key(),
            account.user_id,
            account.is_bot,
        ],
    )?;
    let mut row = db.prepare(
        "INSERT INTO peers (id, access_hash, type, username, phone_number)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for peer in outgoing.peers().filter(|peer| !peer.peer.is_community) {
        let hash = peer.peer.access_hash;
        row.execute(params![
            peer.id,
            hash,
            type_of(&peer, outgoing),
            peer.username(),
            peer.phone()
        ])?;
    }
    Ok(())
}

pub(in crate::clients) fn write_kurigram(
    db: &Connection,
    outgoing: &Outgoing<'_>,
) -> Result<(), ForeignError> {
    db.execute_batch(KURIGRAM)?;
    db.execute_batch(BOTH)?;
    db.execute("INSERT INTO version VALUES (7)", [])?;
    let account = outgoing.account();
    let server = outgoing
        .login
        .server()
        .resolved(outgoing.dc_id(), outgoing.test_mode());
    db.execute(
        "INSERT INTO sessions
         (dc_id, server_address, port, api_id, test_mode, auth_key, date, user_id, is_bot)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)",
        params![
            outgoing.dc_id(),
            server.host.to_string(),
            server.port,
            account.api_id,
            outgoing.test_mode(),
            outgoing.key(),
            account.user_id,
            account.is_bot,
        ],
    )?;
    let mut row = db.prepare(
        "INSERT INTO peers (id, access_hash, type, phone_number) VALUES (?1, ?2, ?3, ?4)",
    )?;
    let mut username = db.prepare("INSERT INTO usernames VALUES (?1, ?2)")?;
    for peer in outgoing.peers() {
        let hash = peer.peer.access_hash;
        row.execute(params![
            peer.id,
            hash,
            type_of(&peer, outgoing),
            peer.phone()
        ])?;
        for name in peer.usernames() {
            username.execute(params![peer.id, name])?;
        }
    }
    let mut state = db.prepare("INSERT INTO update_state VALUES (?1, ?2, ?3, ?4, ?5)")?;
    let counters = outgoing.record.counters();
    write_counters(&mut state, counters)?;
    // Channels go by their marked ids here, and have only a pts.
    let none = None::<i32>;
    for channel in outgoing.channels() {
        if let Some(id) = mark(PeerKind::Channel, channel.id) {
            state.execute(params![id, channel.pts, none, none, none])?;
        }
    }
    Ok(())
}

/// The family tells bots from users, which we cannot; both are addressed in the same way.
fn type_of(peer: &MarkedPeer<'_>, outgoing: &Outgoing<'_>) -> &'static str {
    let account = outgoing.account();
    let is_own_bot = account.user_id == Some(peer.id) && account.is_bot == Some(true);
    match (peer.peer.kind, peer.peer.channel_kind) {
        _ if peer.peer.is_community => "community",
        (PeerKind::User, _) if is_own_bot => "bot",
        (PeerKind::User, _) => "user",
        (PeerKind::Chat, _) => "group",
        (PeerKind::Channel, Some(ChannelKind::Megagroup | ChannelKind::Gigagroup)) => "supergroup",
        (PeerKind::Channel, _) => "channel",
    }
}
