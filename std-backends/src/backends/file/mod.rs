//! The session as a file, with a journal for small changes.

#[cfg(feature = "cli")]
mod all;
mod apply;
mod backend;
mod beside;
mod configured;
mod content;
mod damaged;
mod delete;
mod earlier;
mod explain;
mod identity;
mod journal;
mod journal_damaged;
mod lock;
mod look_up;
mod paths;
mod positioned;
mod process;
mod recover;
mod seen;
mod snapshot;
mod state;
mod write;

#[cfg(feature = "cli")]
pub use all::files_of_session;
pub use backend::BinaryFileBackend;
pub use content::FileStatus;
pub(crate) use journal::Newer;
pub use recover::{Recovered, recover};
