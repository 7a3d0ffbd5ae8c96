//! The pts of channels.

use core::fmt::Write as _;
use std::io;

use mtsession_core::{ChannelPts, SessionMut as _};

use super::list::{ListItem, json_chunks, list_statements};
use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Statement, Value};
use crate::record::SessionRecord;

impl ListItem for ChannelPts {
    list_statements!("channel" ("id" 1, "pts" 2) update ("pts = ?3"));

    fn push_row(row: &Row<'_>, to: &mut SessionRecord) -> io::Result<()> {
        let channel = Self {
            id: row.i64(1)?,
            pts: row.number(2)?,
        };
        let Ok(()) = to.push_channel(channel);
        Ok(())
    }

    fn push_json(&self, json: &mut String) {
        let _ = write!(json, ",{},{}", self.id, self.pts);
    }

    fn content(&self) -> impl IntoIterator<Item = Value> {
        [self.pts.into()]
    }
}

/// Stores a channel's pts in its place, or after the others.
pub(in crate::backends::sql) fn put_channel(account: &str, channel: ChannelPts) -> Statement {
    const SQL: &str = put!("channel" by "channel_id" ("id, pts") like ("id = ?2") values ("?2, ?3")
        set ("pts = excluded.pts"));
    Statement::new(SQL, [account.into(), channel.id.into(), channel.pts.into()])
}

/// Appends channels, known or not.
pub(in crate::backends::sql) fn push_channels(
    account: &str,
    channels: &[ChannelPts],
) -> impl Iterator<Item = Statement> {
    const SQL: &str = concat!(
        "INSERT INTO channel (account, position, id, pts)
        SELECT accounts.id, first + row, row_id, row_pts
        FROM accounts,
            (SELECT coalesce(max(position) + 1, 0) AS first FROM ",
        of_account!("channel"),
        "), (SELECT key AS row, value->>1 AS row_id, value->>2 AS row_pts FROM json_each(?2))
        WHERE name = ?1"
    );
    json_chunks(channels.iter().copied().enumerate())
        .map(move |json| Statement::new(SQL, [account.into(), Value::Text(json)]))
}
