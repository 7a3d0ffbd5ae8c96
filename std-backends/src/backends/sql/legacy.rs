//! Databases of layer-client, ferogram and ferogram-session: one session each, six generations.

use std::io;

use mtsession_core::{
    AuthKeyRef, ChannelPts, Counters, DcFlags, DcRef, MinPeer, Peer, PeerKind, SessionMut,
    SessionSource,
};

use super::connection::Connection;
use super::row::Row;
use super::schema::LegacyTables;
use super::statement::Select;
use super::tables::channel_kind;
use crate::record::SessionRecord;

/// Reads the session of an old database; `None` when nothing was ever saved in it.
pub(super) fn read(
    connection: &mut dyn Connection,
    tables: &LegacyTables,
) -> io::Result<Option<SessionRecord>> {
    let (selects, readers): (Vec<_>, Vec<_>) = queries(tables).unzip();
    let mut old = Old::default();
    connection.read(&selects, &mut |index, values| {
        let (Some(select), Some(read)) = (selects.get(index), readers.get(index)) else {
            return Ok(());
        };
        old.has_rows = true;
        read(&Row::new(select, values), &mut old)
    })?;
    Ok(old.has_rows.then_some(old.stored))
}

#[derive(Default)]
struct Old {
    stored: SessionRecord,
    has_rows: bool,
}

type ReadRow = fn(&Row<'_>, &mut Old) -> io::Result<()>;

fn queries(tables: &LegacyTables) -> impl Iterator<Item = (Select, ReadRow)> {
    let select = Select::new;
    let list = |table, columns, from| select(table, columns, from).list();
    // Each column was added when the ones before it were there.
    let peer_columns = match () {
        () if tables.peers_have("is_community") => {
            "id, access_hash, is_channel, is_chat, channel_kind, is_community"
        }
        () if tables.peers_have("channel_kind") => {
            "id, access_hash, is_channel, is_chat, channel_kind, 0"
        }
        () if tables.peers_have("is_chat") => "id, access_hash, is_channel, is_chat, NULL, 0",
        () => "id, access_hash, is_channel, 0, NULL, 0",
    };
    let queries: [(Select, ReadRow); 7] = [
        (select("meta", "key, value", "meta"), read_meta),
        (
            select(
                "dcs",
                "dc_id, flags, addr, auth_key, first_salt, time_offset",
                "dcs ORDER BY rowid",
            ),
            read_dc,
        ),
        (
            select(
                "dc_entries",
                "dc_id, 0, addr, auth_key, first_salt, time_offset",
                "dc_entries ORDER BY dc_id",
            ),
            read_dc_entry,
        ),
        (
            select("update_state", "id, pts, qts, date, seq", "update_state"),
            read_update_state,
        ),
        (
            list("channel_pts", "channel_id, pts", "channel_pts WHERE true"),
            read_channel,
        ),
        (list("peers", peer_columns, "peers WHERE true"), read_peer),
        (
            list(
                "min_peers",
                "user_id, peer_id, msg_id",
                "min_peers WHERE true",
            ),
            read_min_peer,
        ),
    ];
    queries
        .into_iter()
        .filter(|(select, _)| tables.has(select.table))
}

fn read_meta(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    let mut counters = old.stored.counters();
    let counter = match row.text(0)? {
        "home_dc_id" => {
            old.stored.set_home_dc_id(row.lenient_i32(1)?);
            return Ok(());
        }
        "future_auth_token" => {
            let Ok(()) = old.stored.set_future_auth_token(row.optional_blob(1)?);
            return Ok(());
        }
        "pts" => &mut counters.pts,
        "qts" => &mut counters.qts,
        "date" => &mut counters.date,
        "seq" => &mut counters.seq,
        _ => return Ok(()),
    };
    *counter = row.lenient_i32(1)?;
    old.stored.set_counters(counters);
    Ok(())
}

fn read_dc(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    let Ok(()) = old.stored.push_dc(&DcRef {
        dc_id: row.number(0)?,
        addr: row.text(2)?,
        auth_key: row.optional_key(3)?.map(AuthKeyRef::new),
        first_salt: row.i64(4)?,
        time_offset: row.number(5)?,
        flags: DcFlags(row.number(1)?),
    });
    Ok(())
}

/// The first generations had one entry for each DC. Newer releases that opened such a database added
/// their table in addition to it; an entry there is the newer one.
fn read_dc_entry(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    let dc_id: i32 = row.number(0)?;
    if old
        .stored
        .dcs()
        .any(|dc| dc.dc_id == dc_id && dc.flags == DcFlags::NONE)
    {
        return Ok(());
    }
    read_dc(row, old)
}

fn read_update_state(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    old.stored.set_counters(Counters {
        pts: row.number(1)?,
        qts: row.number(2)?,
        date: row.number(3)?,
        seq: row.number(4)?,
    });
    Ok(())
}

fn read_channel(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    let Ok(()) = old.stored.push_channel(ChannelPts {
        id: row.i64(0)?,
        pts: row.number(1)?,
    });
    Ok(())
}

fn read_peer(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    let Ok(()) = old.stored.push_peer(Peer {
        id: row.i64(0)?,
        access_hash: row.i64(1)?,
        kind: match (row.bool(3)?, row.bool(2)?) {
            (true, _) => PeerKind::Chat,
            (false, true) => PeerKind::Channel,
            (false, false) => PeerKind::User,
        },
        channel_kind: channel_kind(row, 4)?,
        is_community: row.bool(5)?,
    });
    Ok(())
}

fn read_min_peer(row: &Row<'_>, old: &mut Old) -> io::Result<()> {
    let Ok(()) = old.stored.push_min_peer(MinPeer {
        user_id: row.i64(0)?,
        peer_id: row.i64(1)?,
        msg_id: row.number(2)?,
    });
    Ok(())
}
