//! What one request reads of a select: all of its rows, or a page of a long list.

use std::io;

use mtsession_core::Certain as _;

use super::failure::Failure;
use super::hrana::Answer;
use super::packed::Packed;
use super::value::Cell;
use crate::backends::sql::connection::OnRow;
use crate::backends::sql::statement::{Select, Value, ValueRef};

/// How many rows of a list one answer holds. Servers refuse answers over 10 MB; a row is 50 bytes.
const PAGE: i64 = 50_000;

/// Tables that have exactly one row, whatever the database is.
const OF_ONE_ROW: [&str; 1] = ["pragma_user_version"];

/// A select and what came of it so far.
pub(super) struct Page<'s> {
    select: &'s Select,
    index: usize,
    /// Where the next page of a list begins.
    from: Value,
    limit: Value,
    rows: PageRows,
    is_last: bool,
}

enum PageRows {
    Packed(Packed),
    Plain(Vec<Vec<Cell<'static>>>),
}

impl<'s> Page<'s> {
    pub(super) fn first(index: usize, select: &'s Select) -> Self {
        Self {
            select,
            index,
            from: Value::Integer(i64::MIN),
            limit: Value::Integer(PAGE),
            rows: PageRows::Plain(Vec::new()),
            is_last: true,
        }
    }

    pub(super) fn sql(&self) -> String {
        let Select {
            columns,
            from,
            params,
            prefix,
            ..
        } = self.select;
        if !self.select.is_list {
            return self.select.sql();
        }
        let key = self.select.key();
        let first = params.len().saturating_add(1);
        let limit = params.len().saturating_add(2);
        // Packed into one text, a row is a fifth of what it is as Hrana's values.
        format!(
            "{prefix}SELECT json_group_array(json_array({columns})) FROM (SELECT * FROM {from} \
             AND {key} >= ?{first} ORDER BY {key} LIMIT ?{limit})"
        )
    }

    pub(super) fn params(&self) -> impl Iterator<Item = &Value> {
        let paging = self.select.is_list.then_some([&self.from, &self.limit]);
        self.select
            .params
            .iter()
            .chain(paging.into_iter().flatten())
    }

    /// Takes the rows of a step, and counts them down from `rows_left`.
    pub(super) fn take(
        &mut self,
        answer: &Answer<'_>,
        step: usize,
        rows_left: &mut usize,
    ) -> Result<(), Failure> {
        let width = self.select.columns.split(", ").count();
        let count = if self.select.is_list {
            self.take_list(answer, step, width)?
        } else {
            let rows = answer.rows(step, width)?;
            if OF_ONE_ROW.contains(&self.select.table) {
                answer.row(step, width)?;
            }
            let owned = |row: &Vec<_>| row.iter().map(Cell::to_owned_cell).collect();
            self.rows = PageRows::Plain(rows.iter().map(owned).collect());
            rows.len()
        };
        match rows_left.checked_sub(count) {
            Some(left) => *rows_left = left,
            None => return Err(too_many_rows()),
        }
        Ok(())
    }

    fn take_list(
        &mut self,
        answer: &Answer<'_>,
        step: usize,
        width: usize,
    ) -> Result<usize, Failure> {
        let text = match answer.row(step, 1)? {
            [text] => text.value_ref(),
            _ => ValueRef::Null,
        };
        let ValueRef::Text(text) = text else {
            return Err(Failure::garbled("a list that is not text"));
        };
        let packed = Packed::decode(text, width)
            .ok_or_else(|| Failure::garbled("a list that is none of rows of numbers"))?;
        let Value::Integer(mut next) = self.from else {
            return Err(Failure::garbled("a list without a beginning"));
        };
        let len =
            i64::try_from(packed.len()).certain("a list in memory has no more than 2^63 items");
        // A page that begins anew, or is longer than was asked for, comes from a list without an end.
        let mut is_over = false;
        for key in packed.keys() {
            match key {
                Some(key) if key >= next && !is_over => {
                    is_over = key == i64::MAX;
                    next = key.saturating_add(1);
                }
                _ => return Err(Failure::garbled("a list out of order")),
            }
        }
        if len > PAGE {
            return Err(Failure::garbled("more rows than were asked for"));
        }
        self.is_last = len < PAGE || is_over;
        self.from = Value::Integer(next);
        let count = packed.len();
        self.rows = PageRows::Packed(packed);
        Ok(count)
    }

    pub(super) fn give(&self, on_row: &mut OnRow<'_>) -> io::Result<()> {
        match &self.rows {
            PageRows::Packed(packed) => packed.rows().try_for_each(|row| on_row(self.index, &row)),
            PageRows::Plain(rows) => rows.iter().try_for_each(|row| {
                let values: Vec<_> = row.iter().map(Cell::value_ref).collect();
                on_row(self.index, &values)
            }),
        }
    }

    /// The page after this one.
    pub(super) fn next(&self) -> Option<Self> {
        let Value::Integer(from) = self.from else {
            return None;
        };
        (!self.is_last).then(|| Self {
            from: Value::Integer(from),
            ..Self::first(self.index, self.select)
        })
    }
}

fn too_many_rows() -> Failure {
    let message = "the server sends more rows than a call takes: if the session is that large, raise \
                   RemoteOptions::max_rows";
    Failure::refused(io::ErrorKind::InvalidData, message)
}
