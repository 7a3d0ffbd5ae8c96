//! The types of `ferogram-session` 0.6.6: its names, fields and bytes.

pub(crate) mod dc;
pub(crate) mod peer;
mod peer_record;
pub(crate) mod session;
pub mod string_session;
pub(crate) mod update;
