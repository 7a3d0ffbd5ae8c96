//! Reading rows that may be damaged.

use core::fmt;
use std::io;

use mtsession_core::AUTH_KEY_LEN;

use super::statement::{Select, ValueRef};

/// One row; every error names table, column and row.
pub(super) struct Row<'r> {
    select: &'r Select,
    values: &'r [ValueRef<'r>],
}

impl<'r> Row<'r> {
    pub(super) fn new(select: &'r Select, values: &'r [ValueRef<'r>]) -> Self {
        Self { select, values }
    }

    fn value(&self, column: usize) -> ValueRef<'r> {
        self.values.get(column).copied().unwrap_or(ValueRef::Null)
    }

    pub(super) fn optional_i64(&self, column: usize) -> io::Result<Option<i64>> {
        match self.value(column) {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            other => Err(self.wrong_type(column, other, "a number")),
        }
    }

    pub(super) fn i64(&self, column: usize) -> io::Result<i64> {
        self.optional_i64(column)?
            .ok_or_else(|| self.wrong_type(column, ValueRef::Null, "a number"))
    }

    /// A number within the range of `T`.
    pub(super) fn number<T: TryFrom<i64>>(&self, column: usize) -> io::Result<T> {
        let value = self.i64(column)?;
        T::try_from(value).map_err(|_| self.out_of_range(column, value))
    }

    pub(super) fn optional_number<T: TryFrom<i64>>(&self, column: usize) -> io::Result<Option<T>> {
        match self.optional_i64(column)? {
            None => Ok(None),
            Some(_) => self.number(column).map(Some),
        }
    }

    pub(super) fn bool(&self, column: usize) -> io::Result<bool> {
        match self.i64(column)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(self.out_of_range(column, value)),
        }
    }

    pub(super) fn optional_bool(&self, column: usize) -> io::Result<Option<bool>> {
        match self.optional_i64(column)? {
            None => Ok(None),
            Some(_) => self.bool(column).map(Some),
        }
    }

    pub(super) fn text(&self, column: usize) -> io::Result<&'r str> {
        match self.value(column) {
            ValueRef::Text(text) => Ok(text),
            other => Err(self.wrong_type(column, other, "text")),
        }
    }

    pub(super) fn optional_blob(&self, column: usize) -> io::Result<Option<&'r [u8]>> {
        match self.value(column) {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            other => Err(self.wrong_type(column, other, "bytes")),
        }
    }

    pub(super) fn optional_key(&self, column: usize) -> io::Result<Option<&'r [u8; AUTH_KEY_LEN]>> {
        let Some(bytes) = self.optional_blob(column)? else {
            return Ok(None);
        };
        let key = bytes.try_into().map_err(|_| {
            self.damage(
                column,
                format_args!("holds {} bytes, an auth key has 256", bytes.len()),
            )
        })?;
        Ok(Some(key))
    }

    /// A number that may have been stored as text: the first generations did.
    pub(super) fn lenient_i32(&self, column: usize) -> io::Result<i32> {
        match self.value(column) {
            ValueRef::Text(text) => text
                .parse()
                .map_err(|_| self.damage(column, "holds text that is no number")),
            _ => self.number(column),
        }
    }

    /// Compares the checksum in a column, which older releases did not write.
    pub(super) fn check(&self, column: usize, expected: i64) -> io::Result<()> {
        match self.optional_i64(column)? {
            None => Ok(()),
            Some(crc) if crc == expected => Ok(()),
            Some(_) => Err(self.damage(
                column,
                "does not fit the row: something in it was changed on the disk; restore a backup, or \
                 log in anew",
            )),
        }
    }

    pub(super) fn out_of_range(&self, column: usize, value: i64) -> io::Error {
        self.damage(column, format_args!("holds {value}, which is out of range"))
    }

    fn wrong_type(&self, column: usize, found: ValueRef<'_>, expected: &str) -> io::Error {
        let found = match found {
            ValueRef::Null => "nothing",
            ValueRef::Integer(_) => "a number",
            ValueRef::Real => "a fraction",
            ValueRef::Text(_) => "text",
            ValueRef::Blob(_) => "bytes",
        };
        self.damage(
            column,
            format_args!("holds {found}, where {expected} belongs"),
        )
    }

    fn damage(&self, column: usize, what: impl fmt::Display) -> io::Error {
        let table = self.select.table;
        let column = self.select.columns.split(", ").nth(column).unwrap_or("?");
        let message = match self.value(0) {
            ValueRef::Integer(row) => {
                format!("column {column} of table {table}, row {row}, {what}")
            }
            ValueRef::Text(row) => format!("column {column} of table {table}, row {row:?}, {what}"),
            _ => format!("column {column} of table {table} {what}"),
        };
        io::Error::new(io::ErrorKind::InvalidData, message)
    }
}
