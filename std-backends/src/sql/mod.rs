//! Many accounts in one database: SQLite files, libSQL files, libSQL servers.

mod connection;
mod legacy;
mod local;
mod local_error;
mod plan;
mod row;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod store;
mod tables;

#[cfg(feature = "sqlite")]
pub use sqlite::SqliteBackend;
