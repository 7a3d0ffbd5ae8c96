//! Telling our databases from others, and the tables of older releases.

use std::io;

use super::definition::{self, VERSION};
use super::schema10;
use super::shape::{self, Object};
use super::statement::{Select, Statement};
use crate::error::kind::StoreErrorKind;
use crate::error::told::{told, told_as};

/// What the constraint `at_most_255_dcs` means.
pub(super) fn too_many_dcs() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "a session holds at most 255 DC entries; nothing was changed",
    )
}

/// The column that gets nothing where the writer does not own the account, as errors name it.
pub(super) const FENCE: &str = "accounts.revisions";

/// Somebody else owns the account.
pub(super) fn somebody_elses() -> io::Error {
    told(
        StoreErrorKind::NotOwner,
        "another program owns the account; nothing was changed",
    )
}

/// Fails, and everything after it in the transaction, unless the database has this schema number: what
/// follows was decided for that one, and somebody may just be changing it.
pub(super) fn only_from(version: i64) -> Statement {
    const SQL: &str = "\
        SELECT json(CASE (SELECT user_version FROM pragma_user_version) WHEN ?1 THEN '0' ELSE 'moved' END)";
    Statement::new(SQL, [version.into()])
}

/// Marks local files with "MTSX", which `file` and other tools show. Servers do not let a client.
pub(super) fn set_application_id() -> Statement {
    Statement::new("PRAGMA application_id = 0x4D545358", [])
}

/// A table of older releases, and what is done with it.
struct LegacyTable {
    name: &'static str,
    drop: &'static [&'static str],
    keep: &'static str,
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
            keep: concat!("ALTER TABLE ", $name, " RENAME TO pre_mtsession_", $name),
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
pub(super) fn keep_legacy(tables: &LegacyTables) -> impl Iterator<Item = Statement> {
    LEGACY_TABLES
        .into_iter()
        .filter(|table| tables.has(table.name))
        .flat_map(|table| table.drop_kept.iter().copied().chain([table.keep]))
        .map(|sql| Statement::new(sql, []))
}

/// Removes what was kept.
pub(super) fn drop_kept() -> impl Iterator<Item = Statement> {
    let statements = LEGACY_TABLES.into_iter().flat_map(|table| table.drop_kept);
    statements.map(|sql| Statement::new(sql, []))
}

/// Who else keeps sessions in SQLite, by tables that only they have.
const OTHERS: [(&str, &[&str]); 7] = [
    ("mtcute", &["mtcute_migrations"]),
    ("grammers", &["dc_home", "dc_option"]),
    ("Telethon", &["sessions", "entities"]),
    ("Telethon 2", &["datacenter", "channelstate"]),
    ("Pyrogram (or a fork of it)", &["sessions", "peers"]),
    ("Telethon or Pyrogram", &["sessions", "version"]),
    ("libSQL replica metadata, not a session,", &["wallog_meta"]),
];

/// What a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// There are no tables.
    Empty,
    /// Our tables.
    Ours,
    /// The tables of schema 10, and those that an older release made next to them.
    Schema10(LegacyTables),
    /// One session of layer-client, ferogram or ferogram-session.
    Legacy(LegacyTables),
}

/// Which tables and columns of older releases are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LegacyTables {
    names: Vec<String>,
    peer_columns: Vec<String>,
    /// The schema number, which those releases leave alone.
    pub(super) user_version: i64,
}

impl LegacyTables {
    pub(super) fn has(&self, table: &str) -> bool {
        self.names.iter().any(|name| name == table)
    }

    pub(super) fn peers_have(&self, column: &str) -> bool {
        self.peer_columns.iter().any(|name| name == column)
    }

    /// Whether they can hold a session.
    pub(super) fn are_whole(&self) -> bool {
        self.has("meta") && (self.has("dcs") || self.has("dc_entries"))
    }
}

/// The queries whose rows [`Findings`] collects.
pub(super) fn look() -> [Select; 3] {
    let select = Select::new;
    [
        select("pragma_user_version", "user_version", "pragma_user_version"),
        select(
            "sqlite_schema",
            "name, type, ifnull(sql,'')",
            "sqlite_schema",
        ),
        select("peers", "name", "pragma_table_info('peers')"),
    ]
}

/// What a look at a database finds.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) user_version: i64,
    pub(super) objects: Vec<Object>,
    pub(super) peer_columns: Vec<String>,
}

impl Findings {
    /// Whether there is a table of names.
    pub(super) fn has_names(&self) -> bool {
        self.objects
            .iter()
            .any(|object| object.kind == "table" && object.name == "names")
    }

    /// Decides what the database is.
    ///
    /// # Errors
    /// `Unsupported` for a database of a newer release, `InvalidData` for somebody else's, and for ours
    /// when it is not exactly as it must be.
    pub(super) fn layout(self) -> io::Result<Layout> {
        let tables = self.tables();
        let has = |table: &str| tables.contains(&table);
        let is_numbered = [VERSION, schema10::VERSION].contains(&self.user_version);
        if has("min_peer")
            || (has("dc") && (has("accounts") || has("account")))
            || (is_numbered && tables.is_empty())
        {
            return self.ours();
        }
        if let Some((name, _)) = OTHERS
            .iter()
            .find(|(_, tables)| tables.iter().all(|table| has(table)))
        {
            return Err(foreign(&format!("a database of {name}")));
        }
        let acts = |object: &Object| object.kind == "view" || object.kind == "trigger";
        if tables.is_empty() && self.user_version == 0 && !self.objects.iter().any(acts) {
            return Ok(Layout::Empty);
        }
        let is_known = |name: &&str| LEGACY_TABLES.iter().any(|known| known.name == *name);
        let legacy = self.legacy();
        if legacy.are_whole() && tables.iter().all(is_known) {
            let names = LEGACY_TABLES.map(|table| table.name);
            for object in &self.objects {
                shape::check_foreign(object, &names)?;
            }
            return Ok(Layout::Legacy(legacy));
        }
        let tables = tables.join(", ");
        Err(foreign(&format!(
            "a database of something else (schema number {}, tables: {tables})",
            self.user_version
        )))
    }

    /// What a database with some of our tables is.
    fn ours(&self) -> io::Result<Layout> {
        match self.user_version {
            VERSION => {
                let objects: Vec<_> = definition::objects().collect();
                shape::check(&self.objects, &objects, &definition::NAMES)?;
                Ok(Layout::Ours)
            }
            schema10::VERSION => {
                shape::check(&self.objects, &schema10::OBJECTS, &schema10::OPTIONAL)?;
                Ok(Layout::Schema10(self.legacy()))
            }
            newer if newer > VERSION => {
                let message = format!(
                    "written by a newer release (schema {newer}, this one knows {VERSION}): \
                     update mtsession"
                );
                let kind = io::ErrorKind::Unsupported;
                Err(told_as(kind, StoreErrorKind::Newer, message))
            }
            other => Err(foreign(&format!(
                "a database with our tables, but schema number {other}"
            ))),
        }
    }

    /// The tables that are not SQLite's, a server's, or kept of an older release.
    fn tables(&self) -> Vec<&str> {
        let is_theirs = |name: &str| {
            ["sqlite_", "libsql_", "pre_mtsession_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        };
        self.objects
            .iter()
            .filter(|object| object.kind == "table" && !is_theirs(&object.name))
            .map(|object| object.name.as_str())
            .collect()
    }

    /// The tables of older releases among them.
    fn legacy(&self) -> LegacyTables {
        let is_legacy = |name: &&str| LEGACY_TABLES.iter().any(|known| known.name == *name);
        let tables = self.tables().into_iter().filter(is_legacy);
        LegacyTables {
            names: tables.map(str::to_owned).collect(),
            peer_columns: self.peer_columns.clone(),
            user_version: self.user_version,
        }
    }
}

fn foreign(what: &str) -> io::Error {
    let message = format!("it is {what}, not an mtsession or ferogram-session database");
    told(StoreErrorKind::Foreign, message)
}
