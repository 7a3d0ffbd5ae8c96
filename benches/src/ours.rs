//! The workload of the backends, for this library.

use mtsession as api;

#[expect(clippy::duplicate_mod, reason = "compiled once for each crate")]
#[path = "workload.rs"]
mod workload;

pub use workload::{Took, Workload};
