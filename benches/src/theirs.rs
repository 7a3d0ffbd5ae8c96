//! The workload of the backends, for the crate that it replaces.

use ferogram_session as api;

#[path = "workload.rs"]
mod workload;

pub use workload::Workload;
