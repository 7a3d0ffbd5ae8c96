//! What the log must show: see TESTING.md. One program, so that what tests may do is said once.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::ref_option,
    clippy::tests_outside_test_module,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a panic is a failed test"
)]

mod busy;
mod common;
mod cut;
mod doubt;
mod driver;
mod faults;
mod full;
mod golden;
mod image;
mod keys;
mod lives;
mod log;
mod model;
mod refused;
mod rot;
mod sizes;
mod start;
