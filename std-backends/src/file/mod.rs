//! The session as a file, with a journal for small changes.

mod backend;
mod content;
mod identity;
mod journal;
mod lock;
mod paths;
mod snapshot;
mod state;

pub use backend::BinaryFileBackend;
pub use content::FileStatus;
