//! Whether a database consists of exactly the objects that it must have.
//!
//! What a database runs is in its schema: a view in place of a table, a trigger, a generated column can
//! copy keys or never end. So our objects must be there word by word, and nobody else's may mention
//! them. Tables of other programs in the same database are none of our business: they are never read
//! or written.

use crate::error::kind::StoreErrorKind;
use crate::error::told::told;
use std::io;

/// A row of `sqlite_schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) name: String,
    /// Empty for an index that SQLite makes for a constraint.
    pub(super) sql: String,
}

impl Object {
    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it does something when somebody else is used, or stands for it. Its own statement counts,
    /// not the table that the schema says it is about: that could be a lie.
    fn meddles_with(&self, names: &[&str]) -> bool {
        let is_word = |char: char| char.is_alphanumeric() || char == '_' || char == '$';
        let mentions = || {
            self.sql
                .split(|char| !is_word(char))
                .any(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name)))
        };
        !self.kind.eq_ignore_ascii_case("table") && mentions()
    }
}

/// Refuses a database in which one of `required` is missing, or where one of those or of `optional` is
/// not as it is said here, or where something else mentions them.
pub(super) fn check(found: &[Object], required: &[&str], optional: &[&str]) -> io::Result<()> {
    let ours: Vec<_> = required.iter().chain(optional).copied().collect();
    let names: Vec<_> = ours.iter().map(|sql| kind_and_name(sql).1).collect();
    for object in found {
        let same_name = ours
            .iter()
            .find(|sql| object.is_named(kind_and_name(sql).1));
        match same_name {
            Some(sql) if words(&object.sql).eq(kept_words(sql)) => {}
            Some(_) => {
                let Object { kind, name, .. } = object;
                return Err(refused(&format!("its {kind} {name} is not as it was made")));
            }
            None => check_foreign(object, &names)?,
        }
    }
    for sql in required {
        let (kind, name) = kind_and_name(sql);
        if !found.iter().any(|object| object.is_named(name)) {
            let kind = kind.to_ascii_lowercase();
            return Err(refused(&format!("its {kind} {name} is missing")));
        }
    }
    Ok(())
}

/// Refuses an object of somebody else that mentions one of `names`.
pub(super) fn check_foreign(object: &Object, names: &[&str]) -> io::Result<()> {
    if object.meddles_with(names) {
        let Object { kind, name, .. } = object;
        return Err(refused(&format!(
            "a foreign {kind} {name} is about its tables"
        )));
    }
    Ok(())
}

fn refused(what: &str) -> io::Error {
    let message = format!(
        "its schema is not that of a session database: {what}. Nothing in it is used; restore a backup, \
         or remove what somebody added"
    );
    told(StoreErrorKind::Foreign, message)
}

/// The words of a statement. How they are spaced depends on who made or changed the object.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split_ascii_whitespace()
}

/// The words of a `CREATE` statement of ours, as SQLite keeps them.
fn kept_words(sql: &str) -> impl Iterator<Item = &str> {
    let (head, tail) = sql.split_once("IF NOT EXISTS").unwrap_or((sql, ""));
    words(head).chain(words(tail))
}

/// What a `CREATE` statement of ours makes, and how it is called.
fn kind_and_name(sql: &str) -> (&str, &str) {
    let mut words = kept_words(sql).skip(1);
    (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::{Object, check};

    const REQUIRED: [&str; 2] = [
        "CREATE TABLE dc (id INTEGER)",
        "CREATE INDEX dc_id ON dc (id)",
    ];
    const OPTIONAL: [&str; 1] = ["CREATE TABLE IF NOT EXISTS names (id)"];

    fn object(kind: &str, name: &str, sql: &str) -> Object {
        Object {
            kind: kind.to_owned(),
            name: name.to_owned(),
            sql: sql.to_owned(),
        }
    }

    fn with(more: Object) -> Result<(), String> {
        let mut found = vec![
            object("table", "dc", "CREATE TABLE dc\n(id\tINTEGER)"),
            object("index", "dc_id", "CREATE INDEX dc_id ON dc (id)"),
        ];
        found.push(more);
        check(&found, &REQUIRED, &OPTIONAL).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_ours_word_by_word_and_what_does_not_mention_it_is_accepted() {
        for (kind, name, sql) in [
            ("table", "names", "CREATE TABLE names (id)"),
            ("table", "notes", "CREATE TABLE notes (dc)"),
            ("index", "sqlite_autoindex_notes_1", ""),
            ("index", "n", "CREATE INDEX n ON notes (text)"),
            ("view", "v", "CREATE VIEW v AS SELECT * FROM notes"),
            (
                "trigger",
                "t",
                "CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END",
            ),
        ] {
            assert_eq!(with(object(kind, name, sql)), Ok(()), "{sql}");
        }
    }

    #[test]
    fn what_pretends_to_be_ours_or_mentions_it_is_refused() {
        for (kind, name, sql) in [
            ("view", "NAMES", "CREATE VIEW NAMES AS SELECT 1 id"),
            ("table", "names", "CREATE TABLE names (id, more)"),
            ("index", "other", "CREATE INDEX other ON\"DC\"(id)"),
            ("view", "v", "CREATE VIEW v AS SELECT * FROM[dc]"),
            (
                "trigger",
                "sqlite_x",
                "CREATE TRIGGER t AFTER INSERT ON main.dc BEGIN SELECT 1; END",
            ),
        ] {
            assert!(with(object(kind, name, sql)).is_err(), "{sql}");
        }
        let error = check(&[], &REQUIRED, &[]).unwrap_err().to_string();
        assert!(error.contains("table dc is missing"), "{error}");
    }
}
