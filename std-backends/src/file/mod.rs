//! The session as a file, with a journal for small changes.

mod backend;
mod identity;
mod journal;
mod paths;
mod snapshot;
mod state;

pub use backend::BinaryFileBackend;
pub use state::FileStatus;
