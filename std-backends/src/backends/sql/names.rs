//! What peers are called, in a table of its own.
//!
//! The table is made when names are first stored: a database without names has no table. A release that
//! knows nothing of it leaves the names of peers that it removes; they are not shown, and go with the
//! next save. An account takes its names along in every release: a trigger does it.

use std::io;

use mtsession_core::{EntryKey, List, NamesOf, PeerKind};

use super::definition::NAMES;
use super::row::Row;
use super::statement::{Select, Statement, Value};
use super::tables::{self, MAX_JSON, account_id, json_text, of_account};
use crate::record::peer_names::PeerNames;

// What `what` says.
pub(super) const USERNAME: i64 = 0;
pub(super) const PHONE: i64 = 1;
const TITLE: i64 = 2;

/// Rows that are read at once: servers limit the size of an answer.
pub(super) const PAGE: i64 = 20_000;

/// Whether the account has the peer that is named by these columns. Left to itself, SQLite looks through
/// all the account's peers for each name.
macro_rules! has_peer {
    ($account:literal, $id:literal, $kind:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM peer INDEXED BY peer_id WHERE peer.account = ",
            $account,
            " AND peer.id = ",
            $id,
            " AND peer.kind = ",
            $kind,
            ")"
        )
    };
}

/// Whether the peer of a row is still there.
macro_rules! peer_is_there {
    () => {
        has_peer!("names.account", "names.id", "names.kind")
    };
}

/// Finds the table.
pub(super) fn look() -> Select {
    let from = "sqlite_schema WHERE type = 'table' AND name = 'names'";
    Select::new("sqlite_schema", "name", from)
}

/// Removes the names of peers that are no longer there.
pub(super) fn drop_orphans(account: &str) -> Statement {
    const SQL: &str = concat!(
        "DELETE FROM ",
        of_account!("names"),
        " AND NOT ",
        peer_is_there!()
    );
    Statement::new(SQL, [account.into()])
}

/// Removes the names of those peers among `keys` that are no longer there.
pub(super) fn forget(account: &str, keys: &[EntryKey]) -> Option<Statement> {
    const SQL: &str = concat!(
        "DELETE FROM ",
        of_account!("names"),
        " AND (kind, id) IN (SELECT value->>1, value->>0 FROM json_each(?2)) AND NOT ",
        peer_is_there!()
    );
    let json = tables::json_of(List::Peers, keys)?;
    Some(Statement::new(SQL, [account.into(), Value::Text(json)]))
}

/// Replaces the names of an account by those of the peers that it has.
pub(super) fn replace(account: &str, names: &[PeerNames]) -> Vec<Statement> {
    const DELETE: &str = concat!("DELETE FROM ", of_account!("names"));
    let mut statements: Vec<_> = NAMES.map(|sql| Statement::new(sql, [])).into();
    statements.push(tables::touch_account(account));
    statements.push(Statement::new(DELETE, [account.into()]));
    statements.extend(insert_many(account, names));
    statements
}

/// The rows of names, in as many statements as servers want.
fn insert_many(account: &str, names: &[PeerNames]) -> Vec<Statement> {
    const INSERT: &str = concat!(
        "INSERT OR REPLACE INTO names (account, kind, id, what, position, text)
        SELECT accounts.id, value->>0, value->>1, value->>2, value->>3, value->>4
        FROM accounts, json_each(?2) WHERE name = ?1 AND ",
        has_peer!("accounts.id", "value->>1", "value->>0")
    );
    let mut statements = Vec::new();
    let mut json = String::new();
    let mut flush = |json: &mut String| {
        if !json.is_empty() {
            json.push(']');
            let rows = Value::Text(core::mem::take(json));
            statements.push(Statement::new(INSERT, [account.into(), rows]));
        }
    };
    for (peer, what, position, text) in names.iter().flat_map(texts) {
        json.push(if json.is_empty() { '[' } else { ',' });
        let head = format!("[{},{},{what},{position},", peer.kind.to_byte(), peer.id);
        json.push_str(&head);
        json_text(text, &mut json);
        json.push(']');
        if json.len() > MAX_JSON {
            flush(&mut json);
        }
    }
    flush(&mut json);
    statements
}

/// Replaces the names of one peer, if the account has it.
pub(super) fn put(account: &str, names: &NamesOf<'_>, has_table: bool) -> Vec<Statement> {
    const DELETE: &str = concat!(
        "DELETE FROM ",
        of_account!("names"),
        " AND kind = ?2 AND id = ?3"
    );
    let mut statements = Vec::new();
    if !has_table {
        statements.extend(NAMES.map(|sql| Statement::new(sql, [])));
    }
    let key = [
        account.into(),
        names.kind.to_byte().into(),
        Value::Integer(names.id),
    ];
    statements.push(Statement::new(DELETE, key));
    if !names.is_empty() {
        statements.extend(insert_many(
            account,
            &[crate::record::peer_names::owned(*names)],
        ));
    }
    statements
}

/// Every text of a peer: what it is, and its place among those of its kind.
fn texts(peer: &PeerNames) -> impl Iterator<Item = (&PeerNames, i64, usize, &str)> {
    let usernames = peer.usernames.iter().enumerate();
    usernames
        .map(move |(position, name)| (peer, USERNAME, position, name.as_str()))
        .chain(
            peer.phone
                .iter()
                .map(move |phone| (peer, PHONE, 0, phone.as_str())),
        )
        .chain(
            peer.title
                .iter()
                .map(move |title| (peer, TITLE, 0, title.as_str())),
        )
}

/// The rows after `last`.
pub(super) fn select(account: &str, last: Place) -> Select {
    let from = concat!(
        of_account!("names"),
        " AND (kind, id, what, position) > (?2, ?3, ?4, ?5) AND ",
        peer_is_there!(),
        " ORDER BY kind, id, what, position LIMIT ?6"
    );
    Select::new("names", "id, kind, what, position, text", from).bind([
        account.into(),
        last.kind.into(),
        last.id.into(),
        last.what.into(),
        last.position.into(),
        PAGE.into(),
    ])
}

/// Where a row stands in the table's order.
#[derive(Clone, Copy)]
pub(super) struct Place {
    kind: i64,
    id: i64,
    what: i64,
    position: i64,
}

impl Place {
    pub(super) const START: Self = Self {
        kind: i64::MIN,
        id: 0,
        what: 0,
        position: 0,
    };
}

/// Adds a row to the names of its peer.
pub(super) fn push_row(row: &Row<'_>, to: &mut Vec<PeerNames>) -> io::Result<Place> {
    let place = Place {
        id: row.i64(0)?,
        kind: row.i64(1)?,
        what: row.i64(2)?,
        position: row.i64(3)?,
    };
    let kind = u8::try_from(place.kind).map_err(|_| row.out_of_range(1, place.kind))?;
    let key = (place.id, PeerKind::from_byte(kind));
    let text = row.text(4)?.to_owned();
    if to.last().is_none_or(|names| (names.id, names.kind) != key) {
        to.push(PeerNames {
            id: key.0,
            kind: key.1,
            ..PeerNames::default()
        });
    }
    if let Some(names) = to.last_mut() {
        add(place.what, text, names);
    }
    Ok(place)
}

/// Adds the text of a row to the names of its peer.
pub(super) fn add(what: i64, text: String, to: &mut PeerNames) {
    match what {
        PHONE => to.phone = Some(text),
        TITLE => to.title = Some(text),
        _ => to.usernames.push(text),
    }
}
