//! Parameters of statements, bound without a copy where that can be.

use super::statement::Value;

/// Binds what is not bound already: mostly the account's name, of which SQLite makes a copy.
pub(super) fn bind(
    prepared: &mut rusqlite::Statement<'_>,
    params: &[Value],
    bound: &[Value],
) -> rusqlite::Result<()> {
    let bound = bound.iter().map(Some).chain(core::iter::repeat(None));
    for ((index, value), bound) in (1..).zip(params).zip(bound) {
        if !bound.is_some_and(|bound| bound.is_same_text(value)) {
            prepared.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::ValueRef as Sqlite;

        let value = match self {
            Self::Null => Sqlite::Null,
            Self::Integer(value) => Sqlite::Integer(*value),
            Self::Text(text) => Sqlite::Text(text.as_bytes()),
            Self::Blob(bytes) => Sqlite::Blob(bytes),
        };
        Ok(rusqlite::types::ToSqlOutput::Borrowed(value))
    }
}
