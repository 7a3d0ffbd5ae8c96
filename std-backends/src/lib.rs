#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

mod address;
mod addresses;
mod backend;
mod backends;
pub mod blob;
mod calendar;
#[cfg(feature = "clients")]
pub mod clients;
mod drop_in;
mod error;
mod event;
mod fingerprint;
mod flush;
mod found;
mod fs;
#[cfg(feature = "grammers")]
mod grammers;
#[cfg(any(feature = "libsql-remote", feature = "s3"))]
mod http;
mod open;
mod owner;
mod pasted;
mod record;
pub mod seal;
mod secret_bytes;
#[cfg(any(feature = "redis", feature = "postgres", feature = "s3"))]
mod servers;
mod shown;
mod sqlite_file;
mod store;
mod sync;
mod unique;
mod unix_time;
#[cfg(feature = "tokio")]
mod writer;

pub use address::{Address, ClientLibrary, FlashRegion, IntoAddress, Location};
pub use addresses::{AddressConcern, AddressWarning, address_warnings};
pub use backend::{SessionBackend, SessionBackendExt};
/// What the command looks at.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use backends::file::files_of_session;
pub use backends::file::{BinaryFileBackend, FileStatus, Recovered, recover};
pub use backends::memory::InMemoryBackend;
#[cfg(feature = "libsql")]
pub use backends::sql::LibSqlBackend;
#[cfg(feature = "libsql-remote")]
pub use backends::sql::RemoteOptions;
#[cfg(feature = "sqlite")]
pub use backends::sql::SqliteBackend;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use backends::sql::files_of_database;
pub use backends::string::StringSessionBackend;
/// The name of [`clients`] in an earlier release.
#[cfg(feature = "clients")]
#[deprecated(note = "use `clients`")]
#[doc(hidden)]
pub mod foreign {
    pub use crate::clients::*;
}
pub use drop_in::dc::{DcEntry, default_dc_addresses};
pub use drop_in::peer::{CachedMinPeer, CachedPeer};
pub use drop_in::session::{PersistedSession, SessionStats};
pub use drop_in::string_session;
pub use drop_in::string_session::{FullSession, Session, StringSession, StringSessionError};
pub use drop_in::update::{UpdateStateChange, UpdatesStateSnap};
pub use error::StoreError;
pub use error::kind::{Outcome, StoreErrorKind};
pub use event::Event;
pub use fingerprint::Fingerprint;
pub use flush::FlushPolicy;
/// The name of [`FlushPolicy`] in an earlier release.
#[deprecated(note = "use `FlushPolicy`")]
#[doc(hidden)]
pub type JournalSync = FlushPolicy;
/// What the command writes its own files with.
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use fs::remove_private;
#[cfg(feature = "seal")]
#[doc(hidden)]
pub use fs::replace_private;
#[cfg(feature = "grammers")]
pub use grammers::GrammersSession;
pub use mtsession_core as codec;
pub use mtsession_core::{
    Account, Change, ChannelKind, DcFlags, LoginState, PeerKey, UpdateChange,
};
pub use open::connect;
#[doc(hidden)]
#[expect(deprecated, reason = "the name of connect in an earlier release")]
pub use open::open;
pub use owner::{Lease, LeaseTime, Owner, OwnerInfo, Ownership};
pub use pasted::pasted_text;
pub use record::login_state::OwnedLoginState;
pub use record::peer_names::PeerNames;
pub use record::prune::Pruned;
pub use record::{Keeps, KnownPeer, PeerQuery, Sections, SessionHead, SessionRecord};
/// The name of [`SessionRecord`] in an earlier release.
#[deprecated(note = "use `SessionRecord`")]
#[doc(hidden)]
pub type Stored = SessionRecord;
pub use shown::Shown;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use sqlite_file::is_database_file;
pub use store::{PeerLimits, Report, Store, StoreEntry, StoreOptions};
#[cfg(feature = "tokio")]
pub use writer::SessionWriter;

#[doc = include_str!("../MIGRATION.md")]
pub mod migration {}
