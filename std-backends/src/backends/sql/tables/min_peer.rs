//! Users that are only known from messages.

use core::fmt::Write as _;
use std::io;

use mtsession_core::{MinPeer, SessionMut as _};

use super::list::{ListItem, list_statements};
use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Statement, Value};
use crate::record::SessionRecord;

impl ListItem for MinPeer {
    list_statements!("min_peer" ("user_id" 1, "peer_id" 2, "msg_id" 3) update ("peer_id = ?3, msg_id = ?4"));

    fn push_row(row: &Row<'_>, to: &mut SessionRecord) -> io::Result<()> {
        let min_peer = Self {
            user_id: row.i64(1)?,
            peer_id: row.i64(2)?,
            msg_id: row.number(3)?,
        };
        let Ok(()) = to.push_min_peer(min_peer);
        Ok(())
    }

    fn push_json(&self, json: &mut String) {
        let _ = write!(json, ",{},{},{}", self.user_id, self.peer_id, self.msg_id);
    }

    fn content(&self) -> impl IntoIterator<Item = Value> {
        [self.peer_id.into(), self.msg_id.into()]
    }
}

/// Stores the context of a user in its place, or after the others.
pub(in crate::backends::sql) fn put_min_peer(account: &str, min_peer: &MinPeer) -> Statement {
    const SQL: &str = put!("min_peer" by "min_peer_user_id" ("user_id, peer_id, msg_id") like ("user_id = ?2")
        values ("?2, ?3, ?4") set ("peer_id = excluded.peer_id, msg_id = excluded.msg_id"));
    let params = [
        account.into(),
        min_peer.user_id.into(),
        min_peer.peer_id.into(),
        min_peer.msg_id.into(),
    ];
    Statement::new(SQL, params)
}
