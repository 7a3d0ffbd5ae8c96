//! Reading rows from a database file.

use std::io;

use super::connection::OnRow;
use super::local_bind::bind;
use super::local_open::{Moment, Open};
use super::statement::{Select, Value, ValueRef};

/// Most columns of any query.
const MAX_COLUMNS: usize = 13;

/// Gives the rows of all selects, as of the moment that is returned. The outer error is SQLite's, the inner
/// one the receiver's.
pub(super) fn read_all(
    open: &Open,
    selects: &[Select],
    on_row: &mut OnRow<'_>,
) -> rusqlite::Result<(io::Result<()>, Moment)> {
    // While writers are kept out, the transaction of that has begun.
    let transaction = open
        .database
        .is_autocommit()
        .then(|| open.database.unchecked_transaction())
        .transpose()?;
    let database = &open.database;
    let mut result = Ok(());
    'selects: for (index, select) in selects.iter().enumerate() {
        let mut prepared = database.prepare_cached(&select.sql())?;
        bind(&mut prepared, &select.params, &[])?;
        let columns = prepared.column_count();
        let is_numbered = select.numbered_columns().is_some();
        let mut rows = prepared.raw_query();
        let mut number = 0_i64..;
        open.progress.is_made();
        while let Some(row) = rows.next()? {
            open.progress.is_made();
            let mut values = [ValueRef::Null; MAX_COLUMNS];
            let (numbers, read) = values.split_at_mut(usize::from(is_numbered));
            for (value, number) in numbers.iter_mut().zip(&mut number) {
                *value = ValueRef::Integer(number);
            }
            for (column, value) in read.iter_mut().enumerate().take(columns) {
                *value = value_ref(row.get_ref(column)?);
            }
            result = on_row(index, &values);
            if result.is_err() {
                break 'selects;
            }
        }
    }
    let moment = open.moment()?;
    if let Some(transaction) = transaction {
        transaction.commit()?;
    }
    Ok((result, moment))
}

/// Rows that are kept until it is known that they belong together.
#[derive(Default)]
pub(super) struct Rows(Vec<(usize, Vec<Cell>)>);

enum Cell {
    Value(Value),
    Real,
}

impl Rows {
    #[expect(clippy::unnecessary_wraps, reason = "what receives rows may fail")]
    pub(super) fn keep(&mut self, index: usize, row: &[ValueRef<'_>]) -> io::Result<()> {
        let cell = |value: &ValueRef<'_>| match *value {
            ValueRef::Null => Cell::Value(Value::Null),
            ValueRef::Integer(value) => Cell::Value(value.into()),
            ValueRef::Real => Cell::Real,
            ValueRef::Text(text) => Cell::Value(text.into()),
            ValueRef::Blob(bytes) => Cell::Value(bytes.into()),
        };
        self.0.push((index, row.iter().map(cell).collect()));
        Ok(())
    }

    pub(super) fn give(&self, on_row: &mut OnRow<'_>) -> io::Result<()> {
        self.0.iter().try_for_each(|(index, row)| {
            let values: Vec<_> = row.iter().map(Cell::as_ref).collect();
            on_row(*index, &values)
        })
    }
}

impl Cell {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Value(Value::Null) => ValueRef::Null,
            Self::Value(Value::Integer(value)) => ValueRef::Integer(*value),
            Self::Value(Value::Text(text)) => ValueRef::Text(text),
            Self::Value(Value::Blob(bytes)) => ValueRef::Blob(bytes),
            Self::Real => ValueRef::Real,
        }
    }
}

fn value_ref(value: rusqlite::types::ValueRef<'_>) -> ValueRef<'_> {
    use rusqlite::types::ValueRef as Sqlite;

    match value {
        Sqlite::Null => ValueRef::Null,
        Sqlite::Integer(value) => ValueRef::Integer(value),
        Sqlite::Real(_) => ValueRef::Real,
        // What is no UTF-8 is no text, whatever its column says.
        Sqlite::Text(bytes) => {
            core::str::from_utf8(bytes).map_or(ValueRef::Blob(bytes), ValueRef::Text)
        }
        Sqlite::Blob(bytes) => ValueRef::Blob(bytes),
    }
}
