//! Schema 11: everything that a database of ours consists of, the same in files, on servers and in
//! replicas.
//!
//! A database is only used if it has exactly these objects; see [`shape`](super::shape). So every change
//! here is a new schema number.

use super::statement::Statement;

/// `PRAGMA user_version` of our databases.
pub(super) const VERSION: i64 = 11;

/// Sixteen random hexadecimal digits. An account gets new ones with every change of it.
macro_rules! new_revision {
    () => {
        "lower(hex(randomblob(8)))"
    };
}
pub(super) use new_revision;

/// In the place of a revision: the account is owned, and nobody has logged in yet.
macro_rules! no_session {
    () => {
        "'-'"
    };
}
pub(super) use no_session;

/// What schema 11 has and schema 10 has not.
///
/// `revisions`, `gone`, `lease`, `owner` and `login_state` say who changed an account, who may, and
/// whether the login still holds.
/// `crc` is that of [`checksum`](super::checksum).
///
/// Ids of accounts are never used again (`AUTOINCREMENT`).
pub(super) const NEW_OBJECTS: [&str; 17] = [
    "CREATE TABLE accounts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        home_dc INTEGER NOT NULL DEFAULT 0,
        pts INTEGER NOT NULL DEFAULT 0,
        qts INTEGER NOT NULL DEFAULT 0,
        date INTEGER NOT NULL DEFAULT 0,
        seq INTEGER NOT NULL DEFAULT 0,
        future_auth_token BLOB,
        crc INTEGER,
        user_id INTEGER,
        is_bot INTEGER,
        api_id INTEGER,
        test_mode INTEGER,
        revisions TEXT NOT NULL,
        owner BLOB
    ) STRICT",
    "CREATE TABLE gone (
        name TEXT NOT NULL PRIMARY KEY,
        revisions TEXT NOT NULL,
        at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX gone_at ON gone (at)",
    "CREATE TABLE lease (
        account INTEGER PRIMARY KEY,
        who TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT",
    "CREATE TABLE login_state (
        account INTEGER PRIMARY KEY,
        state INTEGER NOT NULL,
        at INTEGER NOT NULL,
        text TEXT NOT NULL
    ) STRICT",
    CREATE_SERVER_WRITE,
    "CREATE INDEX server_write_account ON server_write (account, id)",
    // The rest is there for other programs. The release of ours that knew schema 10 meets a table of
    // writes that does not take its own.
    "CREATE TABLE remote_write (update_this_program_first)",
    // ferogram-session and layer-client make the tables that they miss, and would then find that nobody
    // is logged in. They meet an entry in `meta`, and tables without the columns that they read and
    // write. `peers` has those that they would add.
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL)",
    "CREATE TABLE dcs (update_this_program_first)",
    "CREATE TABLE dc_entries (update_this_program_first)",
    "CREATE TABLE update_state (update_this_program_first)",
    "CREATE TABLE channel_pts (update_this_program_first)",
    "CREATE TABLE peers (is_chat, channel_kind, is_community)",
    "CREATE TABLE min_peers (update_this_program_first)",
    "CREATE TRIGGER meta_refuses_rows BEFORE INSERT ON meta BEGIN
        SELECT RAISE(ABORT, 'an mtsession database: update the client');
    END",
    "CREATE TRIGGER meta_keeps_its_row BEFORE DELETE ON meta BEGIN
        SELECT RAISE(ABORT, 'an mtsession database: update the client');
    END",
];

/// Fills the table that older programs look into first. To be done before its triggers are made.
const FILL_META: &str = "INSERT INTO meta VALUES ('home_dc_id', 0)";

/// What schema 11 has in common with schema 10. Of `dc`, schema 10 lacks the last column.
///
/// Rows of an account are numbered from 0 without gaps: order and duplicates are content.
const KEPT_OBJECTS: [&str; 7] = [
    "CREATE TABLE dc (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL CONSTRAINT at_most_255_dcs CHECK (position BETWEEN 0 AND 254),
        dc_id INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        addr TEXT NOT NULL,
        auth_key BLOB CHECK (length(auth_key) = 256),
        first_salt INTEGER NOT NULL,
        time_offset INTEGER NOT NULL,
        crc INTEGER,
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
];

/// The table of names, which is made when it is first needed. Usernames (0) and phone numbers (1) are
/// found by their text, in any case.
pub(super) const NAMES: [&str; 3] = [
    "CREATE TABLE IF NOT EXISTS names (
        account INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        id INTEGER NOT NULL,
        what INTEGER NOT NULL CHECK (what BETWEEN 0 AND 2),
        position INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (account, kind, id, what, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS names_text ON names (account, what, text COLLATE NOCASE) WHERE what < 2",
    "CREATE TRIGGER IF NOT EXISTS names_of_account AFTER DELETE ON accounts BEGIN
        DELETE FROM names WHERE account = OLD.id;
    END",
];

/// The latest writes of each account through a server; see `remote`. A server makes it before it knows
/// which tables there are.
pub(super) const CREATE_SERVER_WRITE: &str = "\
    CREATE TABLE IF NOT EXISTS server_write (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        tag INTEGER NOT NULL
    ) STRICT";

/// Every object of a database.
pub(super) fn objects() -> impl Iterator<Item = &'static str> {
    KEPT_OBJECTS.into_iter().chain(NEW_OBJECTS)
}

/// The statements that make what schema 10 has not.
pub(super) fn create_new() -> impl Iterator<Item = Statement> {
    let (tables, triggers): (Vec<_>, Vec<_>) = NEW_OBJECTS
        .into_iter()
        .partition(|sql| !sql.starts_with("CREATE TRIGGER"));
    let statements = tables.into_iter().chain([FILL_META]).chain(triggers);
    statements
        .chain(["PRAGMA user_version = 11"])
        .map(|sql| Statement::new(sql, []))
}

/// The statements that make a database without tables ours.
pub(super) fn create() -> impl Iterator<Item = Statement> {
    KEPT_OBJECTS
        .into_iter()
        .map(|sql| Statement::new(sql, []))
        .chain(create_new())
}
