//! Hrana 3 over HTTP, as libSQL servers speak it: one batch of steps in one request, and an answer that
//! is believed only if it has exactly the shape of the question.
//!
//! <https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md>

use core::fmt;
use std::borrow::Cow;
use std::io;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::value::Cell;
use crate::backends::sql::schema;
use crate::backends::sql::statement::Value;

/// One statement of a batch.
#[derive(Serialize)]
struct Step<'s> {
    stmt: Stmt<'s>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

#[derive(Serialize)]
struct Stmt<'s> {
    sql: Cow<'s, str>,
    args: Vec<&'s Value>,
}

/// When a step is carried out; numbers are those of earlier steps.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Condition {
    Ok { step: usize },
    Not { cond: Box<Self> },
    And { conds: Vec<Self> },
    IsAutocommit,
}

impl Condition {
    /// Some transaction is open.
    pub(super) fn in_transaction() -> Self {
        Self::Not {
            cond: Box::new(Self::IsAutocommit),
        }
    }

    /// `step` was carried out, and the transaction is still open: some errors end it, and what follows
    /// would be stored by itself.
    pub(super) fn after(step: usize) -> Self {
        Self::And {
            conds: vec![Self::Ok { step }, Self::in_transaction()],
        }
    }
}

/// Steps that go to the server together.
#[derive(Default)]
pub(super) struct Batch<'s> {
    steps: Vec<Step<'s>>,
    /// How long the values are, to encode them without leaving copies of keys.
    bytes: usize,
}

impl<'s> Batch<'s> {
    /// Appends a step and returns its number.
    pub(super) fn push(
        &mut self,
        sql: impl Into<Cow<'s, str>>,
        args: impl IntoIterator<Item = &'s Value>,
        condition: impl Into<Option<Condition>>,
    ) -> usize {
        const OVERHEAD: usize = 200;
        let sql = sql.into();
        let args: Vec<_> = args.into_iter().collect();
        let lengths = args.iter().map(|value| match value {
            Value::Null | Value::Integer(_) => OVERHEAD,
            Value::Text(text) => text.len().saturating_add(OVERHEAD),
            Value::Blob(bytes) => bytes.len().saturating_mul(2).saturating_add(OVERHEAD),
        });
        let len = lengths.fold(sql.len().saturating_add(OVERHEAD), usize::saturating_add);
        self.bytes = self.bytes.saturating_add(len);
        let number = self.steps.len();
        self.steps.push(Step {
            stmt: Stmt { sql, args },
            condition: condition.into(),
        });
        number
    }

    /// Appends a step of a transaction, after the step `last`, which it replaces.
    pub(super) fn then(
        &mut self,
        last: &mut usize,
        sql: impl Into<Cow<'s, str>>,
        args: impl IntoIterator<Item = &'s Value>,
    ) -> usize {
        *last = self.push(sql, args, Condition::after(*last));
        *last
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// The request's body: the batch, and the end of the stream that it runs in.
    pub(super) fn encode(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        #[derive(Serialize)]
        struct Body<'b> {
            requests: [Request<'b>; 2],
        }
        #[derive(Serialize)]
        #[serde(tag = "type", rename_all = "lowercase")]
        enum Request<'b> {
            Batch { batch: Steps<'b> },
            Close,
        }
        #[derive(Serialize)]
        struct Steps<'b> {
            steps: &'b [Step<'b>],
        }

        let mut body = Zeroizing::new(Vec::with_capacity(self.bytes));
        let batch = Steps { steps: &self.steps };
        let requests = [Request::Batch { batch }, Request::Close];
        serde_json::to_writer(&mut *body, &Body { requests })?;
        Ok(body)
    }
}

/// The server's answer to a batch: an outcome for each step.
pub(super) struct Answer<'a> {
    outcomes: Vec<Outcome<'a>>,
}

/// What became of a step.
enum Outcome<'a> {
    Rows(Vec<Vec<Cell<'a>>>),
    Error(ServerError),
    Skipped,
}

/// An error of one statement, in the server's own words.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ServerError {
    message: String,
    #[serde(default)]
    code: Option<String>,
}

/// What JSON must be there. Other members are left alone.
mod json {
    use serde::Deserialize;

    use super::{Cell, ServerError};

    #[derive(Deserialize)]
    pub(super) struct Body<'a> {
        #[serde(borrow)]
        pub(super) results: Vec<Element<'a>>,
    }

    #[derive(Deserialize, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub(super) enum Kind {
        Batch,
        Close,
    }

    /// A result or an error, told apart by their names: serde's tagged enums do not borrow.
    #[derive(Deserialize)]
    pub(super) struct Element<'a> {
        #[serde(borrow)]
        pub(super) response: Option<Response<'a>>,
        pub(super) error: Option<ServerError>,
    }

    #[derive(Deserialize)]
    pub(super) struct Response<'a> {
        #[serde(rename = "type")]
        pub(super) kind: Kind,
        #[serde(borrow)]
        pub(super) result: Option<BatchResult<'a>>,
    }

    #[derive(Deserialize)]
    pub(super) struct BatchResult<'a> {
        #[serde(borrow)]
        pub(super) step_results: Vec<Option<Rows<'a>>>,
        pub(super) step_errors: Vec<Option<ServerError>>,
    }

    #[derive(Deserialize)]
    pub(super) struct Rows<'a> {
        #[serde(borrow)]
        pub(super) rows: Vec<Vec<Cell<'a>>>,
    }
}

impl<'a> Answer<'a> {
    /// Decodes the answer to a batch of `steps` steps.
    ///
    /// # Errors
    /// Whatever does not answer exactly that batch.
    pub(super) fn decode(body: &'a [u8], steps: usize) -> Result<Self, Failure> {
        // serde_json's own messages quote the input.
        let body: json::Body<'a> =
            serde_json::from_slice(body).map_err(|_| Failure::garbled("not JSON as in Hrana 3"))?;
        let mut results = body.results.into_iter();
        let (batch, close) = match (results.next(), results.next(), results.next()) {
            (Some(batch), Some(close), None) => (batch, close),
            // Some servers say no more than this.
            (
                Some(json::Element {
                    error: Some(error), ..
                }),
                None,
                None,
            ) => {
                return Err(Failure::unanswered(io::ErrorKind::Other, error.to_string()));
            }
            _ => return Err(Failure::garbled("not as many results as requests")),
        };
        if let (Some(error), None) = (&batch.error, &batch.response) {
            return Err(Failure::refused(io::ErrorKind::Other, error.to_string()));
        }
        let is_close = |close: &json::Element<'_>| match (&close.response, &close.error) {
            (Some(response), None) => response.kind == json::Kind::Close,
            // The stream is gone in any case.
            (None, error) => error.is_some(),
            (Some(_), Some(_)) => false,
        };
        let result = match (batch.response, batch.error) {
            (
                Some(json::Response {
                    kind: json::Kind::Batch,
                    result: Some(result),
                }),
                None,
            ) if is_close(&close) => result,
            _ => return Err(Failure::garbled("the results of other requests")),
        };
        if result.step_results.len() != steps || result.step_errors.len() != steps {
            return Err(Failure::garbled("not as many results as steps"));
        }
        let outcomes = result.step_results.into_iter().zip(result.step_errors);
        let outcomes = outcomes.map(|outcome| match outcome {
            (Some(rows), None) => Ok(Outcome::Rows(rows.rows)),
            (None, Some(error)) => Ok(Outcome::Error(error)),
            (None, None) => Ok(Outcome::Skipped),
            (Some(_), Some(_)) => Err(Failure::garbled("a step with a result and an error")),
        });
        Ok(Self {
            outcomes: outcomes.collect::<Result<_, _>>()?,
        })
    }

    /// Whether the step was carried out.
    pub(super) fn is_ok(&self, step: usize) -> bool {
        matches!(self.outcomes.get(step), Some(Outcome::Rows(_)))
    }

    /// The error of a step.
    pub(super) fn error(&self, step: usize) -> Option<&ServerError> {
        match self.outcomes.get(step) {
            Some(Outcome::Error(error)) => Some(error),
            _ => None,
        }
    }

    /// The first of the steps `from..=to`, each of which waits for the one before, that was not carried
    /// out: its error and number. `None` if all were.
    ///
    /// # Errors
    /// If a step was left out without a reason, or carried out in spite of one.
    pub(super) fn stop(
        &self,
        from: usize,
        to: usize,
    ) -> Result<Option<(usize, &ServerError)>, Failure> {
        let Some(stop) = (from..=to).find(|step| !self.is_ok(*step)) else {
            return Ok(None);
        };
        let Some(error) = self.error(stop) else {
            return Err(Failure::garbled("a step was left out without a reason"));
        };
        let mut rest = self.outcomes.iter().take(to.saturating_add(1)).skip(stop);
        rest.next();
        if rest.all(|outcome| matches!(outcome, Outcome::Skipped)) {
            Ok(Some((stop, error)))
        } else {
            Err(Failure::garbled("a step was carried out after an error"))
        }
    }

    /// The rows of a step that was carried out; each must have `width` values.
    pub(super) fn rows(&self, step: usize, width: usize) -> Result<&[Vec<Cell<'a>>], Failure> {
        match self.outcomes.get(step) {
            Some(Outcome::Rows(rows)) if rows.iter().all(|row| row.len() == width) => Ok(rows),
            Some(Outcome::Rows(_)) => Err(Failure::garbled("rows of another width")),
            _ => Err(Failure::garbled("a step without rows")),
        }
    }

    /// The row of a step that always has exactly one.
    pub(super) fn row(&self, step: usize, width: usize) -> Result<&[Cell<'a>], Failure> {
        match self.rows(step, width)? {
            [row] => Ok(row),
            _ => Err(Failure::garbled("not the one row that there must be")),
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server says: {}", self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl ServerError {
    /// Another writer holds the database.
    pub(super) fn is_busy(&self) -> bool {
        let code = self.code.as_deref();
        code.is_some_and(|code| code.starts_with("SQLITE_BUSY"))
    }

    /// Whether the error comes from the token of another owner.
    pub(super) fn is_not_owner(&self) -> bool {
        self.to_string().contains(schema::FENCE)
    }

    /// Whether the error comes from the limit of 255 DC entries: of the conditions of our tables the one
    /// that a value of ours can break.
    pub(super) fn is_too_many_dcs(&self) -> bool {
        self.code.as_deref() == Some("SQLITE_CONSTRAINT_CHECK")
    }
}
