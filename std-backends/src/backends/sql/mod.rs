//! Many accounts in one database: SQLite files, libSQL files, libSQL servers.

mod accounts;
mod apply;
mod aside;
mod budget;
mod checksum;
mod connection;
mod contended;
mod copies;
#[cfg(all(test, feature = "sqlite"))]
mod cost_tests;
#[cfg(feature = "libsql")]
mod database;
mod definition;
#[cfg(feature = "libsql-remote")]
mod earlier_libsql;
#[cfg(feature = "sqlite")]
mod earlier_sqlite;
#[cfg(feature = "sqlite")]
mod export;
mod file_url;
mod guard;
#[cfg(all(test, target_os = "linux"))]
mod heap_tests;
mod keep;
mod kept;
mod known_names;
mod legacy;
#[cfg(feature = "libsql")]
mod libsql;
#[cfg(feature = "libsql-remote")]
mod libsql_server;
#[cfg(feature = "libsql")]
mod libsql_whole;
mod line;
mod local;
mod local_bind;
mod local_connect;
mod local_error;
mod local_file;
mod local_open;
mod local_read;
mod local_scrub;
mod local_whole;
mod locks;
mod lookup;
mod main_file;
mod names;
mod opened_files;
mod owners;
mod ownership;
mod plan;
mod recognise;
#[cfg(feature = "libsql-remote")]
mod remote;
#[cfg(feature = "libsql-remote")]
mod replica;
mod revised;
mod row;
mod schema;
mod schema10;
mod shape;
mod shared;
#[cfg(all(test, feature = "sqlite"))]
mod shared_tests;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod store;
mod tables;
mod upgrade;
mod whole;
mod writer;

pub(crate) use budget::Budget;
#[cfg(feature = "libsql")]
pub use libsql::LibSqlBackend;
pub(crate) use local_whole::{
    back_up_to as back_up_file, problems_of as verify_file, restore_from as restore_file,
};
#[cfg(feature = "cli")]
pub use owners::files_of_database;
#[cfg(feature = "libsql-remote")]
pub(crate) use remote::RemoteError;
#[cfg(feature = "libsql-remote")]
pub use remote::RemoteOptions;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteBackend;
