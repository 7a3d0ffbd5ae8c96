//! The stores that sessions are kept in: each is a [`SessionBackend`](crate::SessionBackend).

pub(crate) mod blob;
pub(crate) mod file;
pub(crate) mod memory;
mod optimistic;
#[cfg(any(feature = "sqlite", feature = "libsql"))]
mod retain;
#[cfg(any(feature = "sqlite", feature = "libsql"))]
pub(crate) mod sql;
pub(crate) mod string;
mod unseen;
