//! grammers: its SQLite database, and the TL file of its releases before 0.9.

mod read;
pub(super) mod tl;
mod write;

pub(super) use read::{read, recognise};
pub(super) use write::write;
