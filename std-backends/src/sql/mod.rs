//! Many accounts in one database: SQLite files, libSQL files, libSQL servers.

mod connection;
#[cfg(all(test, feature = "sqlite"))]
mod cost_tests;
#[cfg(feature = "sqlite")]
mod export;
mod legacy;
#[cfg(feature = "libsql")]
mod libsql;
mod local;
mod local_error;
mod main_file;
mod names;
mod plan;
#[cfg(feature = "libsql-remote")]
mod remote;
#[cfg(feature = "libsql-remote")]
mod replica;
mod row;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod store;
mod tables;

#[cfg(feature = "libsql")]
pub use libsql::LibSqlBackend;
#[cfg(feature = "libsql-remote")]
pub use remote::RemoteOptions;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteBackend;
