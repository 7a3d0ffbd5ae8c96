//! Peers.

use core::fmt::Write as _;
use std::io;

use mtsession_core::{ChannelKind, Peer, PeerKind, SessionMut as _};

use super::list::{ListItem, list_statements};
use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Statement, Value};
use crate::record::SessionRecord;

impl ListItem for Peer {
    list_statements!("peer" ("id" 1, "access_hash" 2, "kind" 3, "channel_kind" 4, "is_community" 5) update ("access_hash = ?3, channel_kind = ?4, is_community = ?5"));

    fn push_row(row: &Row<'_>, to: &mut SessionRecord) -> io::Result<()> {
        let Ok(()) = to.push_peer(peer_of_row(row)?);
        Ok(())
    }

    fn push_json(&self, json: &mut String) {
        let kind = self.kind.to_byte();
        let _ = write!(json, ",{},{},{kind}", self.id, self.access_hash);
        match self.channel_kind {
            Some(kind) => {
                let _ = write!(json, ",{}", kind.to_byte());
            }
            None => json.push_str(",null"),
        }
        json.push_str(if self.is_community { ",1" } else { ",0" });
    }

    fn content(&self) -> impl IntoIterator<Item = Value> {
        [
            self.access_hash.into(),
            self.channel_kind.map(ChannelKind::to_byte).into(),
            self.is_community.into(),
        ]
    }
}

/// The peer of a row.
pub(in crate::backends::sql) fn peer_of_row(row: &Row<'_>) -> io::Result<Peer> {
    Ok(Peer {
        id: row.i64(1)?,
        access_hash: row.i64(2)?,
        kind: match row.i64(3)? {
            0 => PeerKind::User,
            1 => PeerKind::Channel,
            2 => PeerKind::Chat,
            other => return Err(row.out_of_range(3, other)),
        },
        channel_kind: channel_kind(row, 4)?,
        is_community: row.bool(5)?,
    })
}

/// Stores a peer in its place, or after the others. The identity is [`Peer::key`] in SQL: kind and
/// id, and among users whether it is a community.
pub(in crate::backends::sql) fn put_peer(account: &str, peer: &Peer) -> Statement {
    const SQL: &str = put!("peer" by "peer_id" ("id, access_hash, kind, channel_kind, is_community")
        like ("id = ?2 AND kind = ?4 AND (kind <> 0 OR is_community = ?6)")
        values ("?2, ?3, ?4, ?5, ?6")
        set ("access_hash = excluded.access_hash, channel_kind = excluded.channel_kind, \
            is_community = excluded.is_community"));
    let params = [
        account.into(),
        peer.id.into(),
        peer.access_hash.into(),
        peer.kind.to_byte().into(),
        peer.channel_kind.map(ChannelKind::to_byte).into(),
        peer.is_community.into(),
    ];
    Statement::new(SQL, params)
}

/// Reads which kind of channel a peer is; a number that names none means "not known", as in a file.
pub(in crate::backends::sql) fn channel_kind(
    row: &Row<'_>,
    column: usize,
) -> io::Result<Option<ChannelKind>> {
    let Some(number) = row.optional_i64(column)? else {
        return Ok(None);
    };
    Ok(u8::try_from(number).ok().and_then(ChannelKind::from_byte))
}
