//! Removing entries by their identities, without reading what else an account has.
//!
//! Rows of a list are numbered without gaps, so the rows after those that go move up. First those that go
//! get negative numbers, which say where they were; from the first of them on the others are numbered anew;
//! then what has a negative number is removed.

use core::fmt::Write as _;

use mtsession_core::{DcSlot, EntryKey, List};

use crate::backends::sql::checksum::checksum;
use crate::backends::sql::statement::{Statement, Value};

/// The statements that remove rows of one table; `?2` is `[[identity, …], …]`.
struct Forget {
    mark: &'static str,
    close: &'static str,
    remove: &'static str,
}

macro_rules! forget {
    ($table:literal by $index:literal like ($like:literal)) => {
        Forget {
            mark: concat!(
                "UPDATE ",
                $table,
                " SET position = -1 - position WHERE account = ",
                account_id!(),
                " AND position IN (SELECT entry.position FROM json_each(?2) CROSS JOIN ",
                $table,
                " AS entry INDEXED BY ",
                $index,
                " ON entry.account = ",
                account_id!(),
                " AND ",
                $like,
                ")"
            ),
            close: concat!(
                "UPDATE ",
                $table,
                " SET position = closed.place FROM (SELECT position AS was, first + row_number() OVER (",
                "ORDER BY position) - 1 AS place FROM (SELECT -1 - max(position) AS first FROM ",
                of_account!($table),
                " AND position < 0) CROSS JOIN ",
                $table,
                " AS entry ON entry.account = ",
                account_id!(),
                " AND entry.position > first) AS closed WHERE ",
                $table,
                ".account = ",
                account_id!(),
                " AND ",
                $table,
                ".position = closed.was"
            ),
            remove: concat!("DELETE FROM ", of_account!($table), " AND position < 0"),
        }
    };
}

const CHANNEL: Forget = forget!("channel" by "channel_id" like ("entry.id = value->>0"));
const MIN_PEER: Forget =
    forget!("min_peer" by "min_peer_user_id" like ("entry.user_id = value->>0"));
/// The identity is [`Peer::key`](mtsession_core::Peer::key): see [`put_peer`](super::put_peer).
const PEER: Forget = forget!("peer" by "peer_id" like (
    "entry.id = value->>0 AND entry.kind = value->>1 AND (entry.kind <> 0 OR entry.is_community = value->>2)"));

/// The statements that remove the entries with these keys. Names are not part of it.
pub(in crate::backends::sql) fn forget(account: &str, keys: &[EntryKey]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for key in keys {
        if let EntryKey::Dc(slot) = *key {
            statements.extend(forget_dc(account, slot));
        }
    }
    for (list, forget) in [
        (List::Channels, CHANNEL),
        (List::Peers, PEER),
        (List::MinPeers, MIN_PEER),
    ] {
        if let Some(json) = json_of(list, keys) {
            statements.extend([
                Statement::new(forget.mark, [account.into(), Value::Text(json)]),
                Statement::new(forget.close, [account.into()]),
                Statement::new(forget.remove, [account.into()]),
            ]);
        }
    }
    statements
}

/// The identities of those entries that are of this list, if there are any: `[[identity, …], …]`.
pub(in crate::backends::sql) fn json_of(list: List, keys: &[EntryKey]) -> Option<String> {
    let mut json = String::new();
    for key in keys.iter().filter(|key| key.list() == list) {
        json.push(if json.is_empty() { '[' } else { ',' });
        let written = match *key {
            EntryKey::Channel(id) | EntryKey::MinPeer(id) => write!(json, "[{id}]"),
            EntryKey::Peer(key) => {
                let (kind, is_community) = (key.kind().to_byte(), u8::from(key.is_community()));
                write!(json, "[{},{kind},{is_community}]", key.id())
            }
            _ => Ok(()),
        };
        debug_assert!(written.is_ok(), "a text takes what is written to it");
    }
    if json.is_empty() {
        return None;
    }
    json.push(']');
    Some(json)
}

/// Removes the DC entries of a slot. They are few, and their numbers are part of their checksums. The key is
/// overwritten first: see [`delete`](super::delete).
fn forget_dc(account: &str, slot: DcSlot) -> impl Iterator<Item = Statement> {
    const OVERWRITE: &str = concat!(
        "UPDATE dc SET auth_key = zeroblob(256) WHERE account = ",
        account_id!(),
        " AND dc_id = ?2 AND flags & 15 = ?3 AND auth_key IS NOT NULL"
    );
    const REMOVE: &str = concat!(
        "DELETE FROM ",
        of_account!("dc"),
        " AND dc_id = ?2 AND flags & 15 = ?3"
    );
    const CLOSE: &str = concat!(
        "UPDATE dc SET position = closed.place, crc = ",
        checksum!("dc.crc", "0", "(closed.place - dc.position)"),
        " FROM (SELECT position AS was, row_number() OVER (ORDER BY position) - 1 AS place FROM ",
        of_account!("dc"),
        ") AS closed WHERE dc.account = ",
        account_id!(),
        " AND dc.position = closed.was AND closed.was <> closed.place"
    );
    let of_slot = || [account.into(), slot.dc_id.into(), slot.flags().0.into()];
    [
        Statement::new(OVERWRITE, of_slot()),
        Statement::new(REMOVE, of_slot()),
        Statement::new(CLOSE, [account.into()]),
    ]
    .into_iter()
}
