//! What can go wrong, where, and in which field. No error carries a byte of the input's secrets.

mod decode;
mod encode;
mod field;

pub use decode::{DecodeError, DecodeErrorKind, Foreign, NewerForm};
pub use encode::{EncodeError, Full};
pub use field::Field;
