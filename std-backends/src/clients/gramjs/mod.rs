//! GramJS: the directory of a `StoreSession`.

mod read;
mod write;

pub(super) use read::{prefixes, read};
pub(super) use write::write;
