//! Answers of servers that are broken, blocked or malicious.

mod http;
mod results;

use std::net::TcpStream;

use serde_json::Value;

use super::{Outcome, respond, whole_answer};

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
}
