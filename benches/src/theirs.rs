//! The workload of the backends, for the crate that it replaces.

use ferogram_session as api;

#[expect(clippy::duplicate_mod, reason = "compiled once for each crate")]
#[path = "workload.rs"]
mod workload;

pub use workload::Workload;
