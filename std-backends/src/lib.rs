#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

mod addresses;
mod backend;
#[cfg(any(feature = "sqlite", feature = "libsql", feature = "foreign"))]
mod database_copy;
mod dc;
mod error;
mod error_kind;
mod file;
mod fingerprint;
#[cfg(feature = "foreign")]
pub mod foreign;
mod found;
mod fs;
#[cfg(feature = "grammers")]
mod grammers;
mod journal_sync;
mod login;
mod memory;
mod names;
mod open;
mod open_databases;
mod optimistic;
mod pasted;
mod peer;
mod peer_record;
mod record;
mod session;
mod shown;
#[cfg(any(feature = "sqlite", feature = "libsql"))]
mod sql;
mod string;
pub mod string_session;
mod sync;
#[cfg(any(feature = "foreign", feature = "libsql", feature = "sqlite"))]
mod untouched;
mod update;
mod wiped;
#[cfg(feature = "tokio")]
mod writer;

pub use addresses::{AddressConcern, AddressWarning, address_warnings};
pub use backend::{SessionBackend, SessionBackendExt};
pub use dc::{DcEntry, default_dc_addresses};
pub use error::StoreError;
pub use error_kind::{Outcome, StoreErrorKind};
/// What the command looks at.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use file::files_of_session;
pub use file::{BinaryFileBackend, FileStatus, Recovered, recover};
pub use fingerprint::Fingerprint;
/// What the command writes its own files with.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use fs::{remove_private, replace_private};
#[cfg(feature = "grammers")]
pub use grammers::GrammersSession;
pub use journal_sync::JournalSync;
pub use login::OwnedLoginState;
pub use memory::InMemoryBackend;
pub use mtsession_core as codec;
/// The name of [`codec`] in earlier examples.
#[doc(hidden)]
pub use mtsession_core as core;
pub use mtsession_core::{
    Account, Change, ChannelKind, DcFlags, LoginState, PeerKey, UpdateChange,
};
pub use names::PeerNames;
pub use open::open;
pub use pasted::pasted_text;
pub use peer::{CachedMinPeer, CachedPeer};
pub use record::{Keeps, KnownPeer, PeerQuery, Sections, SessionHead, SessionRecord};
pub use session::{PersistedSession, SessionStats};
pub use shown::Shown;
#[cfg(feature = "libsql")]
pub use sql::LibSqlBackend;
#[cfg(feature = "libsql-remote")]
pub use sql::RemoteOptions;
#[cfg(feature = "sqlite")]
pub use sql::SqliteBackend;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use sql::files_of_database;
pub use string::StringSessionBackend;
pub use string_session::{FullSession, Session, StringSession, StringSessionError};
pub use update::{UpdateStateChange, UpdatesStateSnap};
#[cfg(feature = "tokio")]
pub use writer::SessionWriter;

#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}
