//! Schema 10, of the release before: how it is recognised, read as it is, and migrated.

use super::definition::{self, NAMES, new_revision};
use super::statement::Statement;

/// `PRAGMA user_version` of its databases.
pub(super) const VERSION: i64 = 10;

/// Put before a query of our tables, it makes schema 10 answer it.
pub(super) const READ_AS_OURS: &str = "\
    WITH accounts AS (SELECT *, NULL AS crc, '' AS revisions, NULL AS owner FROM account), \
    dc AS (SELECT *, NULL AS crc FROM main.dc), \
    login_state AS (SELECT NULL AS account, 0 AS state, 0 AS at, '' AS text WHERE false) ";

/// Its objects.
pub(super) const OBJECTS: [&str; 10] = [
    "CREATE TABLE account (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        home_dc INTEGER NOT NULL DEFAULT 0,
        pts INTEGER NOT NULL DEFAULT 0,
        qts INTEGER NOT NULL DEFAULT 0,
        date INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL DEFAULT 0,
        future_auth_token BLOB,
        user_id INTEGER,
        is_bot INTEGER,
        api_id INTEGER,
        test_mode INTEGER
    ) STRICT",
    "CREATE TABLE dc (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL CONSTRAINT at_most_255_dcs CHECK (position BETWEEN 0 AND 254),
        dc_id INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        addr TEXT NOT NULL,
        auth_key BLOB CHECK (length(auth_key) = 256),
        first_salt INTEGER NOT NULL,
        time_offset INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE TABLE channel (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL,
        id INTEGER NOT NULL,
        pts INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX channel_id ON channel (account, id)",
    "CREATE TABLE peer (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL,
        id INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        channel_kind INTEGER,
        is_community INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX peer_id ON peer (account, id)",
    "CREATE TABLE min_peer (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL,
        user_id INTEGER NOT NULL,
        peer_id INTEGER NOT NULL,
        msg_id INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX min_peer_user_id ON min_peer (account, user_id)",
    "CREATE TABLE remote_write (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        tag INTEGER NOT NULL
    ) STRICT",
    "CREATE INDEX remote_write_account ON remote_write (account, id)",
];

/// What it made when names were first stored.
pub(super) const OPTIONAL: [&str; 2] = [
    NAMES[0],
    "CREATE TRIGGER names_of_account AFTER DELETE ON account BEGIN
        DELETE FROM names WHERE account = OLD.id;
    END",
];

/// The statements that turn schema 10 into ours, without reading a row.
///
/// The table of accounts gets another name, so that statements which a running program of that release
/// has prepared fail, instead of writing what this one does not notice. Secrets are overwritten before
/// they are dropped, as servers do not.
pub(super) fn migrate() -> impl Iterator<Item = Statement> {
    const COPY: &str = concat!(
        "INSERT INTO accounts (id, name, home_dc, pts, qts, date, seq, future_auth_token, user_id, \
         is_bot, api_id, test_mode, revisions)
        SELECT id, name, home_dc, pts, qts, date, seq, future_auth_token, user_id, is_bot, api_id, \
         test_mode, ",
        new_revision!(),
        " FROM account"
    );
    const FORGET_TOKENS: &str = "\
        UPDATE account SET future_auth_token = zeroblob(length(future_auth_token))
        WHERE future_auth_token IS NOT NULL";
    let statement = |sql| Statement::new(sql, []);
    let before = [
        "DROP TRIGGER IF EXISTS names_of_account",
        "DROP TABLE remote_write",
        "ALTER TABLE dc ADD COLUMN crc INTEGER",
    ];
    // The names' trigger is on the new table; where there were no names yet, there is a table now.
    let after = [COPY, FORGET_TOKENS, "DROP TABLE account"];
    before
        .into_iter()
        .map(statement)
        .chain(definition::create_new())
        .chain(after.into_iter().chain(NAMES).map(statement))
}
