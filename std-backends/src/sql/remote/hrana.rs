//! Hrana 2 over HTTP, as libSQL servers speak it: one batch of steps in one request.
//!
//! <https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_2_SPEC.md>

use core::fmt;
use std::borrow::Cow;
use std::io;

use base64ct::{Base64Unpadded, Encoding as _};
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{SerializeMap as _, Serializer};
use serde::{Deserialize as DeriveDeserialize, Serialize};
use zeroize::Zeroizing;

use crate::sql::schema::too_many_dcs;
use crate::sql::statement::{Value, ValueRef};

/// One statement of a batch.
#[derive(Serialize)]
pub(super) struct Step<'s> {
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
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Condition {
    Ok { step: usize },
    Not { cond: Box<Self> },
}

impl Condition {
    pub(super) fn not_ok(step: usize) -> Self {
        Self::Not {
            cond: Box::new(Self::Ok { step }),
        }
    }
}

/// Steps that go to the server together.
#[derive(Default)]
pub(super) struct Batch<'s> {
    steps: Vec<Step<'s>>,
    /// How long the values are, to encode them without leaving copies of keys behind.
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
        const OVERHEAD: usize = 100;
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

    /// The request's body.
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

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Null => map.serialize_entry("type", "null")?,
            Self::Integer(value) => {
                map.serialize_entry("type", "integer")?;
                // JSON numbers are not exact enough.
                map.serialize_entry("value", &value.to_string())?;
            }
            Self::Text(text) => {
                map.serialize_entry("type", "text")?;
                map.serialize_entry("value", text)?;
            }
            Self::Blob(bytes) => {
                map.serialize_entry("type", "blob")?;
                let text = Zeroizing::new(Base64Unpadded::encode_string(bytes));
                map.serialize_entry("base64", &*text)?;
            }
        }
        map.end()
    }
}

/// What the server answered to a batch.
pub(super) struct Answer<'a> {
    results: Vec<Option<Rows<'a>>>,
    errors: Vec<Option<ServerError>>,
}

#[derive(DeriveDeserialize)]
struct Rows<'a> {
    #[serde(borrow)]
    rows: Vec<Vec<Cell<'a>>>,
}

/// An error of one statement.
#[derive(Clone, Debug, DeriveDeserialize)]
pub(super) struct ServerError {
    pub(super) message: String,
    #[serde(default)]
    pub(super) code: Option<String>,
}

impl<'a> Answer<'a> {
    /// Decodes a response body.
    pub(super) fn decode(body: &'a [u8]) -> io::Result<Self> {
        #[derive(DeriveDeserialize)]
        struct Body<'a> {
            #[serde(borrow)]
            results: Vec<Outcome<'a>>,
        }
        #[derive(DeriveDeserialize)]
        struct Outcome<'a> {
            #[serde(borrow)]
            response: Option<Response<'a>>,
            error: Option<ServerError>,
        }
        #[derive(DeriveDeserialize)]
        struct Response<'a> {
            #[serde(borrow)]
            result: Option<BatchResult<'a>>,
        }
        #[derive(DeriveDeserialize)]
        struct BatchResult<'a> {
            #[serde(borrow)]
            step_results: Vec<Option<Rows<'a>>>,
            step_errors: Vec<Option<ServerError>>,
        }

        // serde_json's own messages quote the input.
        let body: Body<'a> = serde_json::from_slice(body).map_err(|_| garbage())?;
        let outcome = body.results.into_iter().next().ok_or_else(garbage)?;
        if let Some(error) = outcome.error {
            return Err(io::Error::other(error.to_string()));
        }
        let result = outcome.response.and_then(|response| response.result);
        let result = result.ok_or_else(garbage)?;
        Ok(Self {
            results: result.step_results,
            errors: result.step_errors,
        })
    }

    /// The error of a step.
    pub(super) fn error(&self, step: usize) -> Option<&ServerError> {
        self.errors.get(step)?.as_ref()
    }

    /// The first error of any step, with its number.
    pub(super) fn first_error(&self) -> Option<(usize, &ServerError)> {
        let mut numbered = self.errors.iter().enumerate();
        numbered.find_map(|(step, error)| Some((step, error.as_ref()?)))
    }

    /// Whether the step was carried out.
    pub(super) fn is_ok(&self, step: usize) -> bool {
        matches!(self.results.get(step), Some(Some(_))) && self.error(step).is_none()
    }

    /// The rows of a step.
    pub(super) fn rows(&self, step: usize) -> &[Vec<Cell<'a>>] {
        match self.results.get(step) {
            Some(Some(rows)) => &rows.rows,
            _ => &[],
        }
    }
}

fn garbage() -> io::Error {
    let message = "the server's answer is not what a libSQL server sends: check the url";
    io::Error::new(io::ErrorKind::InvalidData, message)
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
        self.code
            .as_deref()
            .is_some_and(|code| code.starts_with("SQLITE_BUSY"))
            || self.message.contains("database is locked")
    }

    /// As an error of a write that was rolled back.
    pub(super) fn explain(&self) -> io::Error {
        if self.message.contains("at_most_255_dcs") {
            return too_many_dcs();
        }
        io::Error::other(format!("{self}; nothing was changed"))
    }
}

/// One value of a row.
pub(super) enum Cell<'a> {
    Null,
    Integer(i64),
    Real,
    Text(Cow<'a, str>),
    Blob(Zeroizing<Vec<u8>>),
}

impl Cell<'_> {
    /// The same value, independent of the answer it came in.
    pub(super) fn to_owned_cell(&self) -> Cell<'static> {
        match self {
            Self::Null => Cell::Null,
            Self::Integer(value) => Cell::Integer(*value),
            Self::Real => Cell::Real,
            Self::Text(text) => Cell::Text(Cow::Owned(text.clone().into_owned())),
            Self::Blob(bytes) => Cell::Blob(bytes.clone()),
        }
    }

    pub(super) fn value_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real => ValueRef::Real,
            Self::Text(text) => ValueRef::Text(text),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(DeriveDeserialize)]
        struct Tagged<'a> {
            #[serde(rename = "type", borrow)]
            kind: Cow<'a, str>,
            #[serde(default, borrow)]
            value: Scalar<'a>,
            #[serde(default, borrow)]
            base64: Scalar<'a>,
        }

        use serde::de::Error as _;

        let tagged = Tagged::deserialize(deserializer)?;
        let wrong = || D::Error::custom("a value that no SQL has");
        Ok(match (&*tagged.kind, tagged.value, tagged.base64) {
            ("null", ..) => Self::Null,
            ("integer", Scalar::Text(text), _) => Self::Integer(text.parse().map_err(|_| wrong())?),
            ("integer", Scalar::Integer(value), _) => Self::Integer(value),
            ("float", ..) => Self::Real,
            ("text", Scalar::Text(text), _) => Self::Text(text),
            // Some servers pad, some do not.
            ("blob", _, Scalar::Text(text)) => Self::Blob(Zeroizing::new(
                Base64Unpadded::decode_vec(text.trim_end_matches('=')).map_err(|_| wrong())?,
            )),
            _ => return Err(wrong()),
        })
    }
}

/// A JSON scalar; text is borrowed, so that no copy of a key is left behind.
#[derive(Default)]
enum Scalar<'a> {
    #[default]
    Null,
    Integer(i64),
    Other,
    Text(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON scalar")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Scalar::Null)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
                Ok(Scalar::Integer(value))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(value).map_or(Scalar::Other, Scalar::Integer))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
                Ok(Scalar::Other)
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// Many rows of integers in one text: `[[1, 2, null], …]`.
pub(super) struct Packed(Vec<Vec<PackedValue>>);

enum PackedValue {
    Null,
    Integer(i64),
    Other,
}

impl Packed {
    pub(super) fn decode(text: &str) -> io::Result<Self> {
        serde_json::from_str(text).map(Self).map_err(|_| garbage())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first value of the last row.
    pub(super) fn last_key(&self) -> Option<i64> {
        match self.0.last()?.first()? {
            PackedValue::Integer(key) => Some(*key),
            _ => None,
        }
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<ValueRef<'_>>> {
        let value = |value: &PackedValue| match value {
            PackedValue::Null => ValueRef::Null,
            PackedValue::Integer(value) => ValueRef::Integer(*value),
            PackedValue::Other => ValueRef::Real,
        };
        self.0
            .iter()
            .map(move |row| row.iter().map(value).collect())
    }
}

impl<'de> Deserialize<'de> for PackedValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Scalar::deserialize(deserializer)? {
            Scalar::Null => Self::Null,
            Scalar::Integer(value) => Self::Integer(value),
            Scalar::Other | Scalar::Text(_) => Self::Other,
        })
    }
}
