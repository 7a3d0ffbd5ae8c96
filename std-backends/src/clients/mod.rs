//! Session files of other client libraries: read without changing them, and written so that the
//! library itself goes on with them.
//!
//! [`read`] recognises what lies at a path by its content, never by its name:
//!
//! | library | what is read |
//! |---|---|
//! | Telethon | SQLite, schema 4 to 8; Telethon 2, schema 10; the JSON of 2017 |
//! | Pyrogram 1 and 2, pyrofork, pyrotgfork, kurigram | SQLite, every schema; the JSON of 2018 and 2019 |
//! | mtcute | SQLite |
//! | grammers | SQLite, and the TL file of 0.1 to 0.8 in both byte orders |
//! | GramJS | the directory of a `StoreSession` |
//! | gotd, mtproto-core | JSON |
//! | Telegram Web | its local storage as JSON |
//! | Telegram Desktop | `tdata`, with or without a passcode, each of its accounts ([`read_account`]) |
//! | `TDLib` | `td.binlog`, encrypted or not: keys, addresses and whose they are |
//! | all of them | a text file with a session string |
//!
//! The key and its DC are what must be there. Whatever else cannot be read is left out and named in
//! [`Import::left_out`], and of several different keys none is picked silently: one rule for every
//! library.
//!
//! [`read_bytes`] and [`write_bytes`] do the same with the bytes of one file, where there are no files.
//!
//! Everything becomes one [`Import`], which saves into any backend; what its peers are called goes along
//! where there is room, see [`set_peer_names`](crate::SessionBackendExt::set_peer_names). [`write()`] goes the other way, see
//! [`Target`]. Only one copy of a session may be
//! used afterwards: two clients with one key from two addresses make the servers destroy it.

mod address;
mod candidate;
mod cursor;
mod error;
mod formats;
mod gotd;
mod gramjs;
mod grammers;
mod home;
mod identity;
mod import;
mod json;
mod left_out;
mod marked;
mod mtcute;
mod outgoing;
mod pyrogram;
mod read;
mod several;
mod sqlite;
mod target;
mod tdata;
mod tdlib;
mod telethon;
mod write;

/// The names of a peer.
pub use crate::record::peer_names::PeerNames;
pub use candidate::Candidate;
pub use error::ForeignError;
pub use formats::FileFormat;
pub use import::Import;
pub use left_out::LeftOut;
pub(crate) use read::describe;
pub use read::{ReadOptions, read, read_account, read_bytes, read_with};
pub use target::{Options, Target};
pub use write::{write, write_bytes};
