//! All statements on our tables. `?1` is always the account's name.

use core::fmt::Write as _;
use std::io;

use mtsession_core::{
    Account, AuthKeyRef, ChannelKind, ChannelPts, Counters, DcFlags, DcRef, MinPeer, Peer,
    PeerKind, SessionMut, SessionSource, UpdateChange,
};

use super::row::Row;
use super::statement::{Select, Statement, Value};
use crate::stored::Stored;

/// The account's id. A name in every statement costs less than keeping ids right.
macro_rules! account {
    () => {
        "(SELECT id FROM account WHERE name = ?1)"
    };
}

/// Inserts one row at the position of the first row like it, or behind the others. Written without
/// `SELECT` as the source: SQLite would build a temporary table for each row then.
macro_rules! put {
    ($table:literal $(by $index:literal)? ($columns:literal) like ($like:literal) values ($values:literal) set ($set:literal)) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (account, position, ",
            $columns,
            ") VALUES (",
            account!(),
            ", coalesce((SELECT min(position) FROM ",
            $table,
            // Left to itself, SQLite looks through the account's rows in order of their positions.
            $(" INDEXED BY ", $index,)?
            " WHERE account = ",
            account!(),
            " AND ",
            $like,
            "), (SELECT max(position) + 1 FROM ",
            $table,
            " WHERE account = ",
            account!(),
            "), 0), ",
            $values,
            ") ON CONFLICT (account, position) DO UPDATE SET ",
            $set
        )
    };
}

/// A list of an account that can be long, as rows of integers.
pub(super) trait ListItem: Copy + PartialEq {
    /// Stores many at given positions: `?2` is `[[position, column, …], …]`.
    const REPLACE_MANY: &'static str;
    /// Changes the one at the position `?2`; what is not its identity follows.
    const UPDATE: &'static str;
    /// Removes everything from position `?2` on.
    const TRUNCATE: &'static str;

    /// The list's rows, in order.
    fn select(account: &str) -> Select;
    /// Reads a row and appends it.
    fn push_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()>;
    /// Appends the columns to a JSON array, each after a comma.
    fn push_json(&self, json: &mut String);
    /// What is not the identity, as parameters.
    fn content(&self) -> impl IntoIterator<Item = Value>;
}

/// The most JSON in one parameter: servers refuse texts of several megabytes.
pub(super) const MAX_JSON: usize = 512 * 1024;

/// Appends a text to JSON.
pub(super) fn json_text(text: &str, json: &mut String) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            control if control < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

/// Stores `items` at their positions.
pub(super) fn replace_many<T: ListItem>(
    account: &str,
    items: impl Iterator<Item = (usize, T)>,
) -> impl Iterator<Item = Statement> {
    json_chunks(items)
        .map(move |json| Statement::new(T::REPLACE_MANY, [account.into(), Value::Text(json)]))
}

/// The rows as JSON arrays; every text has at least one.
fn json_chunks<T: ListItem>(
    items: impl Iterator<Item = (usize, T)>,
) -> impl Iterator<Item = String> {
    let mut items = items.peekable();
    core::iter::from_fn(move || {
        items.peek()?;
        let mut json = String::from("[");
        while json.len() < MAX_JSON {
            let Some((position, item)) = items.next() else {
                break;
            };
            if json.len() > 1 {
                json.push(',');
            }
            let _ = write!(json, "[{position}");
            item.push_json(&mut json);
            json.push(']');
        }
        json.push(']');
        Some(json)
    })
}

/// Changes the item at a position to one of the same identity.
pub(super) fn update<T: ListItem>(account: &str, index: usize, item: &T) -> Statement {
    let place = [account.into(), position(index)];
    let params: Vec<_> = place.into_iter().chain(item.content()).collect();
    Statement::new(T::UPDATE, params)
}

/// Shortens a list.
pub(super) fn truncate<T: ListItem>(account: &str, len: usize) -> Statement {
    Statement::new(T::TRUNCATE, [account.into(), position(len)])
}

fn position(index: usize) -> Value {
    Value::Integer(i64::try_from(index).unwrap_or(i64::MAX))
}

fn list(table: &'static str, columns: &'static str, from: &'static str, account: &str) -> Select {
    Select {
        table,
        columns,
        from,
        params: vec![account.into()],
        is_list: true,
    }
}

impl ListItem for ChannelPts {
    const REPLACE_MANY: &'static str = "\
        INSERT INTO channel (account, position, id, pts)
        SELECT account.id, value->>0, value->>1, value->>2
        FROM account, json_each(?2) WHERE name = ?1
        ON CONFLICT (account, position) DO UPDATE SET id = excluded.id, pts = excluded.pts";
    const UPDATE: &'static str = "\
        UPDATE channel SET pts = ?3
        WHERE account = (SELECT id FROM account WHERE name = ?1) AND position = ?2";
    const TRUNCATE: &'static str = "\
        DELETE FROM channel
        WHERE account = (SELECT id FROM account WHERE name = ?1) AND position >= ?2";

    fn select(account: &str) -> Select {
        list(
            "channel",
            "position, id, pts",
            "channel WHERE account = (SELECT id FROM account WHERE name = ?1)",
            account,
        )
    }

    fn push_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()> {
        let channel = Self {
            id: row.i64(1)?,
            pts: row.number(2)?,
        };
        grow(to.push_channel(channel))
    }

    fn push_json(&self, json: &mut String) {
        let _ = write!(json, ",{},{}", self.id, self.pts);
    }

    fn content(&self) -> impl IntoIterator<Item = Value> {
        [self.pts.into()]
    }
}

/// Stores a channel's pts in its place, or behind the others.
pub(super) fn put_channel(account: &str, channel: ChannelPts) -> Statement {
    const SQL: &str = put!("channel" by "channel_id" ("id, pts") like ("id = ?2") values ("?2, ?3")
        set ("pts = excluded.pts"));
    Statement::new(SQL, [account.into(), channel.id.into(), channel.pts.into()])
}

/// Appends channels, known or not.
pub(super) fn push_channels(
    account: &str,
    channels: &[ChannelPts],
) -> impl Iterator<Item = Statement> {
    const SQL: &str = "\
        INSERT INTO channel (account, position, id, pts)
        SELECT account.id, first + row, row_id, row_pts
        FROM account,
            (SELECT coalesce(max(position) + 1, 0) AS first FROM channel
                WHERE account = (SELECT id FROM account WHERE name = ?1)),
            (SELECT key AS row, value->>1 AS row_id, value->>2 AS row_pts FROM json_each(?2))
        WHERE name = ?1";
    json_chunks(channels.iter().copied().enumerate())
        .map(move |json| Statement::new(SQL, [account.into(), Value::Text(json)]))
}

impl ListItem for Peer {
    const REPLACE_MANY: &'static str = "\
        INSERT INTO peer (account, position, id, access_hash, kind, channel_kind, is_community)
        SELECT account.id, value->>0, value->>1, value->>2, value->>3, value->>4, value->>5
        FROM account, json_each(?2) WHERE name = ?1
        ON CONFLICT (account, position) DO UPDATE SET
            id = excluded.id, access_hash = excluded.access_hash, kind = excluded.kind,
            channel_kind = excluded.channel_kind, is_community = excluded.is_community";
    const UPDATE: &'static str = "\
        UPDATE peer SET access_hash = ?3, channel_kind = ?4, is_community = ?5
        WHERE account = (SELECT id FROM account WHERE name = ?1) AND position = ?2";
    const TRUNCATE: &'static str = "\
        DELETE FROM peer
        WHERE account = (SELECT id FROM account WHERE name = ?1) AND position >= ?2";

    fn select(account: &str) -> Select {
        list(
            "peer",
            "position, id, access_hash, kind, channel_kind, is_community",
            "peer WHERE account = (SELECT id FROM account WHERE name = ?1)",
            account,
        )
    }

    fn push_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()> {
        let peer = Self {
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
        };
        grow(to.push_peer(peer))
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

/// Stores a peer in its place, or behind the others. The identity is [`Peer::key`] in SQL: kind and
/// id, and among users whether it is a community.
pub(super) fn put_peer(account: &str, peer: &Peer) -> Statement {
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

impl ListItem for MinPeer {
    const REPLACE_MANY: &'static str = "\
        INSERT INTO min_peer (account, position, user_id, peer_id, msg_id)
        SELECT account.id, value->>0, value->>1, value->>2, value->>3
        FROM account, json_each(?2) WHERE name = ?1
        ON CONFLICT (account, position) DO UPDATE SET user_id = excluded.user_id,
            peer_id = excluded.peer_id, msg_id = excluded.msg_id";
    const UPDATE: &'static str = "\
        UPDATE min_peer SET peer_id = ?3, msg_id = ?4
        WHERE account = (SELECT id FROM account WHERE name = ?1) AND position = ?2";
    const TRUNCATE: &'static str = "\
        DELETE FROM min_peer
        WHERE account = (SELECT id FROM account WHERE name = ?1) AND position >= ?2";

    fn select(account: &str) -> Select {
        list(
            "min_peer",
            "position, user_id, peer_id, msg_id",
            "min_peer WHERE account = (SELECT id FROM account WHERE name = ?1)",
            account,
        )
    }

    fn push_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()> {
        let min_peer = Self {
            user_id: row.i64(1)?,
            peer_id: row.i64(2)?,
            msg_id: row.number(3)?,
        };
        grow(to.push_min_peer(min_peer))
    }

    fn push_json(&self, json: &mut String) {
        let _ = write!(json, ",{},{},{}", self.user_id, self.peer_id, self.msg_id);
    }

    fn content(&self) -> impl IntoIterator<Item = Value> {
        [self.peer_id.into(), self.msg_id.into()]
    }
}

/// Stores the context of a user in its place, or behind the others.
pub(super) fn put_min_peer(account: &str, min_peer: &MinPeer) -> Statement {
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

/// The DC table, in order.
pub(super) fn select_dcs(account: &str) -> Select {
    Select {
        is_list: false,
        ..list(
            "dc",
            "position, dc_id, flags, addr, auth_key, first_salt, time_offset",
            "dc WHERE account = (SELECT id FROM account WHERE name = ?1) ORDER BY position",
            account,
        )
    }
}

/// Reads a row of the DC table and appends it.
pub(super) fn push_dc_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()> {
    grow(to.push_dc(&DcRef {
        dc_id: row.number(1)?,
        addr: row.text(3)?,
        auth_key: row.optional_key(4)?.map(AuthKeyRef::new),
        first_salt: row.i64(5)?,
        time_offset: row.number(6)?,
        flags: DcFlags(row.number(2)?),
    }))
}

fn dc_params(account: &str, dc: &DcRef<'_>) -> Vec<Value> {
    vec![
        account.into(),
        dc.dc_id.into(),
        dc.flags.0.into(),
        dc.addr.into(),
        dc.auth_key.map(|key| key.as_bytes().as_slice()).into(),
        dc.first_salt.into(),
        dc.time_offset.into(),
    ]
}

/// Stores a DC entry at its position.
pub(super) fn replace_dc(account: &str, index: usize, dc: &DcRef<'_>) -> Statement {
    const SQL: &str = "\
        INSERT INTO dc (account, position, dc_id, flags, addr, auth_key, first_salt, time_offset)
        SELECT id, ?8, ?2, ?3, ?4, ?5, ?6, ?7 FROM account WHERE name = ?1
        ON CONFLICT (account, position) DO UPDATE SET dc_id = excluded.dc_id,
            flags = excluded.flags, addr = excluded.addr, auth_key = excluded.auth_key,
            first_salt = excluded.first_salt, time_offset = excluded.time_offset";
    let mut params = dc_params(account, dc);
    params.push(position(index));
    Statement::new(SQL, params)
}

/// Stores a DC entry in its slot, or behind the others. The identity is [`DcRef::slot`] in SQL: the id
/// and the flags that make a slot (IPv6, media only, obfuscated TCP only, CDN).
pub(super) fn put_dc(account: &str, dc: &DcRef<'_>) -> Statement {
    const SQL: &str = put!("dc" ("dc_id, flags, addr, auth_key, first_salt, time_offset")
        like ("dc_id = ?2 AND flags & 15 = ?3 & 15") values ("?2, ?3, ?4, ?5, ?6, ?7")
        set ("flags = excluded.flags, addr = excluded.addr, auth_key = excluded.auth_key, \
            first_salt = excluded.first_salt, time_offset = excluded.time_offset"));
    Statement::new(SQL, dc_params(account, dc))
}

/// Removes the DC entries from this position on.
pub(super) fn truncate_dcs(account: &str, len: usize) -> Statement {
    const SQL: &str = "\
        DELETE FROM dc WHERE account = (SELECT id FROM account WHERE name = ?1) AND position >= ?2";
    Statement::new(SQL, [account.into(), position(len)])
}

/// What is not a list.
pub(super) fn select_account(account: &str) -> Select {
    Select {
        is_list: false,
        ..list(
            "account",
            "name, home_dc, pts, qts, date, seq, future_auth_token, user_id, is_bot, api_id, \
             test_mode",
            "account WHERE name = ?1",
            account,
        )
    }
}

/// Reads the account's own row.
pub(super) fn read_account_row(row: &Row<'_>, to: &mut Stored) -> io::Result<()> {
    to.set_home_dc_id(row.number(1)?);
    to.set_counters(Counters {
        pts: row.number(2)?,
        qts: row.number(3)?,
        date: row.number(4)?,
        seq: row.number(5)?,
    });
    to.set_account(Account {
        user_id: row.optional_i64(7)?,
        is_bot: row.optional_bool(8)?,
        api_id: row.optional_number(9)?,
        test_mode: row.optional_bool(10)?,
    });
    grow(to.set_future_auth_token(row.optional_blob(6)?))
}

/// Stores everything that a session has beside its lists.
pub(super) fn save_account(account: &str, session: &impl SessionSource) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, home_dc, pts, qts, date, seq, future_auth_token)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
        ON CONFLICT (name) DO UPDATE SET home_dc = excluded.home_dc, pts = excluded.pts,
            qts = excluded.qts, date = excluded.date, seq = excluded.seq,
            future_auth_token = excluded.future_auth_token";
    let counters = session.counters();
    let params = [
        account.into(),
        session.home_dc_id().into(),
        counters.pts.into(),
        counters.qts.into(),
        counters.date.into(),
        counters.seq.into(),
        session.future_auth_token().into(),
    ];
    Statement::new(SQL, params)
}

/// Makes sure that the account is there.
pub(super) fn ensure_account(account: &str) -> Statement {
    const SQL: &str = "INSERT INTO account (name) VALUES (?1) ON CONFLICT (name) DO NOTHING";
    Statement::new(SQL, [account.into()])
}

/// Sets the home DC.
pub(super) fn set_home_dc(account: &str, dc_id: i32) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, home_dc) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET home_dc = excluded.home_dc";
    Statement::new(SQL, [account.into(), dc_id.into()])
}

/// Sets or removes the future auth token.
pub(super) fn set_token(account: &str, token: Option<&[u8]>) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, future_auth_token) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET future_auth_token = excluded.future_auth_token";
    Statement::new(SQL, [account.into(), token.into()])
}

/// Stores what is known of the account.
pub(super) fn set_account(name: &str, account: Account) -> Statement {
    const SQL: &str = "\
        INSERT INTO account (name, user_id, is_bot, api_id, test_mode) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET user_id = excluded.user_id, is_bot = excluded.is_bot,
            api_id = excluded.api_id, test_mode = excluded.test_mode";
    let params = [
        name.into(),
        account.user_id.into(),
        account.is_bot.into(),
        account.api_id.into(),
        account.test_mode.into(),
    ];
    Statement::new(SQL, params)
}

/// Moves the counters. Which of them a change sets is
/// [`counters_after`](UpdateChange::counters_after), said once more as statements that need not read
/// first.
pub(super) fn set_counters(account: &str, update: &UpdateChange) -> Option<Statement> {
    const ALL: &str = "\
        INSERT INTO account (name, pts, qts, date, seq) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (name) DO UPDATE SET
            pts = excluded.pts, qts = excluded.qts, date = excluded.date, seq = excluded.seq";
    const PRIMARY: &str = "\
        INSERT INTO account (name, pts, date, seq) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (name) DO UPDATE SET
            pts = excluded.pts, date = excluded.date, seq = excluded.seq";
    const SECONDARY: &str = "\
        INSERT INTO account (name, qts) VALUES (?1, ?2)
        ON CONFLICT (name) DO UPDATE SET qts = excluded.qts";
    let name = || Value::from(account);
    Some(match *update {
        UpdateChange::Counters(Counters {
            pts,
            qts,
            date,
            seq,
        }) => {
            let params = [name(), pts.into(), qts.into(), date.into(), seq.into()];
            Statement::new(ALL, params)
        }
        UpdateChange::Primary { pts, date, seq } => {
            Statement::new(PRIMARY, [name(), pts.into(), date.into(), seq.into()])
        }
        UpdateChange::Secondary { qts } => Statement::new(SECONDARY, [name(), qts.into()]),
        _ => return None,
    })
}

/// Removes an account and everything of it. Secrets are overwritten first, in place: a local file
/// overwrites whatever is deleted (`secure_delete`), but servers do not, nor let a client ask for it.
pub(super) fn delete(account: &str) -> impl Iterator<Item = Statement> {
    [
        "UPDATE dc SET auth_key = zeroblob(256)
            WHERE account = (SELECT id FROM account WHERE name = ?1) AND auth_key IS NOT NULL",
        "UPDATE account SET future_auth_token = zeroblob(length(future_auth_token))
            WHERE name = ?1 AND future_auth_token IS NOT NULL",
        "DELETE FROM dc WHERE account = (SELECT id FROM account WHERE name = ?1)",
        "DELETE FROM channel WHERE account = (SELECT id FROM account WHERE name = ?1)",
        "DELETE FROM peer WHERE account = (SELECT id FROM account WHERE name = ?1)",
        "DELETE FROM min_peer WHERE account = (SELECT id FROM account WHERE name = ?1)",
        "DELETE FROM account WHERE name = ?1",
    ]
    .into_iter()
    .map(|sql| Statement::new(sql, [account.into()]))
}

/// Gives an account another name.
pub(super) fn rename(from: &str, to: &str) -> Statement {
    const SQL: &str = "UPDATE account SET name = ?2 WHERE name = ?1";
    Statement::new(SQL, [from.into(), to.into()])
}

/// The names of all accounts.
pub(super) fn select_names() -> Select {
    Select {
        table: "account",
        columns: "name",
        from: "account ORDER BY name",
        params: Vec::new(),
        is_list: false,
    }
}

/// Reads which kind of channel a peer is.
pub(super) fn channel_kind(row: &Row<'_>, column: usize) -> io::Result<Option<ChannelKind>> {
    let Some(number) = row.optional_i64(column)? else {
        return Ok(None);
    };
    let kind = u8::try_from(number).ok().and_then(ChannelKind::from_byte);
    kind.map(Some)
        .ok_or_else(|| row.out_of_range(column, number))
}

/// Growable lists are never full.
pub(super) fn grow(pushed: Result<(), mtsession_core::Full>) -> io::Result<()> {
    pushed.map_err(io::Error::other)
}
