//! Many rows of integers in one text: `[[1, 2, null], …]`. As Hrana's values they would be five times
//! as long.

use core::fmt;

use mtsession_core::Certain as _;
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

use super::value::Scalar;
use crate::backends::sql::statement::ValueRef;

/// The rows, one value after the other.
#[derive(Default)]
pub(super) struct Packed {
    width: usize,
    values: Vec<PackedValue>,
}

#[derive(Clone, Copy)]
enum PackedValue {
    Null,
    Integer(i64),
    Other,
}

impl Packed {
    /// Decodes rows of `width` values each. `None` for what is something else.
    pub(super) fn decode(text: &str, width: usize) -> Option<Self> {
        let mut packed = Self {
            width,
            values: Vec::new(),
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.deserialize_seq(Rows(&mut packed)).ok()?;
        deserializer.end().ok()?;
        Some(packed)
    }

    /// How many rows there are.
    pub(super) fn len(&self) -> usize {
        let rows = self.values.len().checked_div(self.width);
        rows.certain("a row without a column")
    }

    /// The first value of each row, where it is a number.
    pub(super) fn keys(&self) -> impl Iterator<Item = Option<i64>> {
        let first = self.values.chunks(self.width.max(1)).map(<[_]>::first);
        first.map(|value| match value {
            Some(PackedValue::Integer(key)) => Some(*key),
            _ => None,
        })
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = Vec<ValueRef<'_>>> {
        let value = |value: &PackedValue| match value {
            PackedValue::Null => ValueRef::Null,
            PackedValue::Integer(value) => ValueRef::Integer(*value),
            PackedValue::Other => ValueRef::Real,
        };
        let rows = self.values.chunks(self.width.max(1));
        rows.map(move |row| row.iter().map(value).collect())
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

/// Takes the rows of the outer list.
struct Rows<'p>(&'p mut Packed);

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(()) = rows.next_element_seed(OneRow(self.0))? {}
        Ok(())
    }
}

/// Takes the values of one row.
struct OneRow<'p>(&'p mut Packed);

impl<'de> serde::de::DeserializeSeed<'de> for OneRow<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for OneRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<(), A::Error> {
        let mut width = 0_usize;
        while let Some(value) = row.next_element()? {
            self.0.values.push(value);
            width = width.saturating_add(1);
        }
        if width == self.0.width {
            return Ok(());
        }
        Err(A::Error::custom("a row of another width"))
    }
}
