//! The types of `ferogram-session` 0.6.6: its names, fields and bytes.

pub(crate) mod dc;
mod packed_peer;
pub(crate) mod peer;
pub(crate) mod session;
pub(crate) mod session_encoding;
mod session_mut;
pub mod string_session;
pub(crate) mod update;
