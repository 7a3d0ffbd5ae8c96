//! Lists of an account that can be long.

use core::fmt::Write as _;
use std::io;

use super::position;
use crate::backends::sql::row::Row;
use crate::backends::sql::statement::{Select, Statement, Value};
use crate::record::SessionRecord;

/// A list of an account that can be long, as rows of integers.
pub(in crate::backends::sql) trait ListItem: Copy + PartialEq {
    /// The table.
    const TABLE: &'static str;
    /// The columns that are read: the position, and what [`push_json`](Self::push_json) appends.
    const COLUMNS: &'static str;
    /// The table, and which of its rows are read.
    const FROM: &'static str;
    /// Stores many at given positions: `?2` is `[[position, column, …], …]`.
    const REPLACE_MANY: &'static str;
    /// Changes the one at the position `?2`; what is not its identity follows.
    const UPDATE: &'static str;
    /// Removes everything from position `?2` on.
    const TRUNCATE: &'static str;

    /// Reads a row and appends it.
    fn push_row(row: &Row<'_>, to: &mut SessionRecord) -> io::Result<()>;
    /// Appends the columns to a JSON array, each after a comma.
    fn push_json(&self, json: &mut String);
    /// What is not the identity, as parameters.
    fn content(&self) -> impl IntoIterator<Item = Value>;
}

/// The statements of a [`ListItem`]: from its table, its columns with their places in a JSON row, and
/// what an update sets.
macro_rules! list_statements {
    ($table:literal ($first:literal 1 $(, $column:literal $at:literal)*) update ($set:literal)) => {
        const TABLE: &'static str = $table;
        const COLUMNS: &'static str = concat!("position, ", $first $(, ", ", $column)*);
        const FROM: &'static str = of_account!($table);
        const REPLACE_MANY: &'static str = concat!(
            "INSERT INTO ",
            $table,
            " (account, position, ",
            $first,
            $(", ", $column,)*
            ") SELECT accounts.id, value->>0, value->>1",
            $(", value->>", $at,)*
            " FROM accounts, json_each(?2) WHERE name = ?1 \
             ON CONFLICT (account, position) DO UPDATE SET ",
            $first,
            " = excluded.",
            $first,
            $(", ", $column, " = excluded.", $column,)*
        );
        const UPDATE: &'static str = concat!(
            "UPDATE ",
            $table,
            " SET ",
            $set,
            " WHERE account = ",
            account_id!(),
            " AND position = ?2"
        );
        const TRUNCATE: &'static str = concat!("DELETE FROM ", of_account!($table), " AND position >= ?2");
    };
}
pub(super) use list_statements;

/// The most JSON in one parameter: servers refuse texts of several megabytes.
pub(in crate::backends::sql) const MAX_JSON: usize = 512 * 1024;

/// Appends a text to JSON.
pub(in crate::backends::sql) fn json_text(text: &str, json: &mut String) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            control if control < ' ' => {
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

/// The list's rows, in order.
pub(in crate::backends::sql) fn select<T: ListItem>(account: &str) -> Select {
    let select = Select::new(T::TABLE, T::COLUMNS, T::FROM);
    select.bind([account.into()]).list()
}

/// The position of the last row, one less than how many there are; `NULL` where there is none.
pub(in crate::backends::sql) fn select_last<T: ListItem>(account: &str) -> Select {
    Select::new(T::TABLE, "max(position)", T::FROM).bind([account.into()])
}

/// Stores `items` at their positions.
pub(in crate::backends::sql) fn replace_many<T: ListItem>(
    account: &str,
    items: impl Iterator<Item = (usize, T)>,
) -> impl Iterator<Item = Statement> {
    json_chunks(items)
        .map(move |json| Statement::new(T::REPLACE_MANY, [account.into(), Value::Text(json)]))
}

/// The rows as JSON arrays; every text has at least one.
pub(super) fn json_chunks<T: ListItem>(
    items: impl Iterator<Item = (usize, T)>,
) -> impl Iterator<Item = String> {
    let mut items = items.peekable();
    core::iter::from_fn(move || {
        items.peek()?;
        let mut json = String::from("[");
        while json.len() < MAX_JSON {
            let Some((position, item)) = items.next() else {
                break;
            };
            if json.len() > 1 {
                json.push(',');
            }
            let _ = write!(json, "[{position}");
            item.push_json(&mut json);
            json.push(']');
        }
        json.push(']');
        Some(json)
    })
}

/// Changes the item at a position to one of the same identity.
pub(in crate::backends::sql) fn update<T: ListItem>(
    account: &str,
    index: usize,
    item: &T,
) -> Statement {
    let place = [account.into(), position(index)];
    let params: Vec<_> = place.into_iter().chain(item.content()).collect();
    Statement::new(T::UPDATE, params)
}

/// Shortens a list.
pub(in crate::backends::sql) fn truncate<T: ListItem>(account: &str, len: usize) -> Statement {
    Statement::new(T::TRUNCATE, [account.into(), position(len)])
}
