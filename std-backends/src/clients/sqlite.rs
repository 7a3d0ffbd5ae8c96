//! Reads the tables of foreign databases by column names.
//!
//! Columns are always named: several libraries add columns with `ALTER TABLE`, so that the order in a
//! fresh file differs from that in a migrated one.

use std::collections::BTreeSet;
use std::path::Path;

use mtsession_core::Counters;
use mtsession_core::clients::Server;
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use crate::clients::address;
use crate::clients::error::ForeignError;
use crate::clients::home::Found;
use crate::clients::left_out::{self, LeftOut};
use crate::sqlite_file::untouched::Untouched;

/// A foreign database, opened for reading.
pub(super) struct Db {
    database: Untouched,
    tables: BTreeSet<String>,
}

impl Db {
    /// Opens the database at `path`, of which nothing changes.
    pub(super) fn open(path: &Path) -> Result<Self, ForeignError> {
        Self::new(Untouched::open(path)?)
    }

    /// The database whose bytes these are.
    pub(super) fn of_bytes(bytes: &[u8]) -> Result<Self, ForeignError> {
        Self::new(Untouched::of_bytes(bytes)?)
    }

    fn new(database: Untouched) -> Result<Self, ForeignError> {
        let tables = database
            .connection
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Self { database, tables })
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.contains(table)
    }

    pub(super) fn columns(&self, table: &str) -> Result<BTreeSet<String>, ForeignError> {
        let mut statement = self
            .database
            .connection
            .prepare("SELECT name FROM pragma_table_info(?1)")?;
        let names = statement.query_map([table], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    pub(super) fn has_column(&self, table: &str, column: &str) -> Result<bool, ForeignError> {
        Ok(self.columns(table)?.contains(column))
    }

    /// Reads a table that the login is in. A row or cell that cannot be read is left out and named;
    /// an error only where the table itself cannot be read.
    pub(super) fn rows<T>(
        &self,
        table: &Table,
        left_out: &mut Vec<LeftOut>,
        mut read: impl FnMut(&mut Cells<'_>) -> Result<T, String>,
    ) -> Result<Vec<T>, ForeignError> {
        let name = table.name;
        let known = self.columns(name)?;
        if known.is_empty() {
            return Err(ForeignError::damaged(format!(
                "its table {name} is missing"
            )));
        }
        let is_missing = |column: &&&'static str| !known.contains(**column);
        if let Some(column) = table.needed.iter().find(is_missing) {
            return Err(ForeignError::MissingColumn {
                table: name,
                column,
            });
        }
        for column in table.expected.iter().filter(is_missing) {
            left_out::add(left_out, name, None, format!("there is no column {column}"));
        }
        let mut statement = self.database.connection.prepare(&table.select(&known))?;
        let mut rows = statement.query([])?;
        let (mut found, mut number) = (Vec::new(), 0_usize);
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(error) if found.is_empty() => return Err(error.into()),
                Err(error) => {
                    let reason = format!("the rest of the table cannot be read: {error}");
                    left_out::add(left_out, name, number.checked_add(1), reason);
                    break;
                }
            };
            number = number.saturating_add(1);
            let mut cells = Cells {
                row,
                table: name,
                number,
                left_out,
            };
            match read(&mut cells) {
                Ok(row) => found.push(row),
                Err(reason) => left_out::add(left_out, name, Some(number), reason),
            }
        }
        Ok(found)
    }

    /// Reads a table that an import can do without.
    pub(super) fn cache<T>(
        &self,
        table: &Table,
        left_out: &mut Vec<LeftOut>,
        read: impl FnMut(&mut Cells<'_>) -> Result<T, String>,
    ) -> Vec<T> {
        match self.rows(table, left_out, read) {
            Ok(rows) => rows,
            Err(error) => {
                left_out::add(left_out, table.name, None, error.to_string());
                Vec::new()
            }
        }
    }

    /// The row of a table that has one update state for the account.
    pub(super) fn account_state(
        &self,
        table: &Table,
        left_out: &mut Vec<LeftOut>,
    ) -> Option<Counters> {
        if !self.has(table.name) {
            return None;
        }
        let states = self.cache(table, left_out, |row| row.counters());
        match *states {
            [] => None,
            [state] => Some(state),
            _ => {
                let reason = format!("{} rows where one is expected", states.len());
                left_out::add(left_out, table.name, None, reason);
                None
            }
        }
    }

    /// The newest number in a table of version numbers. That it has no row, or several, is named.
    pub(super) fn version(&self, table: &Table, left_out: &mut Vec<LeftOut>) -> Option<i64> {
        let column = table.needed.first()?;
        let numbers: Vec<i64> = self.cache(table, left_out, |row| row.get(column));
        if numbers.len() != 1 && self.has(table.name) {
            let reason = format!("{} version numbers where one is expected", numbers.len());
            left_out::add(left_out, table.name, None, reason);
        }
        numbers.into_iter().max()
    }

    /// The number that a program may keep in the database's header.
    pub(super) fn user_version(&self) -> Result<i64, ForeignError> {
        let version = self
            .database
            .connection
            .pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(version)
    }
}

/// A table and its columns.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Without one of these, a row says nothing.
    pub(super) needed: &'static [&'static str],
    /// Every version has these; where one is missing, that is named.
    pub(super) expected: &'static [&'static str],
    /// Some versions have these.
    pub(super) optional: &'static [&'static str],
}

impl Table {
    /// A table that says nothing without any of its columns.
    pub(super) const fn of(name: &'static str, needed: &'static [&'static str]) -> Self {
        Self {
            name,
            needed,
            expected: &[],
            optional: &[],
        }
    }

    /// Reads every column, in the order the rows were written; a missing one reads as NULL.
    fn select(&self, known: &BTreeSet<String>) -> String {
        let columns = [self.needed, self.expected, self.optional];
        let list: Vec<String> = columns
            .into_iter()
            .flatten()
            .map(|column| {
                let is_known = known.contains(*column);
                let value = if is_known {
                    format!("\"{column}\"")
                } else {
                    "NULL".to_owned()
                };
                format!("{value} AS \"{column}\"")
            })
            .collect();
        format!("SELECT {} FROM \"{}\"", list.join(", "), self.name)
    }
}

/// The cells of one row.
pub(super) struct Cells<'r> {
    row: &'r Row<'r>,
    table: &'static str,
    /// Counted from 1.
    pub(super) number: usize,
    left_out: &'r mut Vec<LeftOut>,
}

impl Cells<'_> {
    /// A cell that the row is nothing without.
    pub(super) fn get<T: FromSql>(&self, column: &str) -> Result<T, String> {
        self.row.get(column).map_err(|_| self.oddity(column))
    }

    /// A cell that the row can do without: what cannot be read is left out and named.
    pub(super) fn may<T: FromSql>(&mut self, column: &str) -> Option<T> {
        match self.get::<Option<T>>(column) {
            Ok(value) => value,
            Err(reason) => {
                self.leave_out(reason);
                None
            }
        }
    }

    /// A DC id that can be one.
    pub(super) fn dc_id(&mut self, column: &str) -> Option<i32> {
        let number = self.may(column)?;
        let dc_id = address::dc_id(number);
        if dc_id.is_none() {
            self.leave_out(format!("{column} is one that no DC has"));
        }
        dc_id
    }

    /// The address in the columns `server_address` and `port`, if there is any.
    pub(super) fn server(&mut self) -> Vec<Server> {
        let host: Option<String> = self.may("server_address");
        let port: Option<i64> = self.may("port");
        match address::server(host.as_deref(), port) {
            Ok((server, oddity)) => {
                if let Some(oddity) = oddity {
                    self.leave_out(oddity);
                }
                vec![server]
            }
            // That there is none is named where one is needed.
            Err(oddity) => {
                if host.is_some() {
                    self.leave_out(oddity);
                }
                Vec::new()
            }
        }
    }

    /// The addresses in these columns, each with its port.
    pub(super) fn servers(&mut self, columns: &[&str]) -> Vec<Server> {
        let mut servers = Vec::new();
        for column in columns {
            match self.may::<String>(column).filter(|addr| !addr.is_empty()) {
                None => {}
                Some(addr) => match address::joined(&addr) {
                    Ok(server) => servers.push(server),
                    Err(_) => self.leave_out(format!("{column} is no address")),
                },
            }
        }
        servers
    }

    /// Names a part of the row that is left out.
    pub(super) fn leave_out(&mut self, reason: impl Into<String>) {
        left_out::add(self.left_out, self.table, Some(self.number), reason);
    }

    /// An auth key, whether it is stored as bytes or as text.
    pub(super) fn key(&mut self, column: &str) -> Found {
        match self.row.get_ref(column) {
            Ok(ValueRef::Blob(bytes) | ValueRef::Text(bytes)) => Found::of(bytes),
            Ok(ValueRef::Integer(_) | ValueRef::Real(_)) => Found::Length(8),
            Ok(ValueRef::Null) | Err(_) => Found::Nothing,
        }
    }

    /// The columns `pts`, `qts`, `date` and `seq`; what is NULL is zero.
    pub(super) fn counters(&self) -> Result<Counters, String> {
        let number = |column| {
            self.get::<Option<i32>>(column)
                .map(Option::unwrap_or_default)
        };
        Ok(Counters {
            pts: number("pts")?,
            qts: number("qts")?,
            date: number("date")?,
            seq: number("seq")?,
        })
    }

    /// The update state of the account, or that of a channel, of which only pts means something.
    pub(super) fn state_of(&self, is_account: bool) -> Result<Counters, String> {
        if is_account {
            return self.counters();
        }
        Ok(Counters {
            pts: self.get("pts")?,
            ..Counters::default()
        })
    }

    /// Says what a cell is, not what is in it.
    fn oddity(&self, column: &str) -> String {
        let found = match self.row.get_ref(column) {
            Ok(ValueRef::Null) => "NULL",
            Ok(ValueRef::Integer(_)) => "a number that it cannot be",
            Ok(ValueRef::Real(_)) => "a fraction",
            Ok(ValueRef::Text(text)) if str::from_utf8(text).is_err() => "text that is not UTF-8",
            Ok(ValueRef::Text(_)) => "text",
            Ok(ValueRef::Blob(_)) => "bytes",
            Err(_) => "missing",
        };
        format!("{column} is {found}")
    }
}
