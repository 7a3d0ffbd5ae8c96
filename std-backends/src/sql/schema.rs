//! The tables, and telling our databases from others.

use std::io;

use super::statement::{Select, Statement};

/// `PRAGMA user_version` of our databases. Below are the numbers that older releases (0) and other
/// clients use.
const VERSION: i64 = 10;

/// The schema of version 10. Every statement can be repeated, because two writers may find the same
/// empty database.
///
/// Rows of an account are numbered from 0 without gaps: order and duplicates are content.
const CREATE: [&str; 11] = [
    "CREATE TABLE IF NOT EXISTS account (
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
    "CREATE TABLE IF NOT EXISTS dc (
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
    "CREATE TABLE IF NOT EXISTS channel (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL,
        id INTEGER NOT NULL,
        pts INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS channel_id ON channel (account, id)",
    "CREATE TABLE IF NOT EXISTS peer (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL,
        id INTEGER NOT NULL,
        access_hash INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        channel_kind INTEGER,
        is_community INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS peer_id ON peer (account, id)",
    "CREATE TABLE IF NOT EXISTS min_peer (
        account INTEGER NOT NULL,
        position INTEGER NOT NULL,
        user_id INTEGER NOT NULL,
        peer_id INTEGER NOT NULL,
        msg_id INTEGER NOT NULL,
        PRIMARY KEY (account, position)
    ) STRICT, WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS min_peer_user_id ON min_peer (account, user_id)",
    CREATE_REMOTE_WRITE,
    "CREATE INDEX IF NOT EXISTS remote_write_account ON remote_write (account, id)",
    "PRAGMA user_version = 10",
];

/// The latest writes of each account through a server; see `remote`.
pub(super) const CREATE_REMOTE_WRITE: &str = "\
    CREATE TABLE IF NOT EXISTS remote_write (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL,
        tag INTEGER NOT NULL
    ) STRICT";

/// What the constraint `at_most_255_dcs` means.
pub(super) fn too_many_dcs() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "a session holds at most 255 DC entries; nothing was changed",
    )
}

/// The statements that make an empty database ours.
pub(super) fn create() -> impl Iterator<Item = Statement> {
    CREATE.into_iter().map(|sql| Statement::new(sql, []))
}

/// Marks local files with "MTSX", which `file` and other tools show. Servers do not let a client.
pub(super) fn set_application_id() -> Statement {
    Statement::new("PRAGMA application_id = 0x4D545358", [])
}

/// A table of older releases, and what is done with it.
struct LegacyTable {
    name: &'static str,
    drop: &'static [&'static str],
    #[cfg(feature = "libsql-remote")]
    keep: &'static str,
    #[cfg(feature = "libsql-remote")]
    drop_kept: &'static [&'static str],
}

/// Drops a table that may not exist. A secret column is overwritten before, as servers do not.
macro_rules! drop_table {
    ($name:expr $(, $secret:literal)?) => {
        &[
            $(
                concat!("CREATE TABLE IF NOT EXISTS ", $name, " (", $secret, ")"),
                concat!(
                    "UPDATE ", $name, " SET ", $secret, " = zeroblob(length(CAST(", $secret, " AS BLOB)))"
                ),
            )?
            concat!("DROP TABLE IF EXISTS ", $name),
        ]
    };
}

macro_rules! legacy_tables {
    ($($name:literal $(with $secret:literal)?),+) => {
        [$(LegacyTable {
            name: $name,
            drop: drop_table!($name $(, $secret)?),
            #[cfg(feature = "libsql-remote")]
            keep: concat!("ALTER TABLE ", $name, " RENAME TO pre_mtsession_", $name),
            #[cfg(feature = "libsql-remote")]
            drop_kept: drop_table!(concat!("pre_mtsession_", $name) $(, $secret)?),
        }),+]
    };
}

/// The tables of all older generations; what a migration removes.
const LEGACY_TABLES: [LegacyTable; 7] = legacy_tables![
    "meta" with "value",
    "dc_entries" with "auth_key",
    "dcs" with "auth_key",
    "update_state",
    "channel_pts",
    "peers",
    "min_peers"
];

/// Removes the tables of older releases.
pub(super) fn drop_legacy() -> impl Iterator<Item = Statement> {
    let statements = LEGACY_TABLES.into_iter().flat_map(|table| table.drop);
    statements.map(|sql| Statement::new(sql, []))
}

/// Keeps the tables of an older release under other names.
#[cfg(feature = "libsql-remote")]
pub(super) fn keep_legacy(tables: &LegacyTables) -> impl Iterator<Item = Statement> {
    LEGACY_TABLES
        .into_iter()
        .filter(|table| tables.has(table.name))
        .flat_map(|table| table.drop_kept.iter().copied().chain([table.keep]))
        .map(|sql| Statement::new(sql, []))
}

/// Removes what was kept.
#[cfg(feature = "libsql-remote")]
pub(super) fn drop_kept() -> impl Iterator<Item = Statement> {
    let statements = LEGACY_TABLES.into_iter().flat_map(|table| table.drop_kept);
    statements.map(|sql| Statement::new(sql, []))
}

/// Who else keeps sessions in SQLite, by tables that only they have.
const OTHERS: [(&str, &[&str]); 5] = [
    ("mtcute", &["mtcute_migrations"]),
    ("grammers", &["dc_home", "dc_option"]),
    ("Telethon", &["sessions", "entities"]),
    ("Pyrogram (or a fork of it)", &["sessions", "version"]),
    ("libSQL replica metadata, not a session,", &["wallog_meta"]),
];

/// What a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// There are no tables.
    Empty,
    /// Our tables.
    Ours,
    /// One session of layer-client, ferogram or ferogram-session.
    Legacy(LegacyTables),
}

/// Which tables and columns of older releases are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LegacyTables {
    names: Vec<String>,
    peer_columns: Vec<String>,
}

impl LegacyTables {
    pub(super) fn has(&self, table: &str) -> bool {
        self.names.iter().any(|name| name == table)
    }

    pub(super) fn peers_have(&self, column: &str) -> bool {
        self.peer_columns.iter().any(|name| name == column)
    }
}

/// The queries whose rows [`Findings`] collects.
pub(super) fn look() -> [Select; 3] {
    let select = Select::new;
    [
        select("pragma_user_version", "user_version", "pragma_user_version"),
        select(
            "sqlite_schema",
            "name",
            "sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
             AND name NOT LIKE 'libsql\\_%' ESCAPE '\\' \
             AND name NOT LIKE 'pre\\_mtsession\\_%' ESCAPE '\\'",
        ),
        select("peers", "name", "pragma_table_info('peers')"),
    ]
}

/// What a look at a database finds.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) user_version: i64,
    pub(super) tables: Vec<String>,
    pub(super) peer_columns: Vec<String>,
}

impl Findings {
    /// Decides what the database is.
    ///
    /// # Errors
    /// `Unsupported` for a database of a newer release, `InvalidData` for somebody else's.
    pub(super) fn layout(self) -> io::Result<Layout> {
        let has = |table: &str| self.tables.iter().any(|name| name == table);
        if has("account") && has("min_peer") {
            return match self.user_version {
                VERSION => Ok(Layout::Ours),
                newer if newer > VERSION => {
                    let message = format!(
                        "written by a newer release (schema {newer}, this one knows {VERSION}): \
                         update mtsession"
                    );
                    Err(io::Error::new(io::ErrorKind::Unsupported, message))
                }
                other => Err(foreign(&format!(
                    "a database with our tables, but schema number {other}"
                ))),
            };
        }
        if let Some((name, _)) = OTHERS
            .iter()
            .find(|(_, tables)| tables.iter().all(|table| has(table)))
        {
            return Err(foreign(&format!("a database of {name}")));
        }
        if self.tables.is_empty() && self.user_version == 0 {
            return Ok(Layout::Empty);
        }
        let is_known = |name: &String| LEGACY_TABLES.iter().any(|known| known.name == name);
        if has("meta") && (has("dcs") || has("dc_entries")) && self.tables.iter().all(is_known) {
            return Ok(Layout::Legacy(LegacyTables {
                names: self.tables,
                peer_columns: self.peer_columns,
            }));
        }
        let tables = self.tables.join(", ");
        Err(foreign(&format!(
            "a database of something else (schema number {}, tables: {tables})",
            self.user_version
        )))
    }
}

fn foreign(what: &str) -> io::Error {
    let message = format!("it is {what}, not an mtsession or ferogram-session database");
    io::Error::new(io::ErrorKind::InvalidData, message)
}
