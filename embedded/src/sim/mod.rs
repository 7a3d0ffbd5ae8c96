//! A simulated NOR flash chip that keeps the rules of real ones, wears, tears and rots; a plain
//! session as a model; random scripts of calls.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    clippy::large_enum_variant,
    clippy::panic,
    clippy::struct_excessive_bools,
    clippy::use_self,
    clippy::unwrap_used,
    clippy::must_use_candidate,
    clippy::should_implement_trait,
    reason = "support of tests, where a panic is a failed test"
)]

mod act;
mod chip;
mod driver;
mod erase;
mod history;
mod play;
mod program;
mod script;
mod session;
mod unstable;

pub use act::Act;
pub use chip::{Chip, ChipError, Counts, Cut, ERASE_TEARS, PROGRAM_TEARS, Tear};
pub use history::History;
pub use play::{Play, Shape, Step, Trouble};
pub use script::{Call, Dice, fresh_session, random_calls, workload};
pub use session::{OwnedChange, OwnedDc, Plain};
