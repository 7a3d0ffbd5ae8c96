//! The workload of the backends, for this library.

use mtsession as api;

#[path = "workload.rs"]
mod workload;

pub use workload::{Took, Workload};
