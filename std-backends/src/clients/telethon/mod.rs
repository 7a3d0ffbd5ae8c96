//! Telethon: its SQLite database, and the one of Telethon 2.

mod read;
pub(super) mod telethon2;
mod write;

pub(super) use read::{read, recognise};
pub(super) use write::write;
