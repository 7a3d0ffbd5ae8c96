//! Databases for ferogram-session, for those who go back to it.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;

use mtsession_core::{ChannelKind, PeerKind, SessionSource};

use super::file_url::local_path;
use super::local_error::explain;
use super::statement::{Statement, Value};
use crate::error::already_there;
use crate::sqlite_file::new_database::create;
use crate::sqlite_file::untouched;

/// Writes a whole database that ferogram-session 0.6.5 and 0.6.6 can use.
pub(super) fn write(path: &Path, session: &impl SessionSource) -> io::Result<()> {
    let path = &local_path(path)?;
    if fs::exists(path)? {
        return Err(already_there());
    }
    let made = create(path, |database| -> Result<(), untouched::Error> {
        for Statement { sql, params, .. } in statements(session) {
            database.execute(sql, rusqlite::params_from_iter(params))?;
        }
        Ok(())
    });
    made.map_err(|error| match error {
        untouched::Error::Io(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            already_there()
        }
        untouched::Error::Io(error) => error,
        untouched::Error::Sqlite(error) => explain(&error),
    })
}

/// The schema of ferogram-session 0.6.5 and 0.6.6.
const CREATE: [&str; 6] = [
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE dcs (
        dc_id INTEGER NOT NULL, flags INTEGER NOT NULL DEFAULT 0, addr TEXT NOT NULL,
        auth_key BLOB, first_salt INTEGER NOT NULL DEFAULT 0,
        time_offset INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (dc_id, flags))",
    "CREATE TABLE update_state (
        id INTEGER PRIMARY KEY CHECK (id = 1), pts INTEGER NOT NULL DEFAULT 0,
        qts INTEGER NOT NULL DEFAULT 0, date INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE channel_pts (channel_id INTEGER PRIMARY KEY, pts INTEGER NOT NULL)",
    "CREATE TABLE peers (
        id INTEGER PRIMARY KEY, access_hash INTEGER NOT NULL,
        is_channel INTEGER NOT NULL DEFAULT 0, is_chat INTEGER NOT NULL DEFAULT 0,
        channel_kind INTEGER, is_community INTEGER NOT NULL DEFAULT 0)",
    "CREATE TABLE min_peers (
        user_id INTEGER PRIMARY KEY, peer_id INTEGER NOT NULL, msg_id INTEGER NOT NULL)",
];

/// How many entries an old database has no place for, because it knows neither duplicates nor peers
/// of different kinds with one id. The first of each is kept.
pub(super) fn left_out(session: &impl SessionSource) -> usize {
    fn repeated<T: core::hash::Hash + Eq + Copy>(keys: impl Iterator<Item = T>) -> usize {
        let mut known = HashSet::new();
        keys.filter(|key| !known.insert(*key)).count()
    }
    repeated(session.dcs().map(|dc| (dc.dc_id, dc.flags)))
        .saturating_add(repeated(session.channels().map(|channel| channel.id)))
        .saturating_add(repeated(session.peers().map(|peer| peer.id)))
        .saturating_add(repeated(session.min_peers().map(|peer| peer.user_id)))
}

fn statements(session: &impl SessionSource) -> Vec<Statement> {
    const INSERT_META: &str = "INSERT INTO meta VALUES (?1, ?2)";
    const INSERT_DC: &str = "\
        INSERT OR IGNORE INTO dcs (dc_id, flags, addr, auth_key, first_salt, time_offset)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let counters = session.counters();
    let mut statements: Vec<_> = CREATE
        .into_iter()
        .map(|sql| Statement::new(sql, []))
        .collect();
    statements.push(Statement::new(
        INSERT_META,
        ["home_dc_id".into(), session.home_dc_id().into()],
    ));
    if let Some(token) = session.future_auth_token() {
        statements.push(Statement::new(
            INSERT_META,
            ["future_auth_token".into(), token.into()],
        ));
    }
    statements.push(Statement::new(
        "INSERT INTO update_state VALUES (1, ?1, ?2, ?3, ?4)",
        [counters.pts, counters.qts, counters.date, counters.seq].map(Value::from),
    ));
    statements.extend(session.dcs().map(|dc| {
        let params = [
            dc.dc_id.into(),
            dc.flags.0.into(),
            dc.addr.into(),
            dc.auth_key.map(|key| key.as_bytes().as_slice()).into(),
            dc.first_salt.into(),
            dc.time_offset.into(),
        ];
        Statement::new(INSERT_DC, params)
    }));
    statements.extend(session.channels().map(|channel| {
        Statement::new(
            "INSERT OR IGNORE INTO channel_pts VALUES (?1, ?2)",
            [channel.id.into(), channel.pts.into()],
        )
    }));
    statements.extend(session.peers().map(|peer| {
        let params = [
            peer.id.into(),
            peer.access_hash.into(),
            (peer.kind == PeerKind::Channel).into(),
            (peer.kind == PeerKind::Chat).into(),
            peer.channel_kind.map(ChannelKind::to_byte).into(),
            peer.is_community.into(),
        ];
        Statement::new(
            "INSERT OR IGNORE INTO peers VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params,
        )
    }));
    statements.extend(session.min_peers().map(|peer| {
        let params = [peer.user_id.into(), peer.peer_id.into(), peer.msg_id.into()];
        Statement::new(
            "INSERT OR IGNORE INTO min_peers VALUES (?1, ?2, ?3)",
            params,
        )
    }));
    statements
}
