//! The session as a file, with a journal for small changes.

mod backend;
mod journal;
mod paths;
mod snapshot;
mod state;

pub use backend::{BinaryFileBackend, JournalSync};
pub use state::FileStatus;
