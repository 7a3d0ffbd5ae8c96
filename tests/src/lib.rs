//! What the tests of this workspace share: the conformance suite of backends, random sessions, the
//! golden files and an allocation counter.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic: that is how it fails"
)]

pub mod conformance;
pub mod model;
pub mod random;
pub mod vectors;
