//! Session strings of other client libraries, read and written, so that a login can move between
//! them without being made again.
//!
//! None of these formats marks itself, and none has a checksum. [`detect`] tells them apart by
//! their structure alone; a string that fits none is refused, with the most likely damage named.
//! All decode to one neutral [`Login`], which is a [`SessionSource`](crate::SessionSource) and
//! encodes to any of them:
//!
//! | format | DC | address | key | user id, bot | `api_id` | test flag | media DC |
//! |---|---|---|---|---|---|---|---|
//! | Telethon | yes | yes | yes | | | by address | |
//! | Pyrogram before 2 | yes | | yes | yes | | yes | |
//! | Pyrogram 2 and its forks | yes | | yes | yes | yes | yes | |
//! | GramJS | yes | yes, or a host name | yes | | | by address | |
//! | mtcute | yes | yes | yes | yes | | yes | yes |
//! | MTKruto, old | yes | | yes | | | yes | |
//! | MTKruto | yes | | yes | yes | yes | yes | |
//! | compact | yes | yes | yes | user id only | | by address | |
//! | native | yes | yes | yes | yes | yes | yes | yes |
//!
//! What a conversion loses is the difference of two [`Contents`]; what it needs and cannot know is
//! [`Login::missing_for`]. After a conversion only one copy may be used: two clients with one key
//! from two addresses make the servers destroy it.

mod contents;
mod damage;
mod detect;
mod encode;
mod format;
mod gramjs;
mod identity;
mod login;
mod mtcute;
mod mtkruto;
mod pasted;
mod pyrogram;
mod recognise;
mod server;
mod telethon;
pub mod tl;
mod words;

pub use contents::Contents;
pub use damage::Damage;
pub use detect::detect;
pub use format::StringFormat;
pub use login::{Login, MediaDc, TelethonIpv6};
pub use mtcute::{MTCUTE_DC_LEN, MtcuteDc};
pub use server::{HOST_NAME_LEN, Host, Server};
