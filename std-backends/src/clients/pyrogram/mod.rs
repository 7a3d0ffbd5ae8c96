//! Pyrogram and its forks: their SQLite databases.

mod read;
mod write;

pub(super) use read::{read, recognise};
pub(super) use write::{write_kurigram, write_v3};
