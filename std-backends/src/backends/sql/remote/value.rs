//! Values of rows, as Hrana writes them.

use core::fmt;
use std::borrow::Cow;

use base64ct::{Base64Unpadded, Encoding as _};
use serde::Deserialize as DeriveDeserialize;
use serde::de::{Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use zeroize::Zeroizing;

use crate::backends::sql::statement::{Value, ValueRef};

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

/// A JSON scalar; text is borrowed, so that no copy of a key is left.
#[derive(Default)]
pub(super) enum Scalar<'a> {
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
