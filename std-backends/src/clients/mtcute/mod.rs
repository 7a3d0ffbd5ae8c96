//! mtcute: its SQLite database.

mod read;
mod write;

pub(super) use read::{read, recognise};
pub(super) use write::write;
