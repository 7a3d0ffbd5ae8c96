//! Answers whose JSON is wrong.

use serde_json::{Value, json};

use super::Hostile;
use crate::mock_hrana::{Outcome, error, steps_of};

impl Hostile {
    /// Changes the results of the steps.
    pub(super) fn distort(self, outcomes: &mut Vec<Outcome>, request: &Value) {
        let half = outcomes.len() / 2;
        match self {
            Self::EmptyResults => outcomes.clear(),
            Self::AllNull => outcomes.fill((Value::Null, Value::Null)),
            Self::RowsMissing | Self::RowsTwice => {
                for (result, _) in outcomes.iter_mut().filter(|(result, _)| !result.is_null()) {
                    let rows = result["rows"].as_array_mut().unwrap();
                    if self == Self::RowsMissing {
                        rows.clear();
                    } else {
                        rows.extend(rows.clone());
                    }
                }
            }
            Self::RowsTooNarrow => each_row(outcomes, |row| drop(row.pop())),
            Self::RowsTooWide => each_row(outcomes, |row| row.push(json!({ "type": "null" }))),
            Self::CellsNull => each_row(outcomes, |row| row.fill(json!({ "type": "null" }))),
            Self::FirstHalf => outcomes.truncate(half),
            Self::ShorterByOne => drop(outcomes.pop()),
            Self::Longer => outcomes.extend(outcomes.clone()),
            Self::Reversed => outcomes.reverse(),
            Self::LastStepNull => {
                let last = outcomes.iter_mut().rev();
                let mut last = last.skip_while(|(result, _)| result.is_null());
                last.next().unwrap().0 = Value::Null;
            }
            Self::ResultsAndErrors => {
                outcomes
                    .iter_mut()
                    .for_each(|(_, cause)| *cause = error("no", "NO"));
            }
            Self::Ansi => {
                outcomes[0].1 = error("no \u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}", "X\u{1b}[5m");
            }
            Self::ListsNeverEnd => replace_lists(outcomes, request, 50_000, |_| 0),
            Self::ListsGrow => replace_lists(outcomes, request, 50_000, |from| from.max(0)),
            Self::ListsTooLong => replace_lists(outcomes, request, 100_000, |from| from.max(0)),
            _ => self.distort_cells(outcomes),
        }
    }

    /// Changes every cell of a kind.
    fn distort_cells(self, outcomes: &mut [Outcome]) {
        match self {
            Self::HugeInt => each_cell(
                outcomes,
                "integer",
                &json!({ "type": "integer", "value": "9".repeat(40) }),
            ),
            Self::IntAsFloat => {
                each_cell(
                    outcomes,
                    "integer",
                    &json!({ "type": "float", "value": 1e308 }),
                );
            }
            Self::IntAsText => {
                each_cell(
                    outcomes,
                    "integer",
                    &json!({ "type": "text", "value": "1" }),
                );
            }
            Self::WrongBlob => each_cell(
                outcomes,
                "blob",
                &json!({ "type": "blob", "base64": "AAAA" }),
            ),
            Self::BlobAsText => {
                each_cell(
                    outcomes,
                    "blob",
                    &json!({ "type": "text", "value": "AAAA" }),
                );
            }
            _ => {}
        }
    }

    /// Changes what is around the results.
    pub(super) fn distort_answer(self, answer: &mut Value, authorization: &str) {
        let results = &mut answer["results"];
        let stream_error = |message: String| json!([{ "type": "error", "error": error(&message, "STREAM_EXPIRED") }]);
        match self {
            Self::NoResults => *results = json!([]),
            Self::CloseMissing => drop(results.as_array_mut().unwrap().pop()),
            Self::ThreeResults => {
                let close = results[1].clone();
                results.as_array_mut().unwrap().push(close);
            }
            Self::OtherKind => results[0]["response"]["type"] = "execute".into(),
            Self::ErrorsMissing => {
                results[0]["response"]["result"]["step_errors"] = json!([]);
            }
            Self::StreamError => {
                *results = stream_error("stream \u{1b}[31mexpired\u{7}".to_owned());
            }
            Self::TokenEcho => *results = stream_error(format!("bad token {authorization}")),
            Self::Null => *answer = Value::Null,
            Self::Number => *answer = 1.into(),
            _ => {}
        }
    }
}

fn each_row(outcomes: &mut [Outcome], change: impl Fn(&mut Vec<Value>)) {
    for (result, _) in outcomes {
        for row in result["rows"].as_array_mut().into_iter().flatten() {
            change(row.as_array_mut().unwrap());
        }
    }
}

fn each_cell(outcomes: &mut [Outcome], kind: &str, to: &Value) {
    each_row(outcomes, |row| {
        for cell in row.iter_mut().filter(|cell| cell["type"] == kind) {
            *cell = to.clone();
        }
    });
}

/// Puts `count` rows in the place of every list, numbered from what `first` makes of the first number
/// that was asked for.
fn replace_lists(outcomes: &mut [Outcome], request: &Value, count: i64, first: fn(i64) -> i64) {
    for ((result, _), step) in outcomes.iter_mut().zip(steps_of(request)) {
        let sql = step["stmt"]["sql"].as_str().unwrap();
        if result.is_null() || !sql.contains("json_group_array") {
            continue;
        }
        let args = step["stmt"]["args"].as_array().unwrap();
        let from = args[args.len() - 2]["value"].as_str().unwrap();
        let from = first(from.parse().unwrap());
        let columns = sql.split("json_array(").nth(1).unwrap();
        let columns = columns.split("))").next().unwrap().split(", ").count();
        let rest = ",0".repeat(columns - 1);
        let rows: Vec<_> = (from..from + count)
            .map(|n| format!("[{n}{rest}]"))
            .collect();
        let text = format!("[{}]", rows.join(","));
        result["rows"] = json!([[{ "type": "text", "value": text }]]);
    }
}
