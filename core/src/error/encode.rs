//! Why a session cannot be encoded, or stored in a fixed capacity.

use core::fmt;

use super::field::Field;
use crate::bug::Bug;

/// Why a session could not be encoded. `E` is the sink's own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError<E> {
    /// A field is longer than the format can say. Found before the field is written.
    TooLong {
        /// The field.
        field: Field,
        /// Its length or count.
        len: usize,
        /// The most that the format holds.
        max: usize,
    },
    /// The target format needs something that this session does not have.
    Missing(Field),
    /// The sink refused.
    Sink(E),
    /// What cannot happen; also a [`SessionSource`](crate::SessionSource) that does not say the same twice.
    Bug(Bug),
}

impl<E> EncodeError<E> {
    /// The same error with the sink's part replaced.
    pub fn map_sink<F>(self, map: impl FnOnce(E) -> F) -> EncodeError<F> {
        match self {
            Self::TooLong { field, len, max } => EncodeError::TooLong { field, len, max },
            Self::Missing(field) => EncodeError::Missing(field),
            Self::Sink(error) => EncodeError::Sink(map(error)),
            Self::Bug(bug) => EncodeError::Bug(bug),
        }
    }
}

impl<E: fmt::Display> fmt::Display for EncodeError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { field, len, max } => {
                write!(
                    f,
                    "{field} is too long for the session format: {len}, at most {max}"
                )
            }
            Self::Missing(field) => {
                write!(f, "{field} is needed by the target format, but not known")
            }
            Self::Sink(error) => error.fmt(f),
            Self::Bug(bug) => bug.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for EncodeError<E> {}

#[cfg(feature = "std")]
impl<E: core::error::Error + Send + Sync + 'static> From<EncodeError<E>> for std::io::Error {
    fn from(error: EncodeError<E>) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}

/// A list or field of a fixed-capacity session is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Full(
    /// What has no room left.
    pub Field,
);

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no room for more {} in the fixed-capacity session",
            self.0
        )
    }
}

impl core::error::Error for Full {}

impl From<core::convert::Infallible> for Full {
    fn from(never: core::convert::Infallible) -> Self {
        match never {}
    }
}
