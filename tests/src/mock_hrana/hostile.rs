//! Answers of servers that are broken, blocked or malicious.

use std::io::{self, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::{Outcome, error, respond, steps_of, whole_answer};

/// What is wrong with every answer. The request itself was carried out, unless the answer is one that
/// means that it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hostile {
    /// The first statement of a transaction finds the database busy.
    BeginBusy,
    /// The first statement of a transaction is refused, as sqld does for a plan that has ended.
    BeginBlocked,
    /// Only writers find the database busy.
    WritesBusy,
    /// The commit fails, and nothing was stored.
    CommitFails,
    EmptyResults,
    AllNull,
    RowsMissing,
    RowsTooNarrow,
    RowsTooWide,
    RowsTwice,
    CellsNull,
    FirstHalf,
    ShorterByOne,
    Longer,
    Reversed,
    /// Every step but the last has its result.
    LastStepNull,
    /// Every step has its result and an error as well.
    ResultsAndErrors,
    /// There are fewer errors than results.
    ErrorsMissing,
    NoResults,
    /// The answer to the last request is missing.
    CloseMissing,
    ThreeResults,
    /// The results of another kind of request.
    OtherKind,
    /// One error for the whole stream.
    StreamError,
    /// An error with control characters.
    Ansi,
    HugeInt,
    IntAsFloat,
    IntAsText,
    WrongBlob,
    BlobAsText,
    /// Lists without a last page, which begin anew each time.
    ListsNeverEnd,
    /// Lists without a last page, in order.
    ListsGrow,
    /// More rows than were asked for.
    ListsTooLong,
    /// JSON of another kind.
    Null,
    Number,
    Nested,
    Html,
    NotUtf8,
    Endless,
    EndlessChunks,
    EndlessHeader,
    HugeLength,
    NegativeLength,
    TwoLengths,
    Drip,
    Silent,
    Gzip,
    Redirect,
    Status(u16),
    /// Overloaded, and says so with a very long wait.
    RetryForever,
    TokenEcho,
    /// Right, in HTTP 1.0.
    Http10,
    /// Right, with a cookie.
    Cookie,
}

impl Hostile {
    /// All of them.
    pub const ALL: [Self; 57] = [
        Self::BeginBusy,
        Self::BeginBlocked,
        Self::WritesBusy,
        Self::CommitFails,
        Self::EmptyResults,
        Self::AllNull,
        Self::RowsMissing,
        Self::RowsTooNarrow,
        Self::RowsTooWide,
        Self::RowsTwice,
        Self::CellsNull,
        Self::FirstHalf,
        Self::ShorterByOne,
        Self::Longer,
        Self::Reversed,
        Self::LastStepNull,
        Self::ResultsAndErrors,
        Self::ErrorsMissing,
        Self::NoResults,
        Self::CloseMissing,
        Self::ThreeResults,
        Self::OtherKind,
        Self::StreamError,
        Self::Ansi,
        Self::HugeInt,
        Self::IntAsFloat,
        Self::IntAsText,
        Self::WrongBlob,
        Self::BlobAsText,
        Self::ListsNeverEnd,
        Self::ListsGrow,
        Self::ListsTooLong,
        Self::Null,
        Self::Number,
        Self::Nested,
        Self::Html,
        Self::NotUtf8,
        Self::Endless,
        Self::EndlessChunks,
        Self::EndlessHeader,
        Self::HugeLength,
        Self::NegativeLength,
        Self::TwoLengths,
        Self::Drip,
        Self::Silent,
        Self::Gzip,
        Self::Redirect,
        Self::Status(400),
        Self::Status(401),
        Self::Status(403),
        Self::Status(429),
        Self::Status(500),
        Self::Status(503),
        Self::RetryForever,
        Self::TokenEcho,
        Self::Http10,
        Self::Cookie,
    ];

    /// Whether everything that matters is right.
    #[must_use]
    pub fn is_right(self) -> bool {
        matches!(self, Self::Http10 | Self::Cookie)
    }

    /// Whether a client that waits for the end of the answer waits for ever.
    #[must_use]
    pub fn never_ends(self) -> bool {
        matches!(
            self,
            Self::Endless
                | Self::EndlessChunks
                | Self::EndlessHeader
                | Self::HugeLength
                | Self::Drip
                | Self::Silent
        )
    }

    /// Whether nothing can follow the answer.
    pub(super) fn ends_connection(self) -> bool {
        self.never_ends() || matches!(self, Self::NegativeLength | Self::TwoLengths | Self::Http10)
    }

    /// The beginning of the step that is not carried out, and the code of its error.
    pub(super) fn refused_step(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::BeginBusy => Some(("BEGIN", "SQLITE_BUSY")),
            Self::BeginBlocked
            | Self::Ansi
            | Self::EmptyResults
            | Self::AllNull
            | Self::Redirect => Some(("BEGIN", "BLOCKED")),
            Self::Status(status) if status < 500 => Some(("BEGIN", "BLOCKED")),
            Self::WritesBusy => Some(("BEGIN IMMEDIATE", "SQLITE_BUSY")),
            Self::CommitFails => Some(("COMMIT", "TRANSACTION_TIMEOUT")),
            _ => None,
        }
    }

    /// Answers.
    pub(super) fn answer(
        self,
        stream: &mut TcpStream,
        request: &Value,
        mut outcomes: Vec<Outcome>,
        authorization: &str,
    ) {
        if self
            .answer_in_http(stream, &outcomes, authorization)
            .is_none()
        {
            self.distort(&mut outcomes, request);
            let mut answer = whole_answer(&outcomes);
            self.distort_answer(&mut answer, authorization);
            respond(stream, 200, &answer.to_string());
        }
    }

    /// Changes the results of the steps.
    fn distort(self, outcomes: &mut Vec<Outcome>, request: &Value) {
        let half = outcomes.len() / 2;
        let each_row = |outcomes: &mut Vec<Outcome>, change: &dyn Fn(&mut Vec<Value>)| {
            for (result, _) in outcomes {
                for row in result["rows"].as_array_mut().into_iter().flatten() {
                    change(row.as_array_mut().unwrap());
                }
            }
        };
        let each_cell = |outcomes: &mut Vec<Outcome>, kind: &str, to: Value| {
            each_row(outcomes, &|row| {
                for cell in row.iter_mut().filter(|cell| cell["type"] == kind) {
                    *cell = to.clone();
                }
            });
        };
        let blob = || json!({ "type": "blob", "base64": "AAAA" });
        let integer = |value: &str| json!({ "type": "integer", "value": value });
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
            Self::RowsTooNarrow => each_row(outcomes, &|row| drop(row.pop())),
            Self::RowsTooWide => each_row(outcomes, &|row| row.push(json!({ "type": "null" }))),
            Self::CellsNull => each_row(outcomes, &|row| row.fill(json!({ "type": "null" }))),
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
            Self::HugeInt => each_cell(outcomes, "integer", integer(&"9".repeat(40))),
            Self::IntAsFloat => {
                each_cell(
                    outcomes,
                    "integer",
                    json!({ "type": "float", "value": 1e308 }),
                );
            }
            Self::IntAsText => {
                each_cell(outcomes, "integer", json!({ "type": "text", "value": "1" }));
            }
            Self::WrongBlob => each_cell(outcomes, "blob", blob()),
            Self::BlobAsText => {
                each_cell(outcomes, "blob", json!({ "type": "text", "value": "AAAA" }));
            }
            Self::ListsNeverEnd => replace_lists(outcomes, request, 50_000, |_| 0),
            Self::ListsGrow => replace_lists(outcomes, request, 50_000, |from| from.max(0)),
            Self::ListsTooLong => replace_lists(outcomes, request, 100_000, |from| from.max(0)),
            _ => {}
        }
    }

    /// Changes what is around the results.
    fn distort_answer(self, answer: &mut Value, authorization: &str) {
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

    /// Answers that are wrong before they are JSON. `None` where they are not.
    fn answer_in_http(
        self,
        stream: &mut TcpStream,
        outcomes: &[Outcome],
        authorization: &str,
    ) -> Option<io::Result<()>> {
        let right = || whole_answer(outcomes).to_string();
        let mut send = |head: &str, body: &[u8]| {
            stream.write_all(head.replace('\n', "\r\n").as_bytes())?;
            stream.write_all(body)
        };
        let refusal = format!("{{\"error\":\"storm {authorization} \\u001b[31m\"}}");
        Some(match self {
            Self::Html => send("HTTP/1.1 200 OK\ncontent-length: 6\n\n", b"<html>"),
            Self::NotUtf8 => send("HTTP/1.1 200 OK\ncontent-length: 4\n\n", b"\"\xff\xfe\""),
            Self::Nested => {
                let body = [
                    &b"{\"results\":"[..],
                    "[".repeat(200_000).as_bytes(),
                    "]".repeat(200_000).as_bytes(),
                    b"}",
                ]
                .concat();
                let head = format!("HTTP/1.1 200 OK\ncontent-length: {}\n\n", body.len());
                send(&head, &body)
            }
            Self::Endless => forever(
                stream,
                "HTTP/1.1 200 OK\r\n\r\n",
                " ".repeat(65_536).as_bytes(),
            ),
            Self::EndlessChunks => {
                let chunk = [&b"10000\r\n"[..], " ".repeat(65_536).as_bytes(), b"\r\n"].concat();
                forever(
                    stream,
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
                    &chunk,
                )
            }
            Self::EndlessHeader => {
                let header = [&b"x-a: "[..], "b".repeat(8_000).as_bytes(), b"\r\n"].concat();
                forever(stream, "HTTP/1.1 200 OK\r\n", &header)
            }
            Self::HugeLength => {
                let sent = send("HTTP/1.1 200 OK\ncontent-length: 99999999999999\n\n", b"{");
                wait_for_the_end(stream);
                sent
            }
            Self::NegativeLength => send("HTTP/1.1 200 OK\ncontent-length: -1\n\n", b"{}"),
            Self::TwoLengths => send(
                "HTTP/1.1 200 OK\ncontent-length: 2\ncontent-length: 400\n\n",
                b"{}",
            ),
            // One byte, and then none for as long as anybody waits.
            Self::Drip => {
                let sent = send("HTTP/1.1 200 OK\ncontent-length: 100000\n\n", b" ");
                wait_for_the_end(stream);
                sent
            }
            Self::Silent => {
                wait_for_the_end(stream);
                Ok(())
            }
            Self::Gzip => {
                let head = "HTTP/1.1 200 OK\ncontent-encoding: gzip\ncontent-length: 10\n\n";
                send(head, b"\x1f\x8b\x08\0\0\0\0\0\x02\x03")
            }
            Self::Redirect => {
                let elsewhere = "http://127.0.0.1:9/stolen";
                let head = "HTTP/1.1 307 Temporary Redirect\ncontent-length: 0\nlocation: ";
                send(&format!("{head}{elsewhere}\n\n"), b"")
            }
            Self::Status(status) => {
                let length = refusal.len();
                let head =
                    format!("HTTP/1.1 {status} X\nretry-after: 1\ncontent-length: {length}\n\n");
                send(&head, refusal.as_bytes())
            }
            Self::RetryForever => send(
                "HTTP/1.1 503 X\nretry-after: 999999999999\ncontent-length: 0\n\n",
                b"",
            ),
            Self::Http10 => send("HTTP/1.0 200 OK\n\n", right().as_bytes()),
            Self::Cookie => {
                let answer = right();
                let length = answer.len();
                let head = "HTTP/1.1 200 OK\nset-cookie: track=me; path=/\ncontent-length: ";
                send(&format!("{head}{length}\n\n"), answer.as_bytes())
            }
            _ => return None,
        })
    }
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

/// Sends the same until nobody listens any more.
fn forever(stream: &mut TcpStream, head: &str, part: &[u8]) -> io::Result<()> {
    stream.write_all(head.as_bytes())?;
    loop {
        stream.write_all(part)?;
    }
}

/// Until the other side gives up.
fn wait_for_the_end(stream: &mut TcpStream) {
    let _ = io::copy(stream, &mut io::sink());
}
