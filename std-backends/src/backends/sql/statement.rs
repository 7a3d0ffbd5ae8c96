//! What is sent to a database, and what comes back.

use mtsession_core::Certain as _;
use mtsession_core::wire::FencingToken;
use zeroize::Zeroizing;

use crate::unique::unique_number;

/// A value to bind. Blobs may be keys, so they are wiped.
pub(super) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Zeroizing<Vec<u8>>),
}

impl Value {
    /// Whether both are the same text.
    pub(super) fn is_same_text(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Text(one), Self::Text(other)) if one == other)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u8> for Value {
    fn from(value: u8) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Integer(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(Zeroizing::new(value.to_vec()))
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, T::into)
    }
}

/// A value of a row that was read.
#[derive(Clone, Copy)]
pub(super) enum ValueRef<'r> {
    Null,
    Integer(i64),
    Real,
    Text(&'r str),
    Blob(&'r [u8]),
}

/// A statement that changes something.
pub(super) struct Statement {
    pub(super) sql: &'static str,
    pub(super) params: Vec<Value>,
    /// What its last parameters are, which is not known yet.
    missing: Missing,
}

/// Parameters of a statement that are known when it is carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Nothing,
    /// The token of the writer that owns the account.
    Owner,
    /// The account's new revision, and that token.
    RevisionAndOwner,
}

impl Statement {
    pub(super) fn new(sql: &'static str, params: impl Into<Vec<Value>>) -> Self {
        Self {
            sql,
            params: params.into(),
            missing: Missing::Nothing,
        }
    }

    /// One with the token of the writer that owns the account as its last parameter.
    pub(super) fn fenced(sql: &'static str, params: impl Into<Vec<Value>>) -> Self {
        let mut params = params.into();
        params.push(Value::Null);
        Self {
            sql,
            params,
            missing: Missing::Owner,
        }
    }

    /// Whether it gives the account a new revision, and so changes it whatever else it does.
    pub(super) fn is_revising(&self) -> bool {
        self.missing == Missing::RevisionAndOwner
    }

    /// One with the account's new revision and that token as its last parameters.
    pub(super) fn revising(sql: &'static str, params: impl Into<Vec<Value>>) -> Self {
        let mut params = params.into();
        params.extend([Value::Null, Value::Null]);
        Self {
            sql,
            params,
            missing: Missing::RevisionAndOwner,
        }
    }

    /// Draws a revision for all of them, and says who writes; `None` where none takes a revision.
    pub(super) fn revise(statements: &mut [Self], owner: Option<FencingToken>) -> Option<String> {
        let mut revision = None;
        for statement in statements {
            let missing = statement.missing;
            let mut last = statement.params.iter_mut().rev();
            if missing != Missing::Nothing
                && let Some(param) = last.next()
            {
                *param = owner.as_ref().map(|owner| &owner[..]).into();
            }
            if missing == Missing::RevisionAndOwner
                && let Some(param) = last.next()
            {
                let revision: &String =
                    revision.get_or_insert_with(|| format!("{:016x}", unique_number()));
                *param = Value::Text(revision.clone());
            }
        }
        revision
    }
}

/// A query of one table.
pub(super) struct Select {
    /// The table, for messages about damaged rows.
    pub(super) table: &'static str,
    /// Column names, with `, ` between them and in none of them; the first one says which row it is.
    pub(super) columns: &'static str,
    /// What follows `FROM`, with its condition.
    pub(super) from: &'static str,
    pub(super) params: Vec<Value>,
    /// Whether the rows can be many. Then all of them are integers, the condition ends in `true` or
    /// a comparison, and the first column orders them.
    pub(super) is_list: bool,
    /// What comes before the query, where it is of another schema.
    pub(super) prefix: &'static str,
}

impl Select {
    /// A query of few rows, without parameters.
    pub(super) const fn new(
        table: &'static str,
        columns: &'static str,
        from: &'static str,
    ) -> Self {
        Self {
            table,
            columns,
            from,
            params: Vec::new(),
            is_list: false,
            prefix: "",
        }
    }

    /// The same with values for its parameters.
    pub(super) fn bind(self, params: impl Into<Vec<Value>>) -> Self {
        Self {
            params: params.into(),
            ..self
        }
    }

    /// The same as a list.
    pub(super) fn list(self) -> Self {
        Self {
            is_list: true,
            ..self
        }
    }

    /// The whole query in one, without the numbers of [numbered](Self::numbered_columns) rows.
    pub(super) fn sql(&self) -> String {
        let Self {
            columns,
            from,
            prefix,
            ..
        } = self;
        if self.is_list {
            let key = self.key();
            let columns = self.numbered_columns().unwrap_or(columns);
            format!("{prefix}SELECT {columns} FROM {from} ORDER BY {key}")
        } else {
            format!("{prefix}SELECT {columns} FROM {from}")
        }
    }

    /// The other columns of a list whose rows are numbered from 0 without gaps: their numbers need not
    /// be read, which is a tenth of what reading them costs.
    pub(super) fn numbered_columns(&self) -> Option<&'static str> {
        let columns = self.columns.strip_prefix("position, ")?;
        self.is_list.then_some(columns)
    }

    /// The first column.
    pub(super) fn key(&self) -> &'static str {
        let mut columns = self.columns.split(", ");
        columns
            .next()
            .certain("a text has a part before its first comma")
    }
}
