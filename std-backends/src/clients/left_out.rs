//! What could not be read of a session whose key could: named, never a reason to refuse.

use core::fmt;

use crate::shown::Shown;

/// Something that was left out of an [`Import`](crate::clients::Import), because it could not be read.
///
/// Several rows of one table with the same fault are one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Where it stands: a table, a file, or a part of one.
    pub place: String,
    /// The row of the table, counted from 1; the first where there are several.
    pub row: Option<usize>,
    /// How many rows have this fault.
    pub count: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Different faults that are told apart; a file of rubbish has more than anybody reads.
const MOST: usize = 200;

/// Adds one thing to a list.
pub(super) fn add(
    list: &mut Vec<LeftOut>,
    place: &str,
    row: Option<usize>,
    reason: impl Into<String>,
) {
    let reason = reason.into();
    let known = |other: &&mut LeftOut| other.place == place && other.reason == reason;
    if let Some(known) = list.iter_mut().find(known) {
        known.count = known.count.saturating_add(1);
        return;
    }
    if list.len() >= MOST {
        return match list.last_mut() {
            Some(last) if last.place == "others" => last.count = last.count.saturating_add(1),
            _ => list.push(LeftOut {
                place: "others".to_owned(),
                row: None,
                count: 1,
                reason: "too many different faults to name each".to_owned(),
            }),
        };
    }
    list.push(LeftOut {
        place: place.to_owned(),
        row,
        count: 1,
        reason,
    });
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            row,
            count,
            reason,
        } = self;
        let (place, reason) = (Shown(place), Shown(reason));
        match (row, count) {
            (Some(row), 1) => write!(f, "{place}, row {row}: {reason}"),
            (Some(row), count) => {
                write!(f, "{place}, {count} rows, the first is row {row}: {reason}")
            }
            (None, 1) => write!(f, "{place}: {reason}"),
            (None, count) => write!(f, "{place}, {count} times: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_fault_of_many_rows_is_one_entry_and_a_list_ends() {
        let mut list = Vec::new();
        for row in 1..=1000 {
            add(&mut list, "entities", Some(row), "id is 0");
        }
        assert_eq!(list.len(), 1);
        let said = list[0].to_string();
        assert_eq!(said, "entities, 1000 rows, the first is row 1: id is 0");
        for number in 0..1000 {
            add(&mut list, "file", None, format!("fault {number}"));
        }
        assert_eq!(list.len(), MOST + 1);
        assert_eq!(
            list.iter().map(|left_out| left_out.count).sum::<usize>(),
            2000
        );
    }
}
