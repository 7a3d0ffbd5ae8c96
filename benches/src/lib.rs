//! Measurements alongside what people use today.
//!
//! ```text
//! cargo run --release -p mtsession-benches --bin results -- --run
//! ```
//!
//! measures everything and writes `RESULTS.md`. The pieces:
//!
//! | program | measures |
//! |---|---|
//! | `cargo bench -p mtsession-benches --bench codec` | the time of the codec |
//! | `cargo run --release -p mtsession-benches --bin allocations` | its heap |
//! | `cargo bench -p mtsession-benches --bench backends` | files and databases |
//! | `cargo run --release -p mtsession-benches --bin names` | the names of many peers in databases |
//! | `cargo run --release -p mtsession-benches --bin shared` | many accounts of one database, look-ups |
//! | `cargo run --release -p mtsession-benches --bin instructions -- check` | instructions, against the committed ones |
//! | `cargo run --release -p mtsession-benches --bin results -- --flash` | the flash log, on a simulated chip |

pub mod codec;
pub mod figures;
pub mod flash;
pub mod names;
mod ours;
mod program;
pub mod report;
mod samples;
pub mod shared;
pub mod stores;
mod theirs;

pub use program::{cargo, must_be_release, program};
pub use samples::{SIZES, Sample, samples};

/// Under this name the library is in every table.
pub const OURS: &str = "mtsession";
/// The crate that it replaces.
pub const THEIRS: &str = "ferogram-session";
