#![doc = include_str!("README.md")]
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::struct_excessive_bools,
    clippy::must_use_candidate,
    reason = "support of tests, where a panic is a failed test"
)]

mod access;
mod chip;
mod dice;
mod driver;
mod erase;
mod fault;
mod flash;
mod life;
mod plan;
mod program;
mod report;
#[cfg(feature = "_test")]
#[doc(hidden)]
pub mod session;
mod subject;
mod unstable;

pub use chip::{Chip, Counts};
pub use dice::Dice;
pub use fault::{Busy, ChipError, Cut, ERASE_TEARS, EraseTear, PROGRAM_TEARS, ProgramTear, Tear};
pub use flash::{Flash, ready};
pub use plan::{Fault, Plan};
pub use report::{Failure, Report};
#[cfg(feature = "_test")]
#[doc(hidden)]
pub use session::{
    Act, Call, History, OwnedChange, OwnedDc, Plain, Play, Shape, Step, Trouble, built_on_weak,
    fresh_session, random_call, random_calls, workload,
};
pub use subject::Subject;
